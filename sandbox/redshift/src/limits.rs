//! What the warehouse and the Data API put up with; tests set it lower.

use std::time::Duration;

/// Limits of the warehouse and its Data API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How long a statement may run, as the workgroup's `max_query_execution_time` says (real time).
    /// It ends as FAILED then.
    pub statement_time: Option<Duration>,
    /// Statements of one account that may be underway at the same time.
    pub active_statements: usize,
    /// Requests that may wait for one statement at the same time. The real number is not published.
    pub waiting_requests: usize,
    /// The largest result in bytes.
    pub result_bytes: usize,
    /// Rows in a page of results. The real service knows no such number.
    pub page_rows: usize,
    /// A page of results ends with the row that makes it longer than this.
    pub page_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            statement_time: None,
            active_statements: 500,
            waiting_requests: 100,
            result_bytes: 500 * 1024 * 1024,
            page_rows: 1000,
            page_bytes: 1024 * 1024,
        }
    }
}
