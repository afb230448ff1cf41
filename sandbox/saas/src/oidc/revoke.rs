//! `POST /oauth2/revoke`: ends the session of a refresh token; 200 also for unknown ones.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode};

use super::Oidc;
use crate::{oauth::OAuthError, params::Form, server::annotated};

pub(super) async fn revoke(
    State(oidc): State<Arc<Oidc>>,
    headers: HeaderMap,
    Form { params, .. }: Form,
) -> Response {
    if let Err(error) = oidc.authenticate(&headers, &params) {
        return OAuthError {
            status: StatusCode::UNAUTHORIZED,
            ..error
        }
        .into_response();
    }
    let Some(token) = params.get("token") else {
        return OAuthError::bad("invalid_request", "").into_response();
    };
    // Access and ID tokens have three parts; only refresh tokens can be revoked.
    if token.split('.').count() == 3 {
        return OAuthError::bad("unsupported_token_type", "").into_response();
    }
    oidc.state().sessions.revoke(token);
    annotated(
        StatusCode::OK.into_response(),
        None,
        "outcome=revoked".to_owned(),
    )
}
