//! The `Condition` element.

use serde_json::Value;

use super::{
    Context, Match,
    text::{Filled, Text},
    texts,
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Quantifier {
    One,
    ForAll,
    ForAny,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Test {
    Equals,
    EqualsIgnoreCase,
    Like,
    Arn,
    Bool,
    Null,
}

/// A condition operator, taken apart.
#[derive(Clone, Copy)]
struct Operator {
    quantifier: Quantifier,
    test: Test,
    /// `...Not...`: no value may fit.
    negated: bool,
    /// `...IfExists`: an absent key is fine.
    if_exists: bool,
}

/// Names of operators: what they test, and whether they want the opposite.
const OPERATORS: [(&str, Test, bool); 12] = [
    ("StringEquals", Test::Equals, false),
    ("StringNotEquals", Test::Equals, true),
    ("StringEqualsIgnoreCase", Test::EqualsIgnoreCase, false),
    ("StringNotEqualsIgnoreCase", Test::EqualsIgnoreCase, true),
    ("StringLike", Test::Like, false),
    ("StringNotLike", Test::Like, true),
    // ArnEquals takes wildcards too; IAM treats both alike.
    ("ArnEquals", Test::Arn, false),
    ("ArnLike", Test::Arn, false),
    ("ArnNotEquals", Test::Arn, true),
    ("ArnNotLike", Test::Arn, true),
    ("Bool", Test::Bool, false),
    ("Null", Test::Null, false),
];

/// Whether all conditions hold. Operators, keys and variables that are not known give
/// [`Match::Unknown`].
pub(super) fn matches(conditions: Option<&Value>, context: &Context) -> Match {
    let Some(conditions) = conditions else {
        return Match::Yes;
    };
    let Some(conditions) = conditions.as_object() else {
        return Match::Unknown;
    };
    Match::all(conditions.iter().map(|(operator, keys)| {
        let (Some(operator), Some(keys)) = (Operator::parse(operator), keys.as_object()) else {
            return Match::Unknown;
        };
        Match::all(
            keys.iter()
                .map(|(key, wanted)| operator.holds(key, wanted, context)),
        )
    }))
}

impl Operator {
    fn parse(operator: &str) -> Option<Self> {
        let (quantifier, name) = if let Some(name) = operator.strip_prefix("ForAllValues:") {
            (Quantifier::ForAll, name)
        } else if let Some(name) = operator.strip_prefix("ForAnyValue:") {
            (Quantifier::ForAny, name)
        } else {
            (Quantifier::One, operator)
        };
        let (name, if_exists) = match name.strip_suffix("IfExists") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let (_, test, negated) = OPERATORS.into_iter().find(|(known, _, _)| *known == name)?;
        // Null asks for existence itself.
        if test == Test::Null && (if_exists || quantifier != Quantifier::One) {
            return None;
        }
        Some(Self {
            quantifier,
            test,
            negated,
            if_exists,
        })
    }

    fn holds(self, key: &str, wanted: &Value, context: &Context) -> Match {
        let Some(wanted) = texts(wanted) else {
            return Match::Unknown;
        };
        if !context.knows(key) {
            return Match::Unknown;
        }
        let present = context.get(key);
        if self.test == Test::Null {
            return match wanted.as_slice() {
                [flag] if flag == "true" => Match::when(present.is_none()),
                [flag] if flag == "false" => Match::when(present.is_some()),
                _ => Match::Unknown,
            };
        }
        let Some(wanted) = self.fill(&wanted, context) else {
            return Match::Unknown;
        };
        let one =
            |value: &String| wanted.iter().any(|text| self.test.fits(text, value)) != self.negated;
        match (self.quantifier, present) {
            (_, None) if self.if_exists => Match::Yes,
            (Quantifier::One, None) => Match::when(self.negated),
            (Quantifier::One, Some([value])) => Match::when(one(value)),
            // A key with several values needs a quantifier; IAM's answer without one is undefined.
            (Quantifier::One, Some(_)) => Match::Unknown,
            // Nothing to object to: the trap of ForAllValues, which is IAM's.
            (Quantifier::ForAll, values) => Match::when(values.unwrap_or_default().iter().all(one)),
            (Quantifier::ForAny, values) => Match::when(values.unwrap_or_default().iter().any(one)),
        }
    }

    /// The wanted texts with their variables filled in; `None` if one cannot be understood. A text
    /// whose variable is absent fits nothing; what the opposite of that is, is nowhere said.
    fn fill(self, wanted: &[String], context: &Context) -> Option<Vec<Text>> {
        let mut texts = Vec::with_capacity(wanted.len());
        for text in wanted {
            match Text::fill(text, context) {
                Filled::Text(text) => texts.push(text),
                Filled::Absent if !self.negated => {}
                Filled::Absent | Filled::Unknown => return None,
            }
        }
        Some(texts)
    }
}

impl Test {
    fn fits(self, text: &Text, value: &str) -> bool {
        match self {
            Self::Equals => text.is(value),
            Self::EqualsIgnoreCase | Self::Bool => text.is_ignoring_case(value),
            Self::Like => text.fits(value),
            Self::Arn => text.fits_arn(value),
            Self::Null => false,
        }
    }
}
