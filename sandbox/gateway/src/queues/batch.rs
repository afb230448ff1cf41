//! The event of a batch, and what the function's answer says about its messages.

use std::{collections::BTreeSet, fmt::Write as _};

use md5::{Digest as _, Md5};
use sandbox_core::Received;
use serde_json::{Map, Value, json};

/// The SQS event of a batch.
pub(crate) fn event(batch: &[Received], queue: &str, region: &str) -> Value {
    let records: Vec<Value> = batch
        .iter()
        .map(|message| {
            let attributes = message.message_attributes.iter();
            let attributes: Map<String, Value> = attributes
                .map(|(name, value)| (name.clone(), string_attribute(value)))
                .collect();
            json!({
                "messageId": message.message_id,
                "receiptHandle": message.receipt_handle,
                "body": message.body,
                "attributes": message.attributes,
                "messageAttributes": attributes,
                "md5OfBody": md5(&message.body),
                "eventSource": "aws:sqs",
                "eventSourceARN": queue,
                "awsRegion": region,
            })
        })
        .collect();
    json!({ "Records": records })
}

fn string_attribute(value: &str) -> Value {
    json!({
        "stringValue": value,
        "stringListValues": [],
        "binaryListValues": [],
        "dataType": "String",
    })
}

/// Ids of the messages that failed, as `batchItemFailures` says. An answer that Lambda would not
/// accept is an `Err`, and then the whole batch counts as failed.
pub(crate) fn failed(answer: &Value, ids: &[&str]) -> Result<BTreeSet<String>, String> {
    let failures = match answer {
        Value::Null => return Ok(none()),
        Value::Object(fields) => fields.get("batchItemFailures").unwrap_or(&Value::Null),
        _ => return Err("the answer is not a mapping".to_owned()),
    };
    let failures = match failures {
        Value::Null => return Ok(none()),
        Value::Array(failures) => failures,
        _ => return Err("batchItemFailures is not a list".to_owned()),
    };
    let mut failed = none();
    for failure in failures {
        match failure.get("itemIdentifier").and_then(Value::as_str) {
            Some(id) if ids.contains(&id) => drop(failed.insert(id.to_owned())),
            Some(id) => return Err(format!("no message {id:?} in the batch")),
            None => return Err("a failure without itemIdentifier".to_owned()),
        }
    }
    Ok(failed)
}

pub(crate) fn all(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

pub(crate) fn none() -> BTreeSet<String> {
    BTreeSet::new()
}

fn md5(body: &str) -> String {
    let digest = Md5::digest(body.as_bytes());
    digest.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUEUE: &str = "arn:aws:sqs:us-east-1:111111111111:q";

    #[test]
    fn the_event_is_lambdas() {
        let message = Received {
            message_id: "m-1".to_owned(),
            receipt_handle: "h-1".to_owned(),
            body: "{}".to_owned(),
            attributes: [("ApproximateReceiveCount".to_owned(), "1".to_owned())].into(),
            message_attributes: [("deliverTo".to_owned(), "all".to_owned())].into(),
        };
        let expected = json!({ "Records": [{
            "messageId": "m-1",
            "receiptHandle": "h-1",
            "body": "{}",
            "attributes": { "ApproximateReceiveCount": "1" },
            "messageAttributes": { "deliverTo": {
                "stringValue": "all",
                "stringListValues": [],
                "binaryListValues": [],
                "dataType": "String",
            } },
            "md5OfBody": "99914b932bd37a50b983c5e7c90ae93b",
            "eventSource": "aws:sqs",
            "eventSourceARN": QUEUE,
            "awsRegion": "us-east-1",
        }] });
        assert_eq!(event(&[message], QUEUE, "us-east-1"), expected);
    }

    #[test]
    fn an_empty_report_is_success_of_all() {
        for answer in [
            json!(null),
            json!({}),
            json!({ "batchItemFailures": null }),
            json!({ "batchItemFailures": [] }),
        ] {
            assert_eq!(failed(&answer, &["a"]), Ok(none()), "{answer}");
        }
    }

    #[test]
    fn named_messages_fail_alone() {
        let answer = json!({ "batchItemFailures": [{ "itemIdentifier": "b" }] });
        assert_eq!(failed(&answer, &["a", "b"]), Ok(all(&["b"])));
    }

    #[test]
    fn a_report_that_cannot_be_trusted_fails_the_batch() {
        for failures in [
            json!([{ "itemIdentifier": "x" }]),
            json!([{ "itemIdentifier": "" }]),
            json!([{ "itemIdentifier": null }]),
            json!([{ "id": "a" }]),
            json!("a"),
        ] {
            let answer = json!({ "batchItemFailures": failures });
            assert!(failed(&answer, &["a"]).is_err(), "{answer}");
        }
        assert!(failed(&json!("done"), &["a"]).is_err());
    }
}
