//! An alarm of a flow changed its state: told once per change.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use tributary::{
    error::Error,
    event::{CloudEvent, Fact, Sequence},
    incident::{Incident, IncidentKind},
    outbox::{Entry, EntryItem},
    run::FlowOwner,
    subscription::EventType,
};

use crate::{TenantEvents, input::AlarmNews};

/// What one transaction writes: that it happened, and its notification.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Written {
    Incident(Incident),
    Notification(EntryItem),
}

impl TenantEvents<'_> {
    /// Notifies a change of an alarm's state; a repeat of the event changes nothing.
    pub(crate) async fn tell_alarm(
        &self,
        owner: &FlowOwner,
        news: &AlarmNews,
    ) -> Result<(), Error> {
        let entry = notification(&self.stage, owner, news);
        let outbox_key = entry.key();
        let incident = incident(owner, news);
        let told = entry.items(Timestamp::now()).into_iter();
        let items: Vec<_> = std::iter::once((incident.key(), Written::Incident(incident)))
            .chain(told.map(|(key, item)| (key, Written::Notification(item))))
            .collect();
        match self.store.insert_together(&items).await {
            Ok(()) => {
                tracing::info!(tenant.id = %owner.tenant_id, flow.id = %owner.flow_id, alarm.state = news.state.as_str(), "alarm changed its state");
            }
            // Decided before; what was not published then is published now.
            Err(error) if error.is_condition() => {}
            Err(error) => return Err(error.into()),
        }
        self.outbox.publish(&outbox_key).await
    }
}

/// What is kept of it. The state is part of what it is about: an alarm that changes twice in a moment
/// changed twice.
fn incident(owner: &FlowOwner, news: &AlarmNews) -> Incident {
    let message = match &news.reason {
        Some(reason) => format!("{}: {reason}", news.state.as_str()),
        None => news.state.as_str().to_owned(),
    };
    let about = format!("{}/{}", news.unverified_alarm, news.state.as_str());
    Incident::new(
        owner.tenant_id,
        owner.flow_id,
        IncidentKind::Alarm,
        news.at,
        Some(message),
    )
    .about(about)
}

fn notification(stage: &str, owner: &FlowOwner, news: &AlarmNews) -> Entry {
    let state = news.state.as_str();
    let mut data = json!({
        "flowId": owner.flow_id,
        "alarm": news.unverified_alarm,
        "state": state,
        "changedAt": news.at,
    });
    if let Some(metric) = news.metric {
        data["metric"] = json!(metric);
    }
    if let Some(was) = news.was {
        data["previousState"] = json!(was.as_str());
    }
    if let Some(reason) = &news.reason {
        data["reason"] = json!(reason);
    }
    let fact = Fact {
        kind: EventType::FlowAlarm,
        // Two alarms of a flow may change at the same time; one does not.
        subject: format!("{}/{}", owner.flow_id, news.unverified_alarm),
        name: &format!("alarm/{}/{state}/{}", news.unverified_alarm, news.at),
        sequence: Sequence::of_time(news.at, 0),
        time: news.at,
        data,
    };
    let event = CloudEvent::new(stage, owner.tenant_id, fact);
    Entry::new(event, state).with_attribute("flowId", &owner.flow_id)
}

#[cfg(test)]
mod tests {
    use tributary::id::{AccountId, FlowId, TenantId};

    use super::*;
    use crate::input::{AlarmState, FlowReference};

    fn news(alarm: &str, state: AlarmState, at: &str) -> AlarmNews {
        AlarmNews {
            flow: FlowReference {
                unverified_account: "222222222222".to_owned(),
                unverified_name: "tributary-x".to_owned(),
            },
            unverified_alarm: alarm.to_owned(),
            metric: Some("runsFailed"),
            state,
            was: Some(AlarmState::Ok),
            at: at.parse().unwrap(),
            reason: Some("Threshold Crossed".to_owned()),
        }
    }

    #[test]
    fn each_change_has_one_id_and_another_change_another() {
        use AlarmState::{Alarm, InsufficientData};
        let owner = FlowOwner {
            tenant_id: TenantId::new(),
            flow_id: FlowId::new(),
            account_id: AccountId::new(),
        };
        let id = |news: &AlarmNews| {
            let key = incident(&owner, news).key();
            (
                notification("test", &owner, news).event.id,
                format!("{key:?}"),
            )
        };
        let first = news("failures", Alarm, "2026-11-20T10:00:00Z");
        assert_eq!(
            id(&first),
            id(&news("failures", Alarm, "2026-11-20T10:00:00.000Z"))
        );
        for other in [
            news("failures", Alarm, "2026-11-20T10:05:00Z"),
            news("failures", InsufficientData, "2026-11-20T10:00:00Z"),
            news("slow", Alarm, "2026-11-20T10:00:00Z"),
        ] {
            assert_ne!(id(&first).0, id(&other).0);
            assert_ne!(id(&first).1, id(&other).1);
        }
    }
}
