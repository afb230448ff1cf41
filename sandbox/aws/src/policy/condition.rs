//! The `Condition` element.

use serde_json::Value;

use super::{Context, Match, glob, texts};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Quantifier {
    One,
    ForAll,
    ForAny,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Test {
    Equals,
    NotEquals,
    EqualsIgnoreCase,
    Like,
    Arn,
    Bool,
    Null,
}

/// Whether all conditions hold. Operators and keys that are not known give [`Match::Unknown`].
pub(super) fn matches(conditions: Option<&Value>, context: &Context) -> Match {
    let Some(conditions) = conditions else {
        return Match::Yes;
    };
    let Some(conditions) = conditions.as_object() else {
        return Match::Unknown;
    };
    Match::all(conditions.iter().map(|(operator, keys)| {
        let (Some((quantifier, test)), Some(keys)) = (parse(operator), keys.as_object()) else {
            return Match::Unknown;
        };
        Match::all(
            keys.iter()
                .map(|(key, wanted)| holds(quantifier, test, key, wanted, context)),
        )
    }))
}

fn parse(operator: &str) -> Option<(Quantifier, Test)> {
    let (quantifier, name) = if let Some(name) = operator.strip_prefix("ForAllValues:") {
        (Quantifier::ForAll, name)
    } else if let Some(name) = operator.strip_prefix("ForAnyValue:") {
        (Quantifier::ForAny, name)
    } else {
        (Quantifier::One, operator)
    };
    let test = match name {
        "StringEquals" => Test::Equals,
        "StringNotEquals" => Test::NotEquals,
        "StringEqualsIgnoreCase" => Test::EqualsIgnoreCase,
        "StringLike" => Test::Like,
        // ArnEquals takes wildcards too; IAM treats both alike.
        "ArnEquals" | "ArnLike" => Test::Arn,
        "Bool" => Test::Bool,
        "Null" if quantifier == Quantifier::One => Test::Null,
        _ => return None,
    };
    Some((quantifier, test))
}

fn holds(
    quantifier: Quantifier,
    test: Test,
    key: &str,
    wanted: &Value,
    context: &Context,
) -> Match {
    let Some(wanted) = texts(wanted) else {
        return Match::Unknown;
    };
    if !context.knows(key) || wanted.iter().any(|value| value.contains("${")) {
        return Match::Unknown;
    }
    let present = context.get(key);
    if test == Test::Null {
        return match wanted.as_slice() {
            [flag] if flag == "true" => Match::when(present.is_none()),
            [flag] if flag == "false" => Match::when(present.is_some()),
            _ => Match::Unknown,
        };
    }
    let one = |value: &String| satisfies(test, value, &wanted);
    match (quantifier, present) {
        (Quantifier::One, None) => Match::when(test == Test::NotEquals),
        (Quantifier::One, Some([value])) => Match::when(one(value)),
        // A key with several values needs a quantifier; IAM's answer without one is undefined.
        (Quantifier::One, Some(_)) => Match::Unknown,
        (Quantifier::ForAll, values) => Match::when(values.unwrap_or_default().iter().all(one)),
        (Quantifier::ForAny, values) => Match::when(values.unwrap_or_default().iter().any(one)),
    }
}

fn satisfies(test: Test, value: &str, wanted: &[String]) -> bool {
    let hit = |pattern: &String| match test {
        Test::Equals | Test::NotEquals => pattern == value,
        Test::EqualsIgnoreCase | Test::Bool => pattern.eq_ignore_ascii_case(value),
        Test::Like => glob::matches(pattern, value),
        Test::Arn => glob::arn_matches(pattern, value),
        Test::Null => false,
    };
    wanted.iter().any(hit) != (test == Test::NotEquals)
}
