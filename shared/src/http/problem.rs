//! Problem documents (RFC 9457): the one shape in which the API says no.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::{Error, Fault, Kind};

/// A problem document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// `https://tributary.dev/problems/<code>`: identifies the kind of problem.
    #[serde(rename = "type")]
    #[schema(example = "https://tributary.dev/problems/not_found")]
    pub kind: String,
    /// The status in words.
    #[schema(example = "Not Found")]
    pub title: String,
    /// The status.
    #[schema(example = 404)]
    pub status: u16,
    /// Stable code to decide on.
    #[schema(example = "not_found")]
    pub code: String,
    /// What happened, for a person.
    pub detail: String,
    /// Quote this when asking for support.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Every fault of the request, each with a pointer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Fault>,
}

/// The status that a kind of failure has on HTTP.
pub const fn status(kind: Kind) -> StatusCode {
    match kind {
        Kind::Malformed => StatusCode::BAD_REQUEST,
        Kind::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Conflict | Kind::QuotaExhausted => StatusCode::CONFLICT,
        Kind::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
        Kind::PreconditionRequired => StatusCode::PRECONDITION_REQUIRED,
        Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Kind::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Kind::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Kind::Throttled => StatusCode::TOO_MANY_REQUESTS,
        Kind::Upstream => StatusCode::BAD_GATEWAY,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::TimedOut => StatusCode::GATEWAY_TIMEOUT,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl Problem {
    /// The document for an error, without a request id yet.
    pub fn of(error: &Error) -> Self {
        let status = status(error.kind());
        Self {
            kind: format!("https://tributary.dev/problems/{}", error.code()),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            code: error.code().to_owned(),
            detail: error.caller_message().to_owned(),
            request_id: None,
            errors: error.faults().to_vec(),
        }
    }
}

/// Carries the error to [`super::layers`], which knows the request id and logs it once.
#[derive(Debug, Clone)]
pub struct FailedWith {
    /// The document to send.
    pub problem: Problem,
    /// The chain for the log.
    pub log: String,
    /// Its kind, which decides the level of the log line.
    pub kind: Kind,
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let problem = Problem::of(&self);
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status(self.kind());
        if let Some(seconds) = self.retry_after_seconds() {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.kind() == Kind::Unauthenticated {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(FailedWith {
            problem,
            log: self.chain(),
            kind: self.kind(),
        });
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_says_nothing_of_the_log() {
        let error = Error::internal("store_failed", "table tributary-prod refused");
        let text = serde_json::to_string(&Problem::of(&error)).unwrap();
        assert!(!text.contains("tributary-prod"), "{text}");
        assert!(text.contains("\"status\":500"), "{text}");
    }

    #[test]
    fn every_fault_is_in_the_document() {
        let faults = vec![
            Fault::new("/name", "required", "Give it a name."),
            Fault::new("/trigger", "required", "Say when it runs."),
        ];
        let problem = Problem::of(&Error::unprocessable(
            "invalid_flow",
            "The flow breaks rules.",
            faults,
        ));
        assert_eq!((problem.status, problem.errors.len()), (422, 2));
    }
}
