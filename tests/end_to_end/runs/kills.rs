//! `run-events` dies, or gets no answer, at every single call of its work: nothing is lost, nothing is
//! doubled. One repeat is allowed, and only it: a message that went out whose process died before that
//! was written down comes again under the same id (`docs/ARCHITECTURE.md`).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    events::event,
    lab::{Lab, LabFlow, Moment, Outcome, Trouble, prove},
};
use crate::common;

const EXECUTION: &str = "00000000-0000-4000-8000-00000000d1ed";
/// More calls than any work makes.
const MANY: usize = 60;

/// What the function does when it dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    /// A start of a run that nobody knows.
    Start,
    /// A start of a run that the API asked for.
    StartOfAsked,
    /// An end that comes before its start.
    End,
    /// An end after its start.
    EndAfterStart,
    /// An end on credentials, which also asks for a refresh.
    EndOnCredentials,
    /// An end that waited in the queue of its tenant.
    WaitedEnd,
    /// AppFlow switched the flow off.
    Deactivation,
    /// The reconciliation finds an end that nobody told.
    FoundEnd,
    /// The reconciliation publishes what was decided and not published.
    LeftOver,
}

const ALL: [Work; 9] = [
    Work::Start,
    Work::StartOfAsked,
    Work::End,
    Work::EndAfterStart,
    Work::EndOnCredentials,
    Work::WaitedEnd,
    Work::Deactivation,
    Work::FoundEnd,
    Work::LeftOver,
];

impl Work {
    /// What happened before.
    async fn prepare(self, lab: &Lab, flow: &LabFlow) {
        let records = match self {
            Self::FoundEnd => vec![record("Successful")],
            _ => vec![record("InProgress")],
        };
        lab.records.set(&flow.name, records);
        match self {
            Self::StartOfAsked | Self::FoundEnd => lab.ask_for(flow, EXECUTION).await,
            Self::EndAfterStart => assert_answered(lab, &told(flow, None)).await,
            Self::LeftOver => {
                lab.topic.fail(1);
                let failed = lab
                    .invoke(&told(flow, Some("Execution Successful")), None)
                    .await;
                assert!(matches!(failed, Outcome::Failed(_)), "{failed:?}");
                lab.time_passes().await;
            }
            _ => {}
        }
    }

    /// The event at which it dies.
    fn event(self, flow: &LabFlow) -> Value {
        let end = told(flow, Some("Execution Successful"));
        match self {
            Self::Start | Self::StartOfAsked => told(flow, None),
            Self::End | Self::EndAfterStart => end,
            Self::EndOnCredentials => {
                let mut failed = told(flow, Some("Execution Failed"));
                failed["detail"]["error"] = json!("Error while authenticating to connector");
                failed
            }
            Self::WaitedEnd => {
                let body = end.to_string();
                json!({ "Records": [{ "messageId": "m", "eventSource": "aws:sqs", "body": body }] })
            }
            Self::Deactivation => {
                let mut event = end;
                event["detail-type"] = json!("AppFlow Scheduled Flow Deactivated");
                event["detail"]["deactivation-time"] = json!("2026-08-29T12:55:32.049Z[UTC]");
                event["detail"]["deactivation-reason"] = json!("It failed too often.");
                event
            }
            Self::FoundEnd | Self::LeftOver => Lab::tick(),
        }
    }

