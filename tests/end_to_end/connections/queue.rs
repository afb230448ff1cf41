//! What nobody knows ends in a dead-letter queue, counted, and holds nothing up.

use sandbox_core::Functions as _;
use serde_json::{Value, json};

use super::world::{REFRESH, World};
use crate::common;

/// Messages that cannot be read go to the queue's dead letters; those beside them are worked on.
#[tokio::test(flavor = "multi_thread")]
async fn unknown_messages_end_in_the_dead_letter_queue_and_hold_nothing_up() {
    let (world, connection) = World::connected().await;
    let message = world.message(&connection).await;
    let other_reason = message.replace("\"due\"", "\"because\"");
    for unknown in [
        "not JSON",
        "{}",
        "[]",
        "{\"tenantId\":\"ten_1\"}",
        other_reason.as_str(),
    ] {
        world.enqueue(unknown).await;
    }
    world.enqueue(&message).await;
    let dead = || async { (world.waiting("RefreshDeadLetterQueue").await == 5).then_some(()) };
    common::eventually("five dead letters", dead).await;
    world.queue_is_empty().await;
    assert_eq!(world.record(&connection).await.generations(), (2, 2));
    assert_eq!(world.sandbox.salesforce.token_counters().refreshes, 1);
    world.end().await;
}

/// Events that are neither a tick nor a batch go to the schedules' dead letters after their retries.
#[tokio::test(flavor = "multi_thread")]
async fn unknown_events_end_in_the_schedules_dead_letter_queue() {
    let world = World::start().await;
    let unknown = ["unknown", "tick-without-time"];
    let events = unknown.map(fixture).into_iter().chain([
        json!({ "kind": "tick", "shard": "first", "scheduledTime": "2026-11-20T12:01:00Z" }),
        json!({ "kind": "tick", "shard": 0, "scheduledTime": "<aws.scheduler.scheduled-time>" }),
        json!({ "source": "aws.events" }),
        json!({}),
    ]);
    let unknown: Vec<Value> = events.collect();
    for event in &unknown {
        world
            .sandbox
            .runtime
            .invoke_async(REFRESH, event.clone())
            .await;
    }
    world.sandbox.runtime.settled().await;
    let counters = world.sandbox.runtime.counters(REFRESH);
    assert_eq!(
        counters.failures,
        3 * unknown.len() as u64,
        "each is tried three times"
    );
    assert_eq!(
        world.waiting("ScheduleDeadLetterQueue").await,
        unknown.len() as u64
    );
    assert_eq!(world.waiting("RefreshQueue").await, 0);
    common::no_leaks(&world.sandbox).await;
}

/// The fixtures of `events/token-refresh`, as `cargo lambda invoke` sends them: a tick finds nothing due
/// in an empty table, and of a batch exactly the message that cannot be read comes back.
#[tokio::test(flavor = "multi_thread")]
async fn the_fixtures_are_answered_as_the_event_sources_expect() {
    let world = World::start().await;
    let runtime = &world.sandbox.runtime;
    assert_eq!(
        runtime.invoke(REFRESH, fixture("tick")).await.unwrap(),
        json!({ "enqueued": 0 })
    );
    let batch = fixture("batch-with-a-poison-message");
    let failed =
        json!({ "batchItemFailures": [{ "itemIdentifier": batch["Records"][1]["messageId"] }] });
    assert_eq!(runtime.invoke(REFRESH, batch).await.unwrap(), failed);
    common::no_leaks(&world.sandbox).await;
}

fn fixture(name: &str) -> Value {
    let path =
        sandbox::binaries::workspace_root().join(format!("events/token-refresh/{name}.json"));
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}
