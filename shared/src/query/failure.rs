//! Why a statement failed: Redshift's text names tables, columns and values, so only a code leaves.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a statement failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailureCode {
    /// The user may not read or do this.
    ForbiddenData,
    /// The statement names something that is not there.
    UnknownObject,
    /// It took too long, or somebody stopped it in the warehouse.
    Timeout,
    /// A row is larger than the Data API carries.
    RowTooLarge,
    /// Anything else.
    QueryError,
}

/// Words of Redshift's text; the first row that fits decides.
const WORDS: [(&str, FailureCode); 9] = [
    ("permission denied", FailureCode::ForbiddenData),
    ("not authorized", FailureCode::ForbiddenData),
    ("must be owner", FailureCode::ForbiddenData),
    ("does not exist", FailureCode::UnknownObject),
    ("packet for query is too large", FailureCode::RowTooLarge),
    ("timeout", FailureCode::Timeout),
    ("timed out", FailureCode::Timeout),
    ("cancelled on user's request", FailureCode::Timeout),
    ("canceled on user's request", FailureCode::Timeout),
];

/// The code for Redshift's text.
pub fn failure_of(text: &str) -> FailureCode {
    let lower = text.to_lowercase();
    WORDS
        .iter()
        .find(|(words, _)| lower.contains(words))
        .map_or(FailureCode::QueryError, |(_, code)| *code)
}

impl FailureCode {
    /// The stable code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ForbiddenData => "forbidden_data",
            Self::UnknownObject => "unknown_object",
            Self::Timeout => "timeout",
            Self::RowTooLarge => "row_too_large",
            Self::QueryError => "query_error",
        }
    }

    /// What a person reads.
    pub const fn detail(self) -> &'static str {
        match self {
            Self::ForbiddenData => "You may not do this with these data.",
            Self::UnknownObject => "The statement names something that does not exist.",
            Self::Timeout => "The statement took too long or was stopped.",
            Self::RowTooLarge => "A row of the result is too large. Select fewer columns.",
            Self::QueryError => "The statement failed.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q5_texts_become_codes_that_name_nothing() {
        let cases = [
            (
                "ERROR: permission denied for relation city_sales",
                FailureCode::ForbiddenData,
            ),
            (
                "ERROR: permission denied for schema hr",
                FailureCode::ForbiddenData,
            ),
            (
                "ERROR: relation \"payroll\" does not exist",
                FailureCode::UnknownObject,
            ),
            (
                "ERROR: Query (42) cancelled on user's request",
                FailureCode::Timeout,
            ),
            ("Query timeout reached", FailureCode::Timeout),
            (
                "Packet for query is too large (70000 > 65536)",
                FailureCode::RowTooLarge,
            ),
            (
                "ERROR: division by zero, value 4711",
                FailureCode::QueryError,
            ),
            ("", FailureCode::QueryError),
        ];
        for (text, code) in cases {
            assert_eq!(failure_of(text), code, "{text}");
            for leaked in ["city_sales", "payroll", "4711", "hr"] {
                assert!(!code.detail().split(' ').any(|word| word == leaked));
            }
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }
}
