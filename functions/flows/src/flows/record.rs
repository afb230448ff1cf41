//! A flow, as it is stored.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tributary::{
    id::{AccountId, FlowId, TenantId},
    run::KeptAfterRun,
};
use utoipa::ToSchema;

use super::drift::Drift;
use crate::model::FlowDefinition;

/// Where a flow stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum FlowState {
    /// Being made in AppFlow; the request that makes it, repeated, carries on.
    Creating,
    /// Made and never started; scheduled flows only.
    Draft,
    /// Runs at its times, or whenever it is started.
    Active,
    /// Stopped, by us or by AppFlow.
    Suspended,
    /// AppFlow gave it up.
    Errored,
    /// Being deleted; the request that deletes it, repeated, carries on.
    Deleting,
}

impl FlowState {
    /// The state that an AppFlow status means.
    pub(super) fn of_appflow(status: Option<&str>) -> Self {
        match status {
            Some("Draft") => Self::Draft,
            Some("Suspended") => Self::Suspended,
            Some("Errored" | "Deprecated" | "Deleted") => Self::Errored,
            _ => Self::Active,
        }
    }
}

/// A flow, as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Flow {
    pub(super) id: FlowId,
    pub(super) tenant_id: TenantId,
    pub(crate) account_id: AccountId,
    /// The twelve digits, for the pointer under which events find the flow.
    pub(super) aws_account_id: String,
    pub(super) appflow_name: String,
    pub(super) state: FlowState,
    /// As it was written, as JSON text: attributes of DynamoDB would not keep every number's form.
    #[serde(with = "json_text")]
    pub(crate) definition: FlowDefinition,
    /// What its definition does after a run, for whoever works on runs and reads no definitions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) after_run: Option<KeptAfterRun>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) appflow_arn: Option<String>,
    /// The instant with which the definition was compiled: a start that was past then has moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) compiled_at: Option<Timestamp>,
    /// AppFlow's own time of the last change, epoch milliseconds, as it was when AppFlow was last
    /// seen to have our definition. Absent after a change of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) appflow_updated_at: Option<i64>,
    /// Why AppFlow switched the flow off, in its words, with secrets removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) status_message: Option<String>,
    /// What somebody else changed, until the user has said what is to become of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) drift: Option<Drift>,
    /// Fields that the last validation missed at the source.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) needs_mapping: Vec<String>,
    /// Until when an update is under way, epoch milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) updating_until: Option<i64>,
    /// Whether it stands still because its tenant was suspended, and starts when that ends.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) paused: bool,
    pub(super) created_by: String,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    /// Counts definitions; the entity tag. Starting and stopping do not count.
    pub(super) version: u64,
}

impl Flow {
    /// Its id.
    pub(crate) const fn id(&self) -> FlowId {
        self.id
    }

    /// What AppFlow calls it, and where.
    pub(crate) fn place(&self) -> (&str, &str) {
        (&self.appflow_name, &self.aws_account_id)
    }
}

pub(super) mod json_text {
    use serde::{Deserialize, Deserializer, Serializer, de, ser};

    use crate::model::FlowDefinition;

    pub(in crate::flows) fn serialize<S: Serializer>(
        definition: &FlowDefinition,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let text = serde_json::to_string(definition).map_err(ser::Error::custom)?;
        serializer.serialize_str(&text)
    }

    pub(in crate::flows) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<FlowDefinition, D::Error> {
        let text = String::deserialize(deserializer)?;
        serde_json::from_str(&text).map_err(de::Error::custom)
    }
}

/// What a definition does after a run, in the form in which it is stored.
pub(super) fn after_run_of(definition: &FlowDefinition) -> Option<KeptAfterRun> {
    definition.after_run.clone().map(KeptAfterRun)
}

/// The definition in the form in which it is stored, for updates.
pub(super) fn definition_text(definition: &FlowDefinition) -> Result<String, serde_json::Error> {
    serde_json::to_string(definition)
}
