//! What a refusal of the token endpoint means for the token that was presented.

use std::time::Duration;

use serde_json::Value;

use super::Provider;

/// A refusal whose meaning is known. The text in each is a stable reason code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenFailure {
    /// The grant is dead: only a new consent helps.
    ReauthRequired(&'static str),
    /// The code was used, old, or does not fit the verifier: start the consent again.
    FlowFailed(&'static str),
    /// Not now, and the token is untouched.
    Retryable {
        /// Why.
        reason: &'static str,
        /// When to ask again, if that is known.
        after: Option<Duration>,
    },
    /// The provider does not accept our app or its secret: no tenant's connection is to blame.
    OurCredentials(&'static str),
    /// Our request was wrong: an alarm, and no change of any connection.
    OurConfiguration(&'static str),
}

/// What one `error` means.
#[derive(Debug, Clone, Copy)]
pub struct ErrorRule {
    /// The value of `error`.
    pub error: &'static str,
    /// A part of `error_description`, in lower case, where the same `error` has several meanings.
    pub description: Option<&'static str>,
    /// What it means.
    pub meaning: TokenFailure,
}

/// Errors of RFC 6749 section 5.2, for whatever a provider's own rules do not name.
const STANDARD: &[(&str, TokenFailure)] = &[
    ("invalid_grant", TokenFailure::ReauthRequired("revoked")),
    (
        "invalid_client",
        TokenFailure::OurCredentials("invalid_client"),
    ),
    (
        "unauthorized_client",
        TokenFailure::OurCredentials("unauthorized_client"),
    ),
    (
        "invalid_request",
        TokenFailure::OurConfiguration("invalid_request"),
    ),
    (
        "invalid_scope",
        TokenFailure::OurConfiguration("invalid_scope"),
    ),
    (
        "unsupported_grant_type",
        TokenFailure::OurConfiguration("unsupported_grant_type"),
    ),
    (
        "temporarily_unavailable",
        TokenFailure::retryable("temporarily_unavailable"),
    ),
    ("slow_down", TokenFailure::retryable("slow_down")),
];

/// The reason when a provider says that a used refresh token was presented: somebody else may hold
/// the grant, or held it.
pub const TOKEN_REUSE: &str = "token_reuse";

/// Whether a description speaks of a refresh token that was used before, and not of a code.
fn speaks_of_reuse(description: &str) -> bool {
    let says = ["reuse", "already used", "already been used"];
    says.iter().any(|words| description.contains(words)) && !description.contains("code")
}

impl TokenFailure {
    /// A refusal for now, without a time.
    pub const fn retryable(reason: &'static str) -> Self {
        Self::Retryable {
            reason,
            after: None,
        }
    }

    /// The stable reason code.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::ReauthRequired(reason)
            | Self::FlowFailed(reason)
            | Self::Retryable { reason, .. }
            | Self::OurCredentials(reason)
            | Self::OurConfiguration(reason) => reason,
        }
    }
}

impl Provider {
    /// What an answer other than a token means; none when it leaves the fate of the presented token
    /// open (server errors, pages of HTML, maintenance).
    ///
    /// A 400 that we do not know is no verdict on the token: the token stays, and the call is tried
    /// again later.
    pub fn classify(
        &self,
        status: u16,
        body: &str,
        retry_after: Option<Duration>,
    ) -> Option<TokenFailure> {
        let waiting = |reason| {
            Some(TokenFailure::Retryable {
                reason,
                after: retry_after,
            })
        };
        match status {
            300..=399 => Some(TokenFailure::OurConfiguration("redirected")),
            408 | 409 | 423 | 425 => waiting("provider_busy"),
            429 => waiting("rate_limited"),
            503 if retry_after.is_some() => waiting("provider_busy"),
            0..=199 | 420 | 500.. => None,
            200..=499 => {
                let object: Value = serde_json::from_str(body).ok()?;
                let error = object.get("error").and_then(Value::as_str)?;
                let description = object
                    .get("error_description")
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_ascii_lowercase();
                Some(match self.meaning(error, &description) {
                    TokenFailure::Retryable { reason, after } => TokenFailure::Retryable {
                        reason,
                        after: retry_after.or(after),
                    },
                    other => other,
                })
            }
        }
    }

    fn meaning(&self, error: &str, description: &str) -> TokenFailure {
        let own = self.error_rules.iter().find(|rule| {
            rule.error == error
                && rule
                    .description
                    .is_none_or(|part| description.contains(part))
        });
        if let Some(rule) = own {
            return rule.meaning;
        }
        if error == "invalid_grant" && speaks_of_reuse(description) {
            return TokenFailure::ReauthRequired(TOKEN_REUSE);
        }
        STANDARD.iter().find(|(name, _)| *name == error).map_or(
            TokenFailure::retryable("unrecognised_error"),
            |(_, meaning)| *meaning,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::provider::provider;

    fn classify(status: u16, body: &str) -> Option<TokenFailure> {
        provider("salesforce").unwrap().classify(status, body, None)
    }

    #[test]
    fn r4_salesforce_errors_mean_what_its_documentation_says() {
        use TokenFailure::{FlowFailed, OurConfiguration, OurCredentials, ReauthRequired};
        let hour = Some(Duration::from_hours(1));
        let day = Some(Duration::from_hours(24));
        let cases = [
            (
                "invalid_grant",
                "expired access/refresh token",
                ReauthRequired("revoked"),
            ),
            ("invalid_grant", "", ReauthRequired("revoked")),
            (
                "invalid_grant",
                "expired authorization code",
                FlowFailed("code_not_accepted"),
            ),
            (
                "invalid_grant",
                "Invalid Code Verifier",
                FlowFailed("code_not_accepted"),
            ),
            (
                "invalid_grant",
                "ip restricted",
                TokenFailure::retryable("ip_restricted"),
            ),
            (
                "invalid_grant",
                "authentication failure",
                TokenFailure::retryable("org_policy"),
            ),
            (
                "inactive_user",
                "",
                TokenFailure::Retryable {
                    reason: "inactive_user",
                    after: day,
                },
            ),
            (
                "invalid_client_id",
                "client identifier invalid",
                OurCredentials("invalid_client_id"),
            ),
            (
                "invalid_client",
                "invalid client credentials",
                OurCredentials("invalid_client"),
            ),
            ("invalid_app_access", "", ReauthRequired("app_not_allowed")),
            (
                "redirect_uri_mismatch",
                "",
                OurConfiguration("redirect_uri_mismatch"),
            ),
            ("invalid_scope", "", OurConfiguration("invalid_scope")),
            (
                "rate_limit_exceeded",
                "",
                TokenFailure::Retryable {
                    reason: "rate_limit_exceeded",
                    after: hour,
                },
            ),
            (
                "a_new_one",
                "",
                TokenFailure::retryable("unrecognised_error"),
            ),
        ];
        for (error, description, expected) in cases {
            let body = serde_json::json!({"error": error, "error_description": description});
            assert_eq!(
                classify(400, &body.to_string()),
                Some(expected),
                "{error} {description}"
            );
        }
    }

    #[test]
    fn r5_server_errors_and_pages_leave_the_token_in_doubt() {
        for (status, body) in [
            (500, ""),
            (502, "{}"),
            (504, ""),
            (420, ""),
            (503, ""),
            (400, "<html>"),
            (200, "<html>"),
            (404, ""),
        ] {
            assert_eq!(classify(status, body), None, "{status} {body}");
        }
        let invalid_grant = r#"{"error":"invalid_grant"}"#;
        assert_eq!(
            classify(500, invalid_grant),
            None,
            "a broken server gives no verdict"
        );
    }

    #[test]
    fn r5_busy_providers_are_waited_for_as_told() {
        let after = Some(Duration::from_secs(7));
        for (status, reason) in [
            (408, "provider_busy"),
            (409, "provider_busy"),
            (423, "provider_busy"),
            (425, "provider_busy"),
            (429, "rate_limited"),
            (503, "provider_busy"),
        ] {
            let failure = provider("salesforce").unwrap().classify(status, "", after);
            assert_eq!(
                failure,
                Some(TokenFailure::Retryable { reason, after }),
                "{status}"
            );
        }
    }

    #[test]
    fn t3_a_provider_that_speaks_of_reuse_is_understood() {
        let hubspot = provider("hubspot").unwrap();
        let meaning = |description: &str| {
            let body =
                serde_json::json!({"error": "invalid_grant", "error_description": description});
            hubspot.classify(400, &body.to_string(), None)
        };
        for description in [
            "Refresh token reuse detected",
            "The refresh token was already used",
            "refresh_token has already been used.",
        ] {
            assert_eq!(
                meaning(description),
                Some(TokenFailure::ReauthRequired(TOKEN_REUSE)),
                "{description}"
            );
        }
        for description in ["", "expired", "authorization code already used"] {
            assert_eq!(
                meaning(description),
                Some(TokenFailure::ReauthRequired("revoked")),
                "{description}"
            );
        }
    }

    #[test]
    fn a_redirect_is_our_configuration_and_an_error_inside_200_is_seen() {
        assert_eq!(
            classify(307, ""),
            Some(TokenFailure::OurConfiguration("redirected"))
        );
        assert_eq!(
            classify(200, r#"{"error":"invalid_grant"}"#),
            Some(TokenFailure::ReauthRequired("revoked"))
        );
    }
}
