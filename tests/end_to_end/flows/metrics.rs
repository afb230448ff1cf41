//! Metrics of flows, out of CloudWatch of the account that runs them.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sandbox_core::{CUSTOMER_ACCOUNT, Fault, FaultRule};
use serde_json::{Value, json};

use super::world::{World, faults, path};
use crate::common;

mod both {
    use crate::flows::world::in_both_hosting_modes;

    in_both_hosting_modes! {
        /// The five metrics count what ran, in the account that ran it.
        five_metrics_count_what_ran;
    }
}

/// What was asked for, up to an hour after the sandbox's now.
pub(super) async fn metrics(world: &World, flow: &Value, query: &str) -> Value {
    let to = later(world, 3_600);
    let path = format!("{}/metrics?to={to}&{query}", path(flow));
    let answer = world.api().get(&path).await.unwrap();
    answer.expect(200).unwrap()
}

/// The sandbox's now and some seconds.
fn later(world: &World, seconds: i64) -> Timestamp {
    let by = SignedDuration::from_secs(seconds);
    world.sandbox.clock.now().saturating_add(by).unwrap()
}

/// All of a metric's points together.
fn total(metrics: &Value, name: &str) -> f64 {
    let all = metrics["metrics"].as_array().unwrap();
    let one = all.iter().find(|one| one["metric"] == name).unwrap();
    let points = one["points"].as_array().unwrap();
    points
        .iter()
        .map(|point| point["value"].as_f64().unwrap())
        .sum()
}

async fn five_metrics_count_what_ran(world: World) {
    let flow = world.create(&world.flow()).await;
    let run = world.run(&flow).await;
    world.settled().await;
    let seen = metrics(&world, &flow, "statistic=sum").await;
    assert_eq!(seen["flowId"], flow["id"]);
    assert_eq!(seen["metrics"].as_array().unwrap().len(), 5);
    let records = run["recordsProcessed"].as_f64().unwrap();
    for (metric, expected) in [
        ("runsStarted", 1.0),
        ("runsSucceeded", 1.0),
        ("runsFailed", 0.0),
        ("recordsProcessed", records),
    ] {
        assert!(
            (total(&seen, metric) - expected).abs() < 1e-6,
            "{metric}: {seen}"
        );
    }
    let time = metrics(&world, &flow, "metric=runTime&period=60&statistic=maximum").await;
    assert_eq!(time["metrics"][0]["unit"], "milliseconds");
    assert_eq!(time["metrics"][0]["points"].as_array().unwrap().len(), 1);

    // A later run is in a later period, and another flow's runs are not this one's.
    let other = world.create(&world.flow()).await;
    world.run(&other).await;
    world.sandbox.clock.advance(Duration::from_mins(10));
    world.run(&flow).await;
    world.settled().await;
    let seen = metrics(&world, &flow, "metric=runsStarted&period=60").await;
    let points = seen["metrics"][0]["points"].as_array().unwrap();
    let values: Vec<f64> = points
        .iter()
        .map(|p| p["value"].as_f64().unwrap())
        .collect();
    assert_eq!(values, [1.0, 1.0], "{seen}");
    assert!(points[0]["at"].as_str() < points[1]["at"].as_str());
    common::no_leaks(&world.sandbox).await;
}

/// What CloudWatch would not take is refused with what it takes, and nothing is asked of it.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_for_is_refused_with_what_can() {
    let world = World::without_schedules().await;
    let flow = world.create(&world.flow()).await;
    let now = world.sandbox.clock.now();
    let ago = |days: i64| {
        let by = SignedDuration::from_hours(24 * days);
        now.saturating_sub(by).unwrap()
    };
    for (query, code) in [
        ("period=61".to_owned(), "out_of_range"),
        (format!("from={}&period=60", ago(2)), "too_many_points"),
        (format!("from={}&period=60", ago(20)), "too_fine"),
        (format!("from={}", ago(500)), "too_old"),
        (format!("from={now}&to={}", ago(1)), "not_before_to"),
    ] {
        let path = format!("{}/metrics?{query}", path(&flow));
        let refused = world.api().get(&path).await.unwrap();
        assert_eq!(refused.code(), "invalid_metrics_query", "{query}");
        let problem = refused.expect(400).unwrap();
        assert!(
            format!("{:?}", faults(&problem)).contains("query:"),
            "{problem}"
        );
        assert_eq!(problem["errors"][0]["code"], code, "{problem}");
    }
    for query in [
        "metric=cpu",
        "statistic=mode",
        "from=yesterday",
        "what=else",
    ] {
        let path = format!("{}/metrics?{query}", path(&flow));
        let refused = world.api().get(&path).await.unwrap();
        assert_eq!(refused.status.as_u16(), 400, "{query}");
    }
    assert_eq!(asked(&world, "GetMetricData"), 1, "the verification's");
    common::no_leaks(&world.sandbox).await;
}

/// CloudWatch that asks us to slow down is asked again; one that stays away is said to be away.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_cloudwatch_is_asked_again_and_then_said_to_be_busy() {
    let world = World::without_schedules().await;
    let flow = world.create(&world.flow()).await;
    let throttled = |times| FaultRule {
        service: "monitoring".to_owned(),
        operation: "GetMetricData".to_owned(),
        fault: Fault::Status {
            status: 400,
            retry_after: None,
            body: json!({ "__type": "com.amazonaws.cloudwatch#Throttling" }).to_string(),
        },
        times,
    };
    world.sandbox.faults.add(throttled(2));
    metrics(&world, &flow, "metric=runsStarted").await;
    world.sandbox.faults.add(throttled(100));
    let refused = world
        .api()
        .get(&format!("{}/metrics", path(&flow)))
        .await
        .unwrap();
    world.sandbox.faults.clear();
    assert!(refused.status.as_u16() == 429 || refused.status.as_u16() == 503);
    assert!(refused.headers.contains_key("retry-after"));
    common::no_leaks(&world.sandbox).await;
}

/// How often an operation of CloudWatch was asked for in the customer's account.
pub(super) fn asked(world: &World, operation: &str) -> usize {
    let entries = world.sandbox.journal.entries();
    let ours = entries.iter().filter(|entry| {
        entry.service == "monitoring"
            && entry.operation == operation
            && entry.account.as_deref() == Some(CUSTOMER_ACCOUNT)
    });
    ours.count()
}
