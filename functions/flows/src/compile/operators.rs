//! Operators of AppFlow and which source takes which comparison (flow-model section 3).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::Comparison;

/// An operator of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the words are AppFlow's own")]
pub enum Operator {
    Projection,
    NoOp,
    Contains,
    EqualTo,
    NotEqualTo,
    LessThan,
    LessThanOrEqualTo,
    GreaterThan,
    GreaterThanOrEqualTo,
    Between,
    MaskAll,
    #[serde(rename = "MASK_FIRST_N")]
    MaskFirstN,
    #[serde(rename = "MASK_LAST_N")]
    MaskLastN,
    ValidateNonNull,
    ValidateNonZero,
    ValidateNonNegative,
    ValidateNumeric,
}

impl Operator {
    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Projection => "PROJECTION",
            Self::NoOp => "NO_OP",
            Self::Contains => "CONTAINS",
            Self::EqualTo => "EQUAL_TO",
            Self::NotEqualTo => "NOT_EQUAL_TO",
            Self::LessThan => "LESS_THAN",
            Self::LessThanOrEqualTo => "LESS_THAN_OR_EQUAL_TO",
            Self::GreaterThan => "GREATER_THAN",
            Self::GreaterThanOrEqualTo => "GREATER_THAN_OR_EQUAL_TO",
            Self::Between => "BETWEEN",
            Self::MaskAll => "MASK_ALL",
            Self::MaskFirstN => "MASK_FIRST_N",
            Self::MaskLastN => "MASK_LAST_N",
            Self::ValidateNonNull => "VALIDATE_NON_NULL",
            Self::ValidateNonZero => "VALIDATE_NON_ZERO",
            Self::ValidateNonNegative => "VALIDATE_NON_NEGATIVE",
            Self::ValidateNumeric => "VALIDATE_NUMERIC",
        }
    }

    /// The operator of a comparison.
    pub const fn of(comparison: Comparison) -> Self {
        match comparison {
            Comparison::Contains => Self::Contains,
            Comparison::Equals => Self::EqualTo,
            Comparison::NotEquals => Self::NotEqualTo,
            Comparison::LessThan => Self::LessThan,
            Comparison::LessThanOrEquals => Self::LessThanOrEqualTo,
            Comparison::GreaterThan => Self::GreaterThan,
            Comparison::GreaterThanOrEquals => Self::GreaterThanOrEqualTo,
            Comparison::Between => Self::Between,
        }
    }
}

use Comparison::{
    Between, Contains, Equals, GreaterThan, GreaterThanOrEquals, LessThan, LessThanOrEquals,
    NotEquals,
};

const ALL: &[Comparison] = &[
    Contains,
    Equals,
    NotEquals,
    LessThan,
    LessThanOrEquals,
    GreaterThan,
    GreaterThanOrEquals,
    Between,
];
const ALL_BUT_CONTAINS: &[Comparison] = &[
    Equals,
    NotEquals,
    LessThan,
    LessThanOrEquals,
    GreaterThan,
    GreaterThanOrEquals,
    Between,
];

/// What each source compares with, by its operator key. For custom connectors it is the upper bound.
pub const COMPARISONS: &[(&str, &[Comparison])] = &[
    ("Salesforce", ALL),
    ("ServiceNow", ALL),
    ("SAPOData", ALL),
    ("Veeva", ALL),
    ("CustomConnector", ALL),
    ("S3", ALL_BUT_CONTAINS),
    (
        "Slack",
        &[
            Equals,
            LessThan,
            LessThanOrEquals,
            GreaterThan,
            GreaterThanOrEquals,
            Between,
        ],
    ),
    ("Marketo", &[LessThan, GreaterThan, Between]),
    ("Zendesk", &[GreaterThan]),
    ("Datadog", &[Equals, Between]),
    ("Dynatrace", &[Equals, Between]),
    ("InforNexus", &[Equals, Between]),
    ("Singular", &[Equals]),
    ("Trendmicro", &[Equals]),
    ("Pardot", &[Equals]),
    ("GoogleAnalytics", &[Between]),
    ("Amplitude", &[Between]),
];

/// Whether the source with this operator key takes the comparison; an unknown source takes none.
pub fn takes(source_key: &str, comparison: Comparison) -> bool {
    COMPARISONS
        .iter()
        .find(|(key, _)| *key == source_key)
        .is_some_and(|(_, comparisons)| comparisons.contains(&comparison))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_references_table() {
        let row = |key: &str| -> String {
            ALL.iter()
                .map(|comparison| if takes(key, *comparison) { 'x' } else { '-' })
                .collect()
        };
        // contains = != < <= > >= between, as in flow-model section 3
        for (key, expected) in [
            ("Salesforce", "xxxxxxxx"),
            ("ServiceNow", "xxxxxxxx"),
            ("SAPOData", "xxxxxxxx"),
            ("Veeva", "xxxxxxxx"),
            ("CustomConnector", "xxxxxxxx"),
            ("S3", "-xxxxxxx"),
            ("Slack", "-x-xxxxx"),
            ("Marketo", "---x-x-x"),
            ("Zendesk", "-----x--"),
            ("Datadog", "-x-----x"),
            ("Dynatrace", "-x-----x"),
            ("InforNexus", "-x-----x"),
            ("Singular", "-x------"),
            ("Trendmicro", "-x------"),
            ("Pardot", "-x------"),
            ("GoogleAnalytics", "-------x"),
            ("Amplitude", "-------x"),
            ("Unknown", "--------"),
        ] {
            assert_eq!(row(key), expected, "{key}");
        }
        assert_eq!(COMPARISONS.len(), 17);
    }

    #[test]
    fn the_words_on_the_wire_are_the_words_in_the_sdk() {
        for operator in [
            Operator::Projection,
            Operator::NoOp,
            Operator::Contains,
            Operator::EqualTo,
            Operator::NotEqualTo,
            Operator::LessThan,
            Operator::LessThanOrEqualTo,
            Operator::GreaterThan,
            Operator::GreaterThanOrEqualTo,
            Operator::Between,
            Operator::MaskAll,
            Operator::MaskFirstN,
            Operator::MaskLastN,
            Operator::ValidateNonNull,
            Operator::ValidateNonZero,
            Operator::ValidateNonNegative,
            Operator::ValidateNumeric,
        ] {
            let word = operator.as_str();
            assert_eq!(serde_json::to_value(operator).unwrap(), word);
            assert!(
                aws_sdk_appflow::types::SalesforceConnectorOperator::values().contains(&word),
                "{word}"
            );
        }
    }
}
