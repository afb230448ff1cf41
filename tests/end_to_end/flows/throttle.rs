//! AppFlow asks to slow down (F9): waited out, or carried on later, once.

use std::time::Duration;

use http::Method;
use sandbox::client::Answer;
use sandbox_core::Fault;
use serde_json::{Value, json};

use super::world::{World, items, path};
use crate::common;

mod both {
    use crate::flows::world::in_both_hosting_modes;

    in_both_hosting_modes! {
        /// A long throttle.
        a_long_throttle;
    }
}

/// Both forms in which AppFlow throttles.
fn throttled(status: u16) -> Fault {
    Fault::Status {
        status,
        retry_after: None,
        body: json!({ "__type": "ThrottlingException", "message": "Rate exceeded" }).to_string(),
    }
}

fn throttle_all(world: &World, status: u16) {
    for operation in ["create-flow", "update-flow", "delete-flow", "start-flow"] {
        world.appflow_fault(operation, throttled(status), 10_000);
    }
}

/// The operation that a 202 tells of.
async fn operation(world: &World, answer: Answer) -> Value {
    let location = answer.headers["location"].to_str().unwrap().to_owned();
    let told = answer.expect(202).unwrap();
    assert_eq!(
        location,
        format!("/v1/operations/{}", told["operationId"].as_str().unwrap())
    );
    assert_eq!(told["status"], "pending");
    let shown = world
        .api()
        .get(&location)
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    assert_eq!(shown, told);
    shown
}

async fn shown(world: &World, operation: &Value) -> Value {
    let path = format!(
        "/v1/operations/{}",
        operation["operationId"].as_str().unwrap()
    );
    world.api().get(&path).await.unwrap().expect(200).unwrap()
}

async fn flows(world: &World) -> Vec<Value> {
    items(
        world
            .api()
            .get("/v1/flows")
            .await
            .unwrap()
            .expect(200)
            .unwrap(),
    )
}

/// F9: a short throttle, in either form, is waited out within the request.
#[tokio::test(flavor = "multi_thread")]
async fn f9_a_short_throttle_is_waited_out() {
    let world = World::without_schedules().await;
    for status in [429, 400] {
        // More than the SDK's own attempts.
        world.appflow_fault("create-flow", throttled(status), 4);
        let flow = world.create(&world.flow()).await;
        world.appflow_fault("start-flow", throttled(status), 4);
        world.run(&flow).await;
        assert_eq!(world.runs(&flow).await.len(), 1);
    }
    assert_eq!(world.appflow_flows().await.len(), 2);
    common::no_leaks(&world.sandbox).await;
}

/// All four changes are throttled beyond the caller's time, and done once when AppFlow lets them.
async fn a_long_throttle(world: World) {
    let [updated, deleted, started] = [
        world.create(&world.flow()).await,
        world.create(&world.flow()).await,
        world.create(&world.flow()).await,
    ];
    let mut definition = world.flow();
    definition["description"] = json!("Second version");
    throttle_all(&world, 400);
    let api = world.api();
    let headers = [("if-match", "\"1\"")];
    let start = format!("{}/start", path(&started));
    let (updated_path, deleted_path) = (path(&updated), path(&deleted));
    let (made, nothing) = (world.flow(), json!({}));
    let (create, update, delete, run) = tokio::join!(
        world.post_once("/v1/flows", &made, "create"),
        api.call(
            Method::PUT,
            &updated_path,
            Some(definition.to_string()),
            &headers
        ),
        api.call(Method::DELETE, &deleted_path, None, &headers),
        world.post_once(&start, &nothing, "start"),
    );
    let again = world.post_once("/v1/flows", &made, "create").await;
    assert_eq!(again.headers["idempotency-replayed"], "true");
    let create = operation(&world, create).await;
    assert_eq!(again.expect(202).unwrap(), create);
    let update = operation(&world, update.unwrap()).await;
    let delete = operation(&world, delete.unwrap()).await;
    let run = operation(&world, run).await;
    let all = [&create, &update, &delete, &run];

    // Still throttled: everything stays pending, nothing is lost or half visible.
    world.sandbox.clock.advance(Duration::from_mins(1));
    assert!(world.sandbox.schedules.fire("tributary-watch").await);
    world.sandbox.runtime.settled().await;
    for operation in all {
        assert_eq!(shown(&world, operation).await["status"], "pending");
    }
    assert_eq!(world.show(&updated).await["version"], 1);
    assert_eq!(world.show(&deleted).await["state"], "deleting");

    world.sandbox.faults.clear();
    for _ in 0..2 {
        world.sandbox.clock.advance(Duration::from_mins(1));
        let fire = || world.sandbox.schedules.fire("tributary-watch");
        let (one, two) = tokio::join!(fire(), fire());
        assert!(one && two);
        world.sandbox.runtime.settled().await;
    }
    for operation in all {
        let done = shown(&world, operation).await;
        assert_eq!(done["status"], "succeeded", "{done}");
    }
    let resource = shown(&world, &create).await["resource"].clone();
    let made = api
        .get(resource.as_str().unwrap())
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    assert_eq!(made["state"], "active");
    let now = world.show(&updated).await;
    assert_eq!(
        (&now["version"], &now["description"]),
        (&json!(2), &json!("Second version"))
    );
    assert!(shown(&world, &delete).await.get("resource").is_none());
    let resource = shown(&world, &run).await["resource"].clone();
    let run = api
        .get(resource.as_str().unwrap())
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    world.ended(&started, run["id"].as_str().unwrap()).await;
    assert_eq!(world.runs(&started).await.len(), 1, "started once");
    assert_eq!(flows(&world).await.len(), 3);
    assert_eq!(world.appflow_flows().await.len(), 3);
    common::no_leaks(&world.sandbox).await;
}

/// F9, F7: what is throttled for too long fails with the problem, and leaves nothing behind.
#[tokio::test(flavor = "multi_thread")]
async fn f9_a_throttle_without_end_fails_and_leaves_nothing_behind() {
    let world = World::without_schedules().await;
    throttle_all(&world, 429);
    let answer = world.api().post("/v1/flows", &world.flow()).await.unwrap();
    let create = operation(&world, answer).await;
    // I1: another tenant does not know of it.
    let strangers = common::tenant(&world.sandbox, "Boats", &[("alex", "admin")]).await;
    let theirs = format!("/v1/operations/{}", create["operationId"].as_str().unwrap());
    let unknown = strangers.api("alex").get(&theirs).await.unwrap();
    assert_eq!(
        (unknown.status.as_u16(), unknown.code()),
        (404, "not_found")
    );
    assert_eq!(flows(&world).await[0]["state"], "creating");
    world.sandbox.clock.advance(Duration::from_mins(13));
    assert!(world.sandbox.schedules.fire("tributary-watch").await);
    world.sandbox.runtime.settled().await;
    let failed = shown(&world, &create).await;
    assert_eq!(
        (&failed["status"], &failed["problem"]["code"]),
        (&json!("failed"), &json!("aws_throttled")),
        "{failed}"
    );
    assert!(flows(&world).await.is_empty());
    assert!(world.appflow_flows().await.is_empty());
    common::no_leaks(&world.sandbox).await;
}
