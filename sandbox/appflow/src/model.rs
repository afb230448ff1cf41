//! Model validation from a table: the shapes of `model/*.txt` are read once and walked over
//! requests (required members, types, enumerations, lengths, patterns) and answers (explicit nulls).

mod parse;
mod pattern;

use std::{collections::HashMap, sync::LazyLock};

use serde_json::{Map, Value};

use crate::error::ApiError;

/// A type as the tables write it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Type {
    String,
    Integer,
    Double,
    Boolean,
    Timestamp,
    Named(&'static str),
    List(Box<Type>),
    Map(Box<Type>, Box<Type>),
}

#[derive(Debug)]
struct Member {
    name: &'static str,
    required: bool,
    of: Type,
}

#[derive(Debug)]
enum Shape {
    Structure(Vec<Member>),
    Enumeration(Vec<&'static str>),
    Limited {
        of: Type,
        least: i64,
        most: i64,
        class: Option<&'static str>,
    },
}

type Shapes = HashMap<&'static str, Shape>;

static SHAPES: LazyLock<Shapes> = LazyLock::new(|| {
    let mut shapes = Shapes::new();
    for text in [
        include_str!("model/scalars.txt"),
        include_str!("model/requests.txt"),
        include_str!("model/answers.txt"),
    ] {
        parse::read(text, &mut shapes);
    }
    shapes
});

/// Checks a request against its shape, all faults in one message, and answers it without unknown
/// members and without nulls.
pub(crate) fn accept(shape: &'static str, request: &Value) -> Result<Value, ApiError> {
    if request.is_null() {
        return Err(ApiError::validation("The request object must be non-null"));
    }
    let mut faults = Vec::new();
    let clean = walk(&Type::Named(shape), request, "", &mut faults);
    if faults.is_empty() {
        return Ok(clean);
    }
    let count = faults.len();
    let plural = if count == 1 { "" } else { "s" };
    Err(ApiError::validation(format!(
        "{count} validation error{plural} detected: {}",
        faults.join("; ")
    )))
}

/// Fills in every member that an answer's shape has and the value lacks, as `null`; members that the
/// shape does not have are left out.
pub(crate) fn with_nulls(shape: &'static str, value: Value) -> Value {
    fill(&Type::Named(shape), value)
}

fn fill(of: &Type, value: Value) -> Value {
    match (of, value) {
        (Type::Named(name), value) => match SHAPES.get(name) {
            Some(Shape::Structure(members)) => {
                let Value::Object(mut object) = value else {
                    return value;
                };
                let mut filled = Map::new();
                for member in members {
                    let inner = object.remove(member.name).unwrap_or(Value::Null);
                    filled.insert(member.name.to_owned(), fill(&member.of, inner));
                }
                Value::Object(filled)
            }
            _ => value,
        },
        (Type::List(item), Value::Array(items)) => {
            Value::Array(items.into_iter().map(|i| fill(item, i)).collect())
        }
        (_, value) => value,
    }
}

/// The words of an enumeration; none for any other shape.
pub(crate) fn words(shape: &str) -> &'static [&'static str] {
    match SHAPES.get(shape) {
        Some(Shape::Enumeration(words)) => words,
        _ => &[],
    }
}

fn fault(path: &str, constraint: &str) -> String {
    // Unlike older AWS services this never repeats the value: it may be a credential.
    format!("Value at '{path}' failed to satisfy constraint: {constraint}")
}

fn walk(of: &Type, value: &Value, path: &str, faults: &mut Vec<String>) -> Value {
    let typed = match of {
        Type::Named(name) => return walk_named(name, value, path, faults),
        Type::List(item) => {
            return match value {
                Value::Array(items) => items
                    .iter()
                    .enumerate()
                    .map(|(at, i)| walk(item, i, &format!("{path}.{}.member", at + 1), faults))
                    .collect(),
                _ => wrong_type(path, "list", faults),
            };
        }
        Type::Map(key, item) => {
            return match value {
                Value::Object(entries) => Value::Object(
                    entries
                        .iter()
                        .filter(|(_, v)| !v.is_null())
                        .map(|(k, v)| {
                            walk(
                                key,
                                &Value::from(k.as_str()),
                                &format!("{path}.key"),
                                faults,
                            );
                            (
                                k.clone(),
                                walk(item, v, &format!("{path}.{k}.member"), faults),
                            )
                        })
                        .collect(),
                ),
                _ => wrong_type(path, "map", faults),
            };
        }
        Type::String => value.is_string(),
        Type::Integer => value.is_i64() || value.is_u64(),
        Type::Double | Type::Timestamp => value.is_number(),
        Type::Boolean => value.is_boolean(),
    };
    if typed {
        value.clone()
    } else {
        let word = format!("{of:?}").to_lowercase();
        wrong_type(path, &word, faults)
    }
}

fn wrong_type(path: &str, expected: &str, faults: &mut Vec<String>) -> Value {
    faults.push(fault(path, &format!("Member must be a {expected}")));
    Value::Null
}

fn walk_named(name: &str, value: &Value, path: &str, faults: &mut Vec<String>) -> Value {
    match SHAPES.get(name) {
        Some(Shape::Structure(members)) => {
            let Value::Object(object) = value else {
                return wrong_type(path, "structure", faults);
            };
            let mut clean = Map::new();
            for member in members {
                let at = if path.is_empty() {
                    member.name.to_owned()
                } else {
                    format!("{path}.{}", member.name)
                };
                match object.get(member.name) {
                    None | Some(Value::Null) if member.required => faults.push(format!(
                        "Value null at '{at}' failed to satisfy constraint: Member must not be null"
                    )),
                    None | Some(Value::Null) => {}
                    Some(inner) => {
                        clean.insert(member.name.to_owned(), walk(&member.of, inner, &at, faults));
                    }
                }
            }
            Value::Object(clean)
        }
        Some(Shape::Enumeration(words)) => {
            if value.as_str().is_none_or(|word| !words.contains(&word)) {
                faults.push(fault(
                    path,
                    &format!("Member must satisfy enum value set: [{}]", words.join(", ")),
                ));
            }
            value.clone()
        }
        Some(Shape::Limited {
            of,
            least,
            most,
            class,
        }) => {
            let before = faults.len();
            let clean = walk(of, value, path, faults);
            if faults.len() == before {
                limits(of, &clean, path, (*least, *most), *class, faults);
            }
            clean
        }
        None => wrong_type(path, name, faults),
    }
}

fn limits(
    of: &Type,
    value: &Value,
    path: &str,
    (least, most): (i64, i64),
    class: Option<&'static str>,
    faults: &mut Vec<String>,
) {
    let (size, word) = match value {
        Value::String(text) => (len(text.chars().count()), "length"),
        Value::Array(items) => (len(items.len()), "length"),
        Value::Object(entries) => (len(entries.len()), "length"),
        number => (number.as_i64().unwrap_or(i64::MAX), "value"),
    };
    if size < least {
        faults.push(fault(
            path,
            &format!("Member must have {word} greater than or equal to {least}"),
        ));
    }
    if size > most {
        faults.push(fault(
            path,
            &format!("Member must have {word} less than or equal to {most}"),
        ));
    }
    if *of == Type::String
        && let (Some(class), Some(text)) = (class, value.as_str())
        && let Some(expression) = pattern::mismatch(class, text)
    {
        faults.push(fault(
            path,
            &format!("Member must satisfy regular expression pattern: {expression}"),
        ));
    }
}

fn len(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
