//! Our own stores fail around the token call: no answer is lost, no token presented twice.

use sandbox_core::Fault;

use super::world::{TOKEN, World};
use crate::common;

fn out_of_order() -> Fault {
    Fault::Status {
        status: 500,
        retry_after: None,
        body: String::new(),
    }
}

/// KMS is down before the call: nothing is presented until the answer could be sealed.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_presented_only_when_its_answer_can_be_sealed() {
    let (world, connection) = World::connected().await;
    world.fault("kms", "GenerateDataKey", out_of_order(), 3);
    let message = world.message(&connection).await;
    world.enqueue(&message).await;
    world.queue_is_empty().await;
    assert!(
        world.sandbox.journal.count("kms", "fault: status 500") >= 3,
        "the outage was met"
    );
    world.the_lease_lapses(&connection).await;
    world.when_due(&connection).await;
    let record = world.record(&connection).await;
    assert_eq!(record.generations(), (2, 2));
    let counters = world.sandbox.salesforce.token_counters();
    assert_eq!(
        (counters.refreshes, counters.refreshes_granted),
        (1, 1),
        "{counters:?}"
    );
    assert_eq!(world.seen(&connection).await["state"], "active");
    world.end().await;
}

/// R3 c: the table is down after the call: the write is repeated within the invocation.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_written_as_soon_as_the_table_takes_it() {
    let (world, connection) = World::connected().await;
    world.fault("salesforce", TOKEN, Fault::Delay(2_000), 1);
    let message = world.message(&connection).await;
    world.enqueue(&message).await;
    let rotated = || async {
        (world.sandbox.salesforce.token_counters().refreshes_granted == 1).then_some(())
    };
    common::eventually("the rotation at the provider", rotated).await;
    world.fault("dynamodb", "UpdateItem", out_of_order(), 5);
    world.queue_is_empty().await;
    assert_eq!(world.record(&connection).await.generations(), (2, 2));
    assert_eq!(
        world.sandbox.journal.count("dynamodb", "fault: status 500"),
        5,
        "the outage was met"
    );
    assert_eq!(world.sandbox.salesforce.token_counters().refreshes, 1);
    world.end().await;
}

/// The table takes the answer and its own answer is lost: the write is recognised as ours.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_answer_is_lost_is_recognised_and_pushed() {
    let (world, connection) = World::connected().await;
    world.fault("salesforce", TOKEN, Fault::Delay(2_000), 1);
    let message = world.message(&connection).await;
    world.enqueue(&message).await;
    let rotated = || async {
        (world.sandbox.salesforce.token_counters().refreshes_granted == 1).then_some(())
    };
    common::eventually("the rotation at the provider", rotated).await;
    world.fault("dynamodb", "UpdateItem", Fault::DropAfter, 1);
    world.queue_is_empty().await;
    let record = world.record(&connection).await;
    assert_eq!(record.generations(), (2, 2));
    assert!(
        !record.has("intent") && !record.has("lease_until"),
        "{}",
        record.0
    );
    assert_eq!(world.sandbox.salesforce.token_counters().refreshes, 1);
    world.end().await;
}
