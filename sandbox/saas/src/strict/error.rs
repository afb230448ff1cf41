//! Errors of the token endpoints, in each provider's words and shape.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use jiff::Timestamp;
use serde_json::{Value, json};

/// Why a token request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// A parameter is missing, repeated, unknown or in the URL.
    Request(&'static str),
    GrantType,
    UnknownClient,
    ClientSecret,
    /// The code is unknown or was used.
    Code,
    ExpiredCode,
    RedirectUri,
    Verifier,
    /// The refresh token is unknown, revoked or was replaced.
    Refresh,
    /// The refresh token lay unused for too long.
    Idle,
    RateLimit,
}

/// How an error looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// `error` and `error_description`.
    Standard,
    /// `status` and `message`; on the newer endpoint the standard members too.
    HubSpot,
    /// The standard members and `error_codes`.
    Microsoft,
}

/// An error in a provider's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) status: u16,
    pub(super) error: &'static str,
    pub(super) description: &'static str,
    /// Code of Microsoft (`AADSTS…`).
    pub(super) code: u32,
    /// `status` of HubSpot.
    pub(super) name: &'static str,
}

/// The words of a provider for each cause.
pub(super) struct Texts {
    grant_type: Words,
    unknown_client: Words,
    client_secret: Words,
    code: Words,
    expired_code: Words,
    redirect_uri: Words,
    verifier: Words,
    refresh: Words,
    idle: Words,
}

const fn words(status: u16, error: &'static str, description: &'static str) -> Words {
    Words {
        status,
        error,
        description,
        code: 0,
        name: "",
    }
}

const fn hubspot(error: &'static str, name: &'static str, description: &'static str) -> Words {
    Words {
        name,
        ..words(400, error, description)
    }
}

const fn microsoft(
    status: u16,
    error: &'static str,
    code: u32,
    description: &'static str,
) -> Words {
    Words {
        code,
        ..words(status, error, description)
    }
}

/// ServiceNow says `server_error` with status 401 for whatever it does not accept.
pub(super) static SERVICE_NOW: Texts = Texts {
    grant_type: words(401, "unsupported_grant_type", "access_denied"),
    unknown_client: words(401, "invalid_client", "access_denied"),
    client_secret: words(401, "invalid_client", "access_denied"),
    code: words(401, "server_error", "access_denied"),
    expired_code: words(401, "server_error", "access_denied"),
    redirect_uri: words(401, "server_error", "access_denied"),
    verifier: words(401, "invalid_grant", "Invalid PKCE code verifier."),
    refresh: words(401, "server_error", "access_denied"),
    idle: words(401, "server_error", "access_denied"),
};

pub(super) static HUBSPOT: Texts = Texts {
    grant_type: hubspot(
        "unsupported_grant_type",
        "BAD_GRANT_TYPE",
        "missing or unknown grant type",
    ),
    unknown_client: hubspot(
        "invalid_client",
        "BAD_CLIENT_ID",
        "missing or unknown client id",
    ),
    client_secret: hubspot(
        "invalid_client",
        "BAD_CLIENT_SECRET",
        "missing or invalid client secret",
    ),
    code: hubspot(
        "invalid_grant",
        "BAD_AUTH_CODE",
        "missing or unknown auth code",
    ),
    expired_code: hubspot(
        "invalid_grant",
        "EXPIRED_AUTH_CODE",
        "auth code has expired",
    ),
    redirect_uri: hubspot(
        "invalid_grant",
        "BAD_REDIRECT_URI",
        "missing or invalid redirect uri",
    ),
    verifier: hubspot(
        "invalid_grant",
        "BAD_CODE_VERIFIER",
        "missing or invalid code verifier",
    ),
    refresh: hubspot(
        "invalid_grant",
        "BAD_REFRESH_TOKEN",
        "missing or invalid refresh token",
    ),
    idle: hubspot(
        "invalid_grant",
        "BAD_REFRESH_TOKEN",
        "missing or invalid refresh token",
    ),
};

const ZENDESK_GRANT: &str = "The provided authorization grant is invalid, expired, revoked, does not match the redirection URI used in the authorization request, or was issued to another client.";

pub(super) static ZENDESK: Texts = Texts {
    grant_type: words(
        400,
        "unsupported_grant_type",
        "The authorization grant type is not supported by the authorization server.",
    ),
    unknown_client: words(401, "invalid_client", "Client authentication failed."),
    client_secret: words(401, "invalid_client", "Client authentication failed."),
    code: words(400, "invalid_grant", ZENDESK_GRANT),
    expired_code: words(400, "invalid_grant", ZENDESK_GRANT),
    redirect_uri: words(400, "invalid_grant", ZENDESK_GRANT),
    verifier: words(400, "invalid_grant", ZENDESK_GRANT),
    refresh: words(400, "invalid_grant", ZENDESK_GRANT),
    idle: words(400, "invalid_grant", ZENDESK_GRANT),
};

