//! Event flows: what Salesforce pushes goes on to the partner event source, or as records to the
//! destination. There are no runs and no run records, only a count every five minutes.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{
    definition::{Definition, TriggerType},
    event::{self, About},
    operations::{entities, profiles},
    run::{
        self, RunFault, Ticket,
        read::{Input, plan},
        write,
    },
    salesforce::{self, ConnectorFault},
    scheduler,
    service::Inner,
    state::{Flow, FlowStatus, Home, Profile},
};

const REPORT_EVERY: SignedDuration = SignedDuration::from_mins(5);

/// Hands events of one channel, oldest first, to every active event flow on it; with an instance, to
/// those alone whose connection leads there. A flow whose connection Salesforce no longer accepts
/// hears nothing.
pub(crate) async fn deliver(
    inner: &Inner,
    home: &Home,
    instance: Option<&str>,
    channel: &str,
    details: &[Value],
) {
    let now = inner.now();
    let listening: Vec<Ticket> = inner.with(home, |state| {
        let listening = state.flows.values().filter(|flow| {
            is_active(flow) && flow.definition.source_flow_config.object() == channel
        });
        listening
            .map(|flow| run::outside(flow, home, now))
            .collect()
    });
    for ticket in listening {
        let source = &ticket.definition.source_flow_config;
        let name = source.connector_profile_name.as_deref();
        let Ok(profile) = profiles::find(inner, home, name.unwrap_or_default()) else {
            continue;
        };
        let leads_to = salesforce::instance_url(inner, &profile);
        let same = |url: &str| url.trim_end_matches('/') == leads_to.trim_end_matches('/');
        if !instance.is_none_or(same) || !is_subscribed(inner, &ticket, &profile).await {
            continue;
        }
        hand_on(inner, &ticket, &profile, channel, details).await;
    }
}

/// Whether Salesforce accepts the flow's connection. A grant that is gone deactivates the flow.
async fn is_subscribed(inner: &Inner, ticket: &Ticket, profile: &Profile) -> bool {
    let path = format!("{}/limits", salesforce::API);
    let Err(fault) = salesforce::get(inner, &ticket.home, profile, &path).await else {
        return true;
    };
    tracing::warn!(flow.arn = ticket.flow_arn, error = %fault, "no events for a flow");
    let fatal = matches!(fault, ConnectorFault::Revoked(_));
    let reason = inner.with(&ticket.home, |state| {
        let flow = state.flows.get_mut(ticket.flow_name())?;
        scheduler::deactivate(flow, fatal)
    });
    if let Some(reason) = reason {
        event::deactivated(inner, ticket, &reason, inner.now()).await;
    }
    false
}

async fn hand_on(
    inner: &Inner,
    ticket: &Ticket,
    profile: &Profile,
    channel: &str,
    details: &[Value],
) {
    let count = u64::try_from(details.len()).unwrap_or(u64::MAX);
    inner.with(&ticket.home, |state| {
        if let Some(flow) = state.flows.get_mut(ticket.flow_name()) {
            flow.events_received += count;
        }
    });
    let Some(destination) = ticket.definition.destination() else {
        return;
    };
    if destination.connector_type == "EventBridge" {
        to_partner_source(inner, ticket, &destination.object(), channel, details).await;
        return;
    }
    match records(inner, ticket, profile, channel, details).await {
        Ok(written) => {
            let moved = ("FlowExecutionRecordsProcessed", written);
            run::tell_metrics(inner, ticket, &[moved]);
            inner.with(&ticket.home, |state| {
                if let Some(flow) = state.flows.get_mut(ticket.flow_name()) {
                    flow.metrics.records_processed += written;
                }
            });
        }
        Err(fault) => tracing::warn!(
            flow.arn = ticket.flow_arn,
            error = %fault,
            "events of a flow were not written"
        ),
    }
}

async fn to_partner_source(
    inner: &Inner,
    ticket: &Ticket,
    source: &str,
    channel: &str,
    details: &[Value],
) {
    let now = inner.now();
    let home = &ticket.home;
    for detail in details {
        let envelope = json!({
            "version": "0",
            "id": uuid::Uuid::new_v4().to_string(),
            "detail-type": channel,
            "source": source,
            "account": home.account,
            "time": now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "region": home.region,
            "resources": [],
            "detail": detail,
        });
        let services = &inner.services;
        services
            .put_partner_event(&home.account, source, envelope)
            .await;
    }
}

/// Events as records, through the flow's tasks to its destination: the fields of each change, and
/// `ChangeEventHeader` as one value. All filters are applied here. Answers how many were written.
async fn records(
    inner: &Inner,
    ticket: &Ticket,
    profile: &Profile,
    channel: &str,
    details: &[Value],
) -> Result<u64, RunFault> {
    let plan = plan(ticket, "Salesforce")?;
    let described = entities::cached(inner, &ticket.home, profile, Some(channel)).await;
    let fields = match &described {
        Ok(described) => names(described),
        // A platform event's channel has no describe: what came is what there is.
        Err(_) => details.iter().filter_map(Value::as_object).fold(
            Vec::new(),
            |mut names: Vec<String>, detail| {
                let new: Vec<String> = detail
                    .keys()
                    .filter(|k| !names.contains(k))
                    .cloned()
                    .collect();
                names.extend(new);
                names
            },
        ),
    };
    let input = Input {
        local: plan.filters.clone(),
        plan,
        fields,
        records: details
            .iter()
            .filter_map(Value::as_object)
            .cloned()
            .collect(),
        bytes: details.iter().map(|d| d.to_string().len() as u64).sum(),
    };
    let moved = write::write(inner, ticket, input).await?;
    Ok(moved.counts.records)
}

fn names(described: &Value) -> Vec<String> {
    let fields = described["fields"].as_array().into_iter().flatten();
    fields
        .filter_map(|f| f["name"].as_str().map(str::to_owned))
        .collect()
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
