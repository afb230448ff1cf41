//! `POST /services/oauth2/introspect`: whether a token is alive. Asking uses nothing up.

use std::sync::{Arc, atomic::Ordering};

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::HeaderMap;
use serde_json::json;

use super::Salesforce;
use crate::{
    oauth::{OAuthError, token_answer},
    params::Form,
    server::annotated,
};

pub(super) async fn introspect(
    State(salesforce): State<Arc<Salesforce>>,
    headers: HeaderMap,
    Form { params, .. }: Form,
) -> Response {
    if let Err(error) = salesforce.authenticate(&headers, &params) {
        return error.into_response();
    }
    let Some(token) = params.get("token") else {
        return OAuthError::bad("invalid_request", "missing token").into_response();
    };
    let counters = &salesforce.counters;
    counters.introspections.fetch_add(1, Ordering::SeqCst);
    let now = salesforce.now();
    let (kind, live) = {
        let state = salesforce.state();
        match state.grants.access(token, now) {
            Some(live) => ("access_token", Some(live)),
            None => ("refresh_token", state.grants.refresh(token, now)),
        }
    };
    let Some(live) = live else {
        return annotated(
            token_answer(json!({ "active": false })),
            None,
            "active=false".to_owned(),
        );
    };
    let subject = salesforce
        .user(&live.username)
        .map(|user| salesforce.identity_url(user))
        .unwrap_or_default();
    let body = json!({
        "active": true,
        "scope": live.scope,
        "client_id": salesforce.options.client_id,
        "username": live.username,
        "sub": subject,
        "token_type": kind,
        "exp": live.expires_at / 1000,
        "iat": live.issued_at / 1000,
        "nbf": live.issued_at / 1000,
    });
    annotated(
        token_answer(body),
        Some(&live.username),
        format!("active=true token_type={kind}"),
    )
}
