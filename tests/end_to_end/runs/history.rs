//! The history of a tenant's runs, page by page.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use sandbox::Sandbox;
use sandbox_core::VENDOR_ACCOUNT;
use serde_json::{Value, json};

use super::events::event;
use crate::{
    common,
    flows::world::{World, items, path},
};

/// How many runs are in the history before it is read.
const SEEDED: usize = 100_000;
/// Items that DynamoDB takes in one batch.
const BATCH: usize = 25;

fn id(number: usize) -> String {
    // Two runs began at each millisecond.
    let began = 1_700_000_000_000_u64 + number as u64 / 2;
    format!(
        "run_{began:012x}7000{:016x}",
        0x8000_0000_0000_0000 + number as u64
    )
}

/// The items of a run that completed, as run-events writes them.
fn run_items(tenant: &str, flow: &str, number: usize) -> [Value; 3] {
    let (run, text) = (id(number), |text: &str| json!({ "S": text }));
    let at = text("2023-11-14T22:13:20Z");
    let list = format!("TENANT#{tenant}#RUNS");
    let entry = |status: &str| {
        json!({
            "pk": text(&list), "sk": text(&format!("{status}#{run}")),
            "run_id": text(&run), "flow_id": text(flow),
        })
    };
    let item = json!({
        "pk": text(&format!("TENANT#{tenant}#FLOW#{flow}")), "sk": text(&format!("RUN#{run}")),
        "id": text(&run), "tenant_id": text(tenant), "flow_id": text(flow),
        "execution_id": text(&format!("seeded-{number}")), "status": text("completed"),
        "records_processed": { "N": "1" }, "created_at": at, "updated_at": at,
    });
    [item, entry("RUN"), entry("COMPLETED")]
}

/// Writes the runs into the table, past the functions.
async fn seed(sandbox: &Arc<Sandbox>, tenant: &str, flow: &str, runs: usize) {
    let table = sandbox.stack.resources["Table"].physical_id();
    let items: Vec<Value> = (0..runs)
        .flat_map(|number| run_items(tenant, flow, number))
        .map(|item| json!({ "PutRequest": { "Item": item } }))
        .collect();
    for batch in items.chunks(BATCH) {
        let admin = sandbox.aws.admin(VENDOR_ACCOUNT);
        let request = json!({ "RequestItems": { (table): batch } });
        let written = sandbox
            .aws
            .call(&admin, "dynamodb", "BatchWriteItem", &request)
            .await;
        assert!(written.status.is_success(), "{written:?}");
    }
}

/// Reads a list to its end; `between` happens between pages.
async fn read<F: Future<Output = ()>>(
    world: &World,
    list: &str,
    mut between: impl FnMut(usize) -> F,
) -> Vec<Value> {
    let (mut all, mut page, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let answer = world.api().get(&format!("{list}{cursor}")).await.unwrap();
        let mut answer = answer.expect(200).unwrap();
        let next = answer["nextCursor"].take();
        all.extend(items(answer));
        let Some(next) = next.as_str() else {
            return all;
        };
        cursor = format!("&cursor={next}");
        page += 1;
        between(page).await;
    }
}

/// How often each run is in a list.
fn counted(runs: &[Value]) -> BTreeMap<&str, usize> {
    let mut times = BTreeMap::new();
    for run in runs {
        *times.entry(run["id"].as_str().unwrap()).or_default() += 1;
    }
    times
}

/// U7: every run of 100,000 is on exactly one page, newest first, while new ones arrive. A page costs
/// one query of its list and one read of its runs.
#[tokio::test(flavor = "multi_thread")]
async fn u7_a_hundred_thousand_runs_are_read_once_each_while_new_ones_arrive() {
    let world = World::without_schedules().await;
    let flow = world.create(&world.flow()).await;
    let flow_id = flow["id"].as_str().unwrap();
    seed(&world.sandbox, &world.tenant.id, flow_id, SEEDED).await;
    let batches = || world.sandbox.journal.count("dynamodb", "BatchGetItem");
    let before = batches();
    let arrive = |page: usize| {
        let (world, flow) = (&world, &flow);
        async move {
            if page.is_multiple_of(100) {
                let ended = event(
                    flow,
                    &format!("arriving-{page}"),
                    Some("Execution Successful"),
                );
                world.sandbox.events.put_event(world.aws_account, ended);
                world.settled().await;
            }
        }
    };
    let runs = read(&world, "/v1/runs?limit=100", arrive).await;
    assert!(
        batches() - before <= runs.len().div_ceil(100),
        "a page is read more than once"
    );
    let times = counted(&runs);
    assert!(times.values().all(|times| *times == 1), "a run came twice");
    let seeded = (0..SEEDED).filter(|number| times.contains_key(id(*number).as_str()));
    assert_eq!(seeded.count(), SEEDED, "a run never came");
    let ids: Vec<&str> = runs.iter().map(|run| run["id"].as_str().unwrap()).collect();
    assert!(ids.is_sorted_by(|a, b| a > b), "not newest first");
    // The nine that arrived began later than any that was there, so they are on pages before.
    let newest = world.api().get("/v1/runs?limit=20").await.unwrap();
    let newest = items(newest.expect(200).unwrap());
    let arrived = |run: &&Value| {
        run["executionId"]
            .as_str()
            .unwrap()
            .starts_with("arriving-")
    };
    assert_eq!(newest.iter().filter(arrived).count(), 9);
    common::no_leaks(&world.sandbox).await;
}

