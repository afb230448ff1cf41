//! Schedules follow the movable clock.

use std::{sync::Arc, time::Duration};

use sandbox_core::{Clock, Journal, VENDOR_ACCOUNT};
use sandbox_delivery::{Schedule, Schedules};
use serde_json::json;

use super::support::MemoryFunctions;

fn schedule(name: &str, expression: &str) -> Schedule {
    Schedule {
        name: name.to_owned(),
        account: VENDOR_ACCOUNT.to_owned(),
        expression: expression.to_owned(),
        function: "TokenRefreshFunction".to_owned(),
        role: None,
        input: json!({ "kind": "tick", "shard": 3, "scheduledTime": "<aws.scheduler.scheduled-time>",
            "key": "<aws.scheduler.schedule-arn>#<aws.scheduler.attempt-number>",
            "execution": "<aws.scheduler.execution-id>" }),
    }
}

struct Fixture {
    clock: Clock,
    schedules: Arc<Schedules>,
    functions: Arc<MemoryFunctions>,
}

fn fixture() -> Fixture {
    let clock = Clock::default();
    let functions = Arc::<MemoryFunctions>::default();
    let schedules = Schedules::new(clock.clone(), Journal::default());
    schedules.connect_functions(functions.clone());
    let schedules = Arc::new(schedules);
    Fixture {
        clock,
        schedules,
        functions,
    }
}

#[tokio::test]
async fn a_schedule_fires_when_the_clock_passes_its_time_and_fills_its_input() {
    let Fixture {
        clock,
        schedules,
        functions,
    } = fixture();
    schedules.add(schedule("tick", "rate(1 minute)")).unwrap();
    let begun = clock.now();
    assert_eq!(schedules.run_due().await, 0);
    clock.advance(Duration::from_secs(61));
    assert_eq!(schedules.run_due().await, 1);
    assert_eq!(
        schedules.run_due().await,
        0,
        "the same time is not due twice"
    );
    let inputs = functions.invoked("TokenRefreshFunction");
    let [input] = inputs.as_slice() else {
        panic!("{inputs:?}")
    };
    assert_eq!(
        (&input["kind"], &input["shard"]),
        (&json!("tick"), &json!(3))
    );
    let time: jiff::Timestamp = input["scheduledTime"].as_str().unwrap().parse().unwrap();
    assert_eq!(time.as_second(), begun.as_second() + 60);
    assert_eq!(
        input["key"],
        "arn:aws:scheduler:us-east-1:111111111111:schedule/default/tick#1"
    );
    assert_eq!(input["execution"].as_str().unwrap().len(), 36);
}

/// R12: what was missed is caught up with one firing, for the latest due time.
#[tokio::test]
async fn a_jump_of_the_clock_is_caught_up_once() {
    let Fixture {
        clock,
        schedules,
        functions,
    } = fixture();
    schedules.add(schedule("tick", "rate(1 minute)")).unwrap();
    let begun = clock.now();
    clock.advance(Duration::from_hours(1));
    assert_eq!(schedules.run_due().await, 1);
    let inputs = functions.invoked("TokenRefreshFunction");
    let time: jiff::Timestamp = inputs[0]["scheduledTime"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(time.as_second(), begun.as_second() + 3600);
}

#[tokio::test]
async fn a_schedule_can_be_fired_by_name_and_removed() {
    let Fixture {
        schedules,
        functions,
        ..
    } = fixture();
    schedules
        .add(schedule("daily", "cron(0 8 * * ? *)"))
        .unwrap();
    assert!(schedules.fire("daily").await);
    assert!(!schedules.fire("other").await);
    assert_eq!(functions.invoked("TokenRefreshFunction").len(), 1);
    assert!(schedules.remove("daily"));
    assert!(!schedules.fire("daily").await);
    assert!(schedules.add(schedule("bad", "every day")).is_err());
}

#[tokio::test]
async fn the_background_loop_follows_the_clock() {
    let Fixture {
        clock,
        schedules,
        functions,
    } = fixture();
    schedules.add(schedule("tick", "rate(1 minute)")).unwrap();
    let watching = schedules.spawn();
    clock.advance(Duration::from_secs(61));
    let fired = async {
        while functions.invoked("TokenRefreshFunction").is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), fired)
        .await
        .unwrap();
    watching.abort();
}

#[tokio::test]
async fn a_schedule_fires_only_what_its_role_may_invoke() {
    let clock = Clock::default();
    let journal = Journal::default();
    let functions = Arc::<MemoryFunctions>::default();
    let schedules = Schedules::new(clock.clone(), journal.clone());
    schedules.connect_functions(functions.clone());
    schedules.connect_roles(Arc::new(|role, action, function| {
        assert_eq!((role, action), ("a-role", "lambda:InvokeFunction"));
        match function {
            "may" => Ok(()),
            _ => Err("not authorized".to_owned()),
        }
    }));
    for function in ["may", "may-not"] {
        schedules
            .add(Schedule {
                role: Some(("a-role".to_owned(), function.to_owned())),
                ..schedule(function, "rate(1 minute)")
            })
            .unwrap();
        assert!(schedules.fire(function).await);
    }
    assert_eq!(functions.invoked("TokenRefreshFunction").len(), 1);
    let refused = journal.entries();
    let refused: Vec<_> = refused.iter().filter(|entry| entry.status == 403).collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].operation, "may-not");
}
