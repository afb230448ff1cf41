//! A run's status only moves forward, and each step is told once.

use std::time::Duration;

use sandbox_core::CUSTOMER_ACCOUNT;
use sandbox_delivery::Mischief;
use serde_json::{Value, json};

use super::events::event;
use crate::{
    common,
    flows::world::{World, has_ended},
};

mod both {
    use crate::flows::world::in_both_hosting_modes;

    in_both_hosting_modes! {
        u2_a_lost_end_is_found_out_and_told_once;
    }
}

const RECONCILE: &str = "tributary-reconcile";

fn rank(run: &Value) -> usize {
    ["queued", "running", "completed"]
        .iter()
        .position(|status| run["status"] == *status)
        .unwrap()
}

fn of_type<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    let kind = format!("tributary.run.{kind}");
    events
        .iter()
        .filter(|event| event["type"] == kind.as_str())
        .collect()
}

/// U1: as seen through the API, a status never goes back, and what comes late changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn u1_a_status_never_goes_back() {
    let world = World::without_schedules().await;
    let flow = world.create(&world.flow()).await;
    let id = world.start(&flow).await;
    let seen = std::sync::Mutex::new(Vec::new());
    let ended = common::eventually("the run's end", || async {
        let run = world.shown_run(&flow, &id).await;
        seen.lock().unwrap().push(rank(&run));
        has_ended(&run).then_some(run)
    })
    .await;
    assert!(
        seen.into_inner().unwrap().is_sorted(),
        "the status went back"
    );
    world.settled().await;
    let settled = world.shown_run(&flow, &id).await;
    assert_eq!(settled["status"], "completed", "{settled}");

    let execution = ended["executionId"].as_str().unwrap();
    for late in [
        event(&flow, execution, None),
        event(&flow, execution, Some("Execution Failed")),
        event(&flow, execution, Some("Execution Canceled")),
    ] {
        world.sandbox.events.put_event(CUSTOMER_ACCOUNT, late);
    }
    world.settled().await;
    assert_eq!(world.shown_run(&flow, &id).await["status"], "completed");
    assert_eq!(
        world.shown_run(&flow, &id).await["recordsProcessed"],
        settled["recordsProcessed"]
    );
    let told = world.told_of(&json!(id)).await;
    assert_eq!(of_type(&told, "completed").len(), 1, "{told:?}");
    assert!(told.len() <= 2, "{told:?}");
    common::no_leaks(&world.sandbox).await;
}

/// U1: the end overtakes the start: the run is over, and the late start is told to nobody.
#[tokio::test(flavor = "multi_thread")]
async fn u1_an_end_that_overtakes_its_start_is_the_end() {
    let world = World::without_schedules().await;
    let flow = world.create(&world.flow()).await;
    world.sandbox.events.set_event_mischief(Mischief::Lose, 1);
    let run = world.run(&flow).await;
    world.settled().await;
    let execution = run["executionId"].as_str().unwrap();
    world
        .sandbox
        .events
        .put_event(CUSTOMER_ACCOUNT, event(&flow, execution, None));
    world.settled().await;
    let id = run["id"].as_str().unwrap();
    let late = world.shown_run(&flow, id).await;
    assert_eq!(late["status"], "completed");
    assert!(late["startedAt"].is_string(), "{late}");
    assert_eq!(late["recordsProcessed"], run["recordsProcessed"]);
    let told = world.told_of(&run["id"]).await;
    assert_eq!(told.len(), 1, "no start is told after the end: {told:?}");
    assert_eq!(told[0]["type"], "tributary.run.completed");
    common::no_leaks(&world.sandbox).await;
}

