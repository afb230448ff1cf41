//! What can go wrong with a provider, and odd answers that real providers give.

use std::time::Duration;

use axum::response::{Html, IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::server::Cut;

/// Which endpoint is in trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Endpoint {
    /// The token endpoint.
    #[default]
    Token,
    /// The application's API.
    Api,
    /// Where tokens are revoked.
    Revoke,
}

/// What goes wrong with a request. Those up to [`Trouble::Redirect`] have no effect on any grant; the
/// others happen to an answer whose effect took place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Trouble {
    /// This status and an HTML page.
    Outage {
        /// Status.
        status: u16,
        /// `Retry-After` in seconds.
        #[serde(default)]
        retry_after: Option<u32>,
    },
    /// The connection closes.
    DropBefore,
    /// No answer, ever.
    Hang,
    /// Status 200 with an HTML page.
    HtmlPage,
    /// Status 200 with an error in the body.
    ErrorInOk {
        /// `error`.
        error: String,
    },
    /// An error in the provider's shape.
    Refuse {
        /// Status.
        status: u16,
        /// `error`; HubSpot's `status` too.
        error: String,
        /// `error_description`, or HubSpot's `message`.
        #[serde(default)]
        description: String,
        /// Code of Microsoft.
        #[serde(default)]
        code: u32,
    },
    /// A redirect with status 307, which a careless client follows with all its secrets.
    Redirect {
        /// `Location`.
        to: String,
    },
    /// The effect happens, then the connection closes.
    DropAfter,
    /// The effect happens, then half of the answer arrives.
    Truncate,
    /// The answer waits (real time) after the effect.
    Latency {
        /// Milliseconds.
        millis: u64,
    },
    /// The effect happens behind this status.
    OutageAfter {
        /// Status.
        status: u16,
    },
    /// Status 201.
    Created,
    /// `Content-Type: text/plain`.
    PlainText,
    /// No `expires_in`.
    NoExpiresIn,
    /// This as `expires_in`: zero, negative, text, a fraction, something huge.
    ExpiresIn {
        /// The value.
        value: Value,
    },
    /// No `token_type`.
    NoTokenType,
    /// Another `token_type`.
    TokenType {
        /// The value.
        value: String,
    },
    /// No refresh token in the answer.
    NoRefreshToken,
    /// An empty refresh token.
    EmptyRefreshToken,
    /// The last scope is missing in the answer.
    ScopeReduced,
    /// The scopes as an array.
    ScopeArray,
    /// Members that nobody knows, nested ones too.
    UnknownMembers,
    /// A member of this many bytes.
    Oversized {
        /// How many.
        bytes: usize,
    },
    /// A longer access token: this many random bytes, of which base64 makes four thirds.
    LongAccessToken {
        /// How many.
        bytes: usize,
    },
}

/// Trouble, and the requests that it hits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TroubleRule {
    /// Key of the provider.
    pub provider: String,
    /// Only this instance; all without one.
    #[serde(default)]
    pub instance: Option<String>,
    /// Which endpoint.
    #[serde(default)]
    pub endpoint: Endpoint,
    /// What goes wrong.
    pub trouble: Trouble,
    /// How many requests it hits before it is used up.
    #[serde(default = "once")]
    pub times: u32,
}

fn once() -> u32 {
    1
}

impl TroubleRule {
    pub(super) fn hits(&self, provider: &str, instance: &str, endpoint: Endpoint) -> bool {
        self.provider == provider
            && self.endpoint == endpoint
            && self.instance.as_deref().is_none_or(|only| only == instance)
    }
}

impl Trouble {
    /// The answer instead of any effect; `None` if this trouble comes after the effect. `refusal`
    /// makes an error in the provider's shape.
    pub(super) async fn before(
        &self,
        refusal: impl Fn(u16, &str, &str, u32) -> Response,
    ) -> Option<Response> {
        let answer = match self {
            Self::Outage {
                status,
                retry_after,
            } => {
                let mut response = html(status_of(*status));
                if let Some(seconds) = retry_after {
                    let headers = response.headers_mut();
                    headers.insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
                }
                response
            }
            Self::DropBefore => cut(Cut::All),
            Self::Hang => std::future::pending().await,
            Self::HtmlPage => html(StatusCode::OK),
            Self::ErrorInOk { error } => axum::Json(json!({ "error": error })).into_response(),
            Self::Refuse {
                status,
                error,
                description,
                code,
            } => refusal(*status, error, description, *code),
            Self::Redirect { to } => {
                let mut response = StatusCode::TEMPORARY_REDIRECT.into_response();
                if let Ok(to) = HeaderValue::from_str(to) {
                    response.headers_mut().insert(header::LOCATION, to);
                }
                response
            }
            _ => return None,
        };
        Some(answer)
    }

