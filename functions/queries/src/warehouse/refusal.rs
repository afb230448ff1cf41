//! What refusals of the Data API mean, as a table. Their texts are never passed on.

use tributary::{
    aws::Refusal,
    error::{Error, Kind},
};

use crate::{session::reauthenticate, statement::Author};

/// Which call was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// ExecuteStatement.
    Execute {
        /// Who wrote the SQL.
        author: Author,
    },
    /// DescribeStatement.
    Describe,
    /// GetStatementResult.
    Results,
    /// CancelStatement.
    Cancel,
    /// ListSchemas and ListTables.
    List,
    /// DescribeTable.
    Table,
}

/// A column of the table.
#[derive(Clone, Copy)]
enum Row {
    Rejected,
    NotReady,
    NotFound,
    TooManyQueries,
    TooManySessions,
    TooManyWaiting,
    DidNotStart,
    NoConnection,
    TookTooLong,
    Busy,
    Away,
    Reauthenticate,
    Configuration,
}

/// Code, meaning on ExecuteStatement, meaning on a statement's id, meaning on the catalogue.
#[rustfmt::skip]
const REFUSALS: [(&str, Row, Row, Row); 15] = [
    ("ValidationException", Row::Rejected, Row::NotReady, Row::Configuration),
    ("ActiveStatementsExceededException", Row::TooManyQueries, Row::TooManyQueries, Row::TooManyQueries),
    ("ActiveSessionsExceededException", Row::TooManySessions, Row::TooManySessions, Row::TooManySessions),
    ("ActiveWaitingRequestsExceededException", Row::TooManyWaiting, Row::TooManyWaiting, Row::TooManyWaiting),
    ("ExecuteStatementException", Row::DidNotStart, Row::DidNotStart, Row::NoConnection),
    ("DatabaseConnectionException", Row::DidNotStart, Row::DidNotStart, Row::NoConnection),
    // A workgroup that is not there is ours; a statement or table that is not there, or is somebody
    // else's, is not found.
    ("ResourceNotFoundException", Row::Configuration, Row::NotFound, Row::Configuration),
    ("AccessDeniedException", Row::Configuration, Row::NotFound, Row::Configuration),
    ("QueryTimeoutException", Row::TookTooLong, Row::TookTooLong, Row::TookTooLong),
    ("InternalServerException", Row::Away, Row::Away, Row::Away),
    ("ThrottlingException", Row::Busy, Row::Busy, Row::Busy),
    ("ExpiredTokenException", Row::Reauthenticate, Row::Reauthenticate, Row::Reauthenticate),
    ("ExpiredToken", Row::Reauthenticate, Row::Reauthenticate, Row::Reauthenticate),
    ("UnrecognizedClientException", Row::Reauthenticate, Row::Reauthenticate, Row::Reauthenticate),
    ("InvalidSignatureException", Row::Configuration, Row::Configuration, Row::Configuration),
];

/// Whether the credentials have ended.
pub(super) fn is_expired(refusal: &Refusal) -> bool {
    refusal.is("ExpiredTokenException") || refusal.is("ExpiredToken")
}

/// The error that a refused call becomes.
pub fn error_of(call: Call, refusal: &Refusal) -> Error {
    let log = format!(
        "Data API {call:?} failed: code {}, status {}, request {}",
        refusal.code.as_deref().unwrap_or("none"),
        refusal
            .status
            .map_or_else(|| "none".to_owned(), |status| status.to_string()),
        refusal.request_id.as_deref().unwrap_or("none"),
    );
    let known = REFUSALS.iter().find(|(code, ..)| refusal.is(code));
    let row = match (known, call) {
        // A query of our own that is rejected is our own mistake.
        (
            Some((_, Row::Rejected, ..)),
            Call::Execute {
                author: Author::Vendor,
            },
        ) => Row::Configuration,
        (Some((_, on_execute, ..)), Call::Execute { .. }) => *on_execute,
        (Some((_, _, on_statement, _)), Call::Describe | Call::Results | Call::Cancel) => {
            *on_statement
        }
        // A table that is not there, or that the user may not see; its name comes from the caller.
        (Some(("ResourceNotFoundException" | "ValidationException", ..)), Call::Table) => {
            Row::NotFound
        }
        (Some((.., on_catalogue)), Call::List | Call::Table) => *on_catalogue,
        (None, _) if refusal.is_throttle() => Row::Busy,
        (None, _) if refusal.is_unknown() => Row::Away,
        (None, _) => Row::Configuration,
    };
    row.error(log)
}

