//! Which fields are brought.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Which fields are brought, told apart by `type`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Mapping {
    /// Every field under its own name.
    All(AllFields),
    /// One field under a name of its own.
    Field(FieldMapping),
    /// Several fields as one text.
    Concatenate(Concatenation),
    /// A number made of two.
    Calculate(Calculation),
}

impl Mapping {
    /// The source's fields that it names.
    pub fn source_fields(&self) -> impl Iterator<Item = &String> {
        let (several, pair) = match self {
            Self::All(_) => (&[][..], [None, None]),
            Self::Field(field) => (&[][..], [Some(&field.from), None]),
            Self::Concatenate(text) => (text.from.as_slice(), [None, None]),
            Self::Calculate(number) => (&[][..], [Some(&number.left), Some(&number.right)]),
        };
        several.iter().chain(pair.into_iter().flatten())
    }

    /// The source's fields that it names, each with the member that names it.
    pub fn named_fields(&self) -> Vec<(String, &String)> {
        match self {
            Self::All(_) => Vec::new(),
            Self::Field(field) => vec![("from".to_owned(), &field.from)],
            Self::Concatenate(text) => text
                .from
                .iter()
                .enumerate()
                .map(|(position, field)| (format!("from/{position}"), field))
                .collect(),
            Self::Calculate(number) => vec![
                ("left".to_owned(), &number.left),
                ("right".to_owned(), &number.right),
            ],
        }
    }

    /// The destination's field that it fills; none for all fields.
    pub const fn target(&self) -> Option<&String> {
        match self {
            Self::All(_) => None,
            Self::Field(field) => Some(&field.to),
            Self::Concatenate(text) => Some(&text.to),
            Self::Calculate(number) => Some(&number.to),
        }
    }
}

/// Every field under its own name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AllFields {
    /// Fields that stay behind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
}

/// One field under a name of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FieldMapping {
    /// The source's field.
    pub from: String,
    /// The destination's field.
    pub to: String,
    /// The source's name of the type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_type: Option<String>,
    /// The destination's name of the type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_type: Option<String>,
}

/// Several fields as one text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Concatenation {
    /// The source's fields, at least two.
    #[schema(example = json!(["FirstName", "LastName"]))]
    pub from: Vec<String>,
    /// How they are put together. Experimental: AWS does not document the syntax; `${Name}` stands
    /// for a field's value as far as is known.
    #[schema(example = "${FirstName} ${LastName}")]
    pub format: String,
    /// The destination's field.
    #[schema(example = "FullName")]
    pub to: String,
    /// The destination's name of the type.
    #[schema(example = "string")]
    pub to_type: String,
}

/// A number made of two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Calculation {
    /// What is done with the two.
    pub operation: Arithmetic,
    /// The source's field on the left.
    #[schema(example = "Amount__c")]
    pub left: String,
    /// The source's field on the right.
    #[schema(example = "Quantity__c")]
    pub right: String,
    /// The destination's field.
    #[schema(example = "Total")]
    pub to: String,
    /// The destination's name of the type.
    #[schema(example = "double")]
    pub to_type: String,
}

/// What is done with two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the words say it")]
pub enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
}
