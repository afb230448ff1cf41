//! The discovery document and the keys.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::Oidc;

/// `GET /.well-known/openid-configuration`
pub(super) async fn openid_configuration(State(oidc): State<Arc<Oidc>>) -> Json<Value> {
    let issuer = oidc.issuer();
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/oauth2/authorize"),
        "token_endpoint": format!("{issuer}/oauth2/token"),
        "revocation_endpoint": format!("{issuer}/oauth2/revoke"),
        "userinfo_endpoint": format!("{issuer}/oauth2/userInfo"),
        "end_session_endpoint": format!("{issuer}/logout"),
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "code_challenge_methods_supported": ["S256"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "scopes_supported": oidc.options.scopes,
    }))
}

/// `GET /.well-known/jwks.json`
pub(super) async fn jwks(State(oidc): State<Arc<Oidc>>) -> Json<Value> {
    Json(oidc.state().keys.jwks())
}
