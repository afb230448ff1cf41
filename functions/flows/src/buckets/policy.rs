//! Reading bucket policies: what they let AppFlow do, and what they forbid it. No I/O.
//!
//! Careful in both directions: a statement that is not understood whole allows nothing, and forbids
//! what it may forbid.

mod condition;

use serde_json::Value;

use condition::Holds;

use crate::compile::permissions::{APPFLOW, BucketNeed, actions_on};

/// What a policy lets AppFlow do of what it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Needed actions that no statement allows.
    pub(crate) missing: Vec<&'static str>,
    /// Statements that forbid something needed, by their names or places.
    pub(crate) denied_by: Vec<String>,
}

impl Verdict {
    /// Whether AppFlow can do all that it needs.
    pub(crate) fn is_enough(&self) -> bool {
        self.missing.is_empty() && self.denied_by.is_empty()
    }
}

/// Compares a policy with what is needed.
pub(crate) fn verdict(policy: Option<&Value>, need: &BucketNeed) -> Verdict {
    let statements = policy.map(statements).unwrap_or_default();
    Verdict {
        missing: missing(&statements, need),
        denied_by: denied_by(&statements, need),
    }
}

/// A policy's statements: one, or a list of them.
pub(super) fn statements(policy: &Value) -> Vec<&Value> {
    several(&policy["Statement"])
}

/// Needed actions that none of these statements allows.
pub(super) fn missing(statements: &[&Value], need: &BucketNeed) -> Vec<&'static str> {
    let actions = need.actions();
    let allowed = |action: &&str, resource: &str| {
        statements
            .iter()
            .any(|statement| allows(statement, action, resource, need))
    };
    let mut missing: Vec<&'static str> = [true, false]
        .into_iter()
        .flat_map(|on_bucket| {
            let resource = resource(need, on_bucket);
            let mut actions = actions_on(on_bucket, &actions);
            actions.retain(|action| !allowed(action, &resource));
            actions
        })
        .collect();
    missing.sort_unstable();
    missing
}

/// Names or places of the statements that forbid something needed.
pub(super) fn denied_by(statements: &[&Value], need: &BucketNeed) -> Vec<String> {
    let actions = need.actions();
    let hits = |statement: &Value| {
        [true, false].into_iter().any(|on_bucket| {
            let resource = resource(need, on_bucket);
            actions_on(on_bucket, &actions)
                .iter()
                .any(|action| denies(statement, action, &resource, need))
        })
    };
    let name = |(place, statement): (usize, &&Value)| {
        let sid = statement["Sid"].as_str().filter(|sid| !sid.is_empty());
        sid.map_or_else(|| format!("/Statement/{place}"), str::to_owned)
    };
    statements
        .iter()
        .enumerate()
        .filter(|(_, statement)| hits(statement))
        .map(name)
        .collect()
}

/// The bucket, or an object in it of which nothing is known.
fn resource(need: &BucketNeed, on_bucket: bool) -> String {
    let bucket = format!("arn:aws:s3:::{}", need.bucket);
    if on_bucket {
        bucket
    } else {
        format!("{bucket}/\u{1}any object\u{1}")
    }
}

fn allows(statement: &Value, action: &str, resource: &str, need: &BucketNeed) -> bool {
    statement["Effect"] == "Allow"
        && names_appflow(&statement["Principal"])
        && matches(&statement["Action"], action, true)
        && matches(&statement["Resource"], resource, false)
        && condition::holds(&statement["Condition"], need) == Holds::Always
}

fn denies(statement: &Value, action: &str, resource: &str, need: &BucketNeed) -> bool {
    let one_or_not =
        |name: &str, inverse: &str, text: &str, ignore_case: bool| match statement.get(inverse) {
            Some(others) => !matches(others, text, ignore_case),
            None => matches(&statement[name], text, ignore_case),
        };
    let meant = match statement.get("NotPrincipal") {
        Some(others) => !names_appflow(others),
        None => names_appflow(&statement["Principal"]),
    };
    statement["Effect"] == "Deny"
        && meant
        && one_or_not("Action", "NotAction", action, true)
        && one_or_not("Resource", "NotResource", resource, false)
        && condition::holds(&statement["Condition"], need) != Holds::Never
}

/// Whether a principal is the service, or everybody.
fn names_appflow(principal: &Value) -> bool {
    let has = |kind: &str, name: &str| several(&principal[kind]).iter().any(|one| *one == name);
    principal == "*" || has("AWS", "*") || has("Service", APPFLOW) || has("Service", "*")
}

fn matches(patterns: &Value, text: &str, ignore_case: bool) -> bool {
    several(patterns)
        .into_iter()
        .filter_map(Value::as_str)
        .any(|pattern| {
            if ignore_case {
                glob(&pattern.to_ascii_lowercase(), &text.to_ascii_lowercase())
            } else {
                glob(pattern, text)
            }
        })
}

/// One value or a list of values.
fn several(value: &Value) -> Vec<&Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items.iter().collect(),
        one => vec![one],
    }
}

/// `*` and `?` as policies use them. Takes time in proportion to pattern times text at most.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        if pattern.get(p) == Some(&'*') {
            star = Some((p, t));
            p += 1;
        } else if pattern.get(p).is_some_and(|c| *c == '?' || *c == text[t]) {
            p += 1;
            t += 1;
        } else if let Some((at, from)) = star {
            star = Some((at, from + 1));
            p = at + 1;
            t = from + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
pub(super) mod tests;
