//! What AWS answers to somebody who may not.

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode};
use sandbox_core::{AwsCall, AwsReply};

use super::{Denied, Need};
use crate::refusal::Protocol;

/// The sentence that all services share.
pub(super) fn message(caller: &str, need: &Need, why: Denied) -> String {
    let Need {
        action, resource, ..
    } = need;
    let because = match why {
        Denied::Explicitly(kind) => {
            let article = if kind == "identity-based" { "an" } else { "a" };
            format!("with an explicit deny in {article} {kind} policy")
        }
        Denied::Silently(kind) => format!("because no {kind} policy allows the {action} action"),
    };
    format!(
        "User: {caller} is not authorized to perform: {action} on resource: {resource} {because}"
    )
}

/// Code and status as the service uses them.
pub(super) fn reply(call: &AwsCall, protocol: Protocol, message: &str) -> AwsReply {
    let (status, code) = match (call.service.as_str(), protocol) {
        ("sns", _) => (StatusCode::FORBIDDEN, "AuthorizationError"),
        (_, Protocol::S3 | Protocol::Query) => (StatusCode::FORBIDDEN, "AccessDenied"),
        (_, Protocol::RestJson) => (StatusCode::FORBIDDEN, "AccessDeniedException"),
        (_, Protocol::Json10 | Protocol::Json11) => {
            (StatusCode::BAD_REQUEST, "AccessDeniedException")
        }
    };
    let mut reply = protocol.error(status, code, message);
    if call.service == "sqs" {
        // The name that it had in the query protocol, which some clients go by.
        reply.headers.insert(
            "x-amzn-query-error",
            HeaderValue::from_static("AccessDenied;Sender"),
        );
    }
    if call.method == Method::HEAD {
        reply.body = Bytes::new();
    }
    reply
}
