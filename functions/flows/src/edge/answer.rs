//! Answers.

use axum::{
    body::{Body, to_bytes},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde::{Serialize, de::DeserializeOwned};
use tributary::error::Error;

/// An answer with a JSON body.
pub(crate) fn json<T: Serialize>(status: StatusCode, value: &T) -> Result<Response, Error> {
    let body = serde_json::to_vec(value).map_err(|error| {
        Error::internal("answer_failed", "an answer could not be written").with_source(error)
    })?;
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    Ok(response)
}

/// An answer for something that was made, with its address.
pub(crate) fn created<T: Serialize>(location: &str, value: &T) -> Result<Response, Error> {
    let mut response = json(StatusCode::CREATED, value)?;
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// An answer that says nothing more.
pub(crate) fn no_content() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// Reads back the body of an answer that may have been replayed.
pub(crate) async fn body_of<T: DeserializeOwned>(response: Response) -> Result<T, Error> {
    let lost = |error: Box<dyn std::error::Error + Send + Sync>| {
        Error::internal("answer_lost", "a stored answer could not be read back").with_source(error)
    };
    let bytes = to_bytes(response.into_body(), usize::MAX)
        .await
        .map_err(|error| lost(error.into()))?;
    serde_json::from_slice(&bytes).map_err(|error| lost(error.into()))
}
