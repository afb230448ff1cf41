//! Who granted: `userinfo` and the identity URL.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::{OrgUser, Salesforce};
use crate::{oauth::bearer, server::annotated};

/// A request without a token that tells who granted: status 403 and one word.
pub(super) struct Forbidden(&'static str);

impl IntoResponse for Forbidden {
    fn into_response(self) -> Response {
        annotated(
            (StatusCode::FORBIDDEN, self.0).into_response(),
            None,
            format!("outcome={}", self.0),
        )
    }
}

/// `GET /services/oauth2/userinfo`
pub(super) async fn user_info(
    State(salesforce): State<Arc<Salesforce>>,
    headers: HeaderMap,
) -> Result<Response, Forbidden> {
    let user = salesforce.granter(&headers)?;
    Ok(described(&salesforce, user))
}

/// `GET /id/{org}/{user}`
pub(super) async fn identity(
    State(salesforce): State<Arc<Salesforce>>,
    Path((org, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Forbidden> {
    let user = salesforce.granter(&headers)?;
    if user.org_id != org || user.user_id != id {
        return Err(Forbidden("Wrong_Org"));
    }
    Ok(described(&salesforce, user))
}

fn described(salesforce: &Salesforce, user: &OrgUser) -> Response {
    let body: Value = json!({
        "sub": salesforce.identity_url(user),
        "id": salesforce.identity_url(user),
        "user_id": user.user_id,
        "organization_id": user.org_id,
        "username": user.username,
        "preferred_username": user.username,
        "name": user.display_name,
        "display_name": user.display_name,
        "email": user.email,
        "email_verified": true,
        "active": true,
        "urls": {
            "rest": format!("{}/services/data/v{{version}}/", salesforce.base_url()),
            "sobjects": format!("{}/services/data/v{{version}}/sobjects/", salesforce.base_url()),
            "query": format!("{}/services/data/v{{version}}/query/", salesforce.base_url()),
        },
    });
    annotated(
        Json(body).into_response(),
        Some(&user.username),
        String::new(),
    )
}

impl Salesforce {
    /// The user of the bearer token.
    fn granter(&self, headers: &HeaderMap) -> Result<&OrgUser, Forbidden> {
        let token = bearer(headers).ok_or(Forbidden("Missing_OAuth_Token"))?;
        let live = self.state().grants.access(token, self.now());
        live.and_then(|live| self.user(&live.username))
            .ok_or(Forbidden("Bad_OAuth_Token"))
    }
}
