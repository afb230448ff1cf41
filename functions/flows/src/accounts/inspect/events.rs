//! The one call of EventBridge that we make: an event on an account's own bus.
//!
//! Signed here like S3's four (docs/adr/0008); the host is the Region's own endpoint, or the one that
//! the operator configured for the whole process.

use aws_config::SdkConfig;
use http::{HeaderMap, HeaderValue, Method, header};
use serde::Deserialize;
use serde_json::{Value, json};
use tributary::{aws::Refusal, sign, tenancy::Account};

/// Source of the event. The role may put events of this source and no other.
pub(super) const SOURCE: &str = "tributary.verification";
/// Type of the event.
const DETAIL_TYPE: &str = "Tributary Account Verification";
/// Largest answer that is read.
const ANSWER_LIMIT: usize = 64 * 1024;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Answer {
    failed_entry_count: u32,
    entries: Vec<Entry>,
    #[serde(rename = "__type")]
    kind: Option<String>,
    #[serde(alias = "message")]
    message: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Entry {
    error_code: Option<String>,
}

/// Puts the event with this detail on the default bus of the account; answers AWS's request id.
pub(super) async fn put(
    http: &reqwest::Client,
    config: &SdkConfig,
    account: &Account,
    detail: &Value,
) -> Result<Option<String>, Refusal> {
    let region = &account.region;
    let endpoint = config.endpoint_url().map_or_else(
        || format!("https://events.{region}.amazonaws.com/"),
        str::to_owned,
    );
    let body = json!({ "Entries": [{
        "Source": SOURCE, "DetailType": DETAIL_TYPE, "Detail": detail.to_string(),
    }] })
    .to_string();
    let url = reqwest::Url::parse(&endpoint).map_err(|_| no_answer())?;
    let mut headers = HeaderMap::new();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/x-amz-json-1.1"),
    );
    headers.insert(
        "x-amz-target",
        HeaderValue::from_static("AWSEvents.PutEvents"),
    );
    let service = ("events", region.as_str());
    sign::add_signature(config, service, &Method::POST, &url, &mut headers, &body)
        .await
        .map_err(|_| no_answer())?;
    let answer = http
        .post(url)
        .headers(headers)
        .body(body)
        .send()
        .await
        .map_err(|_| no_answer())?;
    let status = answer.status().as_u16();
    let request_id = answer
        .headers()
        .get("x-amzn-requestid")
        .and_then(|id| id.to_str().ok())
        .map(str::to_owned);
    let bytes = answer.bytes().await.map_err(|_| no_answer())?;
    let said: Answer = Some(bytes)
        .filter(|bytes| bytes.len() <= ANSWER_LIMIT)
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
    read(status, request_id, said)
}

/// What an answer says. An entry can be refused in an answer that is none.
fn read(status: u16, request_id: Option<String>, said: Answer) -> Result<Option<String>, Refusal> {
    let entry = said.entries.into_iter().next();
    let of_entry = entry.as_ref().and_then(|entry| entry.error_code.clone());
    if status == 200 && said.failed_entry_count == 0 && entry.is_some() && of_entry.is_none() {
        return Ok(request_id);
    }
    let kind = said
        .kind
        .map(|kind| kind.rsplit('#').next().unwrap_or_default().to_owned());
    Err(Refusal {
        code: kind.or(of_entry),
        message: said.message,
        status: Some(status),
        request_id,
    })
}

const fn no_answer() -> Refusal {
    Refusal {
        code: None,
        message: None,
        status: None,
        request_id: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: u16, body: &Value) -> Result<Option<String>, Refusal> {
        let answer = serde_json::from_value(body.clone()).unwrap();
        read(status, Some("r-1".to_owned()), answer)
    }

    #[test]
    fn an_entry_that_was_refused_is_a_refusal() {
        let taken = json!({ "FailedEntryCount": 0, "Entries": [{ "EventId": "e" }] });
        assert_eq!(said(200, &taken).unwrap().as_deref(), Some("r-1"));
        let refused =
            json!({ "FailedEntryCount": 1, "Entries": [{ "ErrorCode": "ThrottlingException" }] });
        assert!(said(200, &refused).unwrap_err().is_throttle());
        let denied =
            json!({ "__type": "com.amazonaws.events#AccessDeniedException", "Message": "no" });
        assert!(said(400, &denied).unwrap_err().is_access_denied());
        assert!(
            said(200, &json!({})).is_err(),
            "an answer that says nothing"
        );
    }
}
