//! The list of flows: filters, pages, and what is not asked of AppFlow; flows started by events.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::world::{World, items};
use crate::common;

async fn list(world: &World, query: &str) -> Value {
    let path = format!("/v1/flows{query}");
    world.api().get(&path).await.unwrap().expect(200).unwrap()
}

fn ids(list: Value) -> Vec<String> {
    let items = items(list);
    let id = |flow: &Value| flow["id"].as_str().unwrap().to_owned();
    items.iter().map(id).collect()
}

/// Flows are listed from our records alone; filters hold across pages.
#[tokio::test(flavor = "multi_thread")]
async fn flows_are_filtered_and_paged_without_asking_appflow() {
    let world = World::without_schedules().await;
    let mut drafts = BTreeSet::new();
    let mut active = Vec::new();
    for _ in 0..3 {
        let draft = world.create(&world.scheduled_flow("rate(1 day)")).await;
        drafts.insert(draft["id"].as_str().unwrap().to_owned());
        active.push(world.create(&world.flow()).await);
    }
    world
        .console("/delete-flow", &active[0], json!({ "forceDelete": true }))
        .await;
    world.watched().await;
    let asked = world.sandbox.journal.count("appflow", "");
    assert_eq!(ids(list(&world, "").await).len(), 6);
    let mut found = BTreeSet::new();
    let mut query = "?state=draft&limit=1".to_owned();
    for _ in 0..drafts.len() + 2 {
        let page = list(&world, &query).await;
        let next = page["nextCursor"].as_str().map(str::to_owned);
        for id in ids(page) {
            assert!(found.insert(id), "a flow came twice");
        }
        let Some(next) = next else { break };
        query = format!("?state=draft&limit=1&cursor={next}");
    }
    assert_eq!(found, drafts);
    let drifted = ids(list(&world, "?drifted=true").await);
    assert_eq!(drifted, [active[0]["id"].as_str().unwrap()]);
    assert_eq!(ids(list(&world, "?drifted=false").await).len(), 5);
    let all = format!(
        "?accountId={}&connectionId={}",
        world.account, world.connection
    );
    assert_eq!(ids(list(&world, &all).await).len(), 6);
    let none = format!("?accountId=acc_{}", "0".repeat(32));
    assert!(ids(list(&world, &none).await).is_empty());
    for strange in [
        "?state=asleep",
        "?drifted=perhaps",
        "?owner=frank",
        "?accountId=flw_1",
    ] {
        let refused = world
            .api()
            .get(&format!("/v1/flows{strange}"))
            .await
            .unwrap();
        assert_eq!(
            (refused.status.as_u16(), refused.code()),
            (400, "malformed_query"),
            "{strange}"
        );
    }
    assert_eq!(world.sandbox.journal.count("appflow", ""), asked);
    common::no_leaks(&world.sandbox).await;
}

/// F2, F10: a flow that events start is a draft until it is started, has no runs, and is stopped
/// before it is deleted.
#[tokio::test(flavor = "multi_thread")]
async fn f2_a_flow_of_events_is_a_draft_until_it_is_started() {
    let world = World::without_schedules().await;
    let mut definition = world.flow();
    definition["source"]["object"] = json!("CityChangeEvent");
    definition["trigger"] = json!({ "type": "event" });
    let flow = world.create(&definition).await;
    assert_eq!(
        (&flow["state"], &flow["trigger"]["type"]),
        (&json!("draft"), &json!("event"))
    );
    let early = world.act(&flow, "stop").await;
    assert_eq!((early.status.as_u16(), early.code()), (409, "not_started"));
    for _ in 0..2 {
        let active = world.act(&flow, "start").await.expect(200).unwrap();
        assert_eq!(active["state"], "active");
    }
    let console = world.console("/describe-flow", &flow, json!({})).await;
    assert_eq!(console["flowStatus"], "Active");
    let stopped = world.act(&flow, "stop").await.expect(200).unwrap();
    assert_eq!(stopped["state"], "suspended");
    world.act(&flow, "start").await.expect(200).unwrap();
    world.watched().await;
    assert!(world.show(&flow).await.get("drift").is_none());
    assert!(world.runs(&flow).await.is_empty());
    let headers = [("if-match", "*")];
    let deleted = world
        .api()
        .call(
            http::Method::DELETE,
            &super::world::path(&flow),
            None,
            &headers,
        )
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    assert_eq!(deleted["choice"], "stoppedFirst");
    assert!(world.appflow_flows().await.is_empty());
    common::no_leaks(&world.sandbox).await;
}
