//! Marketo: client credentials alone, and one token that everybody with them shares until it ends.

use std::sync::Arc;

use axum::{
    Json,
    body::{Body, to_bytes},
    response::{IntoResponse, Response},
};
use http::{Method, StatusCode, request};
use serde_json::json;

use super::{Providers, request::secret_in_url};
use crate::{oauth::token_answer, params::Params, random, server::annotated};

/// Life of a token, in milliseconds.
const LIFE: i64 = 3600 * 1000;

/// Client id and secret that every Marketo of the sandbox knows.
pub(super) const CLIENT: (&str, &str) = ("marketo-client", "marketo-secret-local");

/// The token that all of an account's clients get.
pub(super) struct SharedToken {
    token: String,
    expires_at: i64,
}

/// `/marketo/{munchkin}/identity/oauth/token`
pub(super) async fn answer(
    providers: &Arc<Providers>,
    path: &str,
    parts: &request::Parts,
    body: Body,
) -> Response {
    let Some((munchkin, "identity/oauth/token")) = path.split_once('/') else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if parts.method != Method::POST || secret_in_url(parts.uri.query().unwrap_or_default()) {
        return refused(StatusCode::BAD_REQUEST, "invalid_request", "secret_in_url");
    }
    let body = to_bytes(body, 64 * 1024).await.unwrap_or_default();
    let params = Params::parse(&String::from_utf8_lossy(&body));
    if params.get("grant_type") != Some("client_credentials") {
        let why = "grant_type must be client_credentials";
        return refused(StatusCode::BAD_REQUEST, "unsupported_grant_type", why);
    }
    let right = params.get("client_id") == Some(CLIENT.0)
        && params
            .get("client_secret")
            .is_some_and(|given| random::same_secret(given, CLIENT.1));
    if !right {
        let why = "No client with requested id or wrong secret";
        return refused(StatusCode::UNAUTHORIZED, "invalid_client", why);
    }
    let now = providers.now();
    let known = providers
        .state()
        .marketo
        .get(munchkin)
        .filter(|known| now < known.expires_at)
        .map(|known| (known.token.clone(), known.expires_at));
    let (token, expires_at) = known.unwrap_or_else(|| {
        let token = format!("{}:ab", random::token(24));
        providers.seed("Marketo access token", &token);
        let expires_at = now.saturating_add(LIFE);
        let shared = SharedToken {
            token: token.clone(),
            expires_at,
        };
        providers
            .state()
            .marketo
            .insert(munchkin.to_owned(), shared);
        (token, expires_at)
    });
    let body = json!({ "access_token": token, "token_type": "bearer",
        "expires_in": (expires_at - now) / 1000, "scope": "api@acme.example" });
    annotated(token_answer(body), None, "outcome=granted".to_owned())
}

fn refused(status: StatusCode, error: &str, description: &str) -> Response {
    let body = json!({ "error": error, "error_description": description });
    annotated(
        (status, Json(body)).into_response(),
        None,
        format!("outcome={error}"),
    )
}
