//! Runs that are cancelled, and flows that are deleted while they run (F10).

use http::Method;
use sandbox::client::Answer;
use serde_json::{Value, json};

use super::world::{World, faults, path};
use crate::common;

mod both {
    use crate::flows::world::in_both_hosting_modes;

    in_both_hosting_modes! {
        /// One run, and all of a flow.
        cancelling;
        /// A flow with a run in progress.
        deleting_a_running_flow;
    }
}

async fn delete(world: &World, flow: &Value, query: &str) -> Answer {
    let path = format!("{}{query}", path(flow));
    let headers = [("if-match", "*")];
    world
        .api()
        .call(Method::DELETE, &path, None, &headers)
        .await
        .unwrap()
}

/// A run ends as cancelled and is told of; one that has ended is not cancellable.
async fn cancelling(world: World) {
    let flow = world.create(&world.flow()).await;
    world.slow_runs(20_000);
    let run = world.start(&flow).await;
    let path = format!("runs/{run}/cancel");
    let asked = world.act(&flow, &path).await.expect(202).unwrap();
    assert_eq!(asked["id"], json!(run));
    let ended = world.ended(&flow, &run).await;
    assert_eq!(ended["status"], "cancelled", "{ended}");
    world.settled().await;
    let told = world.told_of(&ended["id"]).await;
    assert!(
        told.iter()
            .any(|event| event["type"] == "tributary.run.cancelled"),
        "{told:?}"
    );
    let again = world.act(&flow, &path).await;
    assert_eq!(
        (again.status.as_u16(), again.code()),
        (409, "not_cancellable")
    );

    let two = [world.start(&flow).await, world.start(&flow).await];
    let asked = world.act(&flow, "cancel").await.expect(202).unwrap();
    assert_eq!(
        asked["cancelling"].as_array().map(Vec::len),
        Some(2),
        "{asked}"
    );
    for run in &two {
        assert_eq!(world.ended(&flow, run).await["status"], "cancelled");
    }
    let none = world.act(&flow, "cancel").await.expect(202).unwrap();
    assert_eq!(none, json!({ "cancelling": [], "notCancellable": [] }));
    world.sandbox.faults.clear();
    world.run(&flow).await;
    common::no_leaks(&world.sandbox).await;
}

/// Deleting names the runs in progress, or cancels them; then list, describe and quota agree.
async fn deleting_a_running_flow(world: World) {
    let flow = world.create(&world.flow()).await;
    world.slow_runs(20_000);
    let run = world.start(&flow).await;
    for query in ["", "?runs=wait"] {
        let refused = delete(&world, &flow, query).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (409, "running"));
        assert!(faults(&refused.body).contains(&format!("/runs/{run} running")));
    }
    let strange = delete(&world, &flow, "?runs=kill").await;
    assert_eq!(
        (strange.status.as_u16(), strange.code()),
        (400, "malformed_query")
    );
    assert_eq!(world.show(&flow).await["state"], "active");
    let deleted = delete(&world, &flow, "?runs=cancel")
        .await
        .expect(200)
        .unwrap();
    assert_eq!(deleted["cancelledRuns"], json!([run]));
    assert_eq!(
        world.api().get(&path(&flow)).await.unwrap().status.as_u16(),
        404
    );
    assert!(world.appflow_flows().await.is_empty());
    world.sandbox.faults.clear();
    common::no_leaks(&world.sandbox).await;
}
