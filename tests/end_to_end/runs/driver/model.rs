//! The same histories on a table in memory: the function's reading of events and records and its
//! decisions are the real ones, the transaction, the outbox and its claims are these few lines.

use std::collections::BTreeMap;

use aws_sdk_appflow::{
    primitives::DateTime,
    types::{ErrorInfo, ExecutionRecord, ExecutionResult, ExecutionStatus},
};
use jiff::Timestamp;
use run_events::{
    Decision, Facts, News, decide,
    input::{Input, parse},
    reconcile::news_of,
};
use serde_json::{Value, json};
use tributary::{
    event::event_id,
    id::{FlowId, RunId, TenantId},
    run::{Run, RunStatus},
};

use super::{
    history::{Execution, History, Step},
    oracle::Oracle,
};
use crate::runs::lab::{Moment, Trouble};

/// A flow's name, as events have it.
const FLOW: &str = "tributary-model";
/// The calls of the work on one piece of news, in order.
const CALLS: [Call; 5] = [
    Call::Read,
    Call::Write,
    Call::Claim,
    Call::Publish,
    Call::Delete,
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Read,
    Write,
    Claim,
    Publish,
    Delete,
}

/// The work did not get to its end.
struct Interrupted;

/// A table, a topic, and what may happen at one of the next calls.
#[derive(Debug, Default)]
struct Model {
    runs: BTreeMap<String, Run>,
    /// By the event's id: its type and subject, and whether somebody has claimed it.
    outbox: BTreeMap<String, (Value, bool)>,
    published: Vec<Value>,
    trouble: Option<(Call, Moment)>,
    topic_fails: bool,
    doubled: usize,
}

/// Plays the history of a seed and judges its end; answers how many notifications there were.
pub(super) fn play(seed: u64) -> usize {
    let history = History::of(seed);
    let mut oracle = Oracle::default();
    let mut model = Model::default();
    for step in &history.steps {
        model.step(&history, &mut oracle, step);
    }
    model.tick(&history, &mut oracle, u64::MAX);
    let runs = model.runs.iter().map(|(execution, run)| {
        let run = serde_json::to_value(run).unwrap();
        (execution.clone(), run)
    });
    let judged = oracle.judge(&history, &runs.collect(), &model.published, model.doubled);
    assert_eq!(judged, Ok(()), "seed {seed}: {:#?}", history.steps);
    assert!(model.outbox.is_empty(), "seed {seed}: {:?}", model.outbox);
    model.published.len()
}

impl Model {
    fn step(&mut self, history: &History, oracle: &mut Oracle, step: &Step) {
        match *step {
            Step::AskFor(of) => {
                let id = &history.executions[of].id;
                let queued = || run(id, RunStatus::Queued);
                self.runs.entry(id.clone()).or_insert_with(queued);
                oracle.asked_for(of);
            }
            Step::Event {
                of,
                is_end,
                trouble,
                topic_fails,
                ..
            } => {
                let execution = &history.executions[of];
                let moment = if is_end {
                    execution.end
                } else {
                    execution.start
                };
                oracle.news(of, execution.at(moment).unwrap());
                let Ok(Input::Run { news, .. }) = parse(&execution.event(FLOW, is_end)) else {
                    panic!("an event of a run is none");
                };
                self.harm(trouble, topic_fails);
                self.deliver(&execution.id, &news);
            }
            Step::Tick {
                moment,
                is_throttled,
                trouble,
                topic_fails,
            } => {
                self.harm(trouble, topic_fails);
                if is_throttled {
                    self.publish_left_over();
                } else {
                    self.tick(history, oracle, moment);
                }
            }
        }
        self.harm(None, false);
    }

    fn harm(&mut self, trouble: Option<Trouble>, topic_fails: bool) {
        self.trouble = trouble.map(|trouble| (CALLS[trouble.call % CALLS.len()], trouble.moment));
        self.topic_fails = topic_fails;
    }

    fn tick(&mut self, history: &History, oracle: &mut Oracle, moment: u64) {
        self.publish_left_over();
        let is_asked = history.is_scheduled || self.runs.values().any(|run| !run.status.is_final());
        if is_asked {
            for execution in &history.executions {
                if let Some(news) = record(execution, moment).and_then(|record| news_of(&record)) {
                    self.deliver(&execution.id, &news);
                }
            }
        }
        oracle.looked(history, moment);
        self.publish_left_over();
    }

    /// Works on news as often as it takes, as Lambda would: claims lapse in between.
    fn deliver(&mut self, execution: &str, news: &News) {
        for _ in 0..4 {
            if self.apply(execution, news).is_ok() {
                return;
            }
            self.outbox
                .values_mut()
                .for_each(|(_, is_claimed)| *is_claimed = false);
        }
        panic!("{news:?} failed again and again");
    }

