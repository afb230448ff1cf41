//! What is done to values.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is done to the values of a source field, told apart by `type`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Transform {
    /// Characters are replaced.
    Mask(Mask),
    /// Long values are cut.
    Truncate(Truncate),
}

impl Transform {
    /// The source field whose values it changes.
    pub fn field(&self) -> &String {
        match self {
            Self::Mask(mask) => &mask.field,
            Self::Truncate(truncate) => &truncate.field,
        }
    }
}

/// Characters are replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mask {
    /// The source's field.
    pub field: String,
    /// Which characters.
    pub part: MaskPart,
    /// How many, for `first` and `last`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u32>,
    /// The character that replaces them; `*` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<String>,
}

/// Which characters are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum MaskPart {
    /// All of them.
    All,
    /// The first ones.
    First,
    /// The last ones.
    Last,
}

/// Long values are cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Truncate {
    /// The source's field.
    pub field: String,
    /// How many characters stay.
    pub length: u32,
}
