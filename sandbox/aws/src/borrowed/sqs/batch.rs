//! Batches, entry by entry: the borrowed service fails a whole batch for one bad entry.

use bytes::Bytes;
use http::StatusCode;
use sandbox_core::{AwsCall, AwsReply};
use serde_json::{Map, Value, json};
use winterbaume_sqs::SqsService;

use super::{CONTENT_TYPE, error, refused, single};

/// The single operation behind a batch operation.
pub(super) fn single_operation(operation: &str) -> Option<&'static str> {
    match operation {
        "SendMessageBatch" => Some("SendMessage"),
        "DeleteMessageBatch" => Some("DeleteMessage"),
        "ChangeMessageVisibilityBatch" => Some("ChangeMessageVisibility"),
        _ => None,
    }
}

/// Runs a batch and tells the success of each entry.
pub(super) async fn handle(service: &SqsService, call: &AwsCall, operation: &str) -> AwsReply {
    let Ok(ask) = call.json() else {
        return error(
            StatusCode::BAD_REQUEST,
            "InvalidParameterValue",
            "the body is not JSON",
        );
    };
    let entries = ask["Entries"].as_array().cloned().unwrap_or_default();
    if let Some(refused) = refuse(&entries) {
        return refused;
    }
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for entry in entries {
        let id = entry["Id"].clone();
        let (code, mut answer) = one(service, call, operation, &ask["QueueUrl"], entry).await;
        match code {
            // The queue's absence is everybody's.
            Some(code) if code == "QueueDoesNotExist" => {
                return refused(
                    StatusCode::BAD_REQUEST,
                    &code,
                    "AWS.SimpleQueueService.NonExistentQueue",
                    "The specified queue does not exist.",
                );
            }
            Some(code) => failed.push(json!({
                "Id": id, "SenderFault": true, "Code": code, "Message": answer["message"],
            })),
            None => {
                answer["Id"] = id;
                successful.push(answer);
            }
        }
    }
    let mut answer = json!({ "Successful": successful });
    if !failed.is_empty() {
        answer["Failed"] = json!(failed);
    }
    AwsReply::json(StatusCode::OK, CONTENT_TYPE, &answer)
}

/// Runs one entry: its error code, if it failed, and the answer.
async fn one(
    service: &SqsService,
    call: &AwsCall,
    operation: &str,
    queue_url: &Value,
    mut entry: Value,
) -> (Option<String>, Value) {
    entry["QueueUrl"] = queue_url.clone();
    let mut one = call.clone();
    one.body = Bytes::from(entry.to_string());
    if let Ok(target) = format!("AmazonSQS.{operation}").parse() {
        one.headers.insert("x-amz-target", target);
    }
    let reply = single(service, &one).await;
    let answer = serde_json::from_slice(&reply.body).unwrap_or_else(|_| Value::Object(Map::new()));
    let code = (!reply.status.is_success())
        .then(|| answer["__type"].as_str().unwrap_or_default())
        .map(|code| code.rsplit('#').next().unwrap_or_default().to_owned());
    (code, answer)
}

fn refuse(entries: &[Value]) -> Option<AwsReply> {
    let mut ids: Vec<&str> = entries
        .iter()
        .filter_map(|entry| entry["Id"].as_str())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let (code, message) = if entries.is_empty() {
        (
            "EmptyBatchRequest",
            "There should be at least one entry in the request.",
        )
    } else if entries.len() > 10 {
        (
            "TooManyEntriesInBatchRequest",
            "Maximum number of entries per request are 10.",
        )
    } else if ids.len() < entries.len() {
        (
            "BatchEntryIdsNotDistinct",
            "Each entry needs an id of its own.",
        )
    } else {
        return None;
    };
    let query_code = format!("AWS.SimpleQueueService.{code}");
    Some(refused(StatusCode::BAD_REQUEST, code, &query_code, message))
}
