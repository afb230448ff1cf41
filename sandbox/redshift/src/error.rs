//! What a statement can fail with, in Redshift's own words.

/// Why a statement failed. The text is what `DescribeStatement` shows as `Error`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SqlError {
    #[error("FATAL: database \"{0}\" does not exist")]
    NoDatabase(String),
    #[error("ERROR: schema \"{0}\" does not exist")]
    NoSchema(String),
    #[error("ERROR: relation \"{0}\" does not exist")]
    NoRelation(String),
    #[error("ERROR: column \"{0}\" does not exist")]
    NoColumn(String),
    #[error("ERROR: role \"{0}\" does not exist")]
    NoRole(String),
    #[error("ERROR: RLS policy \"{0}\" does not exist")]
    NoPolicy(String),
    #[error("ERROR: user \"{0}\" does not exist")]
    NoUser(String),
    #[error("FATAL: password authentication failed for user \"{0}\"")]
    Authentication(String),
    #[error("ERROR: {kind} \"{name}\" already exists")]
    Exists { kind: &'static str, name: String },
    #[error("ERROR: permission denied for {kind} {name}")]
    Denied { kind: &'static str, name: String },
    #[error("ERROR: permission denied to {0}")]
    Forbidden(&'static str),
    #[error("ERROR: syntax error at or near \"{0}\"")]
    Syntax(String),
    #[error("ERROR: {0} is not supported by this stand-in")]
    Unsupported(String),
    #[error("ERROR: Query cancelled on user's request")]
    Cancelled,
    #[error(
        "ERROR: Query cancelled by WLM abort action of Query Monitoring Rule \"max_query_execution_time\""
    )]
    TimedOut,
    #[error("ERROR: {0}")]
    Other(String),
}

impl SqlError {
    pub(crate) fn denied(kind: &'static str, name: &str) -> Self {
        Self::Denied {
            kind,
            name: name.to_owned(),
        }
    }
}

impl From<rusqlite::Error> for SqlError {
    /// Puts SQLite's texts into Redshift's, so that callers can map them as they would there.
    fn from(error: rusqlite::Error) -> Self {
        if error.sqlite_error_code() == Some(rusqlite::ErrorCode::OperationInterrupted) {
            return Self::Cancelled;
        }
        let text = match &error {
            rusqlite::Error::SqliteFailure(_, Some(text)) => text.clone(),
            rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
            other => other.to_string(),
        };
        let after = |prefix: &str| text.strip_prefix(prefix).map(str::to_owned);
        if let Some(name) = after("no such table: ") {
            return Self::NoRelation(name);
        }
        if let Some(name) = after("no such column: ") {
            // SQLite guesses that a quoted name was meant as a string.
            let name = name.split(" - should").next().unwrap_or_default();
            return Self::NoColumn(name.replace('"', ""));
        }
        if let Some(name) = after("no such function: ") {
            return Self::Other(format!("function {name}() does not exist"));
        }
        if let Some(name) = after("ambiguous column name: ") {
            return Self::Other(format!("column reference \"{name}\" is ambiguous"));
        }
        if let Some(rest) = after("near \"") {
            let near = rest.split("\": syntax error").next().unwrap_or_default();
            return Self::Syntax(near.to_owned());
        }
        if let Some(column) = after("NOT NULL constraint failed: ") {
            let column = column.rsplit('.').next().unwrap_or_default();
            return Self::Other(format!("Cannot insert a NULL value into column {column}"));
        }
        if text == "incomplete input" {
            return Self::Other("syntax error at end of input".to_owned());
        }
        Self::Other(text.strip_prefix("ERROR: ").unwrap_or(&text).to_owned())
    }
}
