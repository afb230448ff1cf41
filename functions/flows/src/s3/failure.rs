//! What S3's refusals mean.

use http::{HeaderMap, StatusCode};
use tributary::{
    aws::Refusal,
    error::{Error, Kind},
};

use super::xml;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A call that did not succeed.
#[derive(Debug)]
pub(crate) struct Failure {
    call: &'static str,
    refusal: Refusal,
    cause: Option<Cause>,
    /// Whether it never came as far as S3.
    ours: bool,
}

/// How a code is answered: S3's code, our kind and code, what the caller reads.
const ANSWERS: [(&str, Kind, &str, &str); 8] = [
    (
        "NoSuchBucket",
        Kind::NotFound,
        "not_found",
        "There is no such resource.",
    ),
    (
        "AccessDenied",
        Kind::Conflict,
        "bucket_not_accessible",
        "This bucket belongs to another account, or the role in the account may not do this with it. \
         The role may see and change policies of buckets whose names begin with tributary- only.",
    ),
    (
        "AllAccessDisabled",
        Kind::Conflict,
        "bucket_not_accessible",
        "All access to this bucket is disabled.",
    ),
    (
        "PermanentRedirect",
        Kind::Conflict,
        "other_region",
        "This bucket is in another Region than the account's flows; AppFlow cannot use it.",
    ),
    (
        "AuthorizationHeaderMalformed",
        Kind::Conflict,
        "other_region",
        "This bucket is in another Region than the account's flows; AppFlow cannot use it.",
    ),
    (
        "MalformedPolicy",
        Kind::Conflict,
        "policy_refused",
        "S3 does not take the policy, although it was only added to. Look at what is in it already.",
    ),
    (
        "OperationAborted",
        Kind::Conflict,
        "bucket_busy",
        "Somebody else is changing this bucket. Try again.",
    ),
    (
        "MethodNotAllowed",
        Kind::Conflict,
        "bucket_not_accessible",
        "Only the account that owns this bucket can do this.",
    ),
];

impl Failure {
    /// S3 refused.
    pub(super) fn answered(
        call: &'static str,
        status: StatusCode,
        headers: &HeaderMap,
        body: &str,
    ) -> Self {
        let (code, message) = xml::error(body).unwrap_or_default();
        let request_id = headers
            .get("x-amz-request-id")
            .and_then(|id| id.to_str().ok());
        // Errors without a body exist: the status has to do.
        let code = code.or_else(|| match status {
            StatusCode::FORBIDDEN => Some("AccessDenied".to_owned()),
            StatusCode::MOVED_PERMANENTLY => Some("PermanentRedirect".to_owned()),
            _ => None,
        });
        Self {
            call,
            refusal: Refusal {
                code,
                message,
                status: Some(status.as_u16()),
                request_id: request_id.map(str::to_owned),
            },
            cause: None,
            ours: false,
        }
    }

    /// No whole answer came.
    pub(super) fn no_answer(call: &'static str, error: reqwest::Error) -> Self {
        Self::without_answer(call, error.without_url().into(), false)
    }

    /// An answer came that says nothing.
    pub(super) fn unreadable(call: &'static str, cause: impl Into<Cause>) -> Self {
        Self::without_answer(call, cause.into(), false)
    }

    /// The call could not even be made.
    pub(super) fn internal(call: &'static str, cause: impl Into<Cause>) -> Self {
        Self::without_answer(call, cause.into(), true)
    }

    fn without_answer(call: &'static str, cause: Cause, ours: bool) -> Self {
        let refusal = Refusal {
            code: None,
            message: None,
            status: None,
            request_id: None,
        };
        Self {
            call,
            refusal,
            cause: Some(cause),
            ours,
        }
    }

    /// Whether S3 refused with this code.
    pub(crate) fn is(&self, code: &str) -> bool {
        self.refusal.is(code)
    }

    /// What S3 said.
    pub(crate) fn into_refusal(self) -> Refusal {
        self.refusal
    }

    /// Whether the same call may do better in a moment.
    pub(super) fn is_passing(&self) -> bool {
        !self.ours && (self.refusal.is_throttle() || self.refusal.is_unknown())
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let Failure {
            call,
            refusal,
            cause,
            ours,
        } = failure;
        let error = match ANSWERS.iter().find(|(code, ..)| refusal.is(code)) {
            _ if ours => Self::internal("s3_call", format!("{call} could not be made")),
            Some((_, kind, code, caller)) => Self::new(*kind, code, *caller).with_log(format!(
                "{call} failed with {} (request {})",
                refusal.code.as_deref().unwrap_or_default(),
                refusal.request_id.as_deref().unwrap_or("unknown"),
            )),
            None => refusal.into_error(call),
        };
        match cause {
            Some(cause) => error.with_source(cause),
            None => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(status: u16, body: &str) -> Failure {
        let status = StatusCode::from_u16(status).unwrap();
        Failure::answered("PutBucketPolicy", status, &HeaderMap::new(), body)
    }

    #[test]
    fn each_refusal_has_its_answer() {
        for (status, body, kind, code) in [
            (
                404,
                "<Error><Code>NoSuchBucket</Code></Error>",
                Kind::NotFound,
                "not_found",
            ),
            (
                403,
                "<Error><Code>AccessDenied</Code></Error>",
                Kind::Conflict,
                "bucket_not_accessible",
            ),
            (403, "", Kind::Conflict, "bucket_not_accessible"),
            (301, "", Kind::Conflict, "other_region"),
            (
                400,
                "<Error><Code>MalformedPolicy</Code></Error>",
                Kind::Conflict,
                "policy_refused",
            ),
            (
                503,
                "<Error><Code>SlowDown</Code></Error>",
                Kind::Throttled,
                "aws_throttled",
            ),
            (
                500,
                "<Error><Code>InternalError</Code></Error>",
                Kind::Unavailable,
                "aws_unavailable",
            ),
            (400, "not xml", Kind::Internal, "aws_refused"),
        ] {
            let error = Error::from(failure(status, body));
            assert_eq!(
                (error.kind(), error.code()),
                (kind, code),
                "{status} {body}"
            );
        }
    }

    #[test]
    fn slow_and_silent_answers_are_asked_again_and_refusals_are_not() {
        assert!(failure(503, "").is_passing());
        assert!(failure(500, "").is_passing());
        assert!(Failure::unreadable("GetBucketPolicy", "cut").is_passing());
        assert!(!failure(403, "").is_passing());
        assert!(!Failure::internal("GetBucketPolicy", "no credentials").is_passing());
    }
}
