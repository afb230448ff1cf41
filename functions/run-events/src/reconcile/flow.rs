//! A flow's item, as far as its runs need it.

use jiff::Timestamp;
use serde::Deserialize;
use tributary::{error::Error, id::AccountId, run::RunTrigger, store::Key};

use crate::{TenantEvents, owner::RunOwner};

/// What is needed of a flow's item.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct FlowItem {
    /// Where it runs.
    pub(crate) account_id: AccountId,
    /// Where it stands.
    pub(crate) state: FlowState,
    /// Why AppFlow switched it off; present only if AppFlow did.
    #[serde(default)]
    pub(crate) status_message: Option<String>,
    /// What somebody else changed.
    #[serde(default)]
    drift: Option<Drift>,
    /// As it was written, as JSON text.
    definition: String,
    /// When it is looked at next, epoch milliseconds.
    #[serde(default)]
    pub(crate) due_at: Option<i64>,
    /// Until when every run that began is known to us.
    #[serde(default)]
    pub(crate) swept_at: Option<Timestamp>,
    /// When it was last set going.
    #[serde(default)]
    pub(crate) activated_at: Option<Timestamp>,
}

/// Where a flow stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum FlowState {
    Creating,
    Draft,
    Active,
    Suspended,
    Errored,
    Deleting,
}

#[derive(Debug, Clone, Deserialize)]
struct Drift {
    #[serde(default)]
    found_state: Option<FlowState>,
}

/// The part of a definition that says what makes its runs begin.
#[derive(Debug, Deserialize)]
struct Definition {
    trigger: Trigger,
}

#[derive(Debug, Deserialize)]
struct Trigger {
    #[serde(rename = "type")]
    kind: String,
}

impl FlowItem {
    /// What makes its runs begin.
    pub(crate) fn trigger(&self) -> Option<RunTrigger> {
        let definition: Definition = serde_json::from_str(&self.definition).ok()?;
        match definition.trigger.kind.as_str() {
            "onDemand" => Some(RunTrigger::OnDemand),
            "scheduled" => Some(RunTrigger::Scheduled),
            "event" => Some(RunTrigger::Event),
            _ => None,
        }
    }

    /// Whether runs begin by themselves, and so without our knowing.
    pub(crate) fn is_going(&self) -> bool {
        let found = self.drift.as_ref().and_then(|drift| drift.found_state);
        let is_active = self.state == FlowState::Active || found == Some(FlowState::Active);
        is_active && self.trigger() != Some(RunTrigger::OnDemand)
    }

    /// Whether AppFlow switched it off, and not we or somebody else.
    pub(crate) fn is_deactivated(&self) -> bool {
        matches!(self.state, FlowState::Suspended | FlowState::Errored)
            && self.status_message.is_some()
    }
}

impl TenantEvents<'_> {
    /// The flow's item, if it is still there.
    pub(crate) async fn flow_of(&self, owner: &RunOwner) -> Result<Option<FlowItem>, Error> {
        let key = Key::flow(owner.tenant_id, owner.flow_id);
        Ok(self.store.get(&key).await?)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn flow(trigger: &str, state: &str, found: Option<&str>) -> FlowItem {
        let definition =
            json!({ "name": "n", "trigger": { "type": trigger, "every": "rate(1 hour)" } });
        let drift = found.map(|found| json!({ "kind": "status", "found_state": found }));
        serde_json::from_value(json!({
            "account_id": AccountId::new(), "state": state, "definition": definition.to_string(),
            "drift": drift,
        }))
        .unwrap()
    }

    #[test]
    fn u2_flows_that_run_by_themselves_are_swept_also_when_somebody_else_started_them() {
        for (trigger, state, found, is_going) in [
            ("scheduled", "active", None, true),
            ("event", "active", None, true),
            ("onDemand", "active", None, false),
            ("scheduled", "draft", None, false),
            ("scheduled", "suspended", None, false),
            ("scheduled", "suspended", Some("active"), true),
            ("event", "errored", None, false),
            ("scheduled", "deleting", None, false),
        ] {
            let flow = flow(trigger, state, found);
            assert_eq!(flow.is_going(), is_going, "{trigger} {state} {found:?}");
        }
    }
}