/// U1: both events at the same moment, the end first: whichever wins, the run is over and its end
/// is told once.
#[tokio::test(flavor = "multi_thread")]
async fn u1_start_and_end_at_the_same_moment_end_the_run_once() {
    let world = World::without_schedules().await;
    let flow = world.create(&world.flow()).await;
    for _ in 0..3 {
        world
            .sandbox
            .events
            .set_event_mischief(Mischief::Reorder, 1);
        let run = world.run(&flow).await;
        world.settled().await;
        let id = run["id"].as_str().unwrap();
        let settled = world.shown_run(&flow, id).await;
        assert_eq!(settled["status"], "completed", "{settled}");
        let told = world.told_of(&run["id"]).await;
        assert_eq!(of_type(&told, "completed").len(), 1, "{told:?}");
        assert!(of_type(&told, "started").len() <= 1, "{told:?}");
    }
    common::no_leaks(&world.sandbox).await;
}

/// U2: the end is never delivered: the reconciliation finds it out, once, within ten minutes.
async fn u2_a_lost_end_is_found_out_and_told_once(world: World) {
    let flow = world.create(&world.flow()).await;
    world.sandbox.events.set_event_mischief(Mischief::Lose, 2);
    let id = world.start(&flow).await;
    world.settled().await;
    assert_eq!(world.shown_run(&flow, &id).await["status"], "queued");
    assert!(world.told_of(&json!(id)).await.is_empty());

    world.sandbox.clock.advance(Duration::from_mins(5));
    for _ in 0..2 {
        assert!(
            world.sandbox.schedules.fire(RECONCILE).await,
            "no schedule of this name"
        );
        world.settled().await;
    }
    let run = world.shown_run(&flow, &id).await;
    assert_eq!(run["status"], "completed", "{run}");
    assert_eq!(
        run["recordsProcessed"],
        world.sandbox.salesforce.sales().len()
    );
    let told = world.told_of(&run["id"]).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["type"], "tributary.run.completed");

    // The event that was thought lost comes after all.
    let late = event(
        &flow,
        run["executionId"].as_str().unwrap(),
        Some("Execution Successful"),
    );
    world.sandbox.events.put_event(world.aws_account, late);
    world.settled().await;
    assert_eq!(world.told_of(&run["id"]).await.len(), 1);
    assert_eq!(world.runs(&flow).await.len(), 1);
    common::no_leaks(&world.sandbox).await;
}

/// U3: every event comes three times: one history entry, each step told once.
#[tokio::test(flavor = "multi_thread")]
async fn u3_events_that_come_three_times_count_once() {
    let world = World::without_schedules().await;
    let flow = world.create(&world.flow()).await;
    world
        .sandbox
        .events
        .set_event_mischief(Mischief::Duplicate, 2);
    let id = world.start(&flow).await;
    let run = world.ended(&flow, &id).await;
    world.settled().await;
    let execution = run["executionId"].as_str().unwrap();
    world
        .sandbox
        .events
        .put_event(CUSTOMER_ACCOUNT, event(&flow, execution, None));
    world.sandbox.events.put_event(
        CUSTOMER_ACCOUNT,
        event(&flow, execution, Some("Execution Successful")),
    );
    world.settled().await;

    let runs = world.runs(&flow).await;
    assert_eq!(runs.len(), 1, "{runs:?}");
    assert_eq!(
        runs[0]["recordsProcessed"],
        world.sandbox.salesforce.sales().len()
    );
    let told = world.told_of(&run["id"]).await;
    assert_eq!(of_type(&told, "completed").len(), 1, "{told:?}");
    assert!(of_type(&told, "started").len() <= 1, "{told:?}");
    common::no_leaks(&world.sandbox).await;
}

/// A run that somebody started in the AppFlow console has its place in the history too.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_started_in_the_console_is_recorded() {
    let world = World::without_schedules().await;
    let flow = world.create(&world.flow()).await;
    let started = world
        .appflow(
            CUSTOMER_ACCOUNT,
            "/start-flow",
            &json!({ "flowName": flow["appflowName"] }),
        )
        .await
        .unwrap();
    let runs = world.ended_runs(&flow, 1).await;
    assert_eq!(runs[0]["executionId"], started["executionId"]);
    assert_eq!(runs[0]["status"], "completed");
    world.settled().await;
    let told = world.told_of(&runs[0]["id"]).await;
    assert_eq!(of_type(&told, "completed").len(), 1, "{told:?}");
    common::no_leaks(&world.sandbox).await;
}
