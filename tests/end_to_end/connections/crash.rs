//! The function's process dies: before, during and after the token call (scenario R3).

use std::{collections::BTreeMap, time::Duration};

use sandbox::Options;
use sandbox_core::Fault;
use sandbox_gateway::runtime::KillAt;

use super::world::{INTROSPECT, LONG_ENOUGH, REFRESH, TOKEN, World, told};
use crate::common;

/// R3 a: killed on receipt. At most a lease is left, and the work is done by who comes after it.
#[tokio::test(flavor = "multi_thread")]
async fn r3_killed_before_the_request_the_refresh_happens_later_once() {
    let (world, connection) = World::connected().await;
    assert!(
        world
            .sandbox
            .runtime
            .kill_during_next_invocation(REFRESH, KillAt::Receipt)
    );
    let message = world.message(&connection).await;
    world.enqueue(&message).await;
    world.queue_is_empty().await;
    // If the process had come as far as the lease, its work waits for the lease's end and the next tick.
    if world.record(&connection).await.number("generation") == 1 {
        world.the_lease_lapses(&connection).await;
        world.when_due(&connection).await;
    }
    assert_eq!(world.record(&connection).await.generations(), (2, 2));
    assert_eq!(world.sandbox.salesforce.token_counters().refreshes, 1);
    assert!(world.works(&connection).await);
    world.end().await;
}

/// R3 d: killed when it hands over its answer: everything is done, and the message comes again.
#[tokio::test(flavor = "multi_thread")]
async fn r3_killed_after_the_write_nothing_is_done_twice() {
    let (world, connection) = World::connected().await;
    assert!(
        world
            .sandbox
            .runtime
            .kill_during_next_invocation(REFRESH, KillAt::Answer)
    );
    let message = world.message(&connection).await;
    world.enqueue(&message).await;
    world.queue_is_empty().await;
    assert!(
        world.sandbox.runtime.counters(REFRESH).invocations >= 2,
        "the message came again"
    );
    let record = world.record(&connection).await;
    assert_eq!(record.generations(), (2, 2));
    assert!(
        !record.has("intent") && !record.has("lease_until"),
        "{}",
        record.0
    );
    assert_eq!(world.sandbox.salesforce.token_counters().refreshes, 1);
    assert!(world.works(&connection).await);
    world.end().await;
}

/// R3 b: killed while the answer with the new token travels. The old token is never presented again:
/// not while the lease holds, not while the request might still be travelling, and not after.
#[tokio::test(flavor = "multi_thread")]
async fn r3_killed_during_the_call_the_old_token_is_never_presented_again() {
    let (world, connection) = World::connected().await;
    world.fault("salesforce", TOKEN, Fault::Delay(8_000), 1);
    let message = world.message(&connection).await;
    world.enqueue(&message).await;
    let rotated = || async {
        (world.sandbox.salesforce.token_counters().refreshes_granted == 1).then_some(())
    };
    common::eventually("the rotation at the provider", rotated).await;
    assert!(world.sandbox.runtime.kill_now(REFRESH) >= 1);
    world.queue_is_empty().await;
    let record = world.record(&connection).await;
    assert!(
        record.has("intent") && record.has("lease_until"),
        "{}",
        record.0
    );
    let after_the_crash = world.sandbox.salesforce.token_counters();

    world.when_due(&connection).await;
    assert_eq!(
        world.sandbox.salesforce.token_counters(),
        after_the_crash,
        "the lease outlives its caller"
    );
    world.the_lease_lapses(&connection).await;
    world.when_due(&connection).await;
    assert_eq!(
        world.sandbox.salesforce.token_counters(),
        after_the_crash,
        "the settling time is not over"
    );
    assert_eq!(world.seen(&connection).await["state"], "active");

    world.the_intent_ages(&connection, LONG_ENOUGH).await;
    world.when_due(&connection).await;
    let counters = world.sandbox.salesforce.token_counters();
    assert_eq!(
        (counters.refreshes, counters.introspections),
        (1, after_the_crash.introspections + 1)
    );
    world.needs_a_person(&connection, "rotation_lost").await;
    let start = world.ask_again(&connection).await;
    assert_eq!(world.consent(&start).await, told("connected", "connected"));
    world.when_due(&connection).await;
    assert_eq!(world.record(&connection).await.generations(), (3, 3));
    world.end().await;
}

