//! Once, whatever becomes of answers and processes on the way.

use sandbox_core::Fault;
use sandbox_gateway::runtime::KillAt;
use serde_json::{Value, json};

use super::world::{INSERT, Loads};
use crate::{common, flows::world::World};

async fn ready(world: &World) -> (Loads<'_>, Value) {
    let loads = Loads::with_identity(world).await;
    loads.register("note-load", INSERT).await;
    let flow = loads.flow(&json!({ "query": "note-load" })).await;
    (loads, flow)
}

/// Each run is in the table once, and the Data API made one statement for each.
fn once(loads: &Loads<'_>, runs: &[Value]) {
    let mut rows: Vec<Option<String>> = loads
        .rows()
        .into_iter()
        .filter_map(|row| row.into_iter().next())
        .collect();
    let mut expected: Vec<Option<String>> = runs
        .iter()
        .map(|run| run["id"].as_str().map(str::to_owned))
        .collect();
    rows.sort();
    expected.sort();
    assert_eq!(rows, expected);
    assert_eq!(loads.statements().len(), runs.len());
}

fn throttled() -> Fault {
    Fault::Status {
        status: 400,
        retry_after: None,
        body: json!({ "__type": "ThrottlingException", "message": "Rate exceeded" }).to_string(),
    }
}

/// U3: the statement's effect happens and its answer is lost, on every attempt of the call; the
/// warehouse is busy; it fails without a word. The reconciliation goes on, and it runs once.
#[tokio::test(flavor = "multi_thread")]
async fn u3_lost_answers_and_a_busy_warehouse_run_it_once() {
    let world = World::without_schedules().await;
    let (loads, flow) = ready(&world).await;
    let mut runs = Vec::new();
    // The client tries three times.
    for fault in [Fault::DropAfter, throttled(), Fault::DropBefore] {
        loads.fault("ExecuteStatement", fault.clone(), 3);
        let run = world.run(&flow).await;
        world.settled().await;
        let shown = world.shown_run(&flow, run["id"].as_str().unwrap()).await;
        assert_eq!(shown["afterRun"]["state"], "running", "{fault:?}: {shown}");
        loads.reconciled().await;
        let run = loads.after(&flow, &run).await;
        assert_eq!(run["afterRun"]["state"], "finished", "{fault:?}: {run}");
        assert_eq!(run["afterRun"]["rows"], json!(1));
        runs.push(run);
    }
    once(&loads, &runs);
    common::no_leaks(&world.sandbox).await;
}

/// U3: the process dies before and after it works on the event of the run's end.
#[tokio::test(flavor = "multi_thread")]
async fn u3_a_process_killed_around_its_work_loses_no_statement_and_doubles_none() {
    let world = World::without_schedules().await;
    let (loads, flow) = ready(&world).await;
    let mut runs = Vec::new();
    for kill_at in [KillAt::Receipt, KillAt::Answer] {
        // The start is lost, so that the next invocation is the one about the end.
        world
            .sandbox
            .events
            .set_event_mischief(sandbox_delivery::Mischief::Lose, 1);
        assert!(
            world
                .sandbox
                .runtime
                .kill_during_next_invocation("RunEventsFunction", kill_at)
        );
        let run = world.run(&flow).await;
        world.settled().await;
        loads.reconciled().await;
        runs.push(loads.after(&flow, &run).await);
    }
    assert!(
        runs.iter()
            .all(|run| run["afterRun"]["state"] == "finished"),
        "{runs:?}"
    );
    once(&loads, &runs);
    common::no_leaks(&world.sandbox).await;
}

/// U3: the process dies after the warehouse took the statement and before its id was written down.
#[tokio::test(flavor = "multi_thread")]
async fn u3_a_process_killed_between_the_warehouse_and_the_table_runs_it_once() {
    let world = World::without_schedules().await;
    let (loads, flow) = ready(&world).await;
    // The answer waits while the process that wants it is killed.
    loads.fault("ExecuteStatement", Fault::Delay(4_500), 1);
    let run = world.run(&flow).await;
    common::eventually("the statement in the warehouse", || async {
        (loads.rows().len() == 1).then_some(())
    })
    .await;
    assert!(world.sandbox.runtime.kill_now("RunEventsFunction") > 0);
    world.settled().await;
    loads.reconciled().await;
    let run = loads.after(&flow, &run).await;
    assert_eq!(run["afterRun"]["state"], "finished", "{run}");
    once(&loads, &[run]);
    common::no_leaks(&world.sandbox).await;
}

/// U3: every event of AppFlow and of the warehouse comes twice.
#[tokio::test(flavor = "multi_thread")]
async fn u3_doubled_events_run_it_once() {
    let world = World::without_schedules().await;
    let (loads, flow) = ready(&world).await;
    world
        .sandbox
        .events
        .set_event_mischief(sandbox_delivery::Mischief::Duplicate, 3);
    let run = world.run(&flow).await;
    let run = loads.after(&flow, &run).await;
    world.settled().await;
    assert_eq!(run["afterRun"]["state"], "finished", "{run}");
    once(&loads, &[run]);
}
