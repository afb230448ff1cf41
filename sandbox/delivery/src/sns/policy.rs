//! Filter policies and how large they may be.

use serde_json::Value;

use super::wire::ApiError;
use crate::pattern::Pattern;

/// Most combinations of values in a policy.
const MOST_COMBINATIONS: usize = 150;
/// Most names in a policy on attributes.
const MOST_NAMES: usize = 5;

/// Reads a filter policy; an empty one lets everything through.
pub(super) fn parse(text: &str) -> Result<Option<Pattern>, ApiError> {
    let text = if text.is_empty() { "{}" } else { text };
    let policy: Value = serde_json::from_str(text)
        .map_err(|_| ApiError::invalid("FilterPolicy: failed to parse JSON"))?;
    if policy.as_object().is_some_and(serde_json::Map::is_empty) {
        return Ok(None);
    }
    let parsed = Pattern::parse(&policy);
    let parsed = parsed.map_err(|error| ApiError::invalid(format!("FilterPolicy: {error}")))?;
    if combinations(&policy) > MOST_COMBINATIONS {
        return Err(ApiError::invalid(
            "FilterPolicy: Filter policy is too complex",
        ));
    }
    let mut names = Vec::new();
    collect_names(&policy, &mut names);
    if names.len() > MOST_NAMES {
        return Err(ApiError::invalid(
            "FilterPolicy: Filter policy can not have more than 5 keys",
        ));
    }
    Ok(Some(parsed))
}

/// Values of the names multiply, choices of `$or` add up.
fn combinations(policy: &Value) -> usize {
    let fields = policy.as_object().into_iter().flatten();
    fields
        .map(|(name, value)| match value {
            Value::Array(choices) if name == "$or" => choices.iter().map(combinations).sum(),
            Value::Array(values) => values.len(),
            nested => combinations(nested),
        })
        .product()
}

fn collect_names<'a>(policy: &'a Value, names: &mut Vec<&'a str>) {
    for (name, value) in policy.as_object().into_iter().flatten() {
        match value {
            Value::Array(choices) if name == "$or" => {
                for choice in choices {
                    collect_names(choice, names);
                }
            }
            Value::Object(_) => collect_names(value, names),
            _ if names.contains(&name.as_str()) => {}
            _ => names.push(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_multiply_and_choices_add_up() {
        let policy = json!({
            "tenantId": ["t"],
            "$or": [{ "eventType": ["a", "b"], "flowId": ["1", "2", "3"] }, { "deliverTo": ["s"] }]
        });
        assert_eq!(combinations(&policy), 7);
        let mut names = Vec::new();
        collect_names(&policy, &mut names);
        assert_eq!(names.len(), 4);
    }

    #[test]
    fn what_is_too_complex_is_refused() {
        let many: Vec<u32> = (0..151).collect();
        assert!(parse(&json!({ "a": many }).to_string()).is_err());
        let names =
            json!({ "a": ["1"], "b": ["1"], "c": ["1"], "d": ["1"], "e": ["1"], "f": ["1"] });
        assert!(parse(&names.to_string()).is_err());
        assert!(parse("{}").unwrap().is_none());
    }
}