    fn apply(&mut self, execution: &str, news: &News) -> Result<(), Interrupted> {
        let known = self.call(Call::Read, |model| model.runs.get(execution).cloned())?;
        let decision = decide(known.as_ref(), news);
        let mut next = known.unwrap_or_else(|| run(execution, news.status));
        let is_told = match decision {
            Decision::Open { status, facts } | Decision::Advance { to: status, facts } => {
                next.status = status;
                add(&mut next, &facts);
                true
            }
            Decision::Enrich { facts } => {
                add(&mut next, &facts);
                false
            }
            Decision::Nothing => false,
        };
        let (id, message) = message(&next);
        self.call(Call::Write, |model| {
            if is_told {
                model.outbox.insert(id.clone(), (message, false));
            }
            model.runs.insert(execution.to_owned(), next);
        })?;
        self.publish(&id)
    }

    fn publish(&mut self, id: &str) -> Result<(), Interrupted> {
        let claimed = self.call(Call::Claim, |model| {
            let (message, is_claimed) = model.outbox.get_mut(id)?;
            let is_free = !std::mem::replace(is_claimed, true);
            is_free.then(|| message.clone())
        })?;
        let Some(message) = claimed else {
            return Ok(());
        };
        if std::mem::take(&mut self.topic_fails) {
            return Err(Interrupted);
        }
        self.call(Call::Publish, |model| model.published.push(message))?;
        self.call(Call::Delete, |model| drop(model.outbox.remove(id)))
    }

    fn publish_left_over(&mut self) {
        let left: Vec<String> = self.outbox.keys().cloned().collect();
        for id in left {
            while let Some((_, is_claimed)) = self.outbox.get_mut(&id) {
                *is_claimed = false;
                // One that fails is tried again when its claim has lapsed.
                let _ = self.publish(&id);
            }
        }
    }

    /// One call: what is to happen at it happens before its effect or instead of its answer.
    fn call<T>(
        &mut self,
        call: Call,
        effect: impl FnOnce(&mut Self) -> T,
    ) -> Result<T, Interrupted> {
        let hit = self
            .trouble
            .take_if(|(at, _)| *at == call)
            .map(|(_, moment)| moment);
        let is_between = matches!(
            (call, hit),
            (Call::Publish, Some(Moment::After)) | (Call::Delete, Some(Moment::Before))
        );
        self.doubled += usize::from(is_between);
        if hit == Some(Moment::Before) {
            return Err(Interrupted);
        }
        let answer = effect(self);
        if hit == Some(Moment::After) {
            return Err(Interrupted);
        }
        Ok(answer)
    }
}

fn run(execution: &str, status: RunStatus) -> Run {
    let now = Timestamp::now();
    let run = json!({
        "id": RunId::new(), "tenant_id": TenantId::new(), "flow_id": FlowId::new(), "execution_id": execution,
        "status": status, "created_at": now, "updated_at": now,
    });
    serde_json::from_value(run).unwrap()
}

/// Writes what is told, as the update of the stored run does.
fn add(run: &mut Run, facts: &Facts) {
    run.started_at = facts.started_at.or(run.started_at);
    run.ended_at = facts.ended_at.or(run.ended_at);
    run.records_processed = facts.records_processed.or(run.records_processed);
    run.records_failed = facts.records_failed.or(run.records_failed);
    run.bytes_processed = facts.bytes_processed.or(run.bytes_processed);
    run.cause = facts
        .failure
        .as_ref()
        .map(|failure| failure.cause)
        .or(run.cause);
}

fn message(run: &Run) -> (String, Value) {
    let fact = match run.status {
        RunStatus::Queued => "queued",
        RunStatus::Running => "started",
        RunStatus::Completed => "completed",
        RunStatus::Failed => "failed",
        RunStatus::Cancelled => "cancelled",
    };
    let id = event_id(&run.id.to_string(), fact);
    let message = json!({ "id": id, "type": format!("tributary.run.{fact}"), "subject": run.id });
    (id, message)
}

/// AppFlow's record of an execution at a moment, as its client reads it.
fn record(execution: &Execution, moment: u64) -> Option<ExecutionRecord> {
    let record = execution.record(moment)?;
    let at = |name: &str| DateTime::from_secs(record[name].as_i64().unwrap_or_default());
    let number = |name: &str| record["executionResult"][name].as_i64();
    let message = record["executionResult"]["errorInfo"]["executionMessage"].as_str();
    let error = message.map(|words| {
        let info = ErrorInfo::builder().put_failures_count(0);
        info.execution_message(words).build()
    });
    let result = ExecutionResult::builder()
        .set_records_processed(number("recordsProcessed"))
        .set_bytes_processed(number("bytesProcessed"))
        .set_error_info(error)
        .build();
    Some(
        ExecutionRecord::builder()
            .execution_id(&execution.id)
            .execution_status(ExecutionStatus::from(record["executionStatus"].as_str()?))
            .started_at(at("startedAt"))
            .last_updated_at(at("lastUpdatedAt"))
            .execution_result(result)
            .build(),
    )
}
