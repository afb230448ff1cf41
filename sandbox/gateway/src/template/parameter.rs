//! The values of a template's parameters, checked as CloudFormation checks them.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::Value;

use super::{Context, Template, evaluate::scalar_text, fault::Faults};

/// Given values and defaults; lists as lists.
pub(crate) fn values<'a>(
    template: &'a Template,
    context: &Context,
    faults: &Faults,
) -> BTreeMap<&'a str, Value> {
    for given in context.parameters.keys() {
        if !template.parameters.contains_key(given) {
            faults.add(&format!("Parameters.{given}"), "unknown parameter");
        }
    }
    let mut values = BTreeMap::new();
    for (name, declared) in &template.parameters {
        let at = format!("Parameters.{name}");
        let given = context.parameters.get(name).cloned();
        let Some(text) = given.or_else(|| declared.get("Default").and_then(scalar_text)) else {
            faults.add(&at, "no value given and no default");
            continue;
        };
        let list = match declared.get("Type").and_then(Value::as_str) {
            Some("CommaDelimitedList") => true,
            Some(kind) if kind.starts_with("List<") => true,
            Some("String" | "Number") => false,
            Some(kind) if kind.starts_with("AWS::EC2::") => false,
            kind => {
                faults.add(
                    &at,
                    format!("unsupported type {}", kind.unwrap_or("(none)")),
                );
                continue;
            }
        };
        check(&at, declared, &text, list, faults);
        let value = if list {
            let items = text.split(',').map(str::trim);
            items.filter(|item| !item.is_empty()).collect()
        } else {
            Value::String(text)
        };
        values.insert(name.as_str(), value);
    }
    values
}

fn check(at: &str, declared: &Value, text: &str, list: bool, faults: &Faults) {
    if let Some(allowed) = declared.get("AllowedValues").and_then(Value::as_array)
        && !allowed
            .iter()
            .filter_map(scalar_text)
            .any(|value| value == text)
    {
        faults.add(at, "not one of AllowedValues");
    }
    let length = |key| {
        let number = declared.get(key).and_then(scalar_text)?;
        number.parse::<usize>().ok()
    };
    if length("MinLength").is_some_and(|least| text.chars().count() < least) {
        faults.add(at, "shorter than MinLength");
    }
    if length("MaxLength").is_some_and(|most| text.chars().count() > most) {
        faults.add(at, "longer than MaxLength");
    }
    let Some(pattern) = declared.get("AllowedPattern").and_then(Value::as_str) else {
        return;
    };
    match Regex::new(&format!("^(?:{pattern})$")) {
        Err(_) => faults.add(at, "AllowedPattern cannot be read"),
        Ok(pattern) => {
            let items: Vec<&str> = if list {
                text.split(',').collect()
            } else {
                vec![text]
            };
            if !items.iter().all(|item| pattern.is_match(item.trim())) {
                faults.add(at, "does not match AllowedPattern");
            }
        }
    }
}
