//! One run: from the source through the tasks to the destination, and what is told about it.

mod catalog;
pub(crate) mod read;
mod s3;
pub(crate) mod write;

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::{Notify, watch};

use crate::{
    definition::{Definition, TriggerType},
    event::{self, Ending},
    salesforce::ConnectorFault,
    scheduler,
    service::Inner,
    state::{Counts, Flow, Home, Run, RunStatus},
    tasks::apply::DatasetDropped,
    window::Window,
};

/// A run that is recorded as in progress and not launched yet. It carries the flow as it was at
/// the start: updates apply to later runs.
#[derive(Debug, Clone)]
pub(crate) struct Ticket {
    pub(crate) home: Home,
    pub(crate) flow_arn: String,
    pub(crate) created_by: String,
    /// When the flow was made.
    pub(crate) flow_made_at: Timestamp,
    pub(crate) event_id: String,
    pub(crate) definition: Arc<Definition>,
    pub(crate) schema_version: u32,
    pub(crate) run_id: String,
    pub(crate) started_at: Timestamp,
    pub(crate) window: Option<Window>,
    cancel: Arc<Notify>,
}

impl Ticket {
    pub(crate) fn flow_name(&self) -> &str {
        &self.definition.flow_name
    }
}

/// Why a run ended in an error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct RunFault {
    pub(crate) message: String,
    /// No later run can succeed either: the flow is deactivated at once.
    pub(crate) fatal: bool,
    pub(crate) counts: Counts,
}

impl RunFault {
    fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            fatal: false,
            counts: Counts::default(),
        }
    }
}

/// What a run without an error moved.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Moved {
    pub(crate) counts: Counts,
    /// What the destination said about a record that was skipped.
    pub(crate) warning: Option<String>,
}

impl From<ConnectorFault> for RunFault {
    fn from(fault: ConnectorFault) -> Self {
        Self {
            fatal: matches!(fault, ConnectorFault::Revoked(_)),
            ..Self::new(fault.message())
        }
    }
}

impl From<DatasetDropped> for RunFault {
    fn from(dropped: DatasetDropped) -> Self {
        Self::new(dropped.to_string())
    }
}

/// Records a new run of a flow.
pub(crate) fn open(flow: &mut Flow, home: &Home, now: Timestamp, window: Option<Window>) -> Ticket {
    let ticket = Ticket {
        window,
        ..outside(flow, home, now)
    };
    flow.runs.push_back(Run {
        id: ticket.run_id.clone(),
        status: RunStatus::InProgress,
        started_at: now,
        updated_at: now,
        window,
        counts: Counts::default(),
        message: None,
        cancel: Arc::clone(&ticket.cancel),
    });
    flow.metrics.executions_started += 1;
    ticket
}

/// What an event flow writes with: events make no runs and no records of them.
pub(crate) fn outside(flow: &Flow, home: &Home, now: Timestamp) -> Ticket {
    Ticket {
        home: home.clone(),
        flow_arn: flow.arn.clone(),
        created_by: flow.created_by.clone(),
        flow_made_at: flow.created_at,
        event_id: flow.event_id.clone(),
        definition: Arc::clone(&flow.definition),
        schema_version: flow.schema_version,
        run_id: uuid::Uuid::new_v4().to_string(),
        started_at: now,
        window: None,
        cancel: Arc::default(),
    }
}

/// Counts a run as open until dropped, however its task ends.
struct Running(watch::Sender<usize>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

/// Carries the run out in the background.
pub(crate) fn launch(inner: &Arc<Inner>, ticket: Ticket) {
    inner.running.send_modify(|count| *count += 1);
    let running = Running(inner.running.clone());
    let inner = Arc::clone(inner);
    tokio::spawn(async move {
        let _running = running;
        tell_metrics(&inner, &ticket, &[("FlowExecutionsStarted", 1)]);
        event::started(&inner, &ticket).await;
        let outcome = tokio::select! {
            biased;
            () = ticket.cancel.notified() => None,
            outcome = execute(&inner, &ticket) => Some(outcome),
        };
        finish(&inner, &ticket, outcome).await;
    });
}

async fn execute(inner: &Inner, ticket: &Ticket) -> Result<Moved, RunFault> {
    inner.gate.passed().await;
    let input = read::read(inner, ticket).await?;
    write::write(inner, ticket, input).await
}

/// Writes the run's end down first, then tells it, so that nobody who hears of it sees it open.
async fn finish(inner: &Inner, ticket: &Ticket, outcome: Option<Result<Moved, RunFault>>) {
    let now = inner.now();
    let ending = Ending::of(outcome, now);
    let deactivated = inner.with(&ticket.home, |state| {
        let flow = state.flows.get_mut(ticket.flow_name())?;
        let run = flow.run_mut(&ticket.run_id)?;
        run.status = if run.status == RunStatus::CancelStarted {
            RunStatus::Canceled
        } else {
            ending.status
        };
        run.counts = ending.counts;
        run.message.clone_from(&ending.message);
        run.updated_at = now;
        let status = run.status;
        count(flow, ticket, &ending, now);
        match status {
            RunStatus::Successful => {
                flow.failures_in_a_row = 0;
                flow.last_success = Some(ticket.started_at);
                None
            }
            RunStatus::Error => {
                flow.failures_in_a_row += 1;
                let scheduled = ticket.definition.trigger_config.trigger_type;
                (scheduled == TriggerType::Scheduled)
                    .then(|| scheduler::deactivate(flow, ending.fatal))
                    .flatten()
            }
            RunStatus::InProgress | RunStatus::CancelStarted | RunStatus::Canceled => None,
        }
    });
    let took = now.duration_since(ticket.started_at).as_millis();
    let took = u64::try_from(took).unwrap_or_default();
    let end = match ending.status {
        RunStatus::Successful => Some(("FlowExecutionsSucceeded", 1)),
        RunStatus::Error => Some(("FlowExecutionsFailed", 1)),
        RunStatus::InProgress | RunStatus::CancelStarted | RunStatus::Canceled => None,
    };
    let ran = [
        ("FlowExecutionTime", took),
        ("FlowExecutionRecordsProcessed", ending.counts.records),
    ];
    tell_metrics(inner, ticket, &ran);
    tell_metrics(inner, ticket, end.as_slice());
    event::ended(inner, ticket, &ending).await;
    if let Some(reason) = deactivated {
        event::deactivated(inner, ticket, &reason, now).await;
    }
}

/// What CloudWatch counts of the flow, in the account's own metrics.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a run and its milliseconds fit into a double"
)]
pub(crate) fn tell_metrics(inner: &Inner, ticket: &Ticket, metrics: &[(&str, u64)]) {
    for (metric, value) in metrics {
        let (account, flow) = (&ticket.home.account, ticket.flow_name());
        inner
            .services
            .put_metric(account, flow, metric, *value as f64);
    }
}

fn count(flow: &mut Flow, ticket: &Ticket, ending: &Ending, now: Timestamp) {
    let metrics = &mut flow.metrics;
    match ending.status {
        RunStatus::Successful => metrics.executions_succeeded += 1,
        RunStatus::Error => metrics.executions_failed += 1,
        RunStatus::InProgress | RunStatus::CancelStarted | RunStatus::Canceled => {}
    }
    metrics.records_processed += ending.counts.records;
    let took = now.duration_since(ticket.started_at).as_millis();
    metrics.execution_millis += u64::try_from(took).unwrap_or_default();
}
