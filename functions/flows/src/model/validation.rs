//! What records must be like.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a field must be like, and what happens otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Validation {
    /// The source's field.
    pub field: String,
    /// What it must be like.
    pub must: Requirement,
    /// What happens to a record that is not.
    pub otherwise: Otherwise,
}

/// What a field must be like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the words say it")]
pub enum Requirement {
    NotBeNull,
    NotBeZero,
    NotBeNegative,
    BeNumeric,
}

/// What happens to a record that is not as it must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Otherwise {
    /// It is left out.
    DropRecord,
    /// The run ends.
    StopRun,
}