/// U7: filters have their pages too; a cursor belongs to its filter.
#[tokio::test(flavor = "multi_thread")]
async fn u7_the_history_is_filtered_by_flow_status_and_time() {
    let world = World::without_schedules().await;
    let (flow, other) = (
        world.create(&world.flow()).await,
        world.create(&world.flow()).await,
    );
    let flow_id = flow["id"].as_str().unwrap();
    seed(&world.sandbox, &world.tenant.id, flow_id, 250).await;
    for number in 0..30 {
        let words = if number % 3 == 0 {
            "Execution Failed"
        } else {
            "Execution Successful"
        };
        let mut ended = event(&other, &format!("e-{number}"), Some(words));
        ended["detail"]["trigger-type"] = json!("SCHEDULED");
        world.sandbox.events.put_event(world.aws_account, ended);
    }
    world.settled().await;
    let nothing = |_| async {};
    let of = |list: &'static str| {
        let world = &world;
        async move { read(world, list, nothing).await }
    };
    assert_eq!(of("/v1/runs?limit=7").await.len(), 280);
    let failed = of("/v1/runs?status=failed&limit=3").await;
    assert_eq!(failed.len(), 10);
    assert!(
        failed
            .iter()
            .all(|run| run["status"] == "failed" && run["trigger"] == "scheduled")
    );
    assert_eq!(of("/v1/runs?status=completed&limit=50").await.len(), 270);
    assert!(of("/v1/runs?status=running&limit=50").await.is_empty());
    // Two of the seeded began at each millisecond.
    let some =
        of("/v1/runs?from=2023-11-14T22:13:20.010Z&to=2023-11-14T22:13:20.020Z&limit=6").await;
    let ids: BTreeSet<&str> = some.iter().map(|run| run["id"].as_str().unwrap()).collect();
    let expected: BTreeSet<String> = (20..40).map(id).collect();
    assert_eq!(ids, expected.iter().map(String::as_str).collect());
    let early = of("/v1/runs?to=2023-11-14T22:13:20Z&limit=6").await;
    assert!(early.is_empty());
    let backwards = of("/v1/runs?from=2024-01-01T00:00:00Z&to=2023-01-01T00:00:00Z&limit=6").await;
    assert!(backwards.is_empty());
    let other_id = other["id"].as_str().unwrap();
    let mine = read(
        &world,
        &format!("/v1/runs?flowId={other_id}&status=failed&limit=4"),
        nothing,
    )
    .await;
    assert_eq!(mine.len(), 10);
    assert!(mine.iter().all(|run| run["flowId"] == other["id"]));

    let first = world.api().get("/v1/runs?limit=5").await.unwrap();
    let first = first.expect(200).unwrap();
    let cursor = first["nextCursor"].as_str().unwrap();
    for foreign in ["status=failed", "from=2023-01-01T00:00:00Z"] {
        let answer = world
            .api()
            .get(&format!("/v1/runs?{foreign}&cursor={cursor}"))
            .await;
        let answer = answer.unwrap();
        assert_eq!(
            (answer.status.as_u16(), answer.code()),
            (400, "malformed_query")
        );
    }

    // The runs outlive their flow in the tenant's history.
    let (etag, gone) = (format!("\"{}\"", other["version"]), path(&other));
    let headers = [("if-match", etag.as_str())];
    let deleted = world
        .api()
        .call(http::Method::DELETE, &gone, None, &headers)
        .await;
    deleted.unwrap().expect(200).unwrap();
    assert_eq!(of("/v1/runs?limit=100").await.len(), 280);
    common::no_leaks(&world.sandbox).await;
}
