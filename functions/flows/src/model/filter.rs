//! Which records are brought.

use serde::{Deserialize, Serialize};
use tributary::connector::Comparison;
use utoipa::ToSchema;

/// A condition on a field. Say `value`, `values` (any of them) or, for `between`, `lower` and `upper`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Filter {
    /// The source's field.
    pub field: String,
    /// The source's name of the field's type.
    #[schema(example = "double")]
    pub field_type: String,
    /// How it is compared.
    pub operator: Comparison,
    /// What it is compared with. Instants are RFC 3339 texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<FilterValue>,
    /// Several values, any of which counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<FilterValue>>,
    /// Lower end of `between`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lower: Option<FilterValue>,
    /// Upper end of `between`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upper: Option<FilterValue>,
}

/// A text, a number, or true and false.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum FilterValue {
    /// `true` or `false`.
    Truth(bool),
    /// A number.
    #[schema(value_type = f64)]
    Number(serde_json::Number),
    /// A text, or an instant in RFC 3339.
    Text(String),
}
