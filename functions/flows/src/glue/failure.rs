//! What Glue's refusals mean.

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
    /// Whether it never came as far as Glue.
    ours: bool,
}

/// How a code is answered: Glue's code, our kind and code, what the caller reads.
const ANSWERS: [(&str, Kind, &str, &str); 13] = [
    (
        "EntityNotFoundException",
        Kind::NotFound,
        "not_found",
        "There is no such resource.",
    ),
    (
        "InvalidInputException",
        Kind::Malformed,
        "invalid_catalog_name",
        "Glue takes no database or table of this name.",
    ),
    (
        "AccessDeniedException",
        Kind::Conflict,
        "catalog_not_allowed",
        "The role in the AWS account may not read the Glue Data Catalog. Update the account's stack \
         with the current template, then verify the account.",
    ),
    (
        LAKE_FORMATION,
        Kind::Conflict,
        "lake_formation_denies",
        "Lake Formation keeps this from the role in the AWS account. Its administrator can grant \
         Describe to the role.",
    ),
    (
        "OperationTimeoutException",
        Kind::Unavailable,
        "catalog_slow",
        "Glue did not answer in time. Try again shortly.",
    ),
    (
        "InternalServiceException",
        Kind::Unavailable,
        "catalog_unavailable",
        "Glue cannot answer at the moment. Try again shortly.",
    ),
    (
        "ThrottlingException",
        Kind::Unavailable,
        "catalog_busy",
        "Glue asked us to slow down. Try again shortly.",
    ),
    (
        "Throttling",
        Kind::Unavailable,
        "catalog_busy",
        "Glue asked us to slow down. Try again shortly.",
    ),
    (
        "ResourceNotReadyException",
        Kind::Unavailable,
        "catalog_not_ready",
        "The catalogue is not ready yet. Try again shortly.",
    ),
    (
        "FederationSourceRetryableException",
        Kind::Unavailable,
        "federation_unavailable",
        "The source behind this database does not answer. Try again shortly.",
    ),
    (
        "FederationSourceException",
        Kind::Upstream,
        "federation_failed",
        "The source behind this database failed.",
    ),
    (
        "GlueEncryptionException",
        Kind::Internal,
        "catalog_encrypted",
        "Something went wrong on our side.",
    ),
    (
        "AccessDenied",
        Kind::Conflict,
        "catalog_not_allowed",
        "The role in the AWS account may not read the Glue Data Catalog. Update the account's stack \
         with the current template, then verify the account.",
    ),
];

/// Our name for a refusal that has IAM's code and is Lake Formation's.
const LAKE_FORMATION: &str = "LakeFormation";

impl Failure {
    /// Glue refused.
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
        let code = code.map(|code| {
            let code = code.rsplit('#').next().unwrap_or(code);
            code.split(':').next().unwrap_or(code).to_owned()
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

    /// Whether Lake Formation refused, and not IAM: both say `AccessDeniedException`.
    pub(crate) fn is_lake_formations(&self) -> bool {
        let message = self.refusal.message.as_deref().unwrap_or_default();
        self.refusal.is_access_denied() && message.contains("Lake Formation")
    }

    /// What Glue said.
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
        let is_lake_formations = failure.is_lake_formations();
        let Failure {
            call,
            refusal,
            cause,
            ours,
        } = failure;
        if ours {
            let error = Self::internal("glue_call", format!("{call} could not be made"));
            return match cause {
                Some(cause) => error.with_source(cause),
                None => error,
            };
        }
        let said = if is_lake_formations {
            Some(LAKE_FORMATION)
        } else {
            refusal.code.as_deref()
        };
        let answer = ANSWERS.iter().find(|(code, ..)| said == Some(code));
        let error = match answer {
            // Not Glue's message: it quotes names of the customer's things.
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

    fn failure(status: u16, code: &str, message: &str) -> Failure {
        let refused = Refused {
            kind: Some(format!("com.amazonaws.glue#{code}")),
            message: Some(message.to_owned()),
        };
        let status = StatusCode::from_u16(status).unwrap();
        Failure::answered("GetTables", status, &HeaderMap::new(), refused)
    }

    #[test]
    fn each_refusal_has_its_answer() {
        for (code, status, kind, ours) in [
            ("EntityNotFoundException", 400, Kind::NotFound, "not_found"),
            (
                "InvalidInputException",
                400,
                Kind::Malformed,
                "invalid_catalog_name",
            ),
            (
                "AccessDeniedException",
                400,
                Kind::Conflict,
                "catalog_not_allowed",
            ),
            (
                "OperationTimeoutException",
                400,
                Kind::Unavailable,
                "catalog_slow",
            ),
            (
                "InternalServiceException",
                500,
                Kind::Unavailable,
                "catalog_unavailable",
            ),
            (
                "ThrottlingException",
                400,
                Kind::Unavailable,
                "catalog_busy",
            ),
            (
                "ResourceNotReadyException",
                400,
                Kind::Unavailable,
                "catalog_not_ready",
            ),
            (
                "FederationSourceRetryableException",
                400,
                Kind::Unavailable,
                "federation_unavailable",
            ),
            (
                "FederationSourceException",
                400,
                Kind::Upstream,
                "federation_failed",
            ),
            (
                "GlueEncryptionException",
                400,
                Kind::Internal,
                "catalog_encrypted",
            ),
            ("SomethingNew", 400, Kind::Internal, "aws_refused"),
        ] {
            let error = Error::from(failure(status, code, "canary-bucket"));
            assert_eq!((error.kind(), error.code()), (kind, ours), "{code}");
            let comes_back = error.retry_after_seconds().is_some();
            assert_eq!(comes_back, kind == Kind::Unavailable, "{code}");
            assert!(!error.caller_message().contains("canary"), "{code}");
        }
    }

    #[test]
    fn lake_formations_refusals_are_told_from_iams() {
        let message = "Insufficient Lake Formation permission(s): Required Describe on orders";
        let denied = failure(400, "AccessDeniedException", message);
        assert!(denied.is_lake_formations());
        assert_eq!(Error::from(denied).code(), "lake_formation_denies");
        let message = "User is not authorized to perform: glue:GetTables";
        assert!(!failure(400, "AccessDeniedException", message).is_lake_formations());
    }

    #[test]
    fn slow_and_silent_answers_are_asked_again_and_refusals_are_not() {
        assert!(failure(400, "ThrottlingException", "").is_passing());
        assert!(failure(500, "InternalServiceException", "").is_passing());
        assert!(Failure::unreadable("GetTables", "cut").is_passing());
        assert!(!failure(400, "EntityNotFoundException", "").is_passing());
        assert!(!Failure::internal("GetTables", "no credentials").is_passing());
    }
}
