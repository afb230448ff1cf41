use std::collections::BTreeMap;

use proptest::prelude::*;
use tributary::id::{FlowId, TenantId};

use super::*;
use crate::failure::classify;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn started() -> News {
    News {
        status: RunStatus::Running,
        at: at(100),
        facts: Facts {
            started_at: Some(at(100)),
            ..Facts::default()
        },
    }
}

fn ended(status: RunStatus) -> News {
    News {
        status,
        at: at(200),
        facts: Facts {
            trigger: None,
            started_at: Some(at(100)),
            ended_at: Some(at(200)),
            records_processed: Some(7),
            records_failed: Some(0),
            bytes_processed: Some(70),
            failure: (status == RunStatus::Failed).then(|| classify(Some("Rate exceeded"))),
        },
    }
}

fn owner() -> RunOwner {
    RunOwner {
        tenant_id: TenantId::new(),
        flow_id: FlowId::new(),
    }
}

/// The table in memory: one run, and the notifications that were decided.
#[derive(Debug, Default)]
struct Model {
    run: Option<Run>,
    decided: BTreeMap<&'static str, usize>,
}

impl Model {
    fn tell(&mut self, news: &News) {
        let (run, is_notified) = match (decide(self.run.as_ref(), news), self.run.take()) {
            (Decision::Open { status, facts }, None) => {
                (opened(owner(), "e-1", status, &facts, at(300)), true)
            }
            (Decision::Advance { to, facts }, Some(run)) => {
                assert!(run.status.may_become(to), "{} became {to}", run.status);
                (advanced(run, to, &facts, at(300)), true)
            }
            (Decision::Enrich { facts }, Some(mut run)) => {
                facts.add_to(&mut run);
                (run, false)
            }
            (Decision::Nothing, Some(run)) => (run, false),
            (decision, run) => panic!("{decision:?} for {run:?}"),
        };
        if is_notified {
            *self
                .decided
                .entry(notified_fact(run.id, run.status).1)
                .or_default() += 1;
        }
        self.run = Some(run);
    }

    /// `flows` writes the run that it asked for, unless an event was faster.
    fn ask_for(&mut self) {
        if self.run.is_none() {
            let owner = owner();
            self.run = Some(Run::queued(owner.tenant_id, owner.flow_id, "e-1", at(99)));
        }
    }
}

/// What is the same however the news came.
fn outcome(run: &Run) -> (RunStatus, Facts, Option<bool>, Option<i64>) {
    let facts = Facts {
        trigger: None,
        started_at: run.started_at,
        ended_at: run.ended_at,
        records_processed: run.records_processed,
        records_failed: run.records_failed,
        bytes_processed: run.bytes_processed,
        failure: None,
    };
    (run.status, facts, run.retryable, run.due_at)
}

#[derive(Debug, Clone, Copy)]
enum Step {
    AskFor,
    Start,
    End,
    ReconcileWhileRunning,
    ReconcileAfterwards,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        Just(Step::AskFor),
        Just(Step::Start),
        Just(Step::End),
        Just(Step::ReconcileWhileRunning),
        Just(Step::ReconcileAfterwards),
    ];
    proptest::collection::vec(step, 0..12)
}

