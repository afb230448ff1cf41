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
