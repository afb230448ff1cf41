//! Ids in paths and parameters of lists.

use std::str::FromStr;

use axum::extract::{FromRequestParts, Query};
use http::request::Parts;
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

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        Query::<ListQuery>::try_from_uri(&parts.uri)
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
