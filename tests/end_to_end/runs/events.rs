//! Events as AppFlow sends them, for tests that send their own, and what becomes of foreign ones.

use sandbox_core::{CUSTOMER_ACCOUNT, OTHER_CUSTOMER_ACCOUNT, Queues};
use serde_json::{Value, json};

use crate::{
    common,
    flows::world::{World, path},
};

/// An event about a run of a flow. A state that `status` does not name is a start.
pub(crate) fn event(flow: &Value, execution: &str, status: Option<&str>) -> Value {
    let kind = if status.is_some() { "End" } else { "Start" };
    let mut event = json!({
        "source": "aws.appflow",
        "detail-type": format!("AppFlow {kind} Flow Run Report"),
        "resources": ["bd3275d267f032646f926d73a98d12c2"],
        "detail": {
            "flow-name": flow["appflowName"],
            "source": "SALESFORCE", "destination": "S3", "trigger-type": "ONDEMAND",
            "execution-id": execution,
            "start-time": "2026-08-29T12:55:23.835Z[UTC]",
        },
    });
    if let Some(status) = status {
        let detail = &mut event["detail"];
        detail["status"] = json!(status);
        detail["end-time"] = json!("2026-08-29T12:55:32.049Z[UTC]");
        detail["num-of-records-processed"] = json!("63000");
    }
    event
}

/// Messages that are in the dead-letter queue of events, taken out of it.
pub(crate) async fn dead_letters(world: &World) -> Vec<String> {
    let queue = world.sandbox.stack.resources["EventsDeadLetterQueue"]
        .arn()
        .unwrap()
        .to_owned();
    let queues: &dyn Queues = &*world.sandbox.aws;
    let mut messages = Vec::new();
    loop {
        let batch = queues.receive(&queue, 10).await.unwrap();
        if batch.is_empty() {
            return messages;
        }
        for message in batch {
            queues
                .delete(&queue, &message.receipt_handle)
                .await
                .unwrap();
            messages.push(message.body);
        }
    }
}

/// Every item of the table, in a fixed order.
async fn table(world: &World) -> Vec<String> {
    let items = world.sandbox.table_items().await;
    let mut items: Vec<String> = items.iter().map(Value::to_string).collect();
    items.sort();
    items
}

/// An account may speak for its own flows only: what another customer's account says about them,
/// also in AppFlow's name, ends in the dead-letter queue and changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn events_from_another_customers_account_change_nothing() {
    let world = World::without_schedules().await;
    let other = common::tenant(&world.sandbox, "Others", &[("ming", "admin")]).await;
    common::customer_account_in(&world.sandbox, other.api("ming"), OTHER_CUSTOMER_ACCOUNT).await;
    let flow = world.create(&world.flow()).await;
    let run = world.run(&flow).await;
    world.settled().await;
    assert!(dead_letters(&world).await.is_empty());
    let (before, told) = (
        table(&world).await,
        world.sandbox.notifications().await.len(),
    );

    let execution = run["executionId"].as_str().unwrap();
    let forged = [
        event(&flow, execution, Some("Execution Failed")),
        event(
            &flow,
            "00000000-0000-4000-8000-000000000001",
            Some("Execution Successful"),
        ),
        event(&flow, "00000000-0000-4000-8000-000000000002", None),
    ];
    for event in &forged {
        world
            .sandbox
            .events
            .put_event(OTHER_CUSTOMER_ACCOUNT, event.clone());
    }
    world.settled().await;
    let dead = dead_letters(&world).await;
    assert_eq!(dead.len(), forged.len(), "{dead:?}");
    assert!(
        dead.iter()
            .all(|message| message.contains("RunEvents.UnknownFlow")),
        "{dead:?}"
    );
    assert_eq!(table(&world).await, before);
    assert_eq!(world.sandbox.notifications().await.len(), told);
    assert_eq!(
        world.shown_run(&flow, run["id"].as_str().unwrap()).await,
        run
    );
    common::no_leaks(&world.sandbox).await;
}

/// Whoever can put events on our bus cannot speak in AppFlow's name from an account that names no
/// flow of ours, and an account number inside the event counts for nothing.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_an_event_claims_counts_for_nothing() {
    let world = World::without_schedules().await;
    let flow = world.create(&world.flow()).await;
    let before = table(&world).await;
    let mut claimed = event(
        &flow,
        "00000000-0000-4000-8000-000000000003",
        Some("Execution Successful"),
    );
    claimed["account"] = json!(CUSTOMER_ACCOUNT);
    claimed["detail"]["account"] = json!(CUSTOMER_ACCOUNT);
    let bus = world.sandbox.stack.resources["EventBus"]
        .physical_id()
        .to_owned();
    world
        .sandbox
        .events
        .put_event_on(sandbox_core::VENDOR_ACCOUNT, &bus, claimed);
    world.settled().await;
    assert_eq!(dead_letters(&world).await.len(), 1);
    assert_eq!(table(&world).await, before);
    assert!(world.runs(&flow).await.is_empty());
    common::no_leaks(&world.sandbox).await;
}

/// Events that cannot be read, or are of a type that nobody knows, are kept for people to look at.
#[tokio::test(flavor = "multi_thread")]
async fn malformed_and_unknown_events_end_in_the_dead_letter_queue() {
    let world = World::without_schedules().await;
    let flow = world.create(&world.flow()).await;
    let before = table(&world).await;
    let sound = event(
        &flow,
        "00000000-0000-4000-8000-000000000004",
        Some("Execution Successful"),
    );
    let broken = |change: fn(&mut Value)| {
        let mut event = sound.clone();
        change(&mut event);
        event
    };
    let events = [
        (
            broken(|event| event["detail"]["execution-id"] = Value::Null),
            "RunEvents.Malformed",
        ),
        (
            broken(|event| event["detail"]["execution-id"] = json!("a blank")),
            "RunEvents.Malformed",
        ),
        (
            broken(|event| event["detail"]["status"] = json!(7)),
            "RunEvents.",
        ),
        (
            broken(|event| event["detail-type"] = json!("AppFlow Something New")),
            "RunEvents.UnknownDetailType",
        ),
        (
            broken(|event| event["detail"]["flow-name"] = json!("tributary-nobodys")),
            "RunEvents.UnknownFlow",
        ),
    ];
    for (event, error) in &events {
        world
            .sandbox
            .events
            .put_event(CUSTOMER_ACCOUNT, event.clone());
        world.settled().await;
        let dead = dead_letters(&world).await;
        if *error == "RunEvents." {
            // A number where a text should be may be read or refused, but never be a success.
            let runs = world.runs(&flow).await;
            assert!(
                runs.iter().all(|run| run["status"] != "completed"),
                "{runs:?}"
            );
            continue;
        }
        assert_eq!(dead.len(), 1, "{event}");
        assert!(dead[0].contains(error), "{} does not say {error}", dead[0]);
        assert_eq!(table(&world).await, before, "{event}");
    }
    let other = json!({ "source": "aws.appflow", "detail-type": "AppFlow End Flow Run Report", "detail": { "flow-name": "their-own-flow" } });
    world.sandbox.events.put_event(CUSTOMER_ACCOUNT, other);
    world.settled().await;
    assert!(
        dead_letters(&world).await.is_empty(),
        "a flow that is not ours is none of our business"
    );
    assert_eq!(
        world.api().get(&path(&flow)).await.unwrap().status.as_u16(),
        200
    );
    common::no_leaks(&world.sandbox).await;
}