proptest! {
    /// U1, U2, U3: events lost, repeated and in any order, with reconciliation in between and once at
    /// the end, come to one state, and each transition is notified once.
    #[test]
    fn every_order_of_news_ends_in_the_same_state_and_notifies_each_transition_once(
        steps in steps(),
        end in prop_oneof![
            Just(RunStatus::Completed),
            Just(RunStatus::Failed),
            Just(RunStatus::Cancelled)
        ],
    ) {
        let mut model = Model::default();
        for step in steps {
            match step {
                Step::AskFor => model.ask_for(),
                // A record and an event tell the same.
                Step::Start | Step::ReconcileWhileRunning => model.tell(&started()),
                Step::End | Step::ReconcileAfterwards => model.tell(&ended(end)),
            }
        }
        let was_open = model.run.as_ref().is_none_or(|run| !run.status.is_final());
        if was_open {
            model.tell(&ended(end));
        }
        let mut straight = Model::default();
        straight.tell(&started());
        straight.tell(&ended(end));
        let (run, expected) = (model.run.unwrap(), straight.run.unwrap());
        prop_assert_eq!(outcome(&run), outcome(&expected));
        prop_assert_eq!(&run.cause, &expected.cause);
        prop_assert_eq!(&run.due_shard, &None);
        let end = notified_fact(run.id, end).1;
        prop_assert_eq!(model.decided.get(end), Some(&1));
        prop_assert!(model.decided.get("started").is_none_or(|times| *times == 1));
        prop_assert!(model.decided.keys().all(|fact| *fact == end || *fact == "started"));
    }

    /// U1: whatever is told after an end, the end stands and nothing more is notified.
    #[test]
    fn the_first_end_is_the_end(others in proptest::collection::vec(0_usize..4, 0..8)) {
        let mut model = Model::default();
        model.tell(&ended(RunStatus::Failed));
        let first = model.run.clone();
        for other in others {
            let statuses = [RunStatus::Completed, RunStatus::Failed, RunStatus::Cancelled];
            match statuses.get(other) {
                Some(status) => model.tell(&ended(*status)),
                None => model.tell(&started()),
            }
        }
        prop_assert_eq!(model.run, first);
        prop_assert_eq!(model.decided, BTreeMap::from([("failed", 1)]));
    }
}

#[test]
fn an_end_before_its_start_is_one_notification_and_the_start_adds_its_time() {
    let mut model = Model::default();
    let mut end = ended(RunStatus::Completed);
    end.facts.started_at = None;
    model.tell(&end);
    assert_eq!(model.run.as_ref().unwrap().started_at, None);
    model.tell(&started());
    let run = model.run.unwrap();
    assert_eq!(
        (run.status, run.started_at),
        (RunStatus::Completed, Some(at(100)))
    );
    assert_eq!(model.decided, BTreeMap::from([("completed", 1)]));
}

#[test]
fn u3_three_ends_are_one_notification() {
    let mut model = Model::default();
    model.ask_for();
    for _ in 0..3 {
        model.tell(&ended(RunStatus::Completed));
    }
    assert_eq!(model.decided, BTreeMap::from([("completed", 1)]));
}

#[test]
fn news_of_another_end_adds_nothing_to_the_first() {
    let mut run = opened(
        owner(),
        "e-1",
        RunStatus::Failed,
        &Facts::default(),
        at(300),
    );
    run.records_processed = None;
    assert_eq!(
        decide(Some(&run), &ended(RunStatus::Completed)),
        Decision::Nothing
    );
}

#[test]
fn an_open_run_is_due_and_a_finished_one_is_not() {
    let run = opened(
        owner(),
        "e-1",
        RunStatus::Running,
        &Facts::default(),
        at(300),
    );
    assert_eq!(run.due_shard.as_deref(), Some(RUN_SHARD));
    assert!(run.due_at.is_some_and(|due| due > at(300).as_millisecond()));
    let run = advanced(run, RunStatus::Completed, &Facts::default(), at(400));
    assert_eq!((run.due_shard, run.due_at), (None, None));
}

#[test]
fn what_made_a_run_begin_is_added_whenever_it_is_told() {
    let run = opened(
        owner(),
        "e-1",
        RunStatus::Completed,
        &ended(RunStatus::Completed).facts,
        at(300),
    );
    let mut late = started();
    late.facts.trigger = Some(RunTrigger::Event);
    let Decision::Enrich { facts } = decide(Some(&run), &late) else {
        panic!("nothing is added")
    };
    assert_eq!(facts.trigger, Some(RunTrigger::Event));
}
