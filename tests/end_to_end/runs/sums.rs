//! What a tenant's history adds up to, against AppFlow's own records.

use std::time::Duration;

use sandbox_delivery::Mischief;
use serde_json::{Value, json};

use crate::{
    common,
    flows::world::{Hosting, World, items, path},
};

/// What runs add up to: how many, records, bytes, milliseconds.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sums {
    runs: u64,
    records: u64,
    bytes: u64,
    milliseconds: i64,
}

fn milliseconds(at: &Value) -> i64 {
    let at: jiff::Timestamp = at.as_str().unwrap().parse().unwrap();
    at.as_millisecond()
}

#[expect(clippy::cast_possible_truncation, reason = "seconds of this century")]
fn of_record(at: &Value) -> i64 {
    (at.as_f64().unwrap() * 1_000.0).round() as i64
}

/// What our history of a period adds up to.
async fn ours(world: &World, from: jiff::Timestamp) -> Sums {
    let mut sums = Sums::default();
    let mut list = format!("/v1/runs?limit=7&from={from}");
    loop {
        let page = world.api().get(&list).await.unwrap().expect(200).unwrap();
        let next = page["nextCursor"].clone();
        for run in items(page) {
            sums.runs += 1;
            sums.records += run["recordsProcessed"].as_u64().unwrap_or_default();
            sums.bytes += run["bytesProcessed"].as_u64().unwrap_or_default();
            sums.milliseconds += milliseconds(&run["endedAt"]) - milliseconds(&run["startedAt"]);
        }
        let Some(cursor) = next.as_str() else {
            return sums;
        };
        list = format!("/v1/runs?limit=7&from={from}&cursor={cursor}");
    }
}

/// What AppFlow's records of the flows add up to.
async fn theirs(world: &World, flows: &[&Value], from: jiff::Timestamp) -> Sums {
    let mut sums = Sums::default();
    for flow in flows {
        let records = world
            .console("/describe-flow-execution-records", flow, json!({}))
            .await;
        let records: Vec<Value> =
            serde_json::from_value(records["flowExecutions"].clone()).unwrap();
        for record in records {
            if of_record(&record["startedAt"]) < from.as_millisecond() {
                continue;
            }
            let result = &record["executionResult"];
            sums.runs += 1;
            sums.records += result["recordsProcessed"].as_u64().unwrap_or_default();
            sums.bytes += result["bytesProcessed"].as_u64().unwrap_or_default();
            sums.milliseconds +=
                of_record(&record["lastUpdatedAt"]) - of_record(&record["startedAt"]);
        }
    }
    sums
}

/// What may happen to the events of a run.
const LUCK: [Option<(Mischief, u32)>; 5] = [
    None,
    Some((Mischief::Lose, 1)),
    Some((Mischief::Lose, 2)),
    Some((Mischief::Duplicate, 2)),
    Some((Mischief::Reorder, 1)),
];

/// U8: counts, bytes and durations of a period are those of AppFlow's records, whatever became of the
/// events, of runs that failed and of runs that were started in the console too.
async fn u8_sums_are_those_of_appflows_records(world: World) {
    let flows = [
        world.create(&world.flow()).await,
        world.create(&world.flow()).await,
    ];
    world.run(&flows[0]).await;
    world.settled().await;
    let from = jiff::Timestamp::now();
    for (number, luck) in LUCK.iter().cycle().take(3 * LUCK.len()).enumerate() {
        let flow = &flows[number % 2];
        if number % 4 == 3 {
            world.sandbox.faults.add(sandbox_core::FaultRule {
                service: "salesforce".to_owned(),
                operation: "/query".to_owned(),
                fault: sandbox_core::Fault::Status {
                    status: 503,
                    retry_after: None,
                    body: "[]".to_owned(),
                },
                times: 100,
            });
        }
        if let Some((mischief, times)) = luck {
            world.sandbox.events.set_event_mischief(*mischief, *times);
        }
        if number % 3 == 0 {
            world.console("/start-flow", flow, json!({})).await;
        } else {
            world.start(flow).await;
        }
        world.settled().await;
        world.sandbox.faults.clear();
        world.sandbox.events.set_event_mischief(Mischief::Lose, 0);
    }
    for flow in &flows {
        let reconcile = format!("{}/runs/reconcile", path(flow));
        let asked = world.api().post(&reconcile, &json!({})).await.unwrap();
        asked.expect(202).unwrap();
    }
    world.sandbox.clock.advance(Duration::from_mins(5));
    assert!(world.sandbox.schedules.fire("tributary-reconcile").await);
    world.settled().await;

    let flows: Vec<&Value> = flows.iter().collect();
    let (ours, theirs) = (ours(&world, from).await, theirs(&world, &flows, from).await);
    assert_eq!(theirs.runs, 15);
    assert!(
        theirs.records > 0 && theirs.bytes > 0 && theirs.milliseconds > 0,
        "{theirs:?}"
    );
    assert_eq!(ours, theirs);
    common::no_leaks(&world.sandbox).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn u8_sums_equal_in_the_customers_account() {
    u8_sums_are_those_of_appflows_records(World::hosted(Hosting::Customer).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn u8_sums_equal_in_the_vendors_account() {
    u8_sums_are_those_of_appflows_records(World::hosted(Hosting::Vendor).await).await;
}