/// Killed while it asks: the next worker asks again, and then refreshes.
#[tokio::test(flavor = "multi_thread")]
async fn r3_killed_while_asking_the_question_is_asked_again() {
    let (world, connection) = World::connected().await;
    world.fault("salesforce", TOKEN, Fault::DropBefore, 1);
    world.when_due(&connection).await;
    world.the_intent_ages(&connection, LONG_ENOUGH).await;
    let asked = world.sandbox.salesforce.token_counters().introspections;
    world.fault("salesforce", INTROSPECT, Fault::Delay(8_000), 1);
    let message = world.message(&connection).await;
    world.enqueue(&message).await;
    let asking = || async {
        (world.sandbox.salesforce.token_counters().introspections == asked + 1).then_some(())
    };
    common::eventually("the question", asking).await;
    assert!(world.sandbox.runtime.kill_now(REFRESH) >= 1);
    world.queue_is_empty().await;
    world.the_lease_lapses(&connection).await;
    world.when_due(&connection).await;
    assert_eq!(world.record(&connection).await.generations(), (2, 2));
    let counters = world.sandbox.salesforce.token_counters();
    assert_eq!(
        (counters.refreshes, counters.introspections),
        (1, asked + 3),
        "twice what became of the token, once how long the new one lives"
    );
    assert!(world.works(&connection).await);
    world.end().await;
}

/// Killed during the push: AppFlow gets the token from who comes next, without another token call.
#[tokio::test(flavor = "multi_thread")]
async fn r3_killed_during_the_push_the_tokens_are_pushed_by_the_next() {
    let (world, connection) = World::connected().await;
    world.fault(
        "appflow",
        "update-connector-profile",
        Fault::Delay(4_500),
        1,
    );
    let message = world.message(&connection).await;
    world.enqueue(&message).await;
    let pushing =
        || async { (world.sandbox.journal.count("appflow", "fault: delayed") == 1).then_some(()) };
    common::eventually("the push", pushing).await;
    assert!(world.sandbox.runtime.kill_now(REFRESH) >= 1);
    world.queue_is_empty().await;
    let record = world.record(&connection).await;
    assert_eq!(record.generations(), (2, 1));
    let soon = record.number("due_at") - jiff::Timestamp::now().as_millisecond();
    assert!(
        soon <= 60_000,
        "found by a tick within a minute, not in {soon} ms"
    );
    world.the_lease_lapses(&connection).await;
    world.when_due(&connection).await;
    let record = world.record(&connection).await;
    assert_eq!(record.generations(), (2, 2));
    let next = record.number("due_at") - jiff::Timestamp::now().as_millisecond();
    assert!(
        next > 20 * 60_000,
        "the next refresh is due when the token's life says, not in {next} ms"
    );
    assert_eq!(world.sandbox.salesforce.token_counters().refreshes, 1);
    assert!(world.works(&connection).await);
    world.end().await;
}

/// R3 c: the answer is there and the table does not take it until the invocation ends. It waits on the
/// queue, sealed, and is written from there.
#[tokio::test(flavor = "multi_thread")]
async fn r3_an_answer_that_the_table_does_not_take_waits_sealed_on_the_queue() {
    let timeouts = BTreeMap::from([(REFRESH.to_owned(), Duration::from_secs(32))]);
    let world = World::start_with(Options {
        timeouts,
        ..Options::default()
    })
    .await;
    let connection = world.connect().await;
    world.fault("salesforce", TOKEN, Fault::Delay(3_000), 1);
    let message = world.message(&connection).await;
    world.enqueue(&message).await;
    let rotated = || async {
        (world.sandbox.salesforce.token_counters().refreshes_granted == 1).then_some(())
    };
    common::eventually("the rotation at the provider", rotated).await;
    let refused = Fault::Status {
        status: 500,
        retry_after: None,
        body: String::new(),
    };
    world.fault("dynamodb", "UpdateItem", refused, u32::MAX);
    let waits = || async {
        let lines = world.sandbox.logs.lines();
        lines
            .iter()
            .any(|line| line.text.contains("wait on the queue"))
            .then_some(())
    };
    common::eventually("the rescue of the answer", waits).await;
    world.sandbox.faults.clear();
    world.queue_is_empty().await;
    assert_eq!(
        world.record(&connection).await.number("generation"),
        2,
        "written from the queue"
    );
    assert_eq!(world.waiting("RefreshDeadLetterQueue").await, 0);

    world.the_lease_lapses(&connection).await;
    world.when_due(&connection).await;
    assert_eq!(
        world.record(&connection).await.generations(),
        (2, 2),
        "and pushed"
    );
    assert_eq!(world.sandbox.salesforce.token_counters().refreshes, 1);
    assert!(world.works(&connection).await);
    world.end().await;
}
