//! Schemas of the document, walked down to their leaves.

use std::collections::BTreeMap;

use serde_json::Value;

/// A place of a body that holds no further members.
#[derive(Debug, Clone)]
pub(crate) struct Leaf {
    /// JSON pointer; `*` is any member of a map, or any element of a list.
    pub(crate) pointer: String,
    /// The id's schema, if it is an id.
    pub(crate) id: Option<String>,
    /// Whether it takes any text, and so could name something.
    pub(crate) is_text: bool,
    /// Whether no body can leave it out.
    pub(crate) required: bool,
}

/// The schema behind references, with its name.
pub(crate) fn resolved<'a>(document: &'a Value, schema: &'a Value) -> (&'a Value, Option<&'a str>) {
    match schema["$ref"].as_str() {
        Some(reference) => {
            let name = reference.rsplit('/').next().unwrap();
            (&document["components"]["schemas"][name], Some(name))
        }
        None => (schema, None),
    }
}

/// The name of the id that a schema stands for: a text whose pattern has our prefix.
pub(super) fn id_of(document: &Value, schema: &Value) -> Option<String> {
    let (target, name) = resolved(document, schema);
    if let Some(name) = name
        && target["pattern"]
            .as_str()
            .is_some_and(|p| p.starts_with('^') && p.contains('_'))
    {
        return Some(name.to_owned());
    }
    let ways = target["oneOf"].as_array().into_iter().flatten();
    ways.filter(|way| way["type"] != "null")
        .find_map(|way| id_of(document, way))
}

/// Every leaf of a schema, in all of its variants, once a pointer.
pub(crate) fn leaves(document: &Value, schema: &Value) -> Vec<Leaf> {
    let mut found = BTreeMap::new();
    walk(document, schema, "", true, 0, &mut found);
    found.into_values().collect()
}

fn walk(
    document: &Value,
    schema: &Value,
    pointer: &str,
    required: bool,
    depth: usize,
    found: &mut BTreeMap<String, Leaf>,
) {
    // Schemas that hold themselves name nothing new further down.
    if depth > 12 {
        return;
    }
    let (schema, _) = match id_of(document, schema) {
        Some(id) => {
            let leaf = Leaf {
                pointer: pointer.to_owned(),
                id: Some(id),
                is_text: true,
                required,
            };
            found.insert(pointer.to_owned(), leaf);
            return;
        }
        None => resolved(document, schema),
    };
    let mut go = |schema: &Value, pointer: &str, required: bool| {
        walk(document, schema, pointer, required, depth + 1, found);
    };
    for way in ["oneOf", "anyOf"] {
        for variant in schema[way].as_array().into_iter().flatten() {
            go(variant, pointer, false);
        }
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        go(part, pointer, required);
    }
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let listed = schema["required"].as_array().into_iter().flatten();
        let is_required = required && listed.into_iter().any(|other| other == name);
        go(member, &format!("{pointer}/{name}"), is_required);
    }
    for inner in ["items", "additionalProperties"] {
        if schema[inner].is_object() {
            go(&schema[inner], &format!("{pointer}/*"), false);
        }
    }
    if is(schema, "string") && schema["enum"].is_null() && schema["const"].is_null() {
        found.entry(pointer.to_owned()).or_insert_with(|| Leaf {
            pointer: pointer.to_owned(),
            id: None,
            is_text: true,
            required,
        });
    }
}

/// Whether a schema allows this type.
fn is(schema: &Value, name: &str) -> bool {
    match &schema["type"] {
        Value::String(text) => text == name,
        Value::Array(texts) => texts.iter().any(|text| text == name),
        _ => false,
    }
}

/// The pointers of a value that fit a pattern with `*` for any member or element.
pub(super) fn matching(value: &Value, pattern: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    for segment in pattern.split('/').skip(1) {
        let mut next = Vec::new();
        for pointer in found {
            let here = value.pointer(&pointer).unwrap();
            let keys: Vec<String> = match (here, segment) {
                (Value::Object(members), "*") => members.keys().cloned().collect(),
                (Value::Array(items), "*") => (0..items.len()).map(|n| n.to_string()).collect(),
                (Value::Object(members), name) if members.contains_key(name) => {
                    vec![name.to_owned()]
                }
                _ => Vec::new(),
            };
            next.extend(
                keys.into_iter()
                    .map(|key| format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))),
            );
        }
        found = next;
    }
    found
}
