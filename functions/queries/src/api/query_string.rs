//! Query strings, refused as problem documents.

use axum::extract::{Query, rejection::QueryRejection};
use tributary::error::{Error, Fault};

/// What a query string says, or the problem with it.
pub(super) fn read<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, Error> {
    match query {
        Ok(Query(value)) => Ok(value),
        Err(rejection) => Err(refused("query", &rejection.body_text())),
    }
}

/// How long to wait, in seconds, as a query string says it.
pub(super) fn wait(pointer: &str, seconds: Option<i32>, default: i32) -> Result<i32, Error> {
    wait_within(seconds, default).map_err(|detail| refused(pointer, detail))
}

/// How long to wait, in seconds, or what would be right.
pub(super) fn wait_within(seconds: Option<i32>, default: i32) -> Result<i32, &'static str> {
    let seconds = seconds.unwrap_or(default);
    if (0..=20).contains(&seconds) {
        return Ok(seconds);
    }
    Err("A whole number from 0 to 20.")
}

/// How many rows a page may have, as a query string says it.
pub(super) fn rows(limit: Option<u32>) -> Result<usize, Error> {
    match limit.map(usize::try_from) {
        None => Ok(usize::MAX),
        Some(Ok(limit)) if (1..=10_000).contains(&limit) => Ok(limit),
        Some(_) => Err(refused("query:limit", "A whole number from 1 to 10000.")),
    }
}

fn refused(pointer: &str, detail: &str) -> Error {
    Error::malformed(
        "malformed_query",
        "The request cannot be read.",
        vec![Fault::new(pointer, "malformed", detail)],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_ten_thousand_rows_at_most_if_a_limit_is_given() {
        assert_eq!(rows(None).unwrap(), usize::MAX);
        assert_eq!(rows(Some(1)).unwrap(), 1);
        assert_eq!(rows(Some(10_000)).unwrap(), 10_000);
        for limit in [0, 10_001] {
            assert_eq!(
                rows(Some(limit)).unwrap_err().faults()[0].pointer,
                "query:limit"
            );
        }
    }

    #[test]
    fn waits_stay_within_the_gateways_time() {
        assert_eq!(wait("query:waitSeconds", None, 10).unwrap(), 10);
        assert_eq!(wait("query:waitSeconds", Some(0), 10).unwrap(), 0);
        assert_eq!(wait("query:waitSeconds", Some(20), 10).unwrap(), 20);
        for seconds in [-1, 21] {
            assert_eq!(
                wait("/waitSeconds", Some(seconds), 10)
                    .unwrap_err()
                    .faults()[0]
                    .pointer,
                "/waitSeconds"
            );
        }
    }
}
