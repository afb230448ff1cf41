//! A field of an object, as forms and rules need it.

use serde::Serialize;
use serde_json::{Value, json};
use tributary::connector::{Comparison, WriteOperation};
use utoipa::ToSchema;

use crate::compile::check::filters;

/// A field of an object.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    /// Its name, as flows use it.
    #[schema(example = "Amount__c")]
    pub name: String,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Amount")]
    pub label: Option<String>,
    /// What it is, in the application's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The connector's name of its type, as `fieldType`, `fromType` and `toType` use it.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schema(example = "currency")]
    pub kind: Option<String>,
    /// What sort of values it has.
    pub class: FieldClass,
    /// The field that it is a part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// How filters can compare it; empty if it cannot be filtered.
    pub filter_operators: Vec<Comparison>,
    /// What can be done with it at this object as a destination.
    pub write_operations: Vec<WriteOperation>,
    /// For which of these it can tell records apart (`idFields`).
    pub id_for: Vec<WriteOperation>,
    /// The values that it can have, where they are a closed list.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// How long its values can be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<Bounds>,
    /// How small and how large its values can be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<Bounds>,
    /// Regular expression that its values match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// How its dates are written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date_format: Option<String>,
    /// What it has when nothing is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_value: Option<String>,
    /// Whether it can be written and left empty; absent where the application does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nullable: Option<bool>,
    /// Whether a new record must have it.
    pub required_on_create: bool,
    /// Whether it identifies a record.
    pub primary_key: bool,
    /// Whether it can be brought.
    pub retrievable: bool,
    /// Whether it can be asked for in conditions.
    pub queryable: bool,
    /// Whether the application means to drop it.
    pub deprecated: bool,
    /// Whether an incremental pull can go by it.
    pub timestamp_for_incremental: bool,
    /// A value of its type.
    #[schema(value_type = Value, example = 12.5)]
    pub example: Value,
}

/// What sort of values a field has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the words say it")]
pub enum FieldClass {
    Text,
    Number,
    Boolean,
    Timestamp,
}

/// The least and the most.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the words say it")]
pub struct Bounds {
    pub minimum: f64,
    pub maximum: f64,
}

impl FieldClass {
    /// The class of a type, by the connector's name of it; what is not known is text.
    pub fn of(kind: &str) -> Self {
        match filters::class(kind) {
            filters::Class::Text => Self::Text,
            filters::Class::Number => Self::Number,
            filters::Class::Truth => Self::Boolean,
            filters::Class::Instant => Self::Timestamp,
        }
    }
}

/// Examples of types that are written in a way of their own.
const EXAMPLES: &[(&str, &str)] = &[
    ("email", "name@example.com"),
    ("phone", "+1 555 0100"),
    ("url", "https://example.com"),
    ("id", "001000000000001AAA"),
    ("reference", "001000000000001AAA"),
    ("date", "2026-01-31"),
    ("edm.date", "2026-01-31"),
    ("glide_date", "2026-01-31"),
    ("time", "08:30:00"),
];

/// A value of this type that keeps the limits.
pub fn example(
    kind: &str,
    values: &[String],
    length: Option<Bounds>,
    range: Option<Bounds>,
) -> Value {
    let class = FieldClass::of(kind);
    if class == FieldClass::Boolean {
        return json!(true);
    }
    if let Some(first) = values.first() {
        return json!(first);
    }
    let kind = kind.to_ascii_lowercase();
    if let Some((_, text)) = EXAMPLES.iter().find(|(name, _)| *name == kind) {
        return json!(text);
    }
    match class {
        FieldClass::Number => {
            let whole = kind.contains("int") || kind.contains("long") || kind.contains("short");
            let plain: f64 = if whole { 42.0 } else { 12.5 };
            let fitting = range.map_or(plain, |range| plain.min(range.maximum).max(range.minimum));
            number(fitting)
        }
        FieldClass::Timestamp => json!("2026-01-31T08:30:00Z"),
        FieldClass::Boolean | FieldClass::Text => {
            let longest = length.map_or(f64::MAX, |bounds| bounds.maximum.max(1.0));
            let counted = "Example".chars().zip(1_u8..);
            let fitting = counted.take_while(|(_, count)| f64::from(*count) <= longest);
            json!(fitting.map(|(letter, _)| letter).collect::<String>())
        }
    }
}

/// Whole numbers without a fraction, as people write them.
fn number(value: f64) -> Value {
    let text = value.to_string();
    text.parse::<i64>()
        .map_or_else(|_| json!(value), Value::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_are_of_the_type_and_keep_the_limits() {
        let bounds = |minimum, maximum| Some(Bounds { minimum, maximum });
        for (kind, values, length, range, expected) in [
            ("string", vec![], None, None, json!("Example")),
            ("string", vec![], bounds(0.0, 3.0), None, json!("Exa")),
            ("string", vec![], bounds(0.0, 80.0), None, json!("Example")),
            ("picklist", vec!["Hot".to_owned()], None, None, json!("Hot")),
            ("int", vec![], None, None, json!(42)),
            ("double", vec![], None, bounds(0.0, 1.0), json!(1)),
            ("currency", vec![], None, None, json!(12.5)),
            ("boolean", vec!["true".to_owned()], None, None, json!(true)),
            ("date", vec![], None, None, json!("2026-01-31")),
            (
                "datetime",
                vec![],
                None,
                None,
                json!("2026-01-31T08:30:00Z"),
            ),
            ("email", vec![], None, None, json!("name@example.com")),
        ] {
            assert_eq!(example(kind, &values, length, range), expected, "{kind}");
        }
    }
}
