//! One way to reach AWS: pinned behaviour, one HTTP client, timeouts and retries said aloud.

use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_smithy_runtime_api::{
    client::{orchestrator::HttpResponse, result::SdkError},
    http::StatusCode,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::error::{Error, Kind};

/// Longest that one attempt of a call may take.
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest that a call may take with its retries.
pub const OPERATION_TIMEOUT: Duration = Duration::from_secs(12);

/// The configuration that every client of this process is made from.
///
/// The SDK has a connect timeout and nothing else: a call without these would hang until the
/// invocation ends.
pub async fn load_config() -> SdkConfig {
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .timeout_config(timeouts())
        .retry_config(RetryConfig::standard().with_max_attempts(3))
        .load()
        .await
}

/// Timeouts of ordinary calls.
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build()
}

/// What a failed call says, whether or not its operation models the error.
///
/// AppFlow's StartFlow, Redshift Data and others do not model throttling or access errors: those
/// arrive as unhandled, so the code and the status decide, never the variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Error code, as AWS names it; absent when no answer came.
    pub code: Option<String>,
    /// The service's message. May hold names of the customer's things; not for callers.
    pub message: Option<String>,
    /// HTTP status; absent when no answer came.
    pub status: Option<u16>,
    /// AWS's request id, for support.
    pub request_id: Option<String>,
}

const THROTTLE_CODES: [&str; 6] = [
    "ThrottlingException",
    "Throttling",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "ProvisionedThroughputExceededException",
    "SlowDown",
];

impl Refusal {
    /// Reads what a failed call says.
    pub fn of<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Self {
        let meta = error.as_service_error().map(ProvideErrorMetadata::meta);
        Self {
            code: meta.and_then(|meta| meta.code()).map(str::to_owned),
            message: meta.and_then(|meta| meta.message()).map(str::to_owned),
            status: error
                .raw_response()
                .map(|response| StatusCode::as_u16(response.status())),
            request_id: error
                .raw_response()
                .and_then(|response| response.headers().get("x-amzn-requestid"))
                .map(str::to_owned),
        }
    }

    /// Whether the service refused with this code.
    pub fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// Whether the service asked us to slow down.
    pub fn is_throttle(&self) -> bool {
        self.code
            .as_deref()
            .is_some_and(|code| THROTTLE_CODES.contains(&code))
            || matches!(self.status, Some(429 | 503))
    }

    /// Whether no usable answer came: the call may have had its effect.
    pub fn is_unknown(&self) -> bool {
        self.status.is_none_or(|status| status >= 500)
    }

    /// Whether IAM refused the call.
    pub fn is_access_denied(&self) -> bool {
        self.is("AccessDenied") || self.is("AccessDeniedException")
    }

    /// The service error for a call that failed in a way its caller has no better word for.
    pub fn into_error(self, call: &'static str) -> Error {
        let log = format!(
            "{call} failed: code {}, status {}, request {}, {}",
            self.code.as_deref().unwrap_or("none"),
            self.status
                .map_or_else(|| "none".to_owned(), |status| status.to_string()),
            self.request_id.as_deref().unwrap_or("none"),
            self.message.as_deref().unwrap_or("no message"),
        );
        if self.is_throttle() {
            return Error::new(
                Kind::Throttled,
                "aws_throttled",
                "AWS asked us to slow down. Try again shortly.",
            )
            .with_log(log)
            .with_retry_after(5);
        }
        if self.is_unknown() {
            return Error::unavailable("aws_unavailable", log);
        }
        Error::internal("aws_refused", log)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: Option<&str>, status: Option<u16>) -> Refusal {
        Refusal {
            code: code.map(str::to_owned),
            message: None,
            status,
            request_id: None,
        }
    }

    #[test]
    fn throttling_is_known_by_code_and_by_status() {
        assert!(refusal(Some("ThrottlingException"), Some(400)).is_throttle());
        assert!(refusal(None, Some(429)).is_throttle());
        assert!(!refusal(Some("ConflictException"), Some(409)).is_throttle());
    }

    #[test]
    fn no_answer_and_server_errors_leave_the_effect_unknown() {
        assert!(refusal(None, None).is_unknown());
        assert!(refusal(Some("InternalServerException"), Some(500)).is_unknown());
        assert!(!refusal(Some("ValidationException"), Some(400)).is_unknown());
    }
}
