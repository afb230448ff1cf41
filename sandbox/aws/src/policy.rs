//! Resource policies: trust policies of roles and policies of buckets.
//!
//! The rules are IAM's, with one difference that only ever refuses more: what this evaluator does
//! not know (an operator, a condition key, an element, a policy variable) makes an `Allow`
//! statement not match and a `Deny` statement match.

mod condition;
mod context;
mod glob;
mod principal;

#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

pub(crate) use context::Context;
pub(crate) use principal::Caller;

/// What is asked of a policy.
pub(crate) struct Request<'a> {
    /// Who asks.
    pub(crate) caller: &'a Caller,
    /// The action, as `sts:AssumeRole`.
    pub(crate) action: &'a str,
    /// ARN of the resource; `None` for trust policies, which belong to their resource.
    pub(crate) resource: Option<&'a str>,
    /// Condition keys of the request.
    pub(crate) context: &'a Context,
}

/// Whether a part of a statement applies to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Match {
    /// It applies.
    Yes,
    /// It does not apply.
    No,
    /// It says something that this evaluator does not understand.
    Unknown,
}

impl Match {
    fn when(applies: bool) -> Self {
        if applies { Self::Yes } else { Self::No }
    }

    /// Every part must apply; a part that does not settles it.
    fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut result = Self::Yes;
        for part in parts {
            match part {
                Self::No => return Self::No,
                Self::Unknown => result = Self::Unknown,
                Self::Yes => {}
            }
        }
        result
    }

    /// One part must apply.
    fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut result = Self::No;
        for part in parts {
            match part {
                Self::Yes => return Self::Yes,
                Self::Unknown => result = Self::Unknown,
                Self::No => {}
            }
        }
        result
    }
}

/// Whether the policy allows the request: some statement allows it and none denies it.
pub(crate) fn allows(policy: &Value, request: &Request<'_>) -> bool {
    let statements = match policy.get("Statement") {
        Some(Value::Array(statements)) => statements.as_slice(),
        Some(statement @ Value::Object(_)) => std::slice::from_ref(statement),
        _ => return false,
    };
    let mut allowed = false;
    for statement in statements {
        let Some(statement) = statement.as_object() else {
            return false;
        };
        let matched = statement_matches(statement, request);
        match statement.get("Effect").and_then(Value::as_str) {
            Some("Allow") => allowed |= matched == Match::Yes,
            Some("Deny") if matched == Match::No => {}
            // A deny that matches, a deny that is not understood, or no effect at all.
            _ => return false,
        }
    }
    allowed
}

fn statement_matches(statement: &Map<String, Value>, request: &Request<'_>) -> Match {
    const ELEMENTS: [&str; 6] = [
        "Sid",
        "Effect",
        "Principal",
        "Action",
        "Resource",
        "Condition",
    ];
    let elements = if statement.keys().all(|key| ELEMENTS.contains(&key.as_str())) {
        Match::Yes
    } else {
        Match::Unknown
    };
    Match::all([
        elements,
        principal::matches(statement.get("Principal"), request.caller),
        action_matches(statement.get("Action"), request.action),
        resource_matches(statement.get("Resource"), request.resource),
        condition::matches(statement.get("Condition"), request.context),
    ])
}

fn action_matches(actions: Option<&Value>, action: &str) -> Match {
    let Some(patterns) = actions.and_then(texts) else {
        return Match::Unknown;
    };
    let action = action.to_ascii_lowercase();
    Match::any(
        patterns
            .iter()
            .map(|pattern| Match::when(glob::matches(&pattern.to_ascii_lowercase(), &action))),
    )
}

fn resource_matches(resources: Option<&Value>, resource: Option<&str>) -> Match {
    match (resources, resource) {
        (None, None) => Match::Yes,
        (Some(resources), Some(resource)) => match texts(resources) {
            Some(patterns) => Match::any(patterns.iter().map(|pattern| {
                if pattern.contains("${") {
                    Match::Unknown
                } else {
                    Match::when(glob::matches(pattern, resource))
                }
            })),
            None => Match::Unknown,
        },
        _ => Match::Unknown,
    }
}

/// One text or a list of them; JSON's booleans and numbers count as their text, as in IAM.
fn texts(value: &Value) -> Option<Vec<String>> {
    let one = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    match value {
        Value::Array(values) => values.iter().map(one).collect(),
        value => one(value).map(|text| vec![text]),
    }
}
