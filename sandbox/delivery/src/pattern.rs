//! Event patterns of EventBridge, which SNS filter policies share.

use serde_json::{Map, Value};

/// A pattern that is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Event pattern is not valid. Reason: {0}")]
pub struct PatternError(String);

/// A checked pattern.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern(Map<String, Value>);

impl Pattern {
    /// Checks a pattern: objects lead to arrays of values or of the known operators.
    pub fn parse(pattern: &Value) -> Result<Self, PatternError> {
        let Value::Object(fields) = pattern else {
            return Err(PatternError("Filter is not an object".to_owned()));
        };
        check(fields)?;
        Ok(Self(fields.clone()))
    }

    /// Whether an event (or message body, or attributes as an object) matches.
    pub fn matches(&self, event: &Value) -> bool {
        event
            .as_object()
            .is_some_and(|fields| object_matches(&self.0, fields))
    }
}

fn check(fields: &Map<String, Value>) -> Result<(), PatternError> {
    if fields.is_empty() {
        return Err(PatternError("Empty objects are not allowed".to_owned()));
    }
    for (key, value) in fields {
        match value {
            Value::Array(choices) if key == "$or" => {
                if choices.len() < 2 {
                    return Err(PatternError(
                        "$or must have at least two choices".to_owned(),
                    ));
                }
                for choice in choices {
                    let choice = choice.as_object();
                    check(choice.ok_or_else(|| PatternError("$or holds objects".to_owned()))?)?;
                }
            }
            Value::Array(rules) if rules.is_empty() => {
                return Err(PatternError("Empty arrays are not allowed".to_owned()));
            }
            Value::Array(rules) => {
                for rule in rules {
                    check_rule(rule)?;
                }
            }
            Value::Object(inner) => check(inner)?,
            _ => {
                return Err(PatternError(format!(
                    "\"{key}\" must be an object or an array"
                )));
            }
        }
    }
    Ok(())
}

fn check_rule(rule: &Value) -> Result<(), PatternError> {
    let bad = |what: &str| Err(PatternError(format!("Unrecognized match type {what}")));
    let fields = match rule {
        Value::Object(fields) => fields,
        Value::Array(_) => return bad("array"),
        _ => return Ok(()),
    };
    let Some((operator, operand)) = fields.iter().next().filter(|_| fields.len() == 1) else {
        return Err(PatternError(
            "Only one key allowed in match expression".to_owned(),
        ));
    };
    let is_valid = match operator.as_str() {
        "prefix" | "suffix" => operand.is_string() || only_key(operand, &["equals-ignore-case"]),
        "equals-ignore-case" | "wildcard" => operand.is_string(),
        "exists" => operand.is_boolean(),
        "numeric" => numeric_bounds(operand).is_some(),
        "anything-but" => match operand {
            Value::Object(_) => only_key(
                operand,
                &["prefix", "suffix", "wildcard", "equals-ignore-case"],
            ),
            Value::Array(values) => {
                !values.is_empty() && values.iter().all(|v| v.is_string() || v.is_number())
            }
            other => other.is_string() || other.is_number(),
        },
        other => return bad(other),
    };
    if is_valid { Ok(()) } else { bad(operator) }
}

fn only_key(value: &Value, allowed: &[&str]) -> bool {
    value.as_object().is_some_and(|fields| {
        fields.len() == 1
            && fields.iter().all(|(key, value)| {
                let texts = value.as_array().map_or(value.is_string(), |values| {
                    !values.is_empty() && values.iter().all(Value::is_string)
                });
                allowed.contains(&key.as_str()) && texts
            })
    })
}

fn object_matches(pattern: &Map<String, Value>, event: &Map<String, Value>) -> bool {
    pattern.iter().all(|(key, wanted)| match wanted {
        Value::Array(choices) if key == "$or" => choices
            .iter()
            .filter_map(Value::as_object)
            .any(|choice| object_matches(choice, event)),
        Value::Array(rules) => rules.iter().any(|rule| field_matches(rule, event.get(key))),
        Value::Object(inner) => match event.get(key) {
            Some(Value::Object(fields)) => object_matches(inner, fields),
            Some(Value::Array(items)) => items
                .iter()
                .filter_map(Value::as_object)
                .any(|fields| object_matches(inner, fields)),
            // What is not there still satisfies `exists: false` further down.
            _ => object_matches(inner, &Map::new()),
        },
        _ => false,
    })
}

