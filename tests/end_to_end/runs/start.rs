//! Starting a run once.

use sandbox_core::CUSTOMER_ACCOUNT;
use serde_json::{Value, json};

use crate::{
    common,
    flows::world::{World, path},
};

/// AppFlow's own records of a flow's runs.
pub(super) async fn executions(world: &World, flow: &Value) -> Vec<Value> {
    let request = json!({ "flowName": flow["appflowName"] });
    let mut records = world
        .appflow(
            CUSTOMER_ACCOUNT,
            "/describe-flow-execution-records",
            &request,
        )
        .await
        .unwrap();
    serde_json::from_value(records["flowExecutions"].take()).unwrap()
}

/// U4: two starts at the same moment with one key are one run; another key is another run.
#[tokio::test(flavor = "multi_thread")]
async fn u4_one_key_starts_one_run() {
    let world = World::new().await;
    let flow = world.create(&world.flow()).await;
    let start = format!("{}/start", path(&flow));
    let body = json!({});
    let both = tokio::join!(
        world.post_once(&start, &body, "now"),
        world.post_once(&start, &body, "now")
    );
    let mut runs = Vec::new();
    for answer in [both.0, both.1] {
        match answer.status.as_u16() {
            202 => runs.push(answer.body["runId"].clone()),
            // The other one is at it; asked again, the answer is its answer.
            409 => assert_eq!(answer.code(), "request_in_progress"),
            _ => panic!("{answer:?}"),
        }
    }
    let replayed = world
        .post_once(&start, &body, "now")
        .await
        .expect(202)
        .unwrap();
    assert!(
        !runs.is_empty() && runs.iter().all(|run| *run == replayed["runId"]),
        "{runs:?} {replayed}"
    );
    world
        .ended(&flow, replayed["runId"].as_str().unwrap())
        .await;
    world.settled().await;
    assert_eq!(executions(&world, &flow).await.len(), 1);
    assert_eq!(world.runs(&flow).await.len(), 1);

    let second = world
        .post_once(&start, &body, "later")
        .await
        .expect(202)
        .unwrap();
    assert_ne!(second["runId"], replayed["runId"]);
    world.ended(&flow, second["runId"].as_str().unwrap()).await;
    assert_eq!(executions(&world, &flow).await.len(), 2);
    common::no_leaks(&world.sandbox).await;
}
