//! Runs that take as long as a test wants, and quotas that are reached.

use serde_json::{Value, json};

use super::world::{ACCOUNT, OTHER, World, flow};
use crate::Options;

#[tokio::test]
async fn a_held_run_is_in_progress_until_it_is_released() {
    let world = World::new().await;
    world.connect().await;
    world.ok("create-flow", flow("slow")).await;
    world.appflow.hold_runs();
    world.ok("start-flow", json!({ "flowName": "slow" })).await;
    assert_eq!(world.appflow.runs_in_progress(), 1);
    assert_eq!(
        world.last_run("slow").await["executionStatus"],
        "InProgress"
    );
    assert!(world.salesforce.org().queries.is_empty());
    world.appflow.release_runs();
    world.appflow.settled().await;
    assert_eq!(
        world.last_run("slow").await["executionStatus"],
        "Successful"
    );
    assert_eq!(world.appflow.runs_in_progress(), 0);
}

#[tokio::test]
async fn f10_a_cancelled_run_ends_canceled_writes_nothing_and_is_told() {
    let world = World::new().await;
    world.connect().await;
    world.ok("create-flow", flow("long")).await;
    world.appflow.hold_runs();
    let started = world.ok("start-flow", json!({ "flowName": "long" })).await;
    let cancel = json!({ "flowName": "long", "executionIds": [started["executionId"]] });
    world.ok("cancel-flow-executions", cancel.clone()).await;
    // Nothing has run in between: the test has one thread.
    assert_eq!(
        world.last_run("long").await["executionStatus"],
        "CancelStarted"
    );
    world.appflow.settled().await;
    let record = world.last_run("long").await;
    assert_eq!(record["executionStatus"], "Canceled");
    assert_eq!(record["executionResult"]["bytesWritten"], 0);
    let again = world.ok("cancel-flow-executions", cancel).await;
    assert_eq!(again["invalidExecutions"], json!([started["executionId"]]));
    let ends = world.events("AppFlow End Flow Run Report");
    assert_eq!(ends.len(), 1);
    assert_eq!(ends[0]["detail"]["status"], "Execution Canceled");
    assert!(world.landed().is_empty());
}

#[tokio::test]
async fn concurrent_runs_are_counted_against_the_quota() {
    let world = World::with(Options {
        max_concurrent_runs: 2,
        ..Options::default()
    })
    .await;
    world.connect().await;
    world.ok("create-flow", flow("often")).await;
    world.appflow.hold_runs();
    let start = json!({ "flowName": "often" });
    for _ in 0..2 {
        world.ok("start-flow", start.clone()).await;
    }
    let refused = world.call("start-flow", start.clone()).await;
    assert_eq!(
        (refused.status, refused.exception.as_str()),
        (402, "ServiceQuotaExceededException")
    );
    world.appflow.release_runs();
    world.appflow.settled().await;
    world.ok("start-flow", start).await;
    world.appflow.settled().await;
    let statuses: Vec<Value> = world
        .runs("often")
        .await
        .iter()
        .map(|r| r["executionStatus"].clone())
        .collect();
    assert_eq!(statuses, vec![json!("Successful"); 3]);
}

#[tokio::test]
async fn the_quota_of_flows_is_one_accounts_own() {
    let world = World::new().await;
    world.connect().await;
    world.appflow.set_max_flows(ACCOUNT, "us-east-1", 1);
    world.ok("create-flow", flow("one")).await;
    let refused = world.call("create-flow", flow("two")).await;
    assert_eq!(
        (refused.status, refused.exception.as_str()),
        (402, "ServiceQuotaExceededException")
    );
    // Another account gets as far as its missing profile.
    let other = world.call_as(OTHER, "create-flow", flow("two")).await;
    assert_eq!(other.exception, "ResourceNotFoundException");
    world.ok("delete-flow", json!({ "flowName": "one" })).await;
    world.ok("create-flow", flow("two")).await;
}
