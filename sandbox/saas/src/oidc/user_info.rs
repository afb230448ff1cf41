//! `GET /oauth2/userInfo`

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::json;

use super::{Oidc, jwt};
use crate::{oauth::bearer, server::annotated};

pub(super) async fn user_info(State(oidc): State<Arc<Oidc>>, headers: HeaderMap) -> Response {
    let user = bearer(&headers).and_then(|token| {
        let now = jiff::Timestamp::now().as_second();
        let state = oidc.state();
        let claims = jwt::verified(&state.keys, token, now)?;
        let scopes = claims["scope"].as_str()?;
        let usable = claims["iss"] == oidc.issuer()
            && claims["token_use"] == "access"
            && scopes.split(' ').any(|s| s == "openid")
            && !state.sessions.is_ended(claims["origin_jti"].as_str()?);
        let sub = claims["sub"].as_str().filter(|_| usable)?;
        let user = oidc.options.users.iter().find(|u| u.sub == sub)?;
        (!state.disabled.contains(&user.name)).then_some(user)
    });
    let Some(user) = user else {
        let mut refused = (
            StatusCode::UNAUTHORIZED,
            Json(json!({ "error": "invalid_token" })),
        )
            .into_response();
        refused.headers_mut().insert(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer error=\"invalid_token\""),
        );
        return refused;
    };
    let body = json!({
        "sub": user.sub,
        "username": user.sub,
        "email": user.email,
        // Text here, a boolean in the ID token: as Cognito has it.
        "email_verified": "true",
    });
    annotated(Json(body).into_response(), Some(&user.name), String::new())
}
