//! What the sandbox can do to events, done through its control page and its Rust API, and what the
//! function makes of it.

use sandbox_core::{CUSTOMER_ACCOUNT, OTHER_CUSTOMER_ACCOUNT};
use sandbox_delivery::Chances;
use serde_json::{Value, json};

use super::{
    events::{dead_letters, event},
    lab::{Lab, Outcome, prove},
};
use crate::{common, flows::world::World};

/// Entries that the topic will not take: more than one look takes.
const REFUSED: usize = 120;

async fn control(world: &World, path: &str, body: &Value) -> Value {
    let url = world.sandbox.control_url.join(path).unwrap();
    let answer = reqwest::Client::new().post(url).json(body).send().await;
    let answer = answer.unwrap();
    assert!(answer.status().is_success(), "{path}: {answer:?}");
    answer.json().await.unwrap()
}

/// U2, U3: half of the events are lost, the others doubled, late or in disorder; a run is in the
/// history once and told of once all the same.
#[tokio::test(flavor = "multi_thread")]
async fn u2_u3_events_by_chance_end_in_one_entry_and_one_notification_a_run() {
    let world = World::without_schedules().await;
    let flow = world.create(&world.flow()).await;
    let chances =
        json!({ "lost": 30, "duplicated": 30, "reordered": 20, "delayed": 10, "seed": 7 });
    control(&world, "/events/chances", &chances).await;
    let mut runs = Vec::new();
    for _ in 0..8 {
        runs.push(world.start(&flow).await);
    }
    world.sandbox.appflow.settled().await;
    assert!(world.sandbox.journal.count("events", "Lose") > 0);
    assert!(world.sandbox.journal.count("events", "Duplicate") > 0);
    world.settled().await;
    world
        .sandbox
        .events
        .set_event_chances(Chances::default(), 0);
    // What never came is found by the reconciliation, which AppFlow throttles at first.
    let throttle = json!({ "operation": "describe-flow-execution-records", "times": 3 });
    control(&world, "/appflow/throttle", &throttle).await;
    let shown = common::eventually("every end", || async {
        world
            .sandbox
            .clock
            .advance(std::time::Duration::from_mins(6));
        world.sandbox.schedules.fire("tributary-reconcile").await;
        world.settled().await;
        let shown = world.runs(&flow).await;
        let is_over = shown.iter().all(crate::flows::world::has_ended);
        is_over.then_some(shown)
    })
    .await;
    assert_eq!(shown.len(), runs.len(), "{shown:?}");
    for run in &runs {
        let told = world.told_of(&json!(run)).await;
        let ends = told
            .iter()
            .filter(|event| event["type"] == "tributary.run.completed");
        assert_eq!(ends.count(), 1, "{run}: {told:?}");
    }
    common::no_leaks(&world.sandbox).await;
}

/// Poison ends in the dead-letter queue and changes nothing, and what comes after it is worked on.
#[tokio::test(flavor = "multi_thread")]
async fn poison_is_kept_for_people_and_keeps_nothing_up() {
    let world = World::without_schedules().await;
    let flow = world.create(&world.flow()).await;
    let sent = control(
        &world,
        "/events/poison",
        &json!({ "flowName": flow["appflowName"] }),
    )
    .await;
    world.settled().await;
    let dead = common::eventually("the poison in the dead-letter queue", || async {
        let dead = dead_letters(&world).await;
        (!dead.is_empty()).then_some(dead)
    })
    .await;
    let expected = usize::try_from(sent["refused"].as_u64().unwrap()).unwrap();
    assert_eq!(dead.len(), expected, "{dead:?}");
    // Forged in the name of the flow's account, by another account.
    let forged = event(
        &flow,
        "00000000-0000-4000-8000-0000000000f0",
        Some("Execution Successful"),
    );
    let body = json!({ "account": OTHER_CUSTOMER_ACCOUNT, "event": forged });
    control(&world, "/events/put", &body).await;
    world.settled().await;
    // Words of 250 KB are one run's, and cut.
    let mut long = event(
        &flow,
        "00000000-0000-4000-8000-0000000000f1",
        Some("Execution Failed"),
    );
    long["detail"]["error"] = json!("words ".repeat(40_000));
    control(
        &world,
        "/events/put",
        &json!({ "account": CUSTOMER_ACCOUNT, "event": long }),
    )
    .await;
    world.settled().await;
    let runs = world.runs(&flow).await;
    assert_eq!(runs.len(), 1, "{runs:?}");
    assert_eq!(runs[0]["status"], "failed");
    assert!(runs[0]["message"].as_str().unwrap().len() < 4_096);
    let run = world.run(&flow).await;
    world.settled().await;
    assert!(!world.told_of(&run["id"]).await.is_empty());
    common::no_leaks(&world.sandbox).await;
}

/// N3: entries that the topic will never take, and one that cannot be read, keep no other back,
/// however many they are.
#[test]
fn n3_entries_that_cannot_be_published_keep_no_other_back() {
    prove(behind_refused_entries);
}

async fn behind_refused_entries() {
    let lab = Lab::new().await;
    let flow = lab.flow().await;
    lab.records.set(&flow.name, Vec::new());
    lab.topic.fail(1);
    let mut end = event(
        &json!({ "appflowName": flow.name }),
        "00000000-0000-4000-8000-0000000000f2",
        Some("Execution Successful"),
    );
    end["account"] = json!(CUSTOMER_ACCOUNT);
    end["time"] = json!("2026-08-29T12:55:33Z");
    assert!(matches!(lab.invoke(&end, None).await, Outcome::Failed(_)));
    lab.time_passes().await;
    let (_, sound) = lab.outbox().await.remove(0);
    for number in 0..REFUSED {
        // Before every id of a real event.
        let id = format!("0000-{number:03}");
        let mut entry = sound.clone();
        entry["event"]["id"] = json!(id);
        entry["event"]["data"] = json!({ "words": "refused-by-the-topic" });
        lab.put_out(&id, &entry).await;
    }
    lab.put_out("0000-none", &json!({ "event": "not one" }))
        .await;
    lab.topic.refuse("refused-by-the-topic");
    for _ in 0..2 {
        lab.invoke(&Lab::tick(), None).await;
    }
    let told = lab.topic.take();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["id"], sound["event"]["id"]);
    assert_eq!(
        lab.outbox().await.len(),
        REFUSED + 1,
        "they are kept for people"
    );
    common::no_leaks(&lab.world.sandbox).await;
}
