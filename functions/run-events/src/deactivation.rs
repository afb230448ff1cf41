//! AppFlow switched a flow off: told once per time it happened.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use tributary::{error::Error, event::CloudEvent, outbox::Entry, run::FlowOwner, store::Key};

use crate::{TenantEvents, input::Deactivated};

/// What one transaction writes: the notification, and that it was decided.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Written {
    Guard { deactivated_at: Timestamp },
    Notification(Box<Entry>),
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
        let written = self
            .store
            .insert_together(&[
                (guard_key, guard),
                (outbox_key.clone(), Written::Notification(Box::new(entry))),
            ])
            .await;
        match written {
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
    let event = CloudEvent::new(
        stage,
        owner.tenant_id,
        "tributary.flow.deactivated",
        owner.flow_id.to_string(),
        &format!("deactivated/{}", deactivated.at),
        deactivated.at,
        data,
    );
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
    }
}
