//! Processes that end in the middle of their work: no run is lost, none is told of twice.

use std::collections::BTreeMap;

use sandbox_core::Fault;
use sandbox_delivery::Mischief;
use sandbox_gateway::runtime::KillAt;
use serde_json::{Value, json};

use super::start::executions;
use crate::{
    common,
    flows::world::{World, path},
};

/// Each event that subscribers got came once, and every run was told to have completed.
async fn told_once(world: &World, runs: &[Value]) {
    world.settled().await;
    let all = world.sandbox.notifications().await;
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for id in all.iter().filter_map(|event| event["id"].as_str()) {
        *times.entry(id).or_default() += 1;
    }
    assert!(
        times.values().all(|times| *times == 1),
        "told twice: {all:?}"
    );
    for run in runs {
        let completed = |event: &&Value| {
            event["subject"] == run["id"] && event["type"] == "tributary.run.completed"
        };
        assert_eq!(all.iter().filter(completed).count(), 1, "{run}: {all:?}");
    }
}

/// The function that works on events dies before and after its work, at the start and at the end
/// of a run.
#[tokio::test(flavor = "multi_thread")]
async fn u3_a_process_killed_during_an_event_loses_no_run_and_tells_none_twice() {
    let world = World::without_schedules().await;
    let flow = world.create(&world.flow()).await;
    let mut runs = Vec::new();
    for kill_at in [KillAt::Receipt, KillAt::Answer] {
        for is_start_lost in [false, true] {
            if is_start_lost {
                // Then the next invocation is the one about the end.
                world.sandbox.events.set_event_mischief(Mischief::Lose, 1);
            }
            let before = world.sandbox.runtime.counters("RunEventsFunction");
            assert!(
                world
                    .sandbox
                    .runtime
                    .kill_during_next_invocation("RunEventsFunction", kill_at)
            );
            runs.push(world.run(&flow).await);
            world.settled().await;
            let after = world.sandbox.runtime.counters("RunEventsFunction");
            assert_eq!(
                after.failures,
                before.failures + 1,
                "nobody was killed at {kill_at:?}"
            );
        }
    }
    assert_eq!(world.runs(&flow).await.len(), runs.len());
    told_once(&world, &runs).await;
    common::no_leaks(&world.sandbox).await;
}

/// The reconciliation dies before and after it found a lost end.
#[tokio::test(flavor = "multi_thread")]
async fn u2_a_process_killed_while_it_reconciles_loses_no_run_and_tells_none_twice() {
    let world = World::without_schedules().await;
    let flow = world.create(&world.flow()).await;
    let mut runs = Vec::new();
    for kill_at in [KillAt::Receipt, KillAt::Answer] {
        world.sandbox.events.set_event_mischief(Mischief::Lose, 2);
        let run = world.start(&flow).await;
        world.settled().await;
        world
            .sandbox
            .clock
            .advance(std::time::Duration::from_mins(5));
        assert!(
            world
                .sandbox
                .runtime
                .kill_during_next_invocation("RunEventsFunction", kill_at)
        );
        world.sandbox.schedules.fire("tributary-reconcile").await;
        let run = world.ended(&flow, &run).await;
        assert_eq!(run["status"], "completed", "{run}");
        runs.push(run);
    }
    told_once(&world, &runs).await;
    common::no_leaks(&world.sandbox).await;
}

/// U4: the API's process dies before and after it started a run: the same request again finds the
/// one run.
#[tokio::test(flavor = "multi_thread")]
async fn u4_a_process_killed_during_a_start_starts_one_run() {
    let world = World::without_schedules().await;
    let flow = world.create(&world.flow()).await;
    let start = format!("{}/start", path(&flow));
    let mut runs = Vec::new();
    for kill_at in [KillAt::Receipt, KillAt::Answer] {
        let key = format!("{kill_at:?}");
        assert!(
            world
                .sandbox
                .runtime
                .kill_during_next_invocation("FlowsFunction", kill_at)
        );
        let lost = world.post_once(&start, &json!({}), &key).await;
        assert_eq!(lost.status.as_u16(), 500, "{lost:?}");
        let started = world
            .post_once(&start, &json!({}), &key)
            .await
            .expect(202)
            .unwrap();
        runs.push(world.ended(&flow, started["runId"].as_str().unwrap()).await);
        assert_eq!(
            executions(&world, &flow).await.len(),
            runs.len(),
            "{kill_at:?}"
        );
    }
    assert_eq!(world.runs(&flow).await.len(), runs.len());
    told_once(&world, &runs).await;
    common::no_leaks(&world.sandbox).await;
}

/// U4: the API's process dies after AppFlow began the run and before anything was written down:
/// the run's own events record it, and the same request again finds it.
#[tokio::test(flavor = "multi_thread")]
async fn u4_a_process_killed_between_appflow_and_the_table_loses_no_run() {
    let world = World::without_schedules().await;
    let flow = world.create(&world.flow()).await;
    let start = format!("{}/start", path(&flow));
    // The answer waits while the process that wants it is killed.
    world.appflow_fault("start-flow", Fault::Delay(4_500), 1);
    let body = json!({});
    let kill = async {
        common::eventually("the run in AppFlow", || async {
            (executions(&world, &flow).await.len() == 1).then_some(())
        })
        .await;
        assert!(world.sandbox.runtime.kill_now("FlowsFunction") > 0);
    };
    let (lost, ()) = tokio::join!(world.post_once(&start, &body, "now"), kill);
    assert_eq!(lost.status.as_u16(), 500, "{lost:?}");
    let runs = world.ended_runs(&flow, 1).await;

    // The key is held for the dead process until its limit has passed.
    let started = common::eventually("the same request's answer", || async {
        let answer = world.post_once(&start, &body, "now").await;
        if answer.status.as_u16() == 409 {
            assert_eq!(answer.code(), "request_in_progress");
            return None;
        }
        Some(answer.expect(202).unwrap())
    })
    .await;
    assert_eq!(started["runId"], runs[0]["id"]);
    assert_eq!(executions(&world, &flow).await.len(), 1);
    assert_eq!(world.runs(&flow).await.len(), 1);
    told_once(&world, &runs).await;
    common::no_leaks(&world.sandbox).await;
}
