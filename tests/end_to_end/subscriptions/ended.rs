//! Subscriptions that end: deleted, ended at SNS, with their tenant.

use std::time::Duration;

use http::Method;
use sandbox_core::CUSTOMER_ACCOUNT;
use serde_json::{Value, json};

use super::world::{confirmed_queue, delete, published, subscribe, take};
use crate::{common, flows::world::World};

/// Whether SNS was asked to end a subscription, and did.
fn ended_at_topic(world: &World) -> bool {
    let entries = world.sandbox.journal.entries();
    entries.iter().any(|entry| {
        entry.service == "sns" && entry.operation == "Unsubscribe" && entry.status == 200
    })
}

/// A deleted subscription gets nothing any more.
#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_subscription_gets_nothing_any_more() {
    let world = World::without_schedules().await;
    let (sandbox, api) = (&world.sandbox, world.api());
    let (made, queue) = confirmed_queue(sandbox, api, CUSTOMER_ACCOUNT, "q", &json!({})).await;
    assert_eq!(delete(api, &made).await.status, 204);
    let flow = world.create(&world.flow()).await;
    world.run(&flow).await;
    world.settled().await;
    published(sandbox).await;
    assert_eq!(take(sandbox, &queue).await, Vec::<Value>::new());
}

/// O11: with the tenant its subscriptions end, at the topic too.
#[tokio::test(flavor = "multi_thread")]
async fn o11_with_the_tenant_its_subscriptions_end() {
    let world = World::without_schedules().await;
    let (sandbox, api) = (&world.sandbox, world.api());
    confirmed_queue(sandbox, api, CUSTOMER_ACCOUNT, "q", &json!({})).await;
    let url = json!({ "kind": "https", "url": "https://hooks.customer.example/x" });
    subscribe(api, &url).await;
    let operator = sandbox.operator().await.unwrap();
    let path = format!("/v1/tenants/{}", world.tenant.id);
    let leaving = operator.call(Method::DELETE, &path, None, &[]).await;
    assert!(leaving.unwrap().status.is_success());
    let ended = common::eventually("the end of the tenant", || async {
        sandbox.clock.advance(Duration::from_mins(2));
        assert!(sandbox.schedules.fire("tributary-watch").await);
        sandbox.runtime.settled().await;
        let shown = operator.get(&format!("{path}/offboarding")).await.unwrap();
        let shown = shown.expect(200).unwrap();
        shown["finishedAt"].is_string().then_some(shown)
    })
    .await;
    assert!(ended.to_string().contains("\"subscription\""), "{ended}");
    assert!(ended_at_topic(&world));
    let items = serde_json::to_string(&sandbox.table_items().await).unwrap();
    assert!(!items.contains("SUBTARGET#"), "a target is held still");
}
