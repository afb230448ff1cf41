//! The part of SOQL that data pulls use:
//! `SELECT fields|COUNT() FROM object [WHERE ..] [ORDER BY ..] [LIMIT n] [OFFSET n]`.
//!
//! Conditions: `=`, `!=`, `<>`, `<`, `<=`, `>`, `>=`, `LIKE`, `IN`, `NOT IN`, `AND`, `OR`, `NOT` and
//! parentheses over text, numbers, booleans, `null` and unquoted date-times. As in Salesforce, `AND` and
//! `OR` do not mix without parentheses, text compares without case, and a null field is unequal to
//! every value. Relationship paths, aggregates and relative dates are refused, not guessed.

mod evaluate;
mod lexer;
mod like;
mod parser;

pub(super) use evaluate::select;
pub(super) use parser::parse;

/// Why a query has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub(super) struct SoqlError {
    /// `MALFORMED_QUERY`, `INVALID_FIELD` or `INVALID_TYPE`.
    pub(super) code: &'static str,
    /// What Salesforce would say.
    pub(super) message: String,
}

impl SoqlError {
    fn malformed(message: impl Into<String>) -> Self {
        Self {
            code: "MALFORMED_QUERY",
            message: message.into(),
        }
    }

    fn field(message: impl Into<String>) -> Self {
        Self {
            code: "INVALID_FIELD",
            message: message.into(),
        }
    }
}

/// A parsed query; names are not checked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Query {
    pub(super) selection: Selection,
    pub(super) object: String,
    condition: Option<Condition>,
    order: Vec<Order>,
    limit: Option<usize>,
    offset: usize,
}

/// What a query asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Selection {
    /// `COUNT()`.
    Count,
    /// Named fields.
    Fields(Vec<String>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Compare {
        field: String,
        operator: Operator,
        value: Literal,
    },
    Within {
        field: String,
        negated: bool,
        values: Vec<Literal>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Like,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Literal {
    Null,
    Bool(bool),
    Text(Text),
    Number(Number),
    Time(jiff::Timestamp),
}

/// A quoted string: each character, and whether it is an escaped `%` or `_`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Text(Vec<(char, bool)>);

impl Text {
    fn plain(&self) -> String {
        self.0.iter().map(|(c, _)| *c).collect()
    }
}

/// An exact decimal: this many billionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Number(i128);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Order {
    field: String,
    descending: bool,
    nulls_last: bool,
}