    /// Makes an answer's body odd.
    pub(super) fn bend(&self, body: &mut Value) {
        let Some(members) = body.as_object_mut() else {
            return;
        };
        match self {
            Self::NoExpiresIn => drop(members.remove("expires_in")),
            Self::ExpiresIn { value } => {
                drop(members.insert("expires_in".to_owned(), value.clone()));
            }
            Self::NoTokenType => drop(members.remove("token_type")),
            Self::TokenType { value } => {
                drop(members.insert("token_type".to_owned(), json!(value)));
            }
            Self::NoRefreshToken => drop(members.remove("refresh_token")),
            Self::EmptyRefreshToken => {
                drop(members.insert("refresh_token".to_owned(), json!("")));
            }
            Self::ScopeReduced | Self::ScopeArray => {
                let text = members["scope"].as_str().unwrap_or_default().to_owned();
                let mut scopes: Vec<&str> = text.split(' ').collect();
                let value = if *self == Self::ScopeReduced {
                    scopes.pop();
                    json!(scopes.join(" "))
                } else {
                    json!(scopes)
                };
                members.insert("scope".to_owned(), value);
            }
            Self::UnknownMembers => {
                let nested = json!({ "access_token": null, "list": [1, { "deep": true }] });
                members.insert("x_unknown".to_owned(), nested);
                members.insert("expiresIn".to_owned(), json!("never"));
            }
            Self::Oversized { bytes } => {
                members.insert("padding".to_owned(), json!("x".repeat(*bytes)));
            }
            _ => {}
        }
    }

    /// What happens to a finished answer on its way out.
    pub(super) async fn after(&self, mut response: Response) -> Response {
        match self {
            Self::DropAfter => drop(response.extensions_mut().insert(Cut::All)),
            Self::Truncate => drop(response.extensions_mut().insert(Cut::Half)),
            Self::Latency { millis } => tokio::time::sleep(Duration::from_millis(*millis)).await,
            Self::OutageAfter { status } => return html(status_of(*status)),
            Self::Created if response.status() == StatusCode::OK => {
                *response.status_mut() = StatusCode::CREATED;
            }
            Self::PlainText => {
                let plain = HeaderValue::from_static("text/plain");
                response.headers_mut().insert(header::CONTENT_TYPE, plain);
            }
            _ => {}
        }
        response
    }
}

fn status_of(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE)
}

fn html(status: StatusCode) -> Response {
    let mut response = (
        status,
        Html("<!DOCTYPE html><html><title>Maintenance</title><h1>We'll be back</h1></html>"),
    )
        .into_response();
    let name = HeaderName::from_static("x-served-by");
    response
        .headers_mut()
        .insert(name, HeaderValue::from_static("edge"));
    response
}

fn cut(cut: Cut) -> Response {
    let mut response = StatusCode::OK.into_response();
    response.extensions_mut().insert(cut);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_answers_keep_the_tokens_that_they_do_not_speak_of() {
        let body = json!({ "access_token": "a", "refresh_token": "r", "expires_in": 60,
            "scope": "read write", "token_type": "bearer" });
        let bent = |trouble: Trouble| {
            let mut body = body.clone();
            trouble.bend(&mut body);
            assert_eq!(body["access_token"], "a");
            body
        };
        assert!(bent(Trouble::NoExpiresIn)["expires_in"].is_null());
        let huge = json!(1e30);
        assert_eq!(
            bent(Trouble::ExpiresIn {
                value: huge.clone()
            })["expires_in"],
            huge
        );
        assert!(bent(Trouble::NoTokenType)["token_type"].is_null());
        assert_eq!(bent(Trouble::EmptyRefreshToken)["refresh_token"], "");
        assert_eq!(bent(Trouble::ScopeReduced)["scope"], "read");
        assert_eq!(bent(Trouble::ScopeArray)["scope"], json!(["read", "write"]));
    }

    #[test]
    fn a_rule_reads_as_a_person_writes_it() {
        let rule: TroubleRule = serde_json::from_value(json!({ "provider": "zendesk",
            "trouble": { "kind": "outage", "status": 503, "retryAfter": 30 } }))
        .unwrap();
        assert_eq!(rule.times, 1);
        assert!(rule.hits("zendesk", "acme", Endpoint::Token));
        assert!(!rule.hits("zendesk", "acme", Endpoint::Api));
        assert!(!rule.hits("hubspot", "", Endpoint::Token));
    }
}
