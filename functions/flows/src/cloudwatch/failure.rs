//! What CloudWatch's refusals mean.

use http::{HeaderMap, StatusCode};
use tributary::{
    aws::Refusal,
    error::{Error, Kind},
};

use super::wire::Refused;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// When a caller may come back after something that passes, in seconds.
const COME_BACK: u32 = 5;

/// A call that did not succeed.
#[derive(Debug)]
pub(crate) struct Failure {
    call: &'static str,
    refusal: Refusal,
    cause: Option<Cause>,
    /// Whether it never came as far as CloudWatch.
    ours: bool,
}

/// How a code is answered: CloudWatch's code, our kind and code, what the caller reads.
const ANSWERS: [(&str, Kind, &str, &str); 3] = [
    (
        "AccessDenied",
        Kind::Conflict,
        "monitoring_not_allowed",
        "The role in the AWS account may not read metrics or keep alarms. Update the account's stack with \
         the current template, then verify the account.",
    ),
    (
        "LimitExceeded",
        Kind::QuotaExhausted,
        "quota_exhausted",
        "The AWS account's quota of alarms is used up.",
    ),
    (
        "InternalServiceFault",
        Kind::Unavailable,
        "monitoring_unavailable",
        "CloudWatch cannot answer at the moment. Try again shortly.",
    ),
];

impl Failure {
    /// CloudWatch refused.
    pub(super) fn answered(
        call: &'static str,
        status: StatusCode,
        headers: &HeaderMap,
        refused: Refused,
    ) -> Self {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let code = refused
            .kind
            .as_deref()
            .or_else(|| header("x-amzn-errortype"));
        // Shapes have names beside the codes: `LimitExceededFault` is `LimitExceeded`.
        let code = code.map(|code| {
            let code = code.rsplit('#').next().unwrap_or(code);
            let code = code.split(':').next().unwrap_or(code);
            match code {
                "LimitExceededFault" => "LimitExceeded",
                "AccessDeniedException" => "AccessDenied",
                "ResourceNotFoundException" => "ResourceNotFound",
                other => other,
            }
            .to_owned()
        });
        Self {
            call,
            refusal: Refusal {
                code,
                message: refused.message,
                status: Some(status.as_u16()),
                request_id: header("x-amzn-requestid").map(str::to_owned),
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

    /// Whether what the call named is not there.
    pub(crate) fn is_gone(&self) -> bool {
        self.refusal.is("ResourceNotFound")
    }

    /// Whether IAM keeps the role from it.
    pub(crate) fn is_denied(&self) -> bool {
        self.refusal.is_access_denied()
    }

    /// What CloudWatch said.
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
        let error = if ours {
            Self::internal("cloudwatch_call", format!("{call} could not be made"))
        } else {
            let mut answers = ANSWERS.iter();
            match answers.find(|(code, ..)| refusal.is(code)) {
                // Not CloudWatch's message: it names roles and resources of the account.
                Some((_, kind, code, caller)) => {
                    let log = format!(
                        "{call} failed with {} (request {})",
                        refusal.code.as_deref().unwrap_or_default(),
                        refusal.request_id.as_deref().unwrap_or("unknown"),
                    );
                    let error = Self::new(*kind, code, *caller).with_log(log);
                    if *kind == Kind::Unavailable {
                        error.with_retry_after(COME_BACK)
                    } else {
                        error
                    }
                }
                None => refusal.into_error(call),
            }
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

    fn failure(status: u16, code: &str) -> Failure {
        let refused = Refused {
            kind: Some(format!("com.amazonaws.cloudwatch#{code}")),
            message: Some("User: arn:aws:sts::222222222222:assumed-role/canary".to_owned()),
        };
        let status = StatusCode::from_u16(status).unwrap();
        Failure::answered("PutMetricAlarm", status, &HeaderMap::new(), refused)
    }

    #[test]
    fn each_refusal_has_its_answer_and_none_has_cloudwatchs_words() {
        for (status, code, kind, ours) in [
            (
                403,
                "AccessDenied",
                Kind::Conflict,
                "monitoring_not_allowed",
            ),
            (
                400,
                "AccessDeniedException",
                Kind::Conflict,
                "monitoring_not_allowed",
            ),
            (
                400,
                "LimitExceededFault",
                Kind::QuotaExhausted,
                "quota_exhausted",
            ),
            (
                500,
                "InternalServiceFault",
                Kind::Unavailable,
                "monitoring_unavailable",
            ),
            (400, "ThrottlingException", Kind::Throttled, "aws_throttled"),
            (
                400,
                "InvalidParameterValueException",
                Kind::Internal,
                "aws_refused",
            ),
        ] {
            let error = Error::from(failure(status, code));
            assert_eq!((error.kind(), error.code()), (kind, ours), "{code}");
            assert!(!error.caller_message().contains("canary"));
        }
    }

    #[test]
    fn what_is_gone_and_what_passes_are_told_apart() {
        assert!(failure(400, "ResourceNotFound").is_gone());
        assert!(failure(403, "AccessDenied").is_denied());
        assert!(failure(400, "Throttling").is_passing());
        assert!(!failure(400, "ValidationError").is_passing());
        assert!(!Failure::internal("GetMetricData", "no credentials").is_passing());
    }
}
