//! What AppFlow's refusals mean to callers of the API.
//!
//! Operations do not model all of their errors, so the code decides, never the variant. A 401 of
//! AppFlow says that an application refused a connection; it never becomes a 401 of ours.

use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use tributary::{
    aws::Refusal,
    error::{Error, Kind},
};

/// How a code is answered: AppFlow's code, our kind and code, what the caller reads.
const ANSWERS: [(&str, Kind, &str, &str); 8] = [
    (
        "ConnectorAuthenticationException",
        Kind::Conflict,
        "reauth_or_refresh_needed",
        "The application refused the connection. Refresh it, or reconnect it.",
    ),
    (
        "ConnectorServerException",
        Kind::Upstream,
        "application_failed",
        "The application did not answer AppFlow as it should. Try again later.",
    ),
    (
        "ServiceQuotaExceededException",
        Kind::QuotaExhausted,
        "quota_exhausted",
        "A quota of the AWS account is used up.",
    ),
    (
        "ConflictException",
        Kind::Conflict,
        "appflow_busy",
        "AppFlow is busy with this flow or connection. Try again.",
    ),
    (
        "ResourceNotFoundException",
        Kind::Conflict,
        "missing_in_appflow",
        "AppFlow does not have this any more: it was deleted outside.",
    ),
    (
        "UnsupportedOperationException",
        Kind::Conflict,
        "not_supported",
        "AppFlow does not do this with flows of this kind.",
    ),
    (
        "AccessDeniedException",
        Kind::Conflict,
        "account_not_accessible",
        "The role in the AWS account may not do this. Verify the account again.",
    ),
    (
        "AccessDenied",
        Kind::Conflict,
        "account_not_accessible",
        "The role in the AWS account may not do this. Verify the account again.",
    ),
];

/// What a failed call says, as the service error.
pub(crate) fn failed<E: ProvideErrorMetadata>(
    call: &'static str,
    error: &SdkError<E, HttpResponse>,
) -> Error {
    refused(call, Refusal::of(error))
}

/// What a refusal means, as the service error.
pub(crate) fn refused(call: &'static str, refusal: Refusal) -> Error {
    if refusal.is_throttle() {
        return refusal.into_error(call);
    }
    if refusal.is("ValidationException") {
        return Error::new(
            Kind::Unprocessable,
            "appflow_refused",
            refusal
                .message
                .unwrap_or_else(|| "AppFlow does not take this flow.".to_owned()),
        )
        .with_log(format!(
            "{call} was refused (request {})",
            refusal.request_id.as_deref().unwrap_or("unknown")
        ));
    }
    let answer = ANSWERS.iter().find(|(code, ..)| refusal.is(code));
    let Some((code, kind, ours, caller)) = answer else {
        return refusal.into_error(call);
    };
    // Not AppFlow's message: it quotes what the application said, which may hold secrets.
    Error::new(*kind, ours, *caller).with_log(format!(
        "{call} failed with {code} (request {})",
        refusal.request_id.as_deref().unwrap_or("unknown")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: &str, status: u16) -> Refusal {
        Refusal {
            code: Some(code.to_owned()),
            message: Some("Create Flow request failed: [Task Validation Error]".to_owned()),
            status: Some(status),
            request_id: None,
        }
    }

    #[test]
    fn each_code_has_its_answer_whatever_the_status_is() {
        for (code, status, kind, ours) in [
            (
                "ValidationException",
                400,
                Kind::Unprocessable,
                "appflow_refused",
            ),
            (
                "ConnectorAuthenticationException",
                401,
                Kind::Conflict,
                "reauth_or_refresh_needed",
            ),
            (
                "ConnectorServerException",
                400,
                Kind::Upstream,
                "application_failed",
            ),
            (
                "ServiceQuotaExceededException",
                402,
                Kind::QuotaExhausted,
                "quota_exhausted",
            ),
            ("ConflictException", 409, Kind::Conflict, "appflow_busy"),
            (
                "ResourceNotFoundException",
                404,
                Kind::Conflict,
                "missing_in_appflow",
            ),
            (
                "UnsupportedOperationException",
                400,
                Kind::Conflict,
                "not_supported",
            ),
            (
                "AccessDeniedException",
                403,
                Kind::Conflict,
                "account_not_accessible",
            ),
            ("ThrottlingException", 400, Kind::Throttled, "aws_throttled"),
            (
                "InternalServerException",
                500,
                Kind::Unavailable,
                "aws_unavailable",
            ),
            ("SomethingNew", 400, Kind::Internal, "aws_refused"),
        ] {
            let error = refused("CreateFlow", refusal(code, status));
            assert_eq!((error.kind(), error.code()), (kind, ours), "{code}");
        }
    }

    #[test]
    fn f8_the_caller_reads_appflows_words_about_a_flow_only() {
        let error = refused("CreateFlow", refusal("ValidationException", 400));
        assert!(error.caller_message().contains("Task Validation Error"));
        let error = refused(
            "CreateFlow",
            refusal("ConnectorAuthenticationException", 401),
        );
        assert!(!error.caller_message().contains("Task Validation Error"));
        assert!(!error.chain().contains("Task Validation Error"));
    }

    #[test]
    fn f9_throttling_says_when_to_come_back() {
        let error = refused("StartFlow", refusal("ThrottlingException", 400));
        assert!(error.retry_after_seconds().is_some());
    }
}
