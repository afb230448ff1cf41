//! Why a statement failed: Redshift's text names tables, columns and values, so only a code leaves.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a statement failed. Two texts share a code when a person would do the same about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailureCode {
    /// The user may not read or do this.
    ForbiddenData,
    /// The statement names something that is not there.
    UnknownObject,
    /// The statement is no SQL that Redshift reads.
    SyntaxError,
    /// A value does not fit its type or range, or something is divided by zero.
    InvalidValue,
    /// It took too long, or somebody stopped it in the warehouse.
    Timeout,
    /// A row is larger than the Data API carries.
    RowTooLarge,
    /// It needs more memory, disk or room for its result than there is.
    TooMuchData,
    /// Another statement changed the same data at the same time, or the warehouse was restarted.
    TryAgain,
    /// Files outside the warehouse that a table stands for cannot be read.
    ExternalData,
    /// Anything else.
    QueryError,
}

/// Words of Redshift's text; the first row that fits decides.
#[rustfmt::skip]
const WORDS: [(&str, FailureCode); 52] = [
    // Files of external tables first: their texts repeat S3's, which speaks of denials and of what
    // does not exist.
    ("spectrum", FailureCode::ExternalData),
    ("s3serviceexception", FailureCode::ExternalData),
    ("s3 query exception", FailureCode::ExternalData),
    ("aws lake formation", FailureCode::ExternalData),
    ("awsgluecatalog", FailureCode::ExternalData),
    ("external catalog", FailureCode::ExternalData),
    ("permission denied", FailureCode::ForbiddenData),
    ("not authorized", FailureCode::ForbiddenData),
    ("must be owner", FailureCode::ForbiddenData),
    ("must be superuser", FailureCode::ForbiddenData),
    ("does not exist", FailureCode::UnknownObject),
    ("missing from-clause entry", FailureCode::UnknownObject),
    ("syntax error", FailureCode::SyntaxError),
    ("must appear in the group by clause", FailureCode::SyntaxError),
    ("could not determine data type", FailureCode::SyntaxError),
    ("is ambiguous", FailureCode::SyntaxError),
    ("packet for query is too large", FailureCode::RowTooLarge),
    ("serializable isolation violation", FailureCode::TryAgain),
    ("deadlock detected", FailureCode::TryAgain),
    ("could not serialize access", FailureCode::TryAgain),
    ("conflict with concurrent transaction", FailureCode::TryAgain),
    ("could not open relation with oid", FailureCode::TryAgain),
    ("system requested abort", FailureCode::TryAgain),
    ("cluster is restarting", FailureCode::TryAgain),
    ("terminating connection", FailureCode::TryAgain),
    ("out of memory", FailureCode::TooMuchData),
    ("insufficient memory", FailureCode::TooMuchData),
    ("disk full", FailureCode::TooMuchData),
    ("disk is full", FailureCode::TooMuchData),
    ("no space left", FailureCode::TooMuchData),
    ("result size exceeded", FailureCode::TooMuchData),
    ("exceeds the maximum result size", FailureCode::TooMuchData),
    ("query monitoring rule", FailureCode::Timeout),
    ("max_query_execution_time", FailureCode::Timeout),
    ("timeout", FailureCode::Timeout),
    ("timed out", FailureCode::Timeout),
    ("cancelled on user's request", FailureCode::Timeout),
    ("canceled on user's request", FailureCode::Timeout),
    ("division by zero", FailureCode::InvalidValue),
    ("divide by zero", FailureCode::InvalidValue),
    ("overflow", FailureCode::InvalidValue),
    ("out of range", FailureCode::InvalidValue),
    ("value too long", FailureCode::InvalidValue),
    ("invalid input syntax", FailureCode::InvalidValue),
    ("invalid digit", FailureCode::InvalidValue),
    ("invalid value", FailureCode::InvalidValue),
    ("invalid timestamp", FailureCode::InvalidValue),
    ("invalid regular expression", FailureCode::InvalidValue),
    ("error converting text to", FailureCode::InvalidValue),
    ("cannot cast", FailureCode::InvalidValue),
    ("cannot be cast", FailureCode::InvalidValue),
    ("does not match expected", FailureCode::InvalidValue),
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
            Self::SyntaxError => "syntax_error",
            Self::InvalidValue => "invalid_value",
            Self::Timeout => "timeout",
            Self::RowTooLarge => "row_too_large",
            Self::TooMuchData => "too_much_data",
            Self::TryAgain => "try_again",
            Self::ExternalData => "external_data",
            Self::QueryError => "query_error",
        }
    }

    /// What a person reads.
    pub const fn detail(self) -> &'static str {
        match self {
            Self::ForbiddenData => "You may not do this with these data.",
            Self::UnknownObject => "The statement names something that does not exist.",
            Self::SyntaxError => "The warehouse cannot read the statement.",
            Self::InvalidValue => {
                "A value does not fit its type or range, or something is divided by zero."
            }
            Self::Timeout => "The statement took too long or was stopped.",
            Self::RowTooLarge => "A row of the result is too large. Select fewer columns.",
            Self::TooMuchData => "The statement needs more room than there is. Ask for less data.",
            Self::TryAgain => "The warehouse was busy with the same data. Try again.",
            Self::ExternalData => {
                "Files outside the warehouse cannot be read. Tell your administrator."
            }
            Self::QueryError => "The statement failed.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rustfmt::skip]
    const CASES: [(&str, FailureCode); 30] = [
        ("ERROR: permission denied for relation city_sales", FailureCode::ForbiddenData),
        ("ERROR: permission denied for schema hr", FailureCode::ForbiddenData),
        ("ERROR: must be owner of relation payroll", FailureCode::ForbiddenData),
        ("ERROR: relation \"payroll\" does not exist", FailureCode::UnknownObject),
        ("ERROR: column \"timeout\" does not exist in payroll", FailureCode::UnknownObject),
        ("ERROR: syntax error at or near \"payroll\"\n  Position: 8", FailureCode::SyntaxError),
        ("ERROR: column \"payroll.hr\" must appear in the GROUP BY clause or be used in an aggregate function", FailureCode::SyntaxError),
        ("ERROR: Query (42) cancelled on user's request", FailureCode::Timeout),
        ("ERROR: canceling statement due to statement timeout", FailureCode::Timeout),
        ("ERROR: Query (4711) cancelled by WLM abort action of Query Monitoring Rule \"long\".", FailureCode::Timeout),
        ("Query timeout reached", FailureCode::Timeout),
        ("Packet for query is too large (70000 > 65536)", FailureCode::RowTooLarge),
        ("ERROR: division by zero, value 4711", FailureCode::InvalidValue),
        ("ERROR: Divide by zero", FailureCode::InvalidValue),
        ("ERROR: Numeric data overflow (result precision) 4711", FailureCode::InvalidValue),
        ("ERROR: value \"4711\" is out of range for type smallint", FailureCode::InvalidValue),
        ("ERROR: date/time field value out of range: \"4711\"", FailureCode::InvalidValue),
        ("ERROR: invalid input syntax for integer: \"payroll\"", FailureCode::InvalidValue),
        ("ERROR: Invalid digit, Value 'p', Pos 0, Type: Integer (hr 4711)", FailureCode::InvalidValue),
        ("ERROR: value too long for type character varying(4)", FailureCode::InvalidValue),
        ("ERROR: 1023 DETAIL: Serializable isolation violation on table - 4711, transactions forming the cycle are: 1, 2", FailureCode::TryAgain),
        ("ERROR: deadlock detected DETAIL: Process 4711 waits for AccessExclusiveLock", FailureCode::TryAgain),
        ("ERROR: could not open relation with OID 4711", FailureCode::TryAgain),
        ("ERROR: Out Of Memory: DETAIL: failed on request of size 4711", FailureCode::TooMuchData),
        ("ERROR: Disk Full DETAIL: error: Disk Full code: 1016 context: node: 4711", FailureCode::TooMuchData),
        ("ERROR: Spectrum Scan Error DETAIL: error: S3 Access Denied context: s3://hr/payroll does not exist", FailureCode::ExternalData),
        ("ERROR: S3ServiceException:Access Denied,Status 403,Error AccessDenied", FailureCode::ExternalData),
        ("ERROR: Assert DETAIL: error: Assert code: 1000", FailureCode::QueryError),
        ("ERROR: internal error: hr 4711", FailureCode::QueryError),
        ("", FailureCode::QueryError),
    ];

    #[test]
    fn q5_texts_become_codes_that_name_nothing() {
        for (text, code) in CASES {
            assert_eq!(failure_of(text), code, "{text}");
            for leaked in ["city_sales", "payroll", "4711", "hr"] {
                assert!(!code.detail().split(' ').any(|word| word == leaked));
            }
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }

    #[test]
    fn every_row_of_the_table_can_decide() {
        for (index, (words, code)) in WORDS.iter().enumerate() {
            assert_eq!(failure_of(words), *code, "{words} is never reached");
            let earlier = WORDS[..index]
                .iter()
                .find(|(other, _)| words.contains(other));
            assert!(earlier.is_none(), "{words} is covered by {earlier:?}");
        }
    }
}
