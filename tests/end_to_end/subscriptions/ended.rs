//! Subscriptions that end: deleted, ended at SNS, with their tenant.

use std::time::Duration;

use http::Method;
use sandbox_core::CUSTOMER_ACCOUNT;
use serde_json::{Value, json};

use super::world::{confirmed_queue, delete, published, subscribe, take};
use crate::{common, flows::world::World};

/// Subscriptions of the topic that name a queue or an address.
async fn at_topic(world: &World) -> usize {
    let entries = world.sandbox.journal.entries();
    let ended = entries.iter().filter(|entry| {
        entry.service == "sns" && entry.operation == "Unsubscribe" && entry.status == 200
    });
    ended.count()
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
    assert_eq!(at_topic(&world).await, 1);
    let items = serde_json::to_string(&sandbox.table_items().await).unwrap();
    assert!(!items.contains("SUBTARGET#"), "a target is held still");
}
