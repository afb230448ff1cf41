//! The record that Lambda sends to an on-failure destination.

use sandbox_core::InvocationError;
use serde_json::{Value, json};

/// An asynchronous invocation that failed for good.
pub(crate) struct Failure<'a> {
    pub(crate) request_id: &'a str,
    pub(crate) arn: &'a str,
    pub(crate) attempts: u32,
    pub(crate) payload: &'a Value,
    pub(crate) error: &'a InvocationError,
}

impl Failure<'_> {
    /// The record as a destination gets it.
    pub(crate) fn record(&self) -> Value {
        json!({
            "version": "1.0",
            "timestamp": jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
            "requestContext": {
                "requestId": self.request_id,
                "functionArn": format!("{}:$LATEST", self.arn),
                "condition": "RetriesExhausted",
                "approximateInvokeCount": self.attempts,
            },
            "requestPayload": self.payload,
            "responseContext": {
                "statusCode": 200,
                "executedVersion": "$LATEST",
                "functionError": "Unhandled",
            },
            "responsePayload": error_payload(self.request_id, self.error),
        })
    }
}

fn error_payload(request_id: &str, error: &InvocationError) -> Value {
    let (kind, message) = match error {
        InvocationError::Failed {
            error_type,
            message,
        } => (error_type.as_str(), message.clone()),
        InvocationError::Crashed => (
            "Runtime.ExitError",
            format!("RequestId: {request_id} Error: Runtime exited without providing a reason"),
        ),
        InvocationError::TimedOut => (
            "Sandbox.Timedout",
            format!("RequestId: {request_id} Error: Task timed out"),
        ),
        InvocationError::Unknown(_) => ("ResourceNotFoundException", error.to_string()),
    };
    json!({ "errorType": kind, "errorMessage": message })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_carries_the_request_and_the_error() {
        let payload = json!({ "id": 7 });
        let error = InvocationError::Failed {
            error_type: "StoreUnavailable".to_owned(),
            message: "try again".to_owned(),
        };
        let failure = Failure {
            request_id: "r-1",
            arn: "arn:aws:lambda:us-east-1:111111111111:function:f",
            attempts: 3,
            payload: &payload,
            error: &error,
        };
        let mut record = failure.record();
        let timestamp = record["timestamp"].take();
        assert_eq!(
            timestamp.as_str().map(str::len),
            Some("2026-11-20T10:15:04.123Z".len())
        );
        let expected = json!({
            "version": "1.0",
            "timestamp": null,
            "requestContext": {
                "requestId": "r-1",
                "functionArn": "arn:aws:lambda:us-east-1:111111111111:function:f:$LATEST",
                "condition": "RetriesExhausted",
                "approximateInvokeCount": 3,
            },
            "requestPayload": { "id": 7 },
            "responseContext": { "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled" },
            "responsePayload": { "errorType": "StoreUnavailable", "errorMessage": "try again" },
        });
        assert_eq!(record, expected);
    }
}
