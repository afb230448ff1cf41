//! `GET /.well-known/openid-configuration`

use std::sync::Arc;

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::Salesforce;

pub(super) async fn openid_configuration(State(salesforce): State<Arc<Salesforce>>) -> Json<Value> {
    let host = salesforce.base_url();
    Json(json!({
        "issuer": host,
        "authorization_endpoint": format!("{host}/services/oauth2/authorize"),
        "token_endpoint": format!("{host}/services/oauth2/token"),
        "revocation_endpoint": format!("{host}/services/oauth2/revoke"),
        "introspection_endpoint": format!("{host}/services/oauth2/introspect"),
        "userinfo_endpoint": format!("{host}/services/oauth2/userinfo"),
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "scopes_supported": ["api", "refresh_token", "offline_access", "id", "openid", "profile", "email", "full", "web"],
    }))
}
