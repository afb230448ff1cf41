//! A line of a person's list.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::warehouse::{FailureCode, Progress, State};

/// How long results can be read, in seconds, and so how long a line is kept.
const KEPT: i64 = 24 * 3600;

/// A statement that a person ran, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted {
    /// The sealed id that the person was given.
    pub id: String,
    /// Name of the registered query; none for SQL of the person's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// When it was run.
    pub created_at: Timestamp,
    /// How far it was, as last seen.
    pub seen: Seen,
    /// When the table forgets it, epoch seconds.
    pub expires_at: i64,
}

/// How far a statement was at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// How far.
    pub state: State,
    /// When that was.
    pub at: Timestamp,
    /// Rows of its result, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row_count: Option<u64>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureCode>,
}

impl Noted {
    /// A statement that was just run.
    pub fn new(id: String, query: Option<&str>, at: Timestamp, progress: &Progress) -> Self {
        Self {
            id,
            query: query.map(str::to_owned),
            created_at: at,
            seen: Seen::of(progress, Timestamp::now()),
            expires_at: at.as_second() + KEPT,
        }
    }
}

impl Seen {
    /// What the warehouse said at a time.
    pub fn of(progress: &Progress, at: Timestamp) -> Self {
        Self {
            state: progress.state,
            at,
            row_count: progress.row_count,
            failure: progress.failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_no_statement_id_no_sql_and_no_values() {
        let progress = Progress {
            statement: "statement-1".to_owned(),
            state: State::Failed,
            has_rows: false,
            row_count: None,
            failure: Some(FailureCode::Timeout),
        };
        let noted = Noted::new(
            "qry_sealed".to_owned(),
            Some("sales"),
            Timestamp::UNIX_EPOCH,
            &progress,
        );
        let line = serde_json::to_value(&noted).unwrap();
        let members: Vec<&String> = line.as_object().unwrap().keys().collect();
        assert_eq!(members, ["created_at", "expires_at", "id", "query", "seen"]);
        assert!(!line.to_string().contains("statement-1"), "{line}");
        assert_eq!(line["expires_at"], 86_400);
        assert_eq!(serde_json::from_value::<Noted>(line).unwrap(), noted);
    }
}
