//! `POST /auth/token`: short-lived tokens for the browser's session.

use axum::{
    Json,
    body::{Body, to_bytes},
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, header};
use serde::{Deserialize, Serialize};
use tributary::{
    error::{Error, Kind, Result},
    http::{Problem, Trail, body, layers::BODY_LIMIT},
    secret::Secret,
};
use utoipa::ToSchema;

use super::refresh;
use crate::{
    app::App,
    cookie,
    edge::require_origin,
    session::{SessionTokens, ended},
};

/// What is wanted. The body may be left out.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TokenRequest {
    /// Asks for tokens that were not handed out before; an ID token can be exchanged once only.
    #[serde(default)]
    fresh: bool,
}

/// Tokens for calls of the API.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TokenGrant {
    /// For the `Authorization` header.
    access_token: String,
    /// For `POST /v1/identity`; absent when the identity provider gave none.
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
    /// Always `Bearer`.
    token_type: &'static str,
    /// Seconds until the first of the tokens ends.
    expires_in: i64,
}

/// Answers tokens of the signed-in person. Needs the session cookie and an `Origin` of ours.
#[utoipa::path(post, path = "/auth/token", tag = "sign-in", request_body = Option<TokenRequest>,
    responses(
        (status = 200, body = TokenGrant),
        (status = 401, description = "`session_ended`: sign in again.", body = Problem, content_type = "application/problem+json"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn token(
    State(app): State<App>,
    trail: Trail,
    headers: HeaderMap,
    body: Body,
) -> Result<Response> {
    require_origin(&app, &headers)?;
    let wanted = read(&headers, body).await?;
    let cookie = cookie::get(&headers, cookie::SESSION).ok_or_else(ended)?;
    if let Some((tokens, seconds)) = refresh::tokens(&app, &trail, &cookie, wanted.fresh).await? {
        return Ok(Json(grant(&tokens, seconds)).into_response());
    }
    let mut response = ended().into_response();
    response
        .headers_mut()
        .append(header::SET_COOKIE, cookie::clear(cookie::SESSION)?);
    Ok(response)
}

fn grant(tokens: &SessionTokens, expires_in: i64) -> TokenGrant {
    TokenGrant {
        access_token: tokens.access.expose().to_owned(),
        id_token: tokens.id.as_ref().map(Secret::expose).map(str::to_owned),
        token_type: "Bearer",
        expires_in,
    }
}

async fn read(headers: &HeaderMap, body: Body) -> Result<TokenRequest> {
    // Read here and not by an extractor, whose refusals are no problem documents.
    let bytes = to_bytes(body, BODY_LIMIT).await.map_err(|_| {
        Error::new(
            Kind::TooLarge,
            "body_too_large",
            format!("A body may have {BODY_LIMIT} bytes at most."),
        )
    })?;
    if bytes.is_empty() {
        return Ok(TokenRequest::default());
    }
    let is_json = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .and_then(|kind| kind.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
    if !is_json {
        return Err(Error::new(
            Kind::UnsupportedMediaType,
            "unsupported_media_type",
            "Send the body as application/json.",
        ));
    }
    body::parse(&bytes)
}
