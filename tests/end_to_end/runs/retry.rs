//! Repeating runs.

use sandbox_core::Fault;
use serde_json::{Value, json};

use super::start::executions;
use crate::{
    common,
    flows::world::{World, path},
};

/// A run that failed because the application was out of order, which it is no more.
async fn failed_run(world: &World, flow: &Value) -> Value {
    world.sandbox.faults.add(sandbox_core::FaultRule {
        service: "salesforce".to_owned(),
        operation: "/query".to_owned(),
        fault: Fault::Status {
            status: 503,
            retry_after: None,
            body: "[]".to_owned(),
        },
        times: 100,
    });
    let run = world.start(flow).await;
    let run = world.ended(flow, &run).await;
    assert_eq!(run["status"], "failed", "{run}");
    world.sandbox.faults.clear();
    run
}

fn retry_of(flow: &Value, run: &Value) -> String {
    format!("{}/runs/{}/retry", path(flow), run["id"].as_str().unwrap())
}

/// U6: a retry is a new run, the two name each other, and what subscribers get says so too.
/// U4 holds for it as for a start.
#[tokio::test(flavor = "multi_thread")]
async fn u6_a_retry_is_a_run_that_names_the_one_that_failed() {
    let world = World::without_schedules().await;
    let flow = world.create(&world.flow()).await;
    let failed = failed_run(&world, &flow).await;
    assert_eq!(failed["trigger"], "on_demand", "{failed}");
    let again = retry_of(&flow, &failed);
    let body = json!({});
    let both = tokio::join!(
        world.post_once(&again, &body, "again"),
        world.post_once(&again, &body, "again")
    );
    for answer in [both.0, both.1] {
        let status = answer.status.as_u16();
        assert!(
            status == 202 || answer.code() == "request_in_progress",
            "{answer:?}"
        );
    }
    let answer = world.post_once(&again, &body, "again").await;
    let started = answer.expect(202).unwrap();
    let run = world.ended(&flow, started["runId"].as_str().unwrap()).await;
    assert_eq!(run["status"], "completed", "{run}");
    assert_eq!(run["retryOf"], failed["id"]);
    world.settled().await;
    let first = world.shown_run(&flow, failed["id"].as_str().unwrap()).await;
    assert_eq!(first["retriedBy"], run["id"]);
    assert_eq!(first["status"], "failed");
    assert_eq!(executions(&world, &flow).await.len(), 2);
    let told = world.told_of(&run["id"]).await;
    let ends = |event: &&Value| event["type"] == "tributary.run.completed";
    let end = told.iter().find(ends).unwrap();
    assert_eq!(end["data"]["retryOf"], failed["id"], "{end}");
    common::no_leaks(&world.sandbox).await;
}

/// U6: what succeeded is repeated only if that is said, and what is not over not at all.
#[tokio::test(flavor = "multi_thread")]
async fn u6_a_run_that_succeeded_is_repeated_only_if_forced() {
    let world = World::without_schedules().await;
    let flow = world.create(&world.flow()).await;
    let run = world.run(&flow).await;
    let again = retry_of(&flow, &run);
    let refused = world.api().post(&again, &json!({})).await.unwrap();
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (409, "run_succeeded")
    );
    assert_eq!(executions(&world, &flow).await.len(), 1);

    let force = json!({ "force": true });
    let forced = world.api().post(&again, &force).await.unwrap();
    let forced = forced.expect(202).unwrap();
    let second = world.ended(&flow, forced["runId"].as_str().unwrap()).await;
    assert_eq!(second["retryOf"], run["id"]);

    world.slow_runs(2_000);
    let id = world.start(&flow).await;
    let early = format!("{}/runs/{id}/retry", path(&flow));
    let refused = world.api().post(&early, &force).await.unwrap();
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (409, "run_not_over")
    );
    world.ended(&flow, &id).await;
    common::no_leaks(&world.sandbox).await;
}

/// AppFlow cannot run a scheduled flow in between, which is said.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_a_schedule_cannot_be_repeated() {
    let world = World::without_schedules().await;
    let flow = world.create(&world.scheduled_flow("rate(1 hour)")).await;
    world.act(&flow, "start").await.expect(200).unwrap();
    world
        .sandbox
        .clock
        .advance(std::time::Duration::from_mins(61));
    let run = world.ended_runs(&flow, 1).await.remove(0);
    assert_eq!(run["trigger"], "scheduled", "{run}");
    let again = retry_of(&flow, &run);
    let refused = world.api().post(&again, &json!({ "force": true })).await;
    let refused = refused.unwrap();
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (409, "trigger_not_on_demand")
    );
    common::no_leaks(&world.sandbox).await;
}
