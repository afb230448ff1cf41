//! What the REST API's resources share: authentication, versions, errors.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::{API_VERSION, Salesforce};
use crate::{oauth::bearer, server::annotated};

/// An error of the REST API: a list of one.
pub(super) fn error(status: StatusCode, code: &str, message: &str) -> Response {
    let body = json!([{ "message": message, "errorCode": code }]);
    annotated(
        (status, Json(body)).into_response(),
        None,
        format!("errorCode={code}"),
    )
}

/// An answer of the REST API.
pub(super) fn answer(body: Value, username: &str) -> Response {
    annotated(Json(body).into_response(), Some(username), String::new())
}

/// The answer for every path that is not there.
pub(super) async fn not_found() -> Response {
    error(
        StatusCode::NOT_FOUND,
        "NOT_FOUND",
        "The requested resource does not exist",
    )
}

/// `GET /services/data`: the versions, for which no token is needed.
pub(super) async fn versions(State(_): State<Arc<Salesforce>>) -> Json<Value> {
    Json(json!([{
        "label": "Summer '23",
        "url": format!("/services/data/{API_VERSION}"),
        "version": &API_VERSION[1..],
    }]))
}

impl Salesforce {
    /// The user of a live access token that may use this version of the API.
    pub(super) fn api_user(&self, headers: &HeaderMap, version: &str) -> Result<String, Response> {
        let invalid = |status, message| error(status, "INVALID_SESSION_ID", message);
        let live = bearer(headers)
            .and_then(|token| self.state().grants.access(token, self.now()))
            .ok_or_else(|| invalid(StatusCode::UNAUTHORIZED, "Session expired or invalid"))?;
        if !live.scope.split(' ').any(|s| matches!(s, "api" | "full")) {
            return Err(invalid(
                StatusCode::FORBIDDEN,
                "This session is not valid for use with the REST API",
            ));
        }
        if version != API_VERSION {
            return Err(error(
                StatusCode::NOT_FOUND,
                "NOT_FOUND",
                "The requested resource does not exist",
            ));
        }
        Ok(live.username)
    }
}
