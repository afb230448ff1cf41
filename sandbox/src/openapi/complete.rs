//! Fills the document from [`super::members`], and finds what is still without words.

use serde_json::{Map, Value};

use super::members::{MEMBERS, Member};

/// Gives each member of each schema its description and example, where it has none of its own.
/// Answers which rows of the table were of use.
pub(super) fn complete(document: &mut Value) -> Vec<bool> {
    let mut used = vec![false; MEMBERS.len()];
    for (schema, body) in schemas(document) {
        each_member(body, &mut |name, member| {
            fill(&schema, name, member, &mut used);
        });
    }
    used
}

/// Everything that has no description or no example, one line each.
#[cfg(test)]
pub(super) fn gaps(document: &mut Value) -> Vec<String> {
    let mut gaps = Vec::new();
    for (schema, body) in schemas(document) {
        if body.get("description").is_none() {
            gaps.push(format!("{schema}: no description"));
        }
        each_member(body, &mut |name, member| {
            if lacks_description(member) {
                gaps.push(format!("{schema}.{name}: no description"));
            }
            if lacks_example(member) {
                gaps.push(format!("{schema}.{name}: no example"));
            }
        });
    }
    gaps
}

fn schemas(document: &mut Value) -> Vec<(String, &mut Value)> {
    document
        .pointer_mut("/components/schemas")
        .and_then(Value::as_object_mut)
        .map(|schemas| {
            let named = schemas.iter_mut();
            named.map(|(name, body)| (name.clone(), body)).collect()
        })
        .unwrap_or_default()
}

fn each_member(schema: &mut Value, visit: &mut impl FnMut(&str, &mut Map<String, Value>)) {
    for list in ["oneOf", "anyOf", "allOf"] {
        for part in schema
            .get_mut(list)
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            each_member(part, visit);
        }
    }
    let members = schema.get_mut("properties").and_then(Value::as_object_mut);
    for (name, member) in members.into_iter().flatten() {
        if let Some(member) = member.as_object_mut() {
            visit(name, member);
        }
        each_member(member, visit);
    }
}

fn fill(schema: &str, name: &str, member: &mut Map<String, Value>, used: &mut [bool]) {
    let (description, example) = (lacks_description(member), lacks_example(member));
    if !description && !example {
        return;
    }
    let fits = |row: &Member| row.name == name && (row.schema == schema || row.schema == "*");
    let Some(position) = MEMBERS.iter().position(fits) else {
        return;
    };
    used[position] = true;
    let row = &MEMBERS[position];
    if description {
        member.insert("description".to_owned(), row.description.into());
    }
    if example && let Ok(example) = serde_json::from_str::<Value>(row.example) {
        member.insert("examples".to_owned(), Value::Array(vec![example]));
    }
}

/// A reference is described where it leads; a single word says what it is.
fn lacks_description(member: &Map<String, Value>) -> bool {
    !member.contains_key("description") && !refers(member) && !is_one_word(member)
}

/// Objects are shown by their members, lists of them too.
fn lacks_example(member: &Map<String, Value>) -> bool {
    let shown = ["example", "examples", "enum", "format", "default"];
    let of_objects = member
        .get("items")
        .and_then(Value::as_object)
        .is_some_and(|items| refers(items) || items.contains_key("properties"));
    if refers(member) || of_objects || shown.iter().any(|key| member.contains_key(*key)) {
        return false;
    }
    let is = |kind: &Value| {
        matches!(
            kind.as_str(),
            Some("string" | "number" | "integer" | "array")
        )
    };
    match member.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().any(is),
        Some(kind) => is(kind),
        None => false,
    }
}

fn refers(member: &Map<String, Value>) -> bool {
    let of = |list: &str| {
        member
            .get(list)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    member.contains_key("$ref")
        || ["oneOf", "anyOf", "allOf"]
            .into_iter()
            .flat_map(of)
            .any(|part| part.get("$ref").is_some())
}

fn is_one_word(member: &Map<String, Value>) -> bool {
    member
        .get("enum")
        .and_then(Value::as_array)
        .is_some_and(|words| words.len() == 1)
}
