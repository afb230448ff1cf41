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
