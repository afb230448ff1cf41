//! What never came: notifications that were decided and not published, runs whose end nobody told,
//! and statements after runs. AppFlow's own records decide (scenario U2), and the Data API.

mod due;
mod flow;
mod records;
mod sweep;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use serde_json::json;
use tributary::{
    error::Error,
    run::{Run, RunStatus},
    store::{StoreError, Update},
    telemetry::{self, Metric},
};

use crate::{RunEvents, TenantEvents, apply::run_key, owner::RunOwner};

pub(crate) use flow::{FlowItem, FlowState};
use records::Asked;
pub use records::{Found, news_of};

/// AppFlow ends runs after 48 hours; then some more for its record.
const LONGEST_RUN: f64 = 49.0 * 3_600.0;
/// Most notifications that one tick publishes.
const MOST_NOTIFICATIONS: usize = 100;
/// Most runs that one tick looks up; the next tick takes the rest, oldest first.
const MOST_RUNS: usize = 200;
/// How long a tick begins to look flows up.
const BEGIN_WITHIN: Duration = Duration::from_secs(20);

impl RunEvents {
    /// Works on everything that is due at a tick's own time, so that a late or doubled tick asks
    /// the same question.
    ///
    /// One flow that cannot be looked up does not keep the others waiting; it is due again soon.
    pub(crate) async fn reconcile(&self, scheduled_time: Timestamp) -> Result<(), Error> {
        // A topic that fails does not keep runs from being found out; it is told at the end.
        let published = self.outbox.publish_left_over(MOST_NOTIFICATIONS).await;
        let due = self.due_runs(scheduled_time, MOST_RUNS).await?;
        let runs_due = due.len();
        let mut flows: BTreeMap<(String, String), (RunOwner, Vec<Run>)> = BTreeMap::new();
        for run in due {
            let owner = RunOwner {
                tenant_id: run.tenant_id,
                flow_id: run.flow_id,
            };
            let flow = (run.tenant_id.to_string(), run.flow_id.to_string());
            flows
                .entry(flow)
                .or_insert_with(|| (owner, Vec::new()))
                .1
                .push(run);
        }
        let mut flows_failed = 0_u32;
        let begun = Instant::now();
        for (owner, runs) in flows.into_values() {
            // Flows whose accounts answer slowly do not take the sweep's time; the rest stays due.
            if begun.elapsed() > BEGIN_WITHIN {
                break;
            }
            if let Err(error) = self.reconcile_flow(&owner, &runs).await {
                flows_failed += 1;
                tracing::warn!(tenant.id = %owner.tenant_id, flow.id = %owner.flow_id, error.code = error.code(), error.chain = error.chain(), "flow could not be reconciled");
            }
        }
        let swept = self.sweep(scheduled_time).await?;
        let notifications_found = published?;
        tracing::info!(
            notifications_found,
            runs_due,
            flows_failed,
            flows_swept = swept.looked,
            sweeps_failed = swept.failed,
            "reconciled"
        );
        Ok(())
    }

    /// Asks about the open runs of one flow and applies what is found.
    async fn reconcile_flow(&self, owner: &RunOwner, runs: &[Run]) -> Result<(), Error> {
        self.within(owner.tenant_id)
            .await?
            .catch_up(owner, runs)
            .await
    }
}

impl TenantEvents<'_> {
    async fn catch_up(&self, owner: &RunOwner, runs: &[Run]) -> Result<(), Error> {
        let (ended, open): (Vec<Run>, Vec<Run>) =
            runs.iter().cloned().partition(|run| run.status.is_final());
        let statements = self.catch_up_after(ended).await;
        if !open.is_empty() {
            self.catch_up_open(owner, &open).await?;
        }
        statements
    }

    /// Goes on with what completed runs do in the warehouse. One that cannot does not keep the others.
    async fn catch_up_after(&self, runs: Vec<Run>) -> Result<(), Error> {
        let mut outcome = Ok(());
        for run in runs {
            match self.look_again_later(&run).await {
                Ok(()) => outcome = outcome.and(self.go_on(run).await),
                Err(error) => outcome = Err(error),
            }
        }
        outcome
    }

    async fn catch_up_open(&self, owner: &RunOwner, runs: &[Run]) -> Result<(), Error> {
        // First, so that a flow which always fails does not hold the front of the index.
        for run in runs {
            self.check_again_later(run).await?;
        }
        let records = match self.flow_of(owner).await? {
            Some(flow) => self.records_of(owner, &flow, &Asked::about(runs)).await?,
            None => Records::gone(),
        };
        let mut outcome = Ok(());
        for record in &records.found {
            // A notification that cannot be published does not keep later runs from being found out.
            if let Err(error) = self.apply(owner, &record.execution_id, &record.news).await {
                outcome = Err(error);
            }
        }
        let now = Timestamp::now();
        for run in runs {
            let is_found = records
                .found
                .iter()
                .any(|found| found.execution_id == run.execution_id);
            if telemetry::seconds_since(run.created_at, now) > LONGEST_RUN {
                telemetry::emit(Metric::FlowRunStuck, 1.0, &[("run_id", json!(run.id))]);
            }
            if let Some(news) = records::unrecorded(run, records.outlook, is_found, now) {
                self.apply(owner, &run.execution_id, &news).await?;
            }
        }
        outcome
    }

    async fn check_again_later(&self, run: &Run) -> Result<(), Error> {
        let later = Update::new()
            .set("due_at", Run::next_check(Timestamp::now()))
            .when_one_of("status", [RunStatus::Queued, RunStatus::Running]);
        match self.store.update::<Run>(&run_key(run), later).await {
            // It ended meanwhile: nothing is due.
            Ok(_) | Err(StoreError::Condition { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// What AppFlow's records of a flow told.
#[derive(Debug)]
pub(crate) struct Records {
    found: Vec<Found>,
    outlook: Outlook,
}

impl Records {
    /// Those of a flow that is not there any more.
    const fn gone() -> Self {
        Self {
            found: Vec::new(),
            outlook: Outlook::FlowIsGone,
        }
    }
}

/// What it means that a run is not among the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outlook {
    /// The records were read as far back as the oldest run that was asked about.
    Complete,
    /// There are more records than were read.
    Partial,
    /// The flow or its account is gone, and its records with it.
    FlowIsGone,
}
