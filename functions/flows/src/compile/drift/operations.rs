//! Differences of two documents. Lists of operations have no order; their elements are told apart by
//! what they are about.

use serde_json::Value;

use super::Difference;

/// Lists without an order, and the members by which their elements are the same one, changed.
const UNORDERED: [(&str, &[&str]); 4] = [
    ("mappings", &["type", "to"]),
    ("filters", &["field", "operator"]),
    ("transforms", &["type", "field"]),
    ("validations", &["field", "must"]),
];

/// Differences of two flows.
pub(super) fn differences(asked: &Value, found: &Value) -> Vec<Difference> {
    let mut all = Vec::new();
    let nothing = Value::Array(Vec::new());
    let (mut asked, mut found) = (asked.clone(), found.clone());
    for (list, same) in UNORDERED {
        let take = |flow: &mut Value| {
            let flow = flow.as_object_mut()?;
            flow.remove(list)
        };
        let asked = take(&mut asked).unwrap_or_else(|| nothing.clone());
        let found = take(&mut found).unwrap_or_else(|| nothing.clone());
        elements(&mut all, &format!("/{list}"), &asked, &found, same);
    }
    members(&mut all, "", &asked, &found);
    all
}

/// Differences of two lists without an order.
pub(super) fn elements(
    all: &mut Vec<Difference>,
    at: &str,
    asked: &Value,
    found: &Value,
    same: &[&str],
) {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let (asked, mut found) = (list(asked), list(found));
    let mut changed = Vec::new();
    for (index, element) in asked.iter().enumerate() {
        match found.iter().position(|other| other == element) {
            Some(position) => drop(found.remove(position)),
            None => changed.push((index, element)),
        }
    }
    for (index, element) in changed {
        let at = format!("{at}/{index}");
        let alike = |other: &Value| same.iter().all(|name| element.get(name) == other.get(name));
        match found.iter().position(alike) {
            Some(position) => members(all, &at, element, &found.remove(position)),
            None => all.push(Difference {
                pointer: at,
                asked: Some(element.clone()),
                found: None,
            }),
        }
    }
    all.extend(found.into_iter().map(|element| Difference {
        pointer: format!("{at}/-"),
        asked: None,
        found: Some(element),
    }));
}

/// Differences of two values, as deep as both are objects.
pub(super) fn members(all: &mut Vec<Difference>, at: &str, asked: &Value, found: &Value) {
    let (Value::Object(ours), Value::Object(theirs)) = (asked, found) else {
        if asked != found {
            all.push(Difference {
                pointer: at.to_owned(),
                asked: Some(asked.clone()),
                found: Some(found.clone()),
            });
        }
        return;
    };
    for (name, asked) in ours {
        let at = format!("{at}/{}", escaped(name));
        match theirs.get(name) {
            Some(found) => members(all, &at, asked, found),
            None => all.push(Difference {
                pointer: at,
                asked: Some(asked.clone()),
                found: None,
            }),
        }
    }
    let added = theirs.iter().filter(|(name, _)| !ours.contains_key(*name));
    all.extend(added.map(|(name, found)| Difference {
        pointer: format!("{at}/{}", escaped(name)),
        asked: None,
        found: Some(found.clone()),
    }));
}

/// A member's name in a JSON pointer (RFC 6901).
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
