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

/// What one refusal means. Whatever a rule names must be there.
#[derive(Debug, Clone, Copy)]
pub struct ErrorRule {
    /// The value of `error`, or of `status` where a provider has that instead.
    pub error: Option<&'static str>,
    /// A part of the description, in lower case, where the same `error` has several meanings.
    pub description: Option<&'static str>,
    /// One of `error_codes`, or a number after `AADSTS` in the description.
    pub code: Option<u32>,
    /// What it means.
    pub meaning: TokenFailure,
}

/// What an error answer says.
struct Said<'a> {
    error: &'a str,
    description: String,
    codes: Vec<u32>,
}

impl<'a> Said<'a> {
    /// Reads `error`, or nothing: a word elsewhere is an error only if the provider's rules know it.
    fn read(answer: &'a Value, member: &str) -> Option<Self> {
        let text = |name: &str| answer.get(name).and_then(Value::as_str);
        let description = text("error_description").or_else(|| text("message"));
        let description = description.unwrap_or_default().to_ascii_lowercase();
        let listed = answer.get("error_codes").and_then(Value::as_array);
        let mut codes: Vec<u32> = listed
            .into_iter()
            .flatten()
            .filter_map(|code| code.as_u64()?.try_into().ok())
            .collect();
        codes.extend(description.split("aadsts").skip(1).filter_map(|rest| {
            let end = rest.find(|c: char| !c.is_ascii_digit());
            rest[..end.unwrap_or(rest.len())].parse::<u32>().ok()
        }));
        Some(Self {
            error: answer.get(member)?.as_str()?,
            description,
            codes,
        })
    }

    fn fits(&self, rule: &ErrorRule) -> bool {
        rule.error.is_none_or(|error| error == self.error)
            && rule
                .description
                .is_none_or(|part| self.description.contains(part))
            && rule.code.is_none_or(|code| self.codes.contains(&code))
    }
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
                let answer: Value = serde_json::from_str(body).ok()?;
                Some(match self.meaning(&answer)? {
                    TokenFailure::Retryable { reason, after } => TokenFailure::Retryable {
                        reason,
                        after: retry_after.or(after),
                    },
                    other => other,
                })
            }
        }
    }

    fn meaning(&self, answer: &Value) -> Option<TokenFailure> {
        let own = |said: &Said<'_>| self.error_rules.iter().find(|rule| said.fits(rule));
        if let Some(said) = Said::read(answer, "error") {
            return Some(own(&said).map_or_else(|| standard(said.error), |rule| rule.meaning));
        }
        let said = Said::read(answer, "status")?;
        own(&said).map(|rule| rule.meaning)
    }
}

fn standard(error: &str) -> TokenFailure {
    let known = STANDARD.iter().find(|(name, _)| *name == error);
    known.map_or(
        TokenFailure::retryable("unrecognised_error"),
        |(_, meaning)| *meaning,
    )
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

    /// R4: what each provider's documentation says of its errors.
    #[test]
    fn r4_errors_of_every_provider_mean_what_they_say() {
        use TokenFailure::{FlowFailed, OurConfiguration, OurCredentials, ReauthRequired};
        let microsoft = |codes: &str, text: &str| {
            format!(
                r#"{{"error":"invalid_grant","error_description":"{text}","error_codes":[{codes}]}}"#
            )
        };
        let cases = [
            (
                "microsoft",
                400,
                microsoft("700082", ""),
                Some(ReauthRequired("idle_too_long")),
            ),
            (
                "microsoft",
                400,
                microsoft("70008", ""),
                Some(ReauthRequired("idle_too_long")),
            ),
            (
                "microsoft",
                400,
                microsoft("50173", ""),
                Some(ReauthRequired("revoked")),
            ),
            (
                "microsoft",
                400,
                microsoft("", "AADSTS53003: Access has been blocked"),
                Some(ReauthRequired("blocked_by_policy")),
            ),
            (
                "microsoft",
                400,
                microsoft("", "AADSTS5300: other"),
                Some(ReauthRequired("revoked")),
            ),
            (
                "microsoft",
                401,
                r#"{"error":"invalid_client","error_codes":[7000222]}"#.to_owned(),
                Some(OurCredentials("client_secret_expired")),
            ),
            (
                "microsoft",
                400,
                microsoft("90033", ""),
                Some(TokenFailure::retryable("provider_busy")),
            ),
            (
                "hubspot",
                400,
                r#"{"status":"BAD_REFRESH_TOKEN","message":"missing or unknown refresh token"}"#
                    .to_owned(),
                Some(ReauthRequired("revoked")),
            ),
            (
                "hubspot",
                400,
                r#"{"status":"BAD_CLIENT_SECRET"}"#.to_owned(),
                Some(OurCredentials("invalid_client")),
            ),
            (
                "hubspot",
                400,
                r#"{"status":"error","message":"?"}"#.to_owned(),
                None,
            ),
            (
                "hubspot",
                400,
                r#"{"error":"invalid_grant","status":"BAD_REFRESH_TOKEN"}"#.to_owned(),
                Some(ReauthRequired("revoked")),
            ),
            (
                "service-now",
                401,
                r#"{"error":"server_error","error_description":"access_denied"}"#.to_owned(),
                Some(ReauthRequired("revoked")),
            ),
            (
                "service-now",
                401,
                r#"{"error":"server_error"}"#.to_owned(),
                Some(TokenFailure::retryable("server_error")),
            ),
            (
                "zendesk",
                400,
                r#"{"error":"invalid_grant"}"#.to_owned(),
                Some(ReauthRequired("revoked")),
            ),
            (
                "slack",
                200,
                r#"{"ok":false,"error":"token_revoked"}"#.to_owned(),
                Some(ReauthRequired("revoked")),
            ),
            (
                "slack",
                200,
                r#"{"ok":false,"error":"bad_client_secret"}"#.to_owned(),
                Some(OurCredentials("invalid_client")),
            ),
            (
                "slack",
                200,
                r#"{"ok":false,"error":"fatal_error"}"#.to_owned(),
                Some(TokenFailure::retryable("unrecognised_error")),
            ),
            (
                "github",
                200,
                r#"{"error":"bad_verification_code"}"#.to_owned(),
                Some(FlowFailed("code_not_accepted")),
            ),
            (
                "google",
                400,
                r#"{"error":"redirect_uri_mismatch"}"#.to_owned(),
                Some(OurConfiguration("redirect_uri_mismatch")),
            ),
            (
                "google",
                400,
                r#"{"error":"invalid_grant","error_subtype":"invalid_rapt"}"#.to_owned(),
                Some(ReauthRequired("revoked")),
            ),
        ];
        for (key, status, body, expected) in cases {
            let meaning = provider(key).unwrap().classify(status, &body, None);
            assert_eq!(meaning, expected, "{key} {body}");
        }
    }

    /// A rule that names nothing would decide everything.
    #[test]
    fn every_rule_names_something_and_no_rule_hides_another() {
        for row in crate::oauth::provider::PROVIDERS {
            for (index, rule) in row.error_rules.iter().enumerate() {
                assert!(rule.error.is_some() || rule.code.is_some(), "{}", row.key);
                let hidden = row.error_rules[..index].iter().any(|before| {
                    before.code == rule.code
                        && before.error == rule.error
                        && before.description.is_none()
                });
                assert!(!hidden, "{}: {rule:?}", row.key);
            }
        }
    }
}
