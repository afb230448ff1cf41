//! Ids in paths and parameters of lists.

use std::str::FromStr;

use axum::extract::{FromRequestParts, Query};
use http::request::Parts;
use serde::de::DeserializeOwned;
use tributary::{
    error::{Error, Fault},
    http::ListQuery,
};

/// An id from the path. What is no id is the same answer as what does not exist.
pub(crate) fn id_in_path<T: FromStr>(unverified: &str) -> Result<T, Error> {
    unverified.parse().map_err(|_| Error::not_found())
}

/// `limit` and `cursor` of a list.
#[derive(Debug, Clone)]
pub(crate) struct Listing(pub(crate) ListQuery);

impl<S: Send + Sync> FromRequestParts<S> for Listing {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let Typed(query) = Typed::from_request_parts(parts, state).await?;
        Ok(Self(query))
    }
}

/// Any query string, with the problem document of ours when it cannot be read.
#[derive(Debug, Clone)]
pub(crate) struct Typed<Q>(pub(crate) Q);

impl<S: Send + Sync, Q: DeserializeOwned> FromRequestParts<S> for Typed<Q> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        Query::<Q>::try_from_uri(&parts.uri)
            .map(|Query(query)| Self(query))
            .map_err(|rejection| {
                Error::malformed(
                    "malformed_query",
                    "The query string cannot be read.",
                    vec![Fault::new("query:", "malformed", rejection.body_text())],
                )
            })
    }
}
