//! AppFlow that breaks off, fails or asks to slow down.

use std::collections::BTreeSet;

use sandbox_core::Fault;
use serde_json::{Value, json};

use super::world::{World, items};
use crate::common;

mod both {
    use crate::flows::world::in_both_hosting_modes;

    in_both_hosting_modes! {
        f7_a_create_that_breaks_off_is_carried_on_by_the_same_request;
        f7_a_flow_that_appflow_refuses_leaves_nothing_behind;
    }
}

/// So often a call is tried; one more request would get through.
const ATTEMPTS: u32 = 3;

/// A refusal as AppFlow writes it.
fn status(status: u16, code: &str) -> Fault {
    Fault::Status {
        status,
        retry_after: None,
        body: json!({ "__type": code, "message": "on demand" }).to_string(),
    }
}

async fn listed(world: &World) -> Vec<Value> {
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

/// F7: whatever became of the first attempt, the request again makes the one flow, and it works.
async fn f7_a_create_that_breaks_off_is_carried_on_by_the_same_request(world: World) {
    let faults = [
        ("made, answer lost", Fault::DropAfter),
        ("made, half an answer", Fault::Truncate),
        ("connection lost before", Fault::DropBefore),
        ("server error", status(500, "InternalServerException")),
    ];
    for (number, (what, fault)) in faults.into_iter().enumerate() {
        let key = format!("create-{number}");
        world.appflow_fault("create-flow", fault, ATTEMPTS);
        let broken = world.post_once("/v1/flows", &world.flow(), &key).await;
        world.sandbox.faults.clear();
        if broken.status.as_u16() != 201 {
            assert!(
                [502, 503].contains(&broken.status.as_u16()),
                "{what}: {broken:?}"
            );
        }
        let known: BTreeSet<String> = listed(&world)
            .await
            .iter()
            .map(|flow| flow["appflowName"].as_str().unwrap().to_owned())
            .collect();
        assert!(
            world.appflow_flows().await.is_subset(&known),
            "{what}: AppFlow has a flow that nobody knows of"
        );
        let flow = world
            .post_once("/v1/flows", &world.flow(), &key)
            .await
            .expect(201)
            .unwrap();
        assert_eq!(flow["state"], "active", "{what}");
        assert_eq!(
            world.appflow_flows().await.len(),
            number + 1,
            "{what}: one AppFlow flow each"
        );
        assert_eq!(
            listed(&world).await.len(),
            number + 1,
            "{what}: one flow each"
        );
        world.run(&flow).await;
    }
    common::no_leaks(&world.sandbox).await;
}

/// F7: a flow that AppFlow refuses leaves nothing behind, here or there.
async fn f7_a_flow_that_appflow_refuses_leaves_nothing_behind(world: World) {
    let items_before = world.items_of_flows().await;
    let mut flow = world.flow();
    flow["destination"]["bucket"] = json!("a-bucket-that-is-not-there");
    let refused = world.api().post("/v1/flows", &flow).await.unwrap();
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (422, "appflow_refused"),
        "{}",
        refused.body
    );
    assert!(world.appflow_flows().await.is_empty());
    assert!(listed(&world).await.is_empty());
    assert_eq!(world.items_of_flows().await, items_before);
    common::no_leaks(&world.sandbox).await;
}
