//! What refusals of Identity Center and STS mean to a person, as tables.

use tributary::{
    aws::Refusal,
    error::{Error, Kind},
};

use super::reauthenticate;

/// What a refusal means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// The token was used, is stale, or nobody in the directory matches it.
    NotAccepted {
        /// For the log.
        log: String,
    },
    /// A fresh token helps.
    Reauthenticate {
        /// For the log.
        log: String,
    },
    /// The user may not use the application.
    NotAssigned,
    /// The answer had no identity context.
    NoIdentityContext,
    /// Identity Center or the application is set up wrongly.
    Configuration {
        /// For the log.
        log: String,
    },
    /// The role that carries users is set up wrongly.
    Role {
        /// For the log.
        log: String,
    },
    /// Too much at once.
    Busy {
        /// For the log.
        log: String,
    },
    /// Trouble on the other side.
    Away {
        /// For the log.
        log: String,
    },
}

/// A column of the tables below.
#[derive(Clone, Copy)]
enum Row {
    NotAccepted,
    Reauthenticate,
    NotAssigned,
    Configuration,
    Role,
    Busy,
    Away,
}

/// Refusals of `CreateTokenWithIAM`, by exception. The text of an answer decides nothing.
const EXCHANGE: [(&str, Row); 13] = [
    ("InvalidGrantException", Row::NotAccepted),
    ("ExpiredTokenException", Row::Reauthenticate),
    ("AccessDeniedException", Row::NotAssigned),
    ("InvalidClientException", Row::Configuration),
    ("UnauthorizedClientException", Row::Configuration),
    ("InvalidRequestException", Row::Configuration),
    ("InvalidRequestRegionException", Row::Configuration),
    ("InvalidScopeException", Row::Configuration),
    ("UnsupportedGrantTypeException", Row::Configuration),
    ("AuthorizationPendingException", Row::Configuration),
    ("ValidationException", Row::Configuration),
    ("SlowDownException", Row::Busy),
    ("InternalServerException", Row::Away),
];

/// Refusals of `AssumeRole` with a provided context, by code.
const ASSUME: [(&str, Row); 9] = [
    ("AccessDenied", Row::Role),
    ("AccessDeniedException", Row::Role),
    ("ExpiredToken", Row::Reauthenticate),
    ("ExpiredTokenException", Row::Reauthenticate),
    ("RegionDisabledException", Row::Configuration),
    ("MalformedPolicyDocument", Row::Configuration),
    ("PackedPolicyTooLarge", Row::Configuration),
    ("ValidationError", Row::Configuration),
    ("InvalidClientTokenId", Row::Configuration),
];

/// What a refusal of `CreateTokenWithIAM` means. `has_error_word`: whether the body had `error`; an
/// IAM refusal of the function itself is assumed to lack it.
pub fn meaning_of_exchange(
    refusal: &Refusal,
    has_error_word: bool,
    reason: Option<&str>,
) -> Meaning {
    let log = format!("CreateTokenWithIAM {}", describe(refusal, reason));
    let row = match row(&EXCHANGE, refusal) {
        // Identity Center's own key, or the function's own rights: nothing the user can change.
        Some(Row::NotAssigned) if reason.is_some() || !has_error_word => Row::Configuration,
        Some(row) => row,
        None if refusal.is_throttle() => Row::Busy,
        // No answer: the token may be used up, and only a fresh one is sure to work.
        None if refusal.is_unknown() => Row::Reauthenticate,
        None => Row::Configuration,
    };
    row.meaning(log)
}

/// What a refusal of `AssumeRole` means.
pub fn meaning_of_assume(refusal: &Refusal) -> Meaning {
    let log = format!("AssumeRole {}", describe(refusal, None));
    let row = match row(&ASSUME, refusal) {
        Some(row) => row,
        None if refusal.is_throttle() => Row::Busy,
        None if refusal.is_unknown() => Row::Away,
        None => Row::Configuration,
    };
    row.meaning(log)
}

fn row(table: &[(&str, Row)], refusal: &Refusal) -> Option<Row> {
    let known = table.iter().find(|(code, _)| refusal.is(code));
    known.map(|(_, row)| *row)
}

/// For the log: code and request id, never the service's text.
fn describe(refusal: &Refusal, reason: Option<&str>) -> String {
    format!(
        "failed: code {}, reason {}, request {}",
        refusal.code.as_deref().unwrap_or("none"),
        reason.unwrap_or("none"),
        refusal.request_id.as_deref().unwrap_or("none"),
    )
}

impl Row {
    fn meaning(self, log: String) -> Meaning {
        match self {
            Self::NotAccepted => Meaning::NotAccepted { log },
            Self::Reauthenticate => Meaning::Reauthenticate { log },
            Self::NotAssigned => Meaning::NotAssigned,
            Self::Configuration => Meaning::Configuration { log },
            Self::Role => Meaning::Role { log },
            Self::Busy => Meaning::Busy { log },
            Self::Away => Meaning::Away { log },
        }
    }
}

