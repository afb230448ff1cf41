//! Operators of AppFlow (flow-model section 3).

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
    Addition,
    Subtraction,
    Multiplication,
    Division,
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
            Self::Addition => "ADDITION",
            Self::Subtraction => "SUBTRACTION",
            Self::Multiplication => "MULTIPLICATION",
            Self::Division => "DIVISION",
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

#[cfg(test)]
mod tests {
    use super::*;

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
            Operator::Addition,
            Operator::Subtraction,
            Operator::Multiplication,
            Operator::Division,
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
