//! AppFlow switched a flow off: told once per time it happened.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use tributary::{
    error::Error,
    event::{CloudEvent, Fact, Sequence},
    outbox::{Entry, EntryItem},
    run::FlowOwner,
    store::Key,
    subscription::EventType,
};

use crate::{TenantEvents, input::Deactivated};

/// What one transaction writes: the notification, and that it was decided.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Written {
    Guard { deactivated_at: Timestamp },
    Notification(EntryItem),
}

impl TenantEvents<'_> {
    /// Notifies that a flow was deactivated; a repeat of the event changes nothing.
    pub(crate) async fn tell_deactivation(
        &self,
        owner: &FlowOwner,
        deactivated: &Deactivated,
    ) -> Result<(), Error> {
        let entry = notification(&self.stage, owner, deactivated);
        let outbox_key = entry.key();
        let guard_key = Key::deactivation(owner.tenant_id, owner.flow_id, deactivated.at);
        let guard = Written::Guard {
            deactivated_at: deactivated.at,
        };
        let told = entry.items(Timestamp::now()).into_iter();
        let items: Vec<_> = std::iter::once((guard_key, guard))
            .chain(told.map(|(key, item)| (key, Written::Notification(item))))
            .collect();
        match self.store.insert_together(&items).await {
            Ok(()) => {
                tracing::warn!(tenant.id = %owner.tenant_id, flow.id = %owner.flow_id, "AppFlow deactivated the flow");
            }
            // Decided before; what was not published then is published now.
            Err(error) if error.is_condition() => {}
            Err(error) => return Err(error.into()),
        }
        self.outbox.publish(&outbox_key).await
    }
}

fn notification(stage: &str, owner: &FlowOwner, deactivated: &Deactivated) -> Entry {
    let mut data = json!({
        "flowId": owner.flow_id,
        "deactivatedAt": deactivated.at,
    });
    if let Some(reason) = &deactivated.reason {
        data["reason"] = json!(reason);
    }
    let fact = Fact {
        kind: EventType::FlowDeactivated,
        subject: owner.flow_id.to_string(),
        name: &format!("deactivated/{}", deactivated.at),
        sequence: Sequence::of_time(deactivated.at, 0),
        time: deactivated.at,
        data,
    };
    let event = CloudEvent::new(stage, owner.tenant_id, fact);
    Entry::new(event, "deactivated").with_attribute("flowId", &owner.flow_id)
}

#[cfg(test)]
mod tests {
    use tributary::id::{AccountId, FlowId, TenantId};

    use super::*;
    use crate::input::FlowReference;

    fn at(text: &str) -> Deactivated {
        Deactivated {
            flow: FlowReference {
                unverified_account: "222222222222".to_owned(),
                unverified_name: "tributary-x".to_owned(),
            },
            at: text.parse().unwrap(),
            reason: Some("repeated failures".to_owned()),
        }
    }

    #[test]
    fn the_same_deactivation_has_the_same_id_and_a_later_one_another() {
        let owner = FlowOwner {
            tenant_id: TenantId::new(),
            flow_id: FlowId::new(),
            account_id: AccountId::new(),
        };
        let id = |text| notification("test", &owner, &at(text)).event.id;
        assert_eq!(id("2026-11-20T10:00:00Z"), id("2026-11-20T10:00:00.000Z"));
        assert_ne!(id("2026-11-20T10:00:00Z"), id("2026-11-21T10:00:00Z"));
        let sequence = |text| notification("test", &owner, &at(text)).event.sequence;
        assert!(sequence("2026-11-20T10:00:00Z") < sequence("2026-11-20T10:00:00.000001Z"));
    }
}
