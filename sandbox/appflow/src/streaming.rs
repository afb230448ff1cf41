//! Event flows: what Salesforce pushes goes on to the partner event source. There are no runs and no
//! run records, only a count every five minutes.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{
    definition::{Definition, TriggerType},
    event::{self, About},
    service::Inner,
    state::{Flow, FlowStatus, Home},
};

const REPORT_EVERY: SignedDuration = SignedDuration::from_mins(5);

/// Hands an event to every active event flow on its object. Only EventBridge destinations deliver;
/// the event counts as received by the others too.
pub(crate) async fn deliver(inner: &Inner, home: &Home, object: &str, detail: &Value) {
    let buses: Vec<String> = inner.with(home, |state| {
        let listening = state.flows.values_mut().filter(|flow| {
            is_active(flow) && flow.definition.source_flow_config.object() == object
        });
        listening
            .filter_map(|flow| {
                flow.events_received += 1;
                let destination = flow.definition.destination()?;
                (destination.connector_type == "EventBridge").then(|| destination.object())
            })
            .collect()
    });
    let now = inner.now();
    for source in buses {
        let envelope = json!({
            "version": "0",
            "id": uuid::Uuid::new_v4().to_string(),
            "detail-type": object,
            "source": source,
            "account": home.account,
            "time": now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "region": home.region,
            "resources": [],
            "detail": detail,
        });
        inner.services.put_event(&home.account, envelope).await;
    }
}

fn is_active(flow: &Flow) -> bool {
    flow.status == FlowStatus::Active && flow.trigger() == TriggerType::Event
}

/// What a report needs after the state is unlocked.
struct Report {
    event_id: String,
    flow_arn: String,
    created_by: String,
    definition: Arc<Definition>,
    count: u64,
    from: Timestamp,
}

/// Sends the reports that are due.
pub(crate) async fn report_due(inner: &Inner, home: &Home) {
    let now = inner.now();
    let reports: Vec<Report> = inner.with(home, |state| {
        state
            .flows
            .values_mut()
            .filter(|flow| is_active(flow))
            .filter_map(|flow| {
                let from = flow.activated_at?;
                let last = flow.last_report.unwrap_or(from).max(from);
                if now < last + REPORT_EVERY {
                    return None;
                }
                flow.last_report = Some(now);
                Some(Report {
                    event_id: flow.event_id.clone(),
                    flow_arn: flow.arn.clone(),
                    created_by: flow.created_by.clone(),
                    definition: Arc::clone(&flow.definition),
                    count: std::mem::take(&mut flow.events_received),
                    from: last,
                })
            })
            .collect()
    });
    for report in reports {
        let about = About {
            home,
            event_id: &report.event_id,
            flow_arn: &report.flow_arn,
            created_by: &report.created_by,
            definition: &report.definition,
        };
        event::report(inner, &about, report.count, report.from, now).await;
    }
}
