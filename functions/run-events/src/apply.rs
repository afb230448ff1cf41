//! News made lasting: the change of the run and the decision to notify are one transaction.

use jiff::Timestamp;
use serde::Serialize;
use tributary::{
    error::Error,
    event::event_id,
    outbox::EntryItem,
    run::{ExecutionPointer, ListedRun, RUN_SHARD, Run, RunStatus},
    store::{Key, StoreError, Update},
    telemetry::{self, Metric},
};

use crate::{
    Decision, Facts, News, TenantEvents,
    after_run::Plan,
    decision::{advanced, decide, notified_fact, opened, with_after_run},
    notification,
    owner::RunOwner,
};

/// How often a decision is made anew because somebody else changed the run meanwhile.
const ATTEMPTS: usize = 5;

/// The items that one transaction writes.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Written {
    Run(Box<Run>),
    Pointer(ExecutionPointer),
    Listed(ListedRun),
    Notification(EntryItem),
}

/// What news does to a run.
struct Change {
    decision: Decision,
    /// What a run that completes does in the warehouse.
    plan: Option<Plan>,
    /// When the fact happened.
    at: Timestamp,
}

impl TenantEvents<'_> {
    /// Applies news to the run of an execution and publishes what was decided.
    ///
    /// A repeat finds nothing to change, and publishes what an earlier attempt decided and did not
    /// get to publish. Subscribers may then see an event twice, under the same id.
    pub(crate) async fn apply(
        &self,
        owner: &RunOwner,
        execution_id: &str,
        news: &News,
    ) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            let run = self.run_of(owner, execution_id).await?;
            let decision = decide(run.as_ref(), news);
            let counted = counted(run.as_ref(), &decision, news);
            let plan = if decision.completes() {
                self.plan(owner).await?
            } else {
                None
            };
            let change = Change {
                decision,
                plan,
                at: news.at,
            };
            match self.change(owner, execution_id, run, change).await {
                Ok(Some(told)) => {
                    telemetry::count(counted);
                    self.outbox.publish(&Key::outbox(&told.event_id)).await?;
                    self.ask_for_refresh(&told.run).await;
                    self.begin_after_run(told.run).await;
                    return Ok(());
                }
                Ok(None) => return Ok(()),
                // Somebody else was faster, or is at it now: look again and decide anew.
                Err(error) if error.is_condition() || is_conflict(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::unavailable(
            "run_contended",
            "the run kept changing while news of it was applied",
        ))
    }

    /// Changes the run as decided, and answers it with the id of the event that its state stands for.
    async fn change(
        &self,
        owner: &RunOwner,
        execution_id: &str,
        run: Option<Run>,
        change: Change,
    ) -> Result<Option<Told>, StoreError> {
        let now = Timestamp::now();
        let Change { decision, plan, at } = change;
        let planned = |run: Run| match &plan {
            Some(plan) => {
                let begun = plan.begin(&run, now);
                with_after_run(run, begun, now)
            }
            None => run,
        };
        match (decision, run) {
            (Decision::Open { status, facts }, _) => {
                let run = planned(opened(*owner, execution_id, status, &facts, now));
                self.open(&run, at).await?;
                Ok(Some(Self::decided(run, "run recorded")))
            }
            (Decision::Advance { to, facts }, Some(run)) => {
                let from = run.status;
                let run = planned(advanced(run, to, &facts, now));
                let told = notification::of(&self.stage, &run, at).items(now);
                self.store
                    .update_and_move(
                        &run_key(&run),
                        step(from, &run, &facts, now),
                        &told
                            .into_iter()
                            .map(|(key, item)| (key, Written::Notification(item)))
                            .chain([(run.place_in(to), Written::Listed(run.listed()))])
                            .collect::<Vec<_>>(),
                        &[run.place_in(from)],
                    )
                    .await?;
                Ok(Some(Self::decided(run, "run advanced")))
            }
            (Decision::Enrich { facts }, Some(run)) => {
                let fill = set_facts(Update::new().set("updated_at", now), &facts);
                let run: Run = self.store.update(&run_key(&run), fill).await?;
                Ok(Some(Told::of(run)))
            }
            (Decision::Nothing, Some(run)) => Ok(Some(Told::of(run))),
            (_, None) => Ok(None),
        }
    }

    fn decided(run: Run, what: &str) -> Told {
        if let Some(after_run) = &run.after_run {
            Self::log_after_run(&run, after_run);
        }
        log(run, what)
    }

    async fn open(&self, run: &Run, at: Timestamp) -> Result<(), StoreError> {
        let told = notification::of(&self.stage, run, at).items(Timestamp::now());
        let pointer = ExecutionPointer { run_id: run.id };
        let pointer_key = Key::execution(run.tenant_id, run.flow_id, &run.execution_id);
        let items: Vec<_> = [
            (pointer_key, Written::Pointer(pointer)),
            (run_key(run), Written::Run(Box::new(run.clone()))),
            (run.place(), Written::Listed(run.listed())),
            (run.place_in(run.status), Written::Listed(run.listed())),
        ]
        .into_iter()
        .chain(
            told.into_iter()
                .map(|(key, item)| (key, Written::Notification(item))),
        )
        .collect();
        self.store.insert_together(&items).await
    }

    async fn run_of(&self, owner: &RunOwner, execution_id: &str) -> Result<Option<Run>, Error> {
        let pointer_key = Key::execution(owner.tenant_id, owner.flow_id, execution_id);
        let Some(pointer) = self.store.get::<ExecutionPointer>(&pointer_key).await? else {
            return Ok(None);
        };
        let key = Key::run(owner.tenant_id, owner.flow_id, pointer.run_id);
        match self.store.get(&key).await? {
            Some(run) => Ok(Some(run)),
            None => Err(Error::internal(
                "run_missing",
                "an execution points to a run that is not there",
            )),
        }
    }
}

