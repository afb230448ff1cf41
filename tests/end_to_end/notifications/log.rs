//! `GET /v1/events`.

use serde_json::Value;

use crate::{common, flows::world::World};

async fn ids(world: &World, query: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/v1/events?limit=2{query}{cursor}");
        let page = world.api().get(&path).await.unwrap().expect(200).unwrap();
        let items = page["items"].as_array().unwrap();
        all.extend(
            items
                .iter()
                .map(|item| item["id"].as_str().unwrap().to_owned()),
        );
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

/// N1: what was told can be read again, by type and by time, each once.
#[tokio::test(flavor = "multi_thread")]
async fn n1_what_was_told_is_listed_and_can_be_read_again() {
    let world = World::without_schedules().await;
    let flow = world.create(&world.flow()).await;
    for _ in 0..3 {
        world.run(&flow).await;
    }
    world.settled().await;
    world.sandbox.schedules.fire("tributary-reconcile").await;
    world.settled().await;
    let told: Vec<Value> = world.sandbox.notifications().await;
    let completed = |event: &&Value| event["type"] == "tributary.run.completed";
    assert_eq!(told.iter().filter(completed).count(), 3, "{told:?}");

    let mut listed = ids(&world, "").await;
    let mut expected: Vec<String> = told
        .iter()
        .map(|event| event["id"].as_str().unwrap().to_owned())
        .collect();
    for event in &told {
        let path = format!("/v1/events/{}", event["id"].as_str().unwrap());
        let again = world.api().get(&path).await.unwrap().expect(200).unwrap();
        assert_eq!(again, *event);
    }
    listed.sort();
    expected.sort();
    assert_eq!(listed, expected);
    let runs = ids(&world, "&type=tributary.run.completed").await;
    assert_eq!(runs.len(), 3);

    // From the second of them on, and before it.
    let mut times: Vec<&str> = told
        .iter()
        .filter(completed)
        .map(|event| event["time"].as_str().unwrap())
        .collect();
    times.sort_unstable();
    let of_type = "&type=tributary.run.completed";
    let from = ids(&world, &format!("{of_type}&from={}", times[1])).await;
    let before = ids(&world, &format!("{of_type}&to={}", times[1])).await;
    assert_eq!(from.len() + before.len(), 3, "{times:?}");
    assert!(!from.is_empty() && from.iter().all(|id| !before.contains(id)));
    for bad in [
        "from=yesterday",
        "type=nothing",
        "from=2026-11-20T10:00:00Z&to=2026-11-20T09:00:00Z",
    ] {
        let answer = world.api().get(&format!("/v1/events?{bad}")).await.unwrap();
        assert_eq!(answer.status, 400, "{bad}");
        assert_eq!(answer.body["code"], "malformed_query", "{bad}");
    }
    common::no_leaks(&world.sandbox).await;
}