/// One rule against a field: an array field matches if one of its elements does.
fn field_matches(rule: &Value, field: Option<&Value>) -> bool {
    if let Some(wanted) = rule.get("exists") {
        let is_leaf = field.is_some_and(|field| !field.is_object());
        return wanted.as_bool() == Some(is_leaf);
    }
    match field {
        None | Some(Value::Object(_)) => false,
        Some(Value::Array(items)) => items.iter().any(|item| value_matches(rule, item)),
        Some(value) => value_matches(rule, value),
    }
}

fn value_matches(rule: &Value, value: &Value) -> bool {
    let Value::Object(fields) = rule else {
        return equal(rule, value);
    };
    let Some((operator, operand)) = fields.iter().next() else {
        return false;
    };
    match operator.as_str() {
        "anything-but" => match operand {
            Value::Object(inner) => !inner.iter().any(|(operator, operand)| {
                let operands = operand.as_array().cloned();
                operands
                    .unwrap_or_else(|| vec![operand.clone()])
                    .iter()
                    .any(|operand| text_matches(operator, operand, value))
            }),
            Value::Array(values) => !values.iter().any(|unwanted| equal(unwanted, value)),
            unwanted => !equal(unwanted, value),
        },
        "numeric" => numeric_bounds(operand)
            .zip(value.as_f64())
            .is_some_and(|(bounds, number)| {
                bounds.iter().all(|(comparison, bound)| match *comparison {
                    "=" => (number - bound).abs() < f64::EPSILON,
                    "<" => number < *bound,
                    "<=" => number <= *bound,
                    ">" => number > *bound,
                    _ => number >= *bound,
                })
            }),
        operator => text_matches(operator, operand, value),
    }
}

fn text_matches(operator: &str, operand: &Value, value: &Value) -> bool {
    let Some(text) = value.as_str() else {
        return false;
    };
    if let Some(inner) = operand.get("equals-ignore-case").and_then(Value::as_str) {
        let (text, inner) = (text.to_lowercase(), inner.to_lowercase());
        return text_matches(operator, &inner.into(), &text.into());
    }
    let Some(wanted) = operand.as_str() else {
        return false;
    };
    match operator {
        "prefix" => text.starts_with(wanted),
        "suffix" => text.ends_with(wanted),
        "equals-ignore-case" => text.to_lowercase() == wanted.to_lowercase(),
        "wildcard" => wildcard(wanted, text),
        _ => false,
    }
}

/// `*` stands for any text.
pub(crate) fn wildcard(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut left) = text.strip_prefix(first) else {
        return false;
    };
    let pieces: Vec<&str> = rest.split('*').collect();
    let Some((last, middle)) = pieces.split_last() else {
        return true;
    };
    for piece in middle {
        match left.find(piece) {
            Some(at) => left = &left[at + piece.len()..],
            None => return false,
        }
    }
    left.ends_with(last)
}

/// Strings equal exactly; numbers by value, so that 300 and 300.0 are one.
fn equal(wanted: &Value, value: &Value) -> bool {
    match (wanted.as_f64(), value.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() < f64::EPSILON,
        _ => wanted == value,
    }
}

