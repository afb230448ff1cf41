//! What happens when every event of something is lost: AppFlow's own records tell.

use std::time::Duration;

use sandbox_delivery::Mischief;
use serde_json::{Value, json};

use super::start::executions;
use crate::{
    common,
    flows::world::{World, items, path},
};

/// Lets so much time pass, and the reconciliation come at the end of each five minutes of it.
async fn reconciled(world: &World, minutes: u64) {
    for _ in 0..minutes / 5 {
        world.sandbox.clock.advance(Duration::from_mins(5));
        world.sandbox.appflow.run_due().await;
        world.settled().await;
        assert!(world.sandbox.schedules.fire("tributary-reconcile").await);
        world.settled().await;
    }
}

fn told_ends(told: &[Value]) -> Vec<&str> {
    let kinds = told.iter().filter_map(|event| event["type"].as_str());
    kinds.collect()
}

/// U2: neither start nor end of a schedule's runs are ever delivered: each is in the history within
/// ten minutes of its end, and told once.
#[tokio::test(flavor = "multi_thread")]
async fn u2_a_run_of_which_every_event_is_lost_is_found_out() {
    let world = World::without_schedules().await;
    let flow = world
        .create(&world.scheduled_flow("rate(30 minutes)"))
        .await;
    world.act(&flow, "start").await.expect(200).unwrap();
    world
        .sandbox
        .events
        .set_event_mischief(Mischief::Lose, 1_000);
    for number in 1..=3 {
        reconciled(&world, 30).await;
        let records = executions(&world, &flow).await;
        assert!(!records.is_empty());
        // Whatever has run until ten minutes ago is known.
        let runs = world.runs(&flow).await;
        assert!(
            runs.len() + 1 >= records.len(),
            "{number}: {runs:?} {records:?}"
        );
    }
    reconciled(&world, 10).await;
    let (runs, records) = (world.runs(&flow).await, executions(&world, &flow).await);
    assert!(records.len() >= 3, "{records:?}");
    assert_eq!(runs.len(), records.len());
    for run in &runs {
        assert_eq!(
            (&run["status"], &run["trigger"]),
            (&json!("completed"), &json!("scheduled"))
        );
        let told = world.told_of(&run["id"]).await;
        assert_eq!(told_ends(&told), ["tributary.run.completed"]);
    }

    // Stopped, it is looked at once more and then left alone.
    world.act(&flow, "stop").await.expect(200).unwrap();
    reconciled(&world, 10).await;
    let due = |item: &Value| item["due_shard"]["S"] == "flows";
    assert!(!world.sandbox.table_items().await.iter().any(due));
    assert_eq!(
        world.runs(&flow).await.len(),
        executions(&world, &flow).await.len()
    );
    common::no_leaks(&world.sandbox).await;
}

/// A reconciliation that somebody asks for finds what was lost long ago, of a flow on demand too.
#[tokio::test(flavor = "multi_thread")]
async fn u2_a_reconciliation_on_demand_finds_what_was_lost() {
    let world = World::without_schedules().await;
    let flow = world.create(&world.flow()).await;
    world
        .sandbox
        .events
        .set_event_mischief(Mischief::Lose, 1_000);
    for _ in 0..3 {
        world.console("/start-flow", &flow, json!({})).await;
        world.settled().await;
    }
    reconciled(&world, 10).await;
    assert!(world.runs(&flow).await.is_empty(), "nobody knows of them");

    let reconcile = format!("{}/runs/reconcile", path(&flow));
    let asked = world.post_once(&reconcile, &json!({}), "once").await;
    assert_eq!(asked.expect(202).unwrap()["flowId"], flow["id"]);
    for _ in 0..2 {
        reconciled(&world, 5).await;
        let runs = world.runs(&flow).await;
        assert_eq!(runs.len(), 3, "{runs:?}");
        for run in &runs {
            assert_eq!(world.told_of(&run["id"]).await.len(), 1);
        }
    }
    common::no_leaks(&world.sandbox).await;
}

