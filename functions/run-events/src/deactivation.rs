//! AppFlow switched a flow off: told once per time it happened.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tributary::{
    error::Error,
    event::{CloudEvent, Fact, Sequence},
    incident::{Incident, IncidentKind},
    outbox::{Entry, EntryItem},
    run::FlowOwner,
    store::{Key, PageRequest},
    subscription::EventType,
};

use crate::{
    TenantEvents,
    input::Deactivated,
    owner::RunOwner,
    reconcile::{FlowItem, FlowState},
};

/// How far AppFlow's clock may be behind ours.
const SKEW: SignedDuration = SignedDuration::from_mins(1);

/// What one transaction writes: the notification, the incident, and that it was decided.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Written {
    Guard(Guard),
    Incident(Incident),
    Notification(EntryItem),
}

/// That a deactivation was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Guard {
    /// When it happened, or was found.
    deactivated_at: Timestamp,
    /// When the flow had been set going before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    activated_at: Option<Timestamp>,
}

impl TenantEvents<'_> {
    /// Notifies that a flow was deactivated, as AppFlow's event says; a repeat changes nothing, nor
    /// does an event that comes after its fact was found.
    pub(crate) async fn tell_deactivation(
        &self,
        owner: &FlowOwner,
        deactivated: &Deactivated,
    ) -> Result<(), Error> {
        let owner = RunOwner::from(owner.clone());
        let flow = self.flow_of(&owner).await?;
        let activated_at = flow.and_then(|flow| flow.activated_at);
        let guard = Guard::of(deactivated.at, activated_at);
        if guard.activated_at.is_none() && self.is_told(&owner, deactivated.at).await? {
            return Ok(());
        }
        let incident = (IncidentKind::Deactivated, deactivated.reason.clone());
        self.tell(&owner, guard, incident).await
    }

    /// Notifies that a flow was found deactivated, unless its event was told.
    pub(crate) async fn tell_found_deactivation(
        &self,
        owner: &RunOwner,
        flow: &FlowItem,
        now: Timestamp,
    ) -> Result<(), Error> {
        // One that was never set going by us is none that we know the deactivations of.
        let Some(activated_at) = flow.activated_at else {
            return Ok(());
        };
        let kind = match flow.state {
            FlowState::Errored => IncidentKind::Errored,
            _ => IncidentKind::Deactivated,
        };
        let guard = Guard {
            deactivated_at: now,
            activated_at: Some(activated_at),
        };
        let incident = (kind, flow.status_message.clone());
        self.tell(owner, guard, incident).await
    }

    async fn tell(
        &self,
        owner: &RunOwner,
        guard: Guard,
        (kind, reason): (IncidentKind, Option<String>),
    ) -> Result<(), Error> {
        let at = guard.deactivated_at;
        let (tenant, flow) = (owner.tenant_id, owner.flow_id);
        let entry = notification(&self.stage, owner, at, reason.as_deref());
        let outbox_key = entry.key();
        let incident = Incident::new(tenant, flow, kind, at, reason);
        let guard_key = Key::deactivation(tenant, flow, guard.activated_at.unwrap_or(at));
        let told = entry.items(Timestamp::now()).into_iter();
        let items: Vec<_> = [
            (guard_key, Written::Guard(guard)),
            (incident.key(), Written::Incident(incident)),
        ]
        .into_iter()
        .chain(told.map(|(key, item)| (key, Written::Notification(item))))
        .collect();
        match self.store.insert_together(&items).await {
            Ok(()) => {
                tracing::warn!(tenant.id = %tenant, flow.id = %flow, "AppFlow deactivated the flow");
            }
            // Decided before; what was not published then is published now.
            Err(error) if error.is_condition() => {}
            Err(error) => return Err(error.into()),
        }
        self.outbox.publish(&outbox_key).await
    }

    /// Whether a deactivation of before the flow was set going again was told.
    async fn is_told(&self, owner: &RunOwner, at: Timestamp) -> Result<bool, Error> {
        let partition = Key::runs_partition(owner.tenant_id, owner.flow_id);
        let page = PageRequest {
            limit: 10,
            after: None,
            newest_first: true,
        };
        let told = self.store.query(&partition, "DEACTIVATED#", &page).await?;
        Ok(told.items.iter().any(|guard: &Guard| guard.covers(at)))
    }
}

impl Guard {
    /// A deactivation that happened then, of a flow that was last set going at a time: by that time it
    /// is known when both its event and its finding tell of it.
    fn of(deactivated_at: Timestamp, activated_at: Option<Timestamp>) -> Self {
        let is_since = |since: &Timestamp| deactivated_at.duration_since(*since) > -SKEW;
        Self {
            deactivated_at,
            activated_at: activated_at.filter(is_since),
        }
    }

    /// Whether a deactivation at that time is this one.
    fn covers(&self, at: Timestamp) -> bool {
        let since = self.activated_at.unwrap_or(self.deactivated_at);
        at.duration_since(since) > -SKEW && at <= self.deactivated_at
    }
}

fn notification(stage: &str, owner: &RunOwner, at: Timestamp, reason: Option<&str>) -> Entry {
    let mut data = json!({
        "flowId": owner.flow_id,
        "deactivatedAt": at,
    });
    if let Some(reason) = reason {
        data["reason"] = json!(reason);
    }
    let fact = Fact {
        kind: EventType::FlowDeactivated,
        subject: owner.flow_id.to_string(),
        name: &format!("deactivated/{at}"),
        sequence: Sequence::of_time(at, 0),
        time: at,
        data,
    };
    let event = CloudEvent::new(stage, owner.tenant_id, fact);
    Entry::new(event, "deactivated").with_attribute("flowId", &owner.flow_id)
}

#[cfg(test)]
mod tests {
    use tributary::id::{FlowId, TenantId};

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_same_deactivation_has_the_same_id_and_a_later_one_another() {
        let owner = RunOwner {
            tenant_id: TenantId::new(),
            flow_id: FlowId::new(),
        };
        let id = |text| {
            notification("test", &owner, at(text), Some("failures"))
                .event
                .id
        };
        assert_eq!(id("2026-11-20T10:00:00Z"), id("2026-11-20T10:00:00.000Z"));
        assert_ne!(id("2026-11-20T10:00:00Z"), id("2026-11-21T10:00:00Z"));
        let sequence = |text| notification("test", &owner, at(text), None).event.sequence;
        assert!(sequence("2026-11-20T10:00:00Z") < sequence("2026-11-20T10:00:00.000001Z"));
    }

    #[test]
    fn a_deactivation_belongs_to_the_time_for_which_the_flow_was_active() {
        let activated = at("2026-11-20T10:00:00Z");
        let since = |event| Guard::of(at(event), Some(activated)).activated_at;
        assert_eq!(since("2026-11-20T11:00:00Z"), Some(activated));
        // Clocks differ.
        assert_eq!(since("2026-11-20T09:59:30Z"), Some(activated));
        assert_eq!(since("2026-11-20T09:00:00Z"), None);
        assert_eq!(Guard::of(activated, None).activated_at, None);
    }

    #[test]
    fn an_event_that_comes_after_its_fact_was_found_and_the_flow_set_going_again_is_known() {
        let found = Guard {
            deactivated_at: at("2026-11-20T11:04:00Z"),
            activated_at: Some(at("2026-11-20T10:00:00Z")),
        };
        assert!(found.covers(at("2026-11-20T11:00:00Z")));
        assert!(!found.covers(at("2026-11-20T09:00:00Z")));
        assert!(!found.covers(at("2026-11-20T12:00:00Z")));
    }
}