/// What a piece of news is counted as.
fn counted(run: Option<&Run>, decision: &Decision, news: &News) -> Metric {
    match (decision, run) {
        (Decision::Open { .. } | Decision::Advance { .. }, _) => Metric::FlowRunObserved,
        (_, Some(run)) if run.status != news.status => Metric::OutOfOrderEvent,
        (Decision::Enrich { .. } | Decision::Nothing, _) => Metric::DuplicateSuppressed,
    }
}

/// Whether another transaction on the same items got in the way.
fn is_conflict(error: &StoreError) -> bool {
    matches!(error, StoreError::Service { refusal, .. }
        if refusal.is("TransactionCanceledException") || refusal.is("TransactionConflictException"))
}

pub(crate) fn run_key(run: &Run) -> Key {
    Key::run(run.tenant_id, run.flow_id, run.id)
}

/// The change that takes a stored run to the state of `run`, if it still is where it was: its place
/// in the lists goes with its status.
fn step(from: RunStatus, run: &Run, facts: &Facts, now: Timestamp) -> Update {
    let update = Update::new()
        .set("status", run.status)
        .set("updated_at", now)
        .set_or_remove("due_shard", run.is_open().then_some(RUN_SHARD))
        .set_or_remove("due_at", run.due_at)
        .when_equal("status", from);
    set_facts(
        set_known(update, "after_run", run.after_run.as_ref()),
        facts,
    )
}

fn set_facts(mut update: Update, facts: &Facts) -> Update {
    let numbers = [
        ("records_processed", facts.records_processed),
        ("records_failed", facts.records_failed),
        ("bytes_processed", facts.bytes_processed),
    ];
    for (name, number) in numbers {
        update = set_known(update, name, number);
    }
    update = set_known(update, "trigger", facts.trigger);
    update = set_known(update, "started_at", facts.started_at);
    update = set_known(update, "ended_at", facts.ended_at);
    if let Some(failure) = &facts.failure {
        update = set_known(update, "cause", facts.cause()).set("retryable", failure.retryable);
        update = set_known(update, "message", failure.message.as_deref());
    }
    update
}

fn set_known<T: Serialize>(update: Update, name: &str, value: Option<T>) -> Update {
    match value {
        Some(value) => update.set(name, value),
        None => update,
    }
}

/// A run, and the id of the event that its state was notified with.
struct Told {
    run: Run,
    event_id: String,
}

impl Told {
    fn of(run: Run) -> Self {
        let (subject, fact) = notified_fact(run.id, run.status);
        Self {
            event_id: event_id(&subject, fact),
            run,
        }
    }
}

fn log(run: Run, what: &str) -> Told {
    if run.status == RunStatus::Failed {
        tracing::warn!(tenant.id = %run.tenant_id, flow.id = %run.flow_id, run.id = %run.id, execution_id = run.execution_id, run.status = %run.status, cause = ?run.cause, "{what}");
    } else {
        tracing::info!(tenant.id = %run.tenant_id, flow.id = %run.flow_id, run.id = %run.id, execution_id = run.execution_id, run.status = %run.status, "{what}");
    }
    Told::of(run)
}