/// AppFlow switches a flow off and its event is lost: told once all the same, also when the event
/// comes after all; the incident says why.
#[tokio::test(flavor = "multi_thread")]
async fn a_deactivation_whose_event_is_lost_is_found_and_told_once() {
    let world = World::without_schedules().await;
    let mut flow = world.scheduled_flow("rate(5 minutes)");
    flow["trigger"]["stopAfterFailures"] = json!(2);
    let flow = world.create(&flow).await;
    world.act(&flow, "start").await.expect(200).unwrap();
    world
        .sandbox
        .events
        .set_event_mischief(Mischief::Lose, 1_000);
    world.sandbox.salesforce.expire_access_tokens();
    let deactivated = common::eventually("the flow's end", || async {
        world.sandbox.clock.advance(Duration::from_mins(10));
        world.sandbox.appflow.run_due().await;
        world.sandbox.appflow.settled().await;
        let described = world.console("/describe-flow", &flow, json!({})).await;
        (described["flowStatus"] != "Active").then_some(described)
    })
    .await;
    assert!(
        deactivated["flowStatusMessage"].is_string(),
        "{deactivated}"
    );
    world.watched().await;
    reconciled(&world, 10).await;
    let told = world.told_of(&flow["id"]).await;
    assert_eq!(told_ends(&told), ["tributary.flow.deactivated"], "{told:?}");

    let late = json!({
        "source": "aws.appflow",
        "detail-type": "AppFlow Scheduled Flow Deactivated",
        "resources": ["bd3275d267f032646f926d73a98d12c2"],
        "detail": { "flow-name": flow["appflowName"], "deactivation-reason": "failures" },
    });
    world.sandbox.events.set_event_mischief(Mischief::Lose, 0);
    world.sandbox.events.put_event(world.aws_account, late);
    world.settled().await;
    reconciled(&world, 10).await;
    assert_eq!(world.told_of(&flow["id"]).await.len(), 1);

    let listed = world.api().get(&format!("{}/incidents", path(&flow))).await;
    let incidents = items(listed.unwrap().expect(200).unwrap());
    assert_eq!(incidents.len(), 1, "{incidents:?}");
    assert!(incidents[0]["message"].is_string());
    common::no_leaks(&world.sandbox).await;
}

/// AppFlow's reports of a flow that events start are kept, once each, and told to nobody.
#[tokio::test(flavor = "multi_thread")]
async fn reports_of_event_flows_are_incidents() {
    let world = World::without_schedules().await;
    let flow = world.create(&world.flow()).await;
    let report = |time: &str, events: u32| {
        json!({
            "source": "aws.appflow", "time": time,
            "detail-type": "AppFlow Event Flow Report",
            "resources": ["bd3275d267f032646f926d73a98d12c2"],
            "detail": { "flow-name": flow["appflowName"], "status-report": format!("{events} events received") },
        })
    };
    for (time, events) in [
        ("2026-11-20T10:00:00Z", 1),
        ("2026-11-20T10:05:00Z", 2),
        ("2026-11-20T10:05:00Z", 2),
        ("2026-11-20T10:10:00Z", 3),
    ] {
        let event = report(time, events);
        world.sandbox.events.put_event(world.aws_account, event);
    }
    world.settled().await;
    let incidents = format!("{}/incidents", path(&flow));
    let first = world.api().get(&format!("{incidents}?limit=2")).await;
    let first = first.unwrap().expect(200).unwrap();
    let cursor = first["nextCursor"].as_str().unwrap();
    let rest = world
        .api()
        .get(&format!("{incidents}?cursor={cursor}"))
        .await;
    let mut all = items(first.clone());
    all.extend(items(rest.unwrap().expect(200).unwrap()));
    let times: Vec<&str> = all.iter().map(|one| one["at"].as_str().unwrap()).collect();
    assert_eq!(
        times,
        [
            "2026-11-20T10:10:00Z",
            "2026-11-20T10:05:00Z",
            "2026-11-20T10:00:00Z"
        ]
    );
    assert_eq!(all[0]["message"], "3 events received");
    assert!(all.iter().all(|one| one["kind"] == "report"));
    assert!(world.told_of(&flow["id"]).await.is_empty());
    common::no_leaks(&world.sandbox).await;
}
