//! Rules of named parameters, as the Data API has them: text values, none of them empty, each used.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Fault;
use serde_json::{Map, Value};

/// Values as text, and the faults of those that have no such form.
pub fn values(given: &Map<String, Value>) -> (BTreeMap<String, String>, Vec<Fault>) {
    let mut values = BTreeMap::new();
    let mut faults = Vec::new();
    for (name, value) in given {
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            faults.push(fault(
                name,
                "invalid_name",
                "A name has ASCII letters, digits and underscores.",
            ));
        }
        match text_of(value) {
            Some(text) if text.is_empty() => faults.push(fault(
                name,
                "empty_value",
                "A value cannot be empty. Run a statement without the condition instead.",
            )),
            Some(text) => {
                values.insert(name.clone(), text);
            }
            None => faults.push(fault(
                name,
                "unsupported_value",
                "A value is a text, a number or a boolean; there is no null and no list.",
            )),
        }
    }
    (values, faults)
}

/// Parameters that the statement names and nobody gave, and the reverse.
pub fn mismatches(used: &BTreeSet<String>, given: &Map<String, Value>) -> Vec<Fault> {
    let missing = used
        .iter()
        .filter(|name| !given.contains_key(*name))
        .map(|name| {
            fault(
                name,
                "missing_parameter",
                "The statement needs this parameter.",
            )
        });
    let unused = given
        .keys()
        .filter(|name| !used.contains(*name))
        .map(|name| {
            fault(
                name,
                "unused_parameter",
                "The statement does not use this parameter.",
            )
        });
    missing.chain(unused).collect()
}

/// The fault of a parameter of a request.
pub fn fault(name: &str, code: &str, detail: &str) -> Fault {
    let escaped = name.replace('~', "~0").replace('/', "~1");
    Fault::new(format!("/parameters/{escaped}"), code, detail)
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