pub(super) static MICROSOFT: Texts = Texts {
    grant_type: microsoft(
        400,
        "unsupported_grant_type",
        70003,
        "The app requested an unsupported grant type.",
    ),
    unknown_client: microsoft(
        400,
        "unauthorized_client",
        700_016,
        "The application was not found in the directory.",
    ),
    client_secret: microsoft(
        401,
        "invalid_client",
        7_000_215,
        "Invalid client secret provided.",
    ),
    code: microsoft(
        400,
        "invalid_grant",
        54005,
        "OAuth2 Authorization code was already redeemed, or is not known.",
    ),
    expired_code: microsoft(
        400,
        "invalid_grant",
        70008,
        "The provided authorization code has expired.",
    ),
    redirect_uri: microsoft(
        400,
        "invalid_request",
        90_102,
        "'redirect_uri' value must be that of the authorization request.",
    ),
    verifier: microsoft(
        400,
        "invalid_grant",
        501_481,
        "The Code_Verifier does not match the code_challenge.",
    ),
    refresh: microsoft(
        400,
        "invalid_grant",
        50173,
        "The provided grant has been revoked, a fresh auth token is needed.",
    ),
    idle: microsoft(
        400,
        "invalid_grant",
        700_082,
        "The refresh token has expired due to inactivity.",
    ),
};

impl Texts {
    /// What this provider says.
    pub(super) fn of(&self, cause: Cause) -> Words {
        match cause {
            Cause::Request(why) => Words {
                code: 900_144,
                name: "BAD_REQUEST",
                ..words(400, "invalid_request", why)
            },
            Cause::RateLimit => Words {
                code: 90_055,
                name: "RATE_LIMIT",
                ..words(429, "temporarily_unavailable", "too many requests")
            },
            Cause::GrantType => self.grant_type,
            Cause::UnknownClient => self.unknown_client,
            Cause::ClientSecret => self.client_secret,
            Cause::Code => self.code,
            Cause::ExpiredCode => self.expired_code,
            Cause::RedirectUri => self.redirect_uri,
            Cause::Verifier => self.verifier,
            Cause::Refresh => self.refresh,
            Cause::Idle => self.idle,
        }
    }
}

/// An error as it goes out.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) error: String,
    pub(super) description: String,
    pub(super) code: u32,
    pub(super) name: String,
}

impl From<Words> for Refusal {
    fn from(words: Words) -> Self {
        Self {
            status: words.status,
            error: words.error.to_owned(),
            description: words.description.to_owned(),
            code: words.code,
            name: words.name.to_owned(),
        }
    }
}

impl Refusal {
    /// The body in a provider's shape. `old` is HubSpot's first token endpoint.
    pub(super) fn body(&self, shape: Shape, old: bool, now: Timestamp) -> Value {
        let id = uuid::Uuid::new_v4().to_string();
        match shape {
            Shape::Standard => {
                json!({ "error": self.error, "error_description": self.description })
            }
            Shape::HubSpot if old => {
                json!({ "status": self.name, "message": self.description, "correlationId": id })
            }
            Shape::HubSpot => json!({ "status": self.name, "message": self.description,
                "error": self.error, "error_description": self.description, "correlationId": id }),
            Shape::Microsoft => json!({
                "error": self.error,
                "error_description": format!(
                    "AADSTS{}: {} Trace ID: {id} Correlation ID: {id} Timestamp: {now}",
                    self.code, self.description
                ),
                "error_codes": [self.code],
                "timestamp": now,
                "trace_id": id,
                "correlation_id": id,
            }),
        }
    }

    /// The answer.
    pub(super) fn answer(&self, shape: Shape, old: bool, now: Timestamp) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        let mut response = (status, Json(self.body(shape, old, now))).into_response();
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::TOO_MANY_REQUESTS {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_provider_has_its_own_shape() {
        let body = |texts: &Texts, shape, old| {
            Refusal::from(texts.of(Cause::Refresh)).body(shape, old, Timestamp::UNIX_EPOCH)
        };
        let hubspot = body(&HUBSPOT, Shape::HubSpot, true);
        assert_eq!(hubspot["status"], "BAD_REFRESH_TOKEN");
        assert!(hubspot["error"].is_null());
        assert_eq!(
            body(&HUBSPOT, Shape::HubSpot, false)["error"],
            "invalid_grant"
        );
        let microsoft = body(&MICROSOFT, Shape::Microsoft, false);
        assert_eq!(microsoft["error_codes"], json!([50173]));
        assert!(
            microsoft["error_description"]
                .as_str()
                .unwrap()
                .starts_with("AADSTS50173: ")
        );
        let service_now = body(&SERVICE_NOW, Shape::Standard, false);
        assert_eq!(service_now["error"], "server_error");
    }
}
