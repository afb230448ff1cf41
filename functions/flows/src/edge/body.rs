//! Bodies that may be left out.

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{FromRequest, Request},
};
use serde::{Deserialize, de::DeserializeOwned};
use tributary::{
    error::{Error, Kind},
    http::{Json, layers::BODY_LIMIT},
};

/// A JSON body, or nothing at all.
#[derive(Debug)]
pub(crate) struct OptionalJson<T> {
    /// The value; its default when there was no body.
    pub(crate) value: T,
    /// The body as it came.
    pub(crate) bytes: Bytes,
}

/// An action that has nothing to say: no body, or an empty object.
pub(crate) type NoBody = OptionalJson<Nothing>;

/// An object without members.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

impl<S, T> FromRequest<S> for OptionalJson<T>
where
    S: Send + Sync,
    T: DeserializeOwned + Default,
{
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let (parts, body) = request.into_parts();
        let bytes = to_bytes(body, BODY_LIMIT).await.map_err(|_| {
            Error::new(
                Kind::TooLarge,
                "body_too_large",
                format!("A body may have {BODY_LIMIT} bytes at most."),
            )
        })?;
        if bytes.is_empty() {
            let value = T::default();
            return Ok(Self { value, bytes });
        }
        let request = Request::from_parts(parts, Body::from(bytes));
        let Json { value, bytes } = Json::<T>::from_request(request, state).await?;
        Ok(Self { value, bytes })
    }
}
