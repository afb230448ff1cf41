//! Policies: trust policies of roles, policies of buckets, identity policies and session policies.
//!
//! The rules are IAM's, with one difference that only ever refuses more: what this evaluator does
//! not know (an operator, a condition key, an element, a policy variable) makes an `Allow`
//! statement not match and a `Deny` statement match. Why not a borrowed one: `docs/adr/0013`.

mod condition;
mod context;
mod principal;
mod text;

#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

pub(crate) use context::Context;
pub(crate) use principal::Caller;
use text::{Filled, Text};

/// What is asked of a policy.
pub(crate) struct Request<'a> {
    /// Who asks, of a policy that names principals; `None` of one that belongs to its principal
    /// (identity policies, session policies).
    pub(crate) caller: Option<&'a Caller>,
    /// The action, as `sts:AssumeRole`.
    pub(crate) action: &'a str,
    /// ARN of the resource, `*` for actions that know none; `None` for trust policies, which belong
    /// to their resource.
    pub(crate) resource: Option<&'a str>,
    /// Condition keys of the request.
    pub(crate) context: &'a Context,
}

/// What a policy says to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Some statement denies it.
    Denied,
    /// Some statement allows it and none denies it.
    Allowed(Permission),
    /// No statement is about it.
    Silent,
}

/// Which part of a policy allowed a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Permission {
    /// Position of the first statement that did.
    pub(crate) statement: usize,
    /// Its pattern that fitted the action.
    pub(crate) action: String,
    /// Its pattern that fitted the resource, as it is written; empty in trust policies.
    pub(crate) resource: String,
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
    matches!(evaluate(policy, request), Verdict::Allowed(_))
}

/// What the policy says to the request. A policy that cannot be read denies everything.
pub(crate) fn evaluate(policy: &Value, request: &Request<'_>) -> Verdict {
    let Some(statements) = statements(policy) else {
        return Verdict::Denied;
    };
    // Before this version `${` is plain text.
    let has_variables = policy.get("Version").and_then(Value::as_str) == Some("2012-10-17");
    let mut allowed = None;
    for (at, statement) in statements.iter().enumerate() {
        let Some(statement) = statement.as_object() else {
            return Verdict::Denied;
        };
        let (matched, action, resource) = matches(statement, request, has_variables);
        match statement.get("Effect").and_then(Value::as_str) {
            Some("Allow") if matched == Match::Yes => {
                allowed.get_or_insert(Permission {
                    statement: at,
                    action,
                    resource,
                });
            }
            Some("Allow") => {}
            Some("Deny") if matched == Match::No => {}
            // A deny that matches, a deny that is not understood, or no effect at all.
            _ => return Verdict::Denied,
        }
    }
    allowed.map_or(Verdict::Silent, Verdict::Allowed)
}

/// The statements of a policy, also when it holds a single one without a list.
pub(crate) fn statements(policy: &Value) -> Option<&[Value]> {
    match policy.get("Statement") {
        Some(Value::Array(statements)) => Some(statements),
        Some(statement @ Value::Object(_)) => Some(std::slice::from_ref(statement)),
        _ => None,
    }
}

/// Whether a statement is about a request, and its patterns that fitted action and resource.
fn matches(
    statement: &Map<String, Value>,
    request: &Request<'_>,
    has_variables: bool,
) -> (Match, String, String) {
    const ELEMENTS: [&str; 5] = ["Sid", "Effect", "Action", "Resource", "Condition"];
    let named = request.caller.is_some();
    let known = |key: &String| ELEMENTS.contains(&key.as_str()) || named && key == "Principal";
    let elements = if statement.keys().all(known) {
        Match::Yes
    } else {
        Match::Unknown
    };
    let (action, fitted_action) = action_matches(statement.get("Action"), request.action);
    let (resource, fitted_resource) =
        resource_matches(statement.get("Resource"), request, has_variables);
    let conditions = statement.get("Condition");
    let condition =
        if has_variables || !conditions.is_some_and(|all| all.to_string().contains("${")) {
            condition::matches(conditions, request.context)
        } else {
            Match::Unknown
        };
    let matched = Match::all([
        elements,
        request.caller.map_or(Match::Yes, |caller| {
            principal::matches(statement.get("Principal"), caller)
        }),
        action,
        resource,
        condition,
    ]);
    (matched, fitted_action, fitted_resource)
}

fn action_matches(actions: Option<&Value>, action: &str) -> (Match, String) {
    let Some(patterns) = actions.and_then(texts) else {
        return (Match::Unknown, String::new());
    };
    match patterns
        .into_iter()
        .find(|pattern| text::action_fits(pattern, action))
    {
        Some(pattern) => (Match::Yes, pattern),
        None => (Match::No, String::new()),
    }
}

fn resource_matches(
    resources: Option<&Value>,
    request: &Request<'_>,
    has_variables: bool,
) -> (Match, String) {
    let (patterns, resource) = match (resources, request.resource) {
        (None, None) => return (Match::Yes, String::new()),
        (Some(resources), Some(resource)) => (texts(resources), resource),
        _ => return (Match::Unknown, String::new()),
    };
    let Some(patterns) = patterns else {
        return (Match::Unknown, String::new());
    };
    let mut result = Match::No;
    for pattern in patterns {
        let matched = if !has_variables && pattern.contains("${") {
            Match::Unknown
        } else {
            match Text::fill(&pattern, request.context) {
                Filled::Text(text) => Match::when(text.fits(resource)),
                Filled::Absent => Match::No,
                Filled::Unknown => Match::Unknown,
            }
        };
        match matched {
            Match::Yes => return (Match::Yes, pattern),
            matched => result = Match::any([result, matched]),
        }
    }
    (result, String::new())
}

/// One text or a list of them; JSON's booleans and numbers count as their text, as in IAM.
pub(crate) fn texts(value: &Value) -> Option<Vec<String>> {
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