    /// Where the run is in the end, and what must have been told.
    const fn expected(self) -> (Option<&'static str>, &'static [&'static str]) {
        const COMPLETED: &str = "tributary.run.completed";
        const STARTED: &str = "tributary.run.started";
        match self {
            Self::Start | Self::StartOfAsked => (Some("running"), &[STARTED]),
            Self::End | Self::WaitedEnd | Self::FoundEnd | Self::LeftOver => {
                (Some("completed"), &[COMPLETED])
            }
            Self::EndAfterStart => (Some("completed"), &[COMPLETED, STARTED]),
            Self::EndOnCredentials => (Some("failed"), &["tributary.run.failed"]),
            Self::Deactivation => (None, &["tributary.flow.deactivated"]),
        }
    }
}

fn told(flow: &LabFlow, status: Option<&str>) -> Value {
    let mut event = event(&json!({ "appflowName": flow.name }), EXECUTION, status);
    event["account"] = json!(sandbox_core::CUSTOMER_ACCOUNT);
    event["time"] = json!("2026-08-29T12:55:33Z");
    event
}

fn record(status: &str) -> Value {
    let now = jiff::Timestamp::now().as_second();
    json!({
        "executionId": EXECUTION, "executionStatus": status, "startedAt": now, "lastUpdatedAt": now,
        "executionResult": { "recordsProcessed": 7, "bytesProcessed": 70 },
    })
}

async fn assert_answered(lab: &Lab, event: &Value) {
    let outcome = lab.invoke(event, None).await;
    let Outcome::Answered(answer) = outcome else {
        panic!("{event}: {outcome:?}");
    };
    let failures = answer["batchItemFailures"].as_array();
    assert!(failures.is_none_or(Vec::is_empty), "{event}: {answer}");
}

/// Dies at one call and recovers as Lambda and the schedule would; the call, if the work has so many.
async fn die(lab: &Lab, work: Work, trouble: Trouble) -> Option<String> {
    let flow = lab.flow().await;
    work.prepare(lab, &flow).await;
    let event = work.event(&flow);
    // A process that has just begun makes every call that there is.
    lab.restart();
    lab.invoke(&event, Some(trouble)).await;
    let call = lab.wire.hit();
    // Lambda tries again, at first while the dead one's claim still stands.
    assert_answered(lab, &event).await;
    lab.time_passes().await;
    assert_answered(lab, &Lab::tick()).await;
    let at = format!("{work:?}, {trouble:?} at {call:?}");
    let (status, types) = work.expected();
    let runs = lab.runs(&flow).await;
    let statuses: Vec<&str> = runs
        .values()
        .filter_map(|run| run["status"].as_str())
        .collect();
    assert_eq!(statuses, Vec::from_iter(status), "{at}");
    let mut by_id: BTreeMap<String, (String, usize)> = BTreeMap::new();
    for message in lab.topic.take() {
        let kind = message["type"].as_str().unwrap().to_owned();
        by_id
            .entry(message["id"].to_string())
            .or_insert((kind, 0))
            .1 += 1;
    }
    let mut kinds: Vec<&str> = by_id.values().map(|(kind, _)| kind.as_str()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, types, "{at}");
    let is_between = match trouble.moment {
        Moment::Before => call.as_deref() == Some("DeleteItem"),
        Moment::After => call.as_deref() == Some("Publish"),
    };
    let again: usize = by_id.values().map(|(_, times)| times - 1).sum();
    assert_eq!(again, usize::from(is_between), "{at}: {by_id:?}");
    let left = lab.outbox().await;
    assert!(left.is_empty(), "{at}: {left:?}");
    lab.forget(&flow).await;
    call
}

/// U3: killed at every call, before and after its effect; and without an answer there.
#[test]
fn u3_run_events_killed_at_every_call_of_its_work_loses_and_doubles_nothing() {
    prove(at_every_call);
}

async fn at_every_call() {
    let lab = Lab::new().await;
    let mut deaths = 0;
    for work in ALL {
        for (moment, is_death) in [
            (Moment::Before, true),
            (Moment::After, true),
            (Moment::Before, false),
            (Moment::After, false),
        ] {
            let mut calls = Vec::new();
            for call in 0..MANY {
                let trouble = Trouble {
                    call,
                    moment,
                    is_death,
                };
                let Some(name) = die(&lab, work, trouble).await else {
                    break;
                };
                calls.push(name);
            }
            println!("{work:?} {moment:?}: {}", calls.join(", "));
            assert!(calls.len() < MANY);
            assert!(
                calls.iter().any(|call| call == "Publish"),
                "{work:?}: {calls:?}"
            );
            deaths += calls.len();
        }
    }
    assert!(deaths > 150, "{deaths}");
    common::no_leaks(&lab.world.sandbox).await;
}
