//! SQS: queue URLs that lead here, the error codes of the JSON protocol, batches, and fairness among groups.

mod batch;
mod fair;

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use sandbox_core::{AwsCall, AwsReply};
use serde_json::Value;
use winterbaume_sqs::SqsService;

const CONTENT_TYPE: &str = "application/x-amz-json-1.0";

pub(super) use fair::Waiting;

pub(super) async fn handle(
    service: &SqsService,
    waiting: &Waiting,
    call: &AwsCall,
    address: Option<&SocketAddr>,
) -> AwsReply {
    if let Some(refused) = foreign_queue(call) {
        return refused;
    }
    if let Some(operation) = call.target_operation().and_then(batch::single_operation) {
        return batch::handle(service, call, operation).await;
    }
    if let Some(kept) = waiting.keep(service, call).await {
        return kept;
    }
    waiting.hand_over(service, call).await;
    let mut reply = single(service, call).await;
    if reply.status.is_success()
        && let Some(address) = address
        && let Ok(mut answer) = serde_json::from_slice::<Value>(&reply.body)
    {
        localise(&mut answer, address, &call.principal.account);
        reply.body = Bytes::from(answer.to_string());
    }
    reply
}

/// Runs one operation that is not a batch, and corrects its error.
async fn single(service: &SqsService, call: &AwsCall) -> AwsReply {
    let reply = super::json(service, call, &call.body).await;
    if reply.status.is_success() {
        return reply;
    }
    let answer: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let code = answer["__type"].as_str().unwrap_or_default();
    // The JSON protocol has names of its own; the query protocol's go into a header.
    let (code, query_code) = match code {
        "AWS.SimpleQueueService.NonExistentQueue" => ("QueueDoesNotExist", code),
        "QueueAlreadyExists" => ("QueueNameExists", "QueueAlreadyExists"),
        other => (other, other),
    };
    let message = answer["message"].as_str().unwrap_or_default();
    refused(reply.status, code, query_code, message)
}

/// An error with the name that it had in the query protocol, which some clients go by.
fn refused(status: StatusCode, code: &str, query_code: &str, message: &str) -> AwsReply {
    let mut refused = error(status, code, message);
    if let Ok(value) = HeaderValue::from_str(&format!("{query_code};Sender")) {
        refused.headers.insert("x-amzn-query-error", value);
    }
    refused
}

/// Refuses a queue URL of another account: queues have no policies here.
fn foreign_queue(call: &AwsCall) -> Option<AwsReply> {
    let ask = call.json().ok()?;
    let mut parts = ask["QueueUrl"].as_str()?.rsplit('/');
    let owner = parts.nth(1)?;
    (owner != call.principal.account).then(|| {
        error(
            StatusCode::FORBIDDEN,
            "AccessDenied",
            "Access to the resource is denied.",
        )
    })
}

fn localise(value: &mut Value, address: &SocketAddr, account: &str) {
    for field in ["QueueUrl", "QueueUrls", "queueUrls"] {
        let urls = match value.get_mut(field) {
            Some(Value::Array(urls)) => urls.as_mut_slice(),
            Some(url) => std::slice::from_mut(url),
            None => continue,
        };
        for url in urls {
            if let Some(name) = url.as_str().and_then(|url| url.rsplit('/').next()) {
                *url = Value::String(format!("http://{address}/{account}/{name}"));
            }
        }
    }
}

fn error(status: StatusCode, code: &str, message: &str) -> AwsReply {
    AwsReply::json_error(
        status,
        CONTENT_TYPE,
        &format!("com.amazonaws.sqs#{code}"),
        message,
    )
}
