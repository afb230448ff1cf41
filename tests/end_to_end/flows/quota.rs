//! AppFlow's quotas of an AWS account (O9).

use std::collections::BTreeMap;

use sandbox::Options;
use sandbox_core::Fault;
use serde_json::{Value, json};

use super::world::{World, items};
use crate::common;

async fn quota(world: &World) -> Value {
    let path = format!("/v1/accounts/{}", world.account);
    let account = world.api().get(&path).await.unwrap().expect(200).unwrap();
    account["quota"].clone()
}

/// O9: the account shows how much is used, and the operator is told at four fifths.
#[tokio::test(flavor = "multi_thread")]
async fn o9_headroom_is_shown_and_its_end_is_told_beforehand() {
    let limits = BTreeMap::from([("FLOW_QUOTA".to_owned(), "5".to_owned())]);
    let world = World::with(Options {
        run_schedules: false,
        environment: BTreeMap::from([("FlowsFunction".to_owned(), limits)]),
        ..Options::default()
    })
    .await;
    let told = || {
        let log = world.sandbox.logs.text();
        log.matches("nearly used up").count()
    };
    assert_eq!(quota(&world).await, Value::Null);
    for _ in 0..3 {
        world.create(&world.flow()).await;
    }
    world.watched().await;
    let shown = quota(&world).await;
    assert_eq!(shown["flows"], json!({ "used": 3, "limit": 5 }));
    assert_eq!(shown["connections"], json!({ "used": 1, "limit": 100 }));
    assert_eq!(told(), 0);
    world.create(&world.flow()).await;
    world.watched().await;
    assert_eq!(quota(&world).await["flows"]["used"], 4);
    assert!(told() > 0);
    common::no_leaks(&world.sandbox).await;
}

/// O9, F7: a flow beyond the quota is refused with a stable code and leaves nothing behind.
#[tokio::test(flavor = "multi_thread")]
async fn o9_a_flow_beyond_the_quota_leaves_nothing_behind() {
    let world = World::without_schedules().await;
    let before = world.items_of_flows().await;
    let body = json!({ "__type": "ServiceQuotaExceededException", "message": "limit of 1000" });
    let fault = Fault::Status {
        status: 402,
        retry_after: None,
        body: body.to_string(),
    };
    world.appflow_fault("create-flow", fault, 1);
    let refused = world.api().post("/v1/flows", &world.flow()).await.unwrap();
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (409, "quota_exhausted")
    );
    let listed = world.api().get("/v1/flows").await.unwrap();
    assert!(items(listed.expect(200).unwrap()).is_empty());
    assert_eq!(world.items_of_flows().await, before);
    common::no_leaks(&world.sandbox).await;
}
