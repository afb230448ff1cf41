//! What the REST API's resources share: authentication, versions, errors.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::{API_VERSION, Salesforce, write::Refused};
use crate::{oauth::bearer, server::annotated};

/// An error of the REST API: a list of one.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    fields: Vec<String>,
}

impl ApiError {
    /// Status 400.
    pub(super) fn bad(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            code,
            message: message.into(),
            fields: Vec::new(),
        }
    }

    /// Status 404, which says nothing about why.
    pub(super) fn not_found() -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            code: "NOT_FOUND",
            message: "The requested resource does not exist".to_owned(),
            fields: Vec::new(),
        }
    }

    fn session(status: StatusCode, message: &str) -> Self {
        Self {
            status,
            code: "INVALID_SESSION_ID",
            message: message.to_owned(),
            fields: Vec::new(),
        }
    }
}

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        let status = match refused.code {
            "NOT_FOUND" | "ENTITY_IS_DELETED" => StatusCode::NOT_FOUND,
            _ => StatusCode::BAD_REQUEST,
        };
        Self {
            status,
            code: refused.code,
            message: refused.message,
            fields: refused.fields,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut body = json!([{ "message": self.message, "errorCode": self.code }]);
        if !self.fields.is_empty() {
            body[0]["fields"] = json!(self.fields);
        }
        annotated(
            (self.status, Json(body)).into_response(),
            None,
            format!("errorCode={}", self.code),
        )
    }
}

/// An answer of the REST API.
pub(super) fn answer(body: Value, username: &str) -> Response {
    annotated(Json(body).into_response(), Some(username), String::new())
}

/// The answer for every path that is not there.
pub(super) async fn not_found() -> ApiError {
    ApiError::not_found()
}

/// `GET /services/data`: the versions, for which no token is needed.
pub(super) async fn versions(State(_): State<Arc<Salesforce>>) -> Json<Value> {
    Json(json!([{
        "label": "Summer '23",
        "url": format!("/services/data/{API_VERSION}"),
        "version": &API_VERSION[1..],
    }]))
}

/// `GET /services/data/{version}/limits`: what the org may still use today.
pub(super) async fn limits(
    State(salesforce): State<Arc<Salesforce>>,
    Path(version): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let user = salesforce.api_user(&headers, &version)?;
    let daily = json!({ "Max": 100_000, "Remaining": 100_000 });
    Ok(answer(json!({ "DailyApiRequests": daily }), &user))
}

impl Salesforce {
    /// The user of a live access token that may use this version of the API.
    pub(super) fn api_user(&self, headers: &HeaderMap, version: &str) -> Result<String, ApiError> {
        let live = bearer(headers)
            .and_then(|token| self.state().grants.access(token, self.now()))
            .ok_or_else(|| {
                ApiError::session(StatusCode::UNAUTHORIZED, "Session expired or invalid")
            })?;
        if !live.scope.split(' ').any(|s| matches!(s, "api" | "full")) {
            return Err(ApiError::session(
                StatusCode::FORBIDDEN,
                "This session is not valid for use with the REST API",
            ));
        }
        if version != API_VERSION {
            return Err(ApiError::not_found());
        }
        Ok(live.username)
    }
}