/// `["<", 5]` or `[">=", 0, "<", 5]`.
fn numeric_bounds(operand: &Value) -> Option<Vec<(&str, f64)>> {
    let parts = operand.as_array()?;
    if !matches!(parts.len(), 2 | 4) {
        return None;
    }
    parts
        .chunks(2)
        .map(|pair| {
            let comparison = pair[0].as_str()?;
            let known = ["=", "<", "<=", ">", ">="].contains(&comparison);
            known.then_some((comparison, pair[1].as_f64()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_operator_matches_what_it_says_and_nothing_else() {
        let event = json!({
            "source": "aws.appflow",
            "detail-type": "AppFlow End Flow Run Report",
            "detail": {
                "flow-name": "tributary-ten_1-flw_2", "status": "Execution Successful",
                "num-of-record-failures": "0", "size": 300.0, "tags": ["a", "b"], "empty": null,
                "steps": [{ "name": "read" }, { "name": "write" }]
            }
        });
        let table = [
            (json!({ "source": ["aws.appflow", "x"] }), true),
            (json!({ "source": ["appflow"] }), false),
            (
                json!({ "detail": { "flow-name": [{ "prefix": "tributary-" }] } }),
                true,
            ),
            (
                json!({ "detail": { "flow-name": [{ "prefix": "other-" }] } }),
                false,
            ),
            (
                json!({ "detail": { "flow-name": [{ "suffix": "flw_2" }] } }),
                true,
            ),
            (
                json!({ "detail": { "flow-name": [{ "prefix": { "equals-ignore-case": "TRIB" } }] } }),
                true,
            ),
            (
                json!({ "detail": { "status": [{ "equals-ignore-case": "execution successful" }] } }),
                true,
            ),
            (
                json!({ "detail": { "flow-name": [{ "wildcard": "trib*-flw_*" }] } }),
                true,
            ),
            (
                json!({ "detail": { "flow-name": [{ "wildcard": "trib*-flw" }] } }),
                false,
            ),
            (
                json!({ "detail": { "num-of-record-failures": [{ "anything-but": ["0"] }] } }),
                false,
            ),
            (
                json!({ "detail": { "status": [{ "anything-but": "Execution Failed" }] } }),
                true,
            ),
            (
                json!({ "detail": { "status": [{ "anything-but": { "prefix": "Execution" } }] } }),
                false,
            ),
            (
                json!({ "detail": { "absent": [{ "anything-but": "x" }] } }),
                false,
            ),
            (json!({ "detail": { "size": [300] } }), true),
            (
                json!({ "detail": { "size": [{ "numeric": [">", 0, "<=", 300] }] } }),
                true,
            ),
            (
                json!({ "detail": { "size": [{ "numeric": ["<", 300] }] } }),
                false,
            ),
            (
                json!({ "detail": { "num-of-record-failures": [{ "numeric": ["=", 0] }] } }),
                false,
            ),
            (json!({ "detail": { "tags": ["b"] } }), true),
            (json!({ "detail": { "tags": ["c"] } }), false),
            (json!({ "detail": { "empty": [null] } }), true),
            (
                json!({ "detail": { "error": [{ "exists": false }] } }),
                true,
            ),
            (
                json!({ "detail": { "status": [{ "exists": true }] } }),
                true,
            ),
            (
                json!({ "nowhere": { "error": [{ "exists": false }] } }),
                true,
            ),
            (
                json!({ "detail": { "steps": { "name": ["write"] } } }),
                true,
            ),
            (
                json!({ "$or": [{ "source": ["x"] }, { "detail": { "size": [300] } }] }),
                true,
            ),
            (
                json!({ "$or": [{ "source": ["x"] }, { "source": ["y"] }] }),
                false,
            ),
            (
                json!({ "source": ["aws.appflow"], "detail": { "size": [1] } }),
                false,
            ),
        ];
        for (pattern, expected) in table {
            let matched = Pattern::parse(&pattern).unwrap().matches(&event);
            assert_eq!(matched, expected, "{pattern}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for pattern in [
            json!({}),
            json!([]),
            json!({ "source": "aws.appflow" }),
            json!({ "source": [] }),
            json!({ "source": [{ "cidr": "10.0.0.0/8" }] }),
            json!({ "source": [{ "prefix": 1 }] }),
            json!({ "source": [{ "numeric": ["~", 1] }] }),
            json!({ "$or": [{ "source": ["x"] }] }),
        ] {
            assert!(Pattern::parse(&pattern).is_err(), "{pattern}");
        }
    }
}
