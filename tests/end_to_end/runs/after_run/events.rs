//! The Data API's event is a hint: lost, repeated, early or forged, the history is the same.

use sandbox_core::{CUSTOMER_ACCOUNT, Fault, Functions, VENDOR_ACCOUNT};
use sandbox_delivery::Mischief;
use serde_json::{Value, json};

use super::{
    super::events::dead_letters,
    world::{INSERT, Loads},
};
use crate::{common, flows::world::World};

fn event(name: &str, statement: &str) -> Value {
    json!({
        "source": "aws.redshift-data",
        "detail-type": "Redshift Data Statement Status Change",
        "resources": ["arn:aws:redshift:us-east-1:111122223333:cluster:sales-cluster"],
        "detail": {
            "principal": "arn:aws:sts::111122223333:assumed-role/anybody/x",
            "statementName": name, "statementId": statement, "redshiftQueryId": -1,
            "state": "FAILED", "rows": -1, "expireAt": 1_795_256_104,
        },
    })
}

/// A run whose statement has ended and of which nobody heard: every event is lost, and the Data API
/// does not answer whoever sent it.
async fn unheard(loads: &Loads<'_>, flow: &Value) -> Value {
    let world = loads.world;
    world.sandbox.events.set_event_mischief(Mischief::Lose, 3);
    let fault = Fault::Status {
        status: 500,
        retry_after: None,
        body: json!({ "__type": "InternalServerException" }).to_string(),
    };
    loads.fault("DescribeStatement", fault, 3);
    let run = world.start(flow).await;
    world.settled().await;
    loads.reconciled().await;
    let run = world.shown_run(flow, &run).await;
    assert_eq!(run["status"], "completed", "{run}");
    assert_eq!(run["afterRun"]["state"], "running", "{run}");
    run
}

/// U2: a lost event is made good by the reconciliation.
#[tokio::test(flavor = "multi_thread")]
async fn u2_a_lost_event_is_found_by_the_reconciliation() {
    let world = World::without_schedules().await;
    let loads = Loads::with_identity(&world).await;
    loads.register("note-load", INSERT).await;
    let flow = loads.flow(&json!({ "query": "note-load" })).await;
    let run = unheard(&loads, &flow).await;
    loads.reconciled().await;
    let run = loads.after(&flow, &run).await;
    assert_eq!(run["afterRun"]["state"], "finished", "{run}");
    assert_eq!(loads.rows().len(), 1);
    common::no_leaks(&world.sandbox).await;
}

/// An event counts if the run has its statement, as often as it comes; what it says of the end does
/// not. Others end in the dead-letter queue and change nothing.
#[tokio::test(flavor = "multi_thread")]
async fn u3_forged_events_change_nothing_and_the_real_one_counts_once() {
    let world = World::without_schedules().await;
    let loads = Loads::with_identity(&world).await;
    loads.register("note-load", INSERT).await;
    let flow = loads.flow(&json!({ "query": "note-load" })).await;
    let run = unheard(&loads, &flow).await;
    assert!(dead_letters(&world).await.is_empty());
    let statement = loads.statements().into_iter().next().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (flow_id, run_id) = (text(&flow["id"]), text(&run["id"]));
    let name = format!("after-run/{}/{flow_id}/{run_id}", world.tenant.id);
    let other = common::tenant(&world.sandbox, "Others", &[]).await;
    let strange = "00000000-0000-4000-8000-000000000001";

    let forged = [
        (event(&name, strange), "RunEvents.UnknownStatement"),
        (
            event(
                &format!("after-run/{}/{flow_id}/{run_id}", other.id),
                &statement,
            ),
            "RunEvents.UnknownStatement",
        ),
        (event("after-run/x", &statement), "RunEvents.Malformed"),
    ];
    for (event, error) in forged {
        world.sandbox.events.put_event(VENDOR_ACCOUNT, event);
        world.settled().await;
        let dead = dead_letters(&world).await;
        assert_eq!(dead.len(), 1, "{dead:?}");
        assert!(dead[0].contains(error), "{dead:?}");
    }
    // From another account it does not even come; and one that did would be nobody's.
    let bus = world.sandbox.stack.resources["EventBus"].physical_id();
    let forwarded = event(&name, &statement);
    world
        .sandbox
        .events
        .put_event(CUSTOMER_ACCOUNT, forwarded.clone());
    world
        .sandbox
        .events
        .put_event_on(VENDOR_ACCOUNT, bus, forwarded.clone());
    world.settled().await;
    let mut foreign = forwarded;
    foreign["account"] = json!(CUSTOMER_ACCOUNT);
    world
        .sandbox
        .runtime
        .invoke_async("RunEventsFunction", foreign)
        .await;
    world.settled().await;
    let dead = dead_letters(&world).await;
    assert_eq!(dead.len(), 1, "{dead:?}");
    assert!(dead[0].contains("RunEvents.UnknownStatement"), "{dead:?}");
    assert_eq!(world.shown_run(&flow, &run_id).await, run);

    // It says FAILED; the Data API knows better.
    for _ in 0..3 {
        world
            .sandbox
            .events
            .put_event(VENDOR_ACCOUNT, event(&name, &statement));
    }
    world.settled().await;
    let seen = world.shown_run(&flow, &run_id).await;
    assert_eq!(seen["afterRun"]["state"], "finished", "{seen}");
    assert!(dead_letters(&world).await.is_empty());
    assert_eq!(loads.rows().len(), 1);
    common::no_leaks(&world.sandbox).await;
}

/// The event comes while whoever sent the statement still waits for its id.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_comes_before_the_id_is_written_is_no_loss() {
    let world = World::without_schedules().await;
    let loads = Loads::with_identity(&world).await;
    loads.register("note-load", INSERT).await;
    let flow = loads.flow(&json!({ "query": "note-load" })).await;
    loads.fault("ExecuteStatement", Fault::Delay(1_500), 1);
    let run = world.run(&flow).await;
    let run = loads.after(&flow, &run).await;
    assert_eq!(run["afterRun"]["state"], "finished", "{run}");
    world.settled().await;
    assert!(dead_letters(&world).await.is_empty());
    assert_eq!(loads.rows().len(), 1);
}