impl Row {
    fn error(self, log: String) -> Error {
        let say = |kind, code, text: &str| Error::new(kind, code, text).with_log(log.clone());
        match self {
            Self::Rejected => say(
                Kind::Malformed,
                "query_rejected",
                "The warehouse does not take this statement with these parameters.",
            ),
            Self::NotReady => say(Kind::Conflict, "query_not_ready", "The query has no rows to read, or not yet."),
            Self::NotFound => Error::not_found().with_log(log),
            Self::TooManyQueries => say(Kind::Throttled, "too_many_queries", "Too many queries are running. Try again shortly.").with_retry_after(5),
            Self::TooManySessions => say(Kind::Throttled, "too_many_sessions", "Too many sessions are open. Try again shortly.").with_retry_after(5),
            Self::TooManyWaiting => say(Kind::Throttled, "poll_without_wait", "Too many requests wait for this query. Ask again without waiting.").with_retry_after(1),
            Self::DidNotStart => say(Kind::Upstream, "query_start_failed", "The warehouse did not start the query. Try again; if it stays so, you may not be assigned to the warehouse.").with_retry_after(5),
            Self::NoConnection => Error::unavailable("warehouse_connection", log),
            Self::TookTooLong => say(Kind::TimedOut, "warehouse_timeout", "The warehouse took too long to answer."),
            Self::Busy => Error::unavailable("warehouse_busy", log),
            Self::Away => Error::unavailable("warehouse_unavailable", log),
            Self::Reauthenticate => reauthenticate(&log),
            Self::Configuration => Error::internal("warehouse_config", log),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(call: Call, code: Option<&str>, status: Option<u16>) -> (Kind, &'static str) {
        let refusal = Refusal {
            code: code.map(str::to_owned),
            message: Some("relation payroll of canary".to_owned()),
            status,
            request_id: None,
        };
        let error = error_of(call, &refusal);
        assert!(!error.chain().contains("canary") && !error.caller_message().contains("canary"));
        (error.kind(), error.code())
    }

    #[test]
    fn each_refusal_has_its_answer() {
        use Kind::{
            Conflict, Internal, Malformed, NotFound, Throttled, TimedOut, Unauthenticated,
            Unavailable, Upstream,
        };
        let free = Call::Execute {
            author: Author::Caller,
        };
        let theirs = Call::Execute {
            author: Author::Tenant,
        };
        let registered = Call::Execute {
            author: Author::Vendor,
        };
        let cases = [
            (free, "ValidationException", Malformed, "query_rejected"),
            (theirs, "ValidationException", Malformed, "query_rejected"),
            (
                registered,
                "ValidationException",
                Internal,
                "warehouse_config",
            ),
            (
                Call::Results,
                "ValidationException",
                Conflict,
                "query_not_ready",
            ),
            (
                free,
                "ActiveStatementsExceededException",
                Throttled,
                "too_many_queries",
            ),
            (
                free,
                "ActiveSessionsExceededException",
                Throttled,
                "too_many_sessions",
            ),
            (
                free,
                "ExecuteStatementException",
                Upstream,
                "query_start_failed",
            ),
            (
                Call::Cancel,
                "DatabaseConnectionException",
                Upstream,
                "query_start_failed",
            ),
            (
                free,
                "ResourceNotFoundException",
                Internal,
                "warehouse_config",
            ),
            (
                Call::Describe,
                "ResourceNotFoundException",
                NotFound,
                "not_found",
            ),
            (
                Call::Results,
                "ResourceNotFoundException",
                NotFound,
                "not_found",
            ),
            (Call::Cancel, "AccessDeniedException", NotFound, "not_found"),
            (
                registered,
                "AccessDeniedException",
                Internal,
                "warehouse_config",
            ),
            (
                Call::Results,
                "ActiveWaitingRequestsExceededException",
                Throttled,
                "poll_without_wait",
            ),
            (
                Call::Cancel,
                "QueryTimeoutException",
                TimedOut,
                "warehouse_timeout",
            ),
            (
                Call::List,
                "QueryTimeoutException",
                TimedOut,
                "warehouse_timeout",
            ),
            (
                Call::List,
                "DatabaseConnectionException",
                Unavailable,
                "warehouse_connection",
            ),
            (
                Call::Table,
                "DatabaseConnectionException",
                Unavailable,
                "warehouse_connection",
            ),
            (
                Call::Table,
                "ResourceNotFoundException",
                NotFound,
                "not_found",
            ),
            (Call::Table, "ValidationException", NotFound, "not_found"),
            (
                Call::List,
                "ValidationException",
                Internal,
                "warehouse_config",
            ),
            (
                Call::List,
                "AccessDeniedException",
                Internal,
                "warehouse_config",
            ),
            (
                Call::List,
                "ActiveStatementsExceededException",
                Throttled,
                "too_many_queries",
            ),
            (
                Call::Describe,
                "InternalServerException",
                Unavailable,
                "warehouse_unavailable",
            ),
            (
                Call::Describe,
                "ThrottlingException",
                Unavailable,
                "warehouse_busy",
            ),
            (
                Call::Describe,
                "ExpiredTokenException",
                Unauthenticated,
                "reauthenticate",
            ),
            (free, "SomethingNew", Internal, "warehouse_config"),
        ];
        for (call, code, kind, answer) in cases {
            assert_eq!(
                seen(call, Some(code), Some(400)),
                (kind, answer),
                "{call:?} {code}"
            );
        }
        assert_eq!(
            seen(free, None, None),
            (Unavailable, "warehouse_unavailable")
        );
        assert_eq!(seen(free, None, Some(429)), (Unavailable, "warehouse_busy"));
    }

    #[test]
    fn q2_a_foreign_statement_and_a_missing_one_answer_the_same() {
        let foreign = seen(Call::Describe, Some("AccessDeniedException"), Some(400));
        assert_eq!(
            foreign,
            seen(Call::Describe, Some("ResourceNotFoundException"), Some(400))
        );
        assert_eq!(
            foreign,
            (Error::not_found().kind(), Error::not_found().code())
        );
    }
}