impl From<Meaning> for Error {
    fn from(meaning: Meaning) -> Self {
        match meaning {
            Meaning::NotAccepted { log } | Meaning::Reauthenticate { log } => reauthenticate(&log),
            Meaning::NotAssigned => Self::new(
                Kind::Forbidden,
                "not_assigned",
                "You are not assigned to the warehouse. Ask your administrator.",
            ),
            Meaning::NoIdentityContext => Self::internal(
                "identity_config",
                "CreateTokenWithIAM answered without an identity context",
            ),
            Meaning::Configuration { log } => Self::internal("identity_config", log),
            Meaning::Role { log } => Self::internal("identity_role_misconfigured", log),
            Meaning::Busy { log } => Self::unavailable("identity_busy", log),
            Meaning::Away { log } => Self::unavailable("identity_unavailable", log),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: Option<&str>, status: Option<u16>) -> Refusal {
        Refusal {
            code: code.map(str::to_owned),
            message: Some("canary: text that decides nothing".to_owned()),
            status,
            request_id: Some("r-1".to_owned()),
        }
    }

    fn seen(meaning: Meaning) -> (Kind, &'static str) {
        let error = Error::from(meaning);
        assert!(!error.chain().contains("canary"), "{}", error.chain());
        (error.kind(), error.code())
    }

    #[test]
    fn each_refusal_of_the_exchange_has_its_answer() {
        use Kind::{Forbidden, Internal, Unauthenticated, Unavailable};
        let cases = [
            (
                "InvalidGrantException",
                400,
                None,
                Unauthenticated,
                "reauthenticate",
            ),
            (
                "ExpiredTokenException",
                400,
                None,
                Unauthenticated,
                "reauthenticate",
            ),
            (
                "AccessDeniedException",
                400,
                None,
                Forbidden,
                "not_assigned",
            ),
            (
                "AccessDeniedException",
                400,
                Some("KMS_AccessDeniedException"),
                Internal,
                "identity_config",
            ),
            (
                "InvalidClientException",
                401,
                None,
                Internal,
                "identity_config",
            ),
            (
                "UnauthorizedClientException",
                400,
                None,
                Internal,
                "identity_config",
            ),
            (
                "InvalidRequestException",
                400,
                Some("KMS_NotFoundException"),
                Internal,
                "identity_config",
            ),
            (
                "InvalidRequestRegionException",
                400,
                None,
                Internal,
                "identity_config",
            ),
            (
                "InvalidScopeException",
                400,
                None,
                Internal,
                "identity_config",
            ),
            (
                "UnsupportedGrantTypeException",
                400,
                None,
                Internal,
                "identity_config",
            ),
            (
                "AuthorizationPendingException",
                400,
                None,
                Internal,
                "identity_config",
            ),
            ("SlowDownException", 400, None, Unavailable, "identity_busy"),
            (
                "ThrottlingException",
                400,
                None,
                Unavailable,
                "identity_busy",
            ),
            (
                "InternalServerException",
                500,
                None,
                Unavailable,
                "identity_unavailable",
            ),
            ("SomethingNew", 400, None, Internal, "identity_config"),
        ];
        for (code, status, reason, kind, answer) in cases {
            let meaning = meaning_of_exchange(&refusal(Some(code), Some(status)), true, reason);
            assert_eq!(seen(meaning), (kind, answer), "{code} {reason:?}");
        }
    }

    #[test]
    fn an_iam_refusal_of_the_function_is_not_the_users_fault() {
        let meaning = meaning_of_exchange(
            &refusal(Some("AccessDeniedException"), Some(403)),
            false,
            None,
        );
        assert_eq!(seen(meaning), (Kind::Internal, "identity_config"));
    }

    #[test]
    fn a_lost_answer_asks_for_a_fresh_token_because_this_one_may_be_used_up() {
        let meaning = meaning_of_exchange(&refusal(None, None), true, None);
        assert_eq!(seen(meaning), (Kind::Unauthenticated, "reauthenticate"));
    }

    #[test]
    fn each_refusal_of_the_role_has_its_answer() {
        use Kind::{Internal, Unauthenticated, Unavailable};
        let cases = [
            (
                Some("AccessDenied"),
                Some(403),
                Internal,
                "identity_role_misconfigured",
            ),
            (
                Some("ExpiredTokenException"),
                Some(400),
                Unauthenticated,
                "reauthenticate",
            ),
            (
                Some("RegionDisabledException"),
                Some(403),
                Internal,
                "identity_config",
            ),
            (
                Some("MalformedPolicyDocument"),
                Some(400),
                Internal,
                "identity_config",
            ),
            (
                Some("PackedPolicyTooLarge"),
                Some(400),
                Internal,
                "identity_config",
            ),
            (
                Some("ValidationError"),
                Some(400),
                Internal,
                "identity_config",
            ),
            (Some("Throttling"), Some(400), Unavailable, "identity_busy"),
            (None, None, Unavailable, "identity_unavailable"),
        ];
        for (code, status, kind, answer) in cases {
            let meaning = meaning_of_assume(&refusal(code, status));
            assert_eq!(seen(meaning), (kind, answer), "{code:?}");
        }
    }
}
