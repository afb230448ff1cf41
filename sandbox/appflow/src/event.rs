//! The events AppFlow sends to the account's default bus. Every value of `detail` is a string, and
//! `resources` is one opaque id, not an ARN.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::{
    definition::{Definition, Destination, TriggerType},
    run::{Moved, RunFault, Ticket},
    service::Inner,
    state::{Counts, Home, RunStatus},
    wire::zoned,
};

/// How a run ended.
#[derive(Debug, Clone)]
pub(crate) struct Ending {
    pub(crate) status: RunStatus,
    pub(crate) counts: Counts,
    /// Why it failed, or why a record of a good run did.
    pub(crate) message: Option<String>,
    pub(crate) fatal: bool,
    at: Timestamp,
}

impl Ending {
    /// `None` is a cancelled run.
    pub(crate) fn of(outcome: Option<Result<Moved, RunFault>>, at: Timestamp) -> Self {
        let (status, counts, message, fatal) = match outcome {
            None => (RunStatus::Canceled, Counts::default(), None, false),
            Some(Ok(moved)) => (RunStatus::Successful, moved.counts, moved.warning, false),
            Some(Err(f)) => (RunStatus::Error, f.counts, Some(f.message), f.fatal),
        };
        Self {
            status,
            counts,
            message,
            fatal,
            at,
        }
    }
}

/// What the common members of every event are made of.
pub(crate) struct About<'a> {
    pub(crate) home: &'a Home,
    pub(crate) event_id: &'a str,
    pub(crate) flow_arn: &'a str,
    pub(crate) created_by: &'a str,
    pub(crate) definition: &'a Definition,
}

impl<'a> From<&'a Ticket> for About<'a> {
    fn from(ticket: &'a Ticket) -> Self {
        Self {
            home: &ticket.home,
            event_id: &ticket.event_id,
            flow_arn: &ticket.flow_arn,
            created_by: &ticket.created_by,
            definition: &ticket.definition,
        }
    }
}

/// `AppFlow Start Flow Run Report`.
pub(crate) async fn started(inner: &Inner, ticket: &Ticket) {
    let mut more = run_members(ticket);
    more.insert("start-time".into(), json!(zoned(ticket.started_at)));
    send(
        inner,
        &ticket.into(),
        "AppFlow Start Flow Run Report",
        ticket.started_at,
        more,
    )
    .await;
}

/// `AppFlow End Flow Run Report`, for any outcome. The texts of failed and cancelled runs were not
/// seen in public samples: only `Execution Successful` is certain.
pub(crate) async fn ended(inner: &Inner, ticket: &Ticket, ending: &Ending) {
    let mut more = run_members(ticket);
    let counts = ending.counts;
    for (name, value) in [
        ("start-time", zoned(ticket.started_at)),
        ("end-time", zoned(ending.at)),
        ("num-of-records-processed", counts.records.to_string()),
        ("num-of-record-failures", counts.put_failures.to_string()),
        ("num-of-records-filtered", counts.filtered.to_string()),
        ("num-of-documents-processed", "0".to_owned()),
        ("data-processed", counts.bytes_read.to_string()),
        ("status", status_text(ending.status).to_owned()),
    ] {
        more.insert(name.to_owned(), Value::from(value));
    }
    if let Some(error) = &ending.message
        && ending.status == RunStatus::Error
    {
        more.insert("error".into(), json!(error));
    }
    send(
        inner,
        &ticket.into(),
        "AppFlow End Flow Run Report",
        ending.at,
        more,
    )
    .await;
}

fn status_text(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Successful => "Execution Successful",
        RunStatus::Canceled | RunStatus::CancelStarted => "Execution Canceled",
        RunStatus::Error | RunStatus::InProgress => "Execution Failed",
    }
}

/// `AppFlow Scheduled Flow Deactivated`, `AppFlow Event Flow Deactivated`.
pub(crate) async fn deactivated(inner: &Inner, ticket: &Ticket, reason: &str, at: Timestamp) {
    let mut more = Map::new();
    more.insert("deactivation-reason".into(), json!(reason));
    more.insert("deactivation-time".into(), json!(zoned(at)));
    let kind = match ticket.definition.trigger_config.trigger_type {
        TriggerType::Event => "AppFlow Event Flow Deactivated",
        TriggerType::Scheduled | TriggerType::OnDemand => "AppFlow Scheduled Flow Deactivated",
    };
    send(inner, &ticket.into(), kind, at, more).await;
}

/// `AppFlow Event Flow Report`: how many events came in an interval.
pub(crate) async fn report(
    inner: &Inner,
    about: &About<'_>,
    count: u64,
    from: Timestamp,
    to: Timestamp,
) {
    let mut more = Map::new();
    let text = format!(
        "{count} events received between {} and {}",
        zoned(from),
        zoned(to)
    );
    more.insert("status-report".into(), json!(text));
    send(inner, about, "AppFlow Event Flow Report", to, more).await;
}

fn run_members(ticket: &Ticket) -> Map<String, Value> {
    let mut more = Map::new();
    more.insert("execution-id".into(), json!(ticket.run_id));
    if let Some(window) = ticket.window {
        let range = format!("{} - {}", zoned(window.from), zoned(window.to));
        more.insert("incremental-transfer-time-range".into(), json!(range));
    }
    more
}

async fn send(
    inner: &Inner,
    about: &About<'_>,
    detail_type: &str,
    at: Timestamp,
    mut detail: Map<String, Value>,
) {
    let definition = about.definition;
    let source = &definition.source_flow_config;
    let destination = definition.destination();
    let end = |kind: &str, profile: Option<&str>| match profile {
        Some(name) => format!("{}/{name}", kind.to_uppercase()),
        None => kind.to_uppercase(),
    };
    for (name, value) in [
        ("flow-name", definition.flow_name.clone()),
        ("created-by", about.created_by.to_owned()),
        ("flow-arn", about.flow_arn.to_owned()),
        (
            "source",
            end(
                &source.connector_type,
                source.connector_profile_name.as_deref(),
            ),
        ),
        (
            "destination",
            destination.map_or_else(String::new, |d| {
                end(&d.connector_type, d.connector_profile_name.as_deref())
            }),
        ),
        ("source-object", source.object()),
        (
            "destination-object",
            destination.map_or_else(String::new, Destination::object),
        ),
        (
            "trigger-type",
            match definition.trigger_config.trigger_type {
                TriggerType::OnDemand => "ONDEMAND",
                TriggerType::Scheduled => "SCHEDULED",
                TriggerType::Event => "EVENT",
            }
            .to_owned(),
        ),
    ] {
        detail.insert(name.to_owned(), Value::from(value));
    }
    let envelope = json!({
        "version": "0",
        "id": uuid::Uuid::new_v4().to_string(),
        "detail-type": detail_type,
        "source": "aws.appflow",
        "account": about.home.account,
        "time": at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "region": about.home.region,
        "resources": [about.event_id],
        "detail": detail,
    });
    inner
        .services
        .put_event(&about.home.account, envelope)
        .await;
}
