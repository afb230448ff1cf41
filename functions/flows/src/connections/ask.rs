//! What both routes of discovery share: their query strings, who may refresh, how old an answer is.

use axum::{
    extract::{FromRequestParts, Query},
    response::Response,
};
use http::{HeaderValue, header, request::Parts};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use tributary::{
    error::{Error, Fault},
    identity::Role,
};

use crate::edge::Viewer;

/// A query string, read whole; what it does not know is refused.
#[derive(Debug, Clone)]
pub(crate) struct Ask<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Ask<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        Query::<T>::try_from_uri(&parts.uri)
            .map(|Query(query)| Self(query))
            .map_err(|rejection| {
                refused_query(vec![Fault::new(
                    "query:",
                    "malformed",
                    rejection.body_text(),
                )])
            })
    }
}

/// The answer to a query string that breaks rules.
pub(crate) fn refused_query(faults: Vec<Fault>) -> Error {
    Error::malformed(
        "malformed_query",
        "The query string cannot be read.",
        faults,
    )
}

/// What a check answers, or its faults among the others; other failures stop everything.
pub(crate) fn gathered<T>(
    faults: &mut Vec<Fault>,
    checked: Result<T, Error>,
) -> Result<Option<T>, Error> {
    match checked {
        Ok(value) => Ok(Some(value)),
        Err(error) if !error.faults().is_empty() => {
            faults.extend_from_slice(error.faults());
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// A parameter that is `true` or `false`; absent is `false`.
pub(crate) fn truth(name: &str, given: Option<&str>) -> Result<bool, Fault> {
    match given {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => {
            let detail = format!("{name} is true or false.");
            Err(Fault::new(format!("query:{name}"), "malformed", detail))
        }
    }
}

/// Whether the application is to be asked again, which costs of its allowance: editors only.
pub(super) fn may_refresh(given: Option<&str>, viewer: &Viewer) -> Result<bool, Error> {
    let refresh = truth("refresh", given).map_err(|fault| refused_query(vec![fault]))?;
    if refresh {
        viewer.caller.require(Role::Editor)?;
    }
    Ok(refresh)
}

/// Says for how long an answer is known. It is this caller's and is asked for again each time.
pub(super) fn aged(mut response: Response, since: Timestamp) -> Response {
    let age = Timestamp::now().duration_since(since).as_secs().max(0);
    let headers = response.headers_mut();
    headers.insert(header::AGE, HeaderValue::from(age));
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-cache"),
    );
    response
}
