//! What a crash leaves half done, without anybody asking again (F7).

use sandbox_core::Fault;
use serde_json::{Value, json};

use super::world::{World, items};
use crate::common;

/// So often a call is tried.
const ATTEMPTS: u32 = 3;

async fn listed(world: &World) -> Vec<Value> {
    let answer = world.api().get("/v1/flows").await.unwrap();
    items(answer.expect(200).unwrap())
}

/// Three ticks: more than the quarter of an hour that a request may still come again.
async fn later(world: &World) {
    for _ in 0..3 {
        world.watched().await;
    }
}

/// F7: AppFlow made the flow, our answer is lost and nobody repeats the request: adopted.
#[tokio::test(flavor = "multi_thread")]
async fn f7_a_flow_that_appflow_has_is_adopted() {
    let world = World::without_schedules().await;
    world.appflow_fault("create-flow", Fault::DropAfter, ATTEMPTS);
    let broken = world.api().post("/v1/flows", &world.flow()).await.unwrap();
    world.sandbox.faults.clear();
    assert_eq!(broken.status.as_u16(), 503, "{broken:?}");
    let flows = listed(&world).await;
    assert_eq!((flows.len(), &flows[0]["state"]), (1, &json!("creating")));
    assert_eq!(world.appflow_flows().await.len(), 1);

    world.watched().await;
    assert_eq!(world.show(&flows[0]).await["state"], "creating", "too soon");
    later(&world).await;
    let adopted = world.show(&flows[0]).await;
    assert_eq!(adopted["state"], "active", "{adopted}");
    assert!(adopted.get("drift").is_none(), "{adopted}");
    world.run(&flows[0]).await;
    common::no_leaks(&world.sandbox).await;
}

/// F7: AppFlow never made it: the record goes.
#[tokio::test(flavor = "multi_thread")]
async fn f7_a_flow_that_appflow_does_not_have_is_removed() {
    let world = World::without_schedules().await;
    world.appflow_fault("create-flow", Fault::DropBefore, ATTEMPTS);
    let broken = world.api().post("/v1/flows", &world.flow()).await.unwrap();
    world.sandbox.faults.clear();
    assert_eq!(broken.status.as_u16(), 503, "{broken:?}");
    assert_eq!(listed(&world).await.len(), 1);
    later(&world).await;
    assert!(listed(&world).await.is_empty());
    assert!(world.appflow_flows().await.is_empty());
    common::no_leaks(&world.sandbox).await;
}

/// F7, F10: a deletion that broke off is carried on.
#[tokio::test(flavor = "multi_thread")]
async fn f7_a_flow_that_was_to_be_deleted_is() {
    let world = World::without_schedules().await;
    let flow = world.create(&world.flow()).await;
    world.appflow_fault("delete-flow", Fault::DropBefore, ATTEMPTS);
    let headers = [("if-match", "*")];
    let path = super::world::path(&flow);
    let broken = world
        .api()
        .call(http::Method::DELETE, &path, None, &headers)
        .await
        .unwrap();
    world.sandbox.faults.clear();
    assert_eq!(broken.status.as_u16(), 503, "{broken:?}");
    assert_eq!(world.show(&flow).await["state"], "deleting");
    later(&world).await;
    assert!(listed(&world).await.is_empty());
    assert!(world.appflow_flows().await.is_empty());
    common::no_leaks(&world.sandbox).await;
}

/// F7: a flow of ours in AppFlow that no record knows is removed if it was never used; what merely
/// looks like ours is left alone.
#[tokio::test(flavor = "multi_thread")]
async fn f7_an_orphan_is_removed_and_nothing_else() {
    let world = World::without_schedules().await;
    let flow = world.create(&world.flow()).await;
    let request = world.api().post("/v1/flows/compile", &world.flow()).await;
    let orphan = request.unwrap().expect(200).unwrap();
    let mut stranger = orphan.clone();
    let id = format!("flw_{}", "0".repeat(32));
    stranger["flowName"] = json!(format!("tributary-{}-{id}", world.tenant.id));
    stranger["tags"] = json!({ "owner": "ana" });
    for made in [&orphan, &stranger] {
        world
            .appflow(world.aws_account, "/create-flow", made)
            .await
            .unwrap();
    }
    world.watched().await;
    assert_eq!(world.appflow_flows().await.len(), 3, "too soon");
    later(&world).await;
    let left = world.appflow_flows().await;
    let name = |flow: &Value, member: &str| flow[member].as_str().unwrap().to_owned();
    assert_eq!(
        left,
        [name(&flow, "appflowName"), name(&stranger, "flowName")].into()
    );
    common::no_leaks(&world.sandbox).await;
}
