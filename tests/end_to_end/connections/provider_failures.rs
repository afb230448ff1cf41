//! What the provider says when it cannot or will not, and what is made of it.

use std::time::Duration;

use jiff::Timestamp;
use sandbox_core::Fault;
use serde_json::json;

use super::world::{INTROSPECT, LONG_ENOUGH, TOKEN, World, told};

fn status(status: u16, retry_after: Option<u32>, body: &str) -> Fault {
    Fault::Status {
        status,
        retry_after,
        body: body.to_owned(),
    }
}

/// R5: busy providers are waited for as told; nobody is asked to reconnect.
#[tokio::test(flavor = "multi_thread")]
async fn r5_a_busy_provider_is_waited_for_as_told_and_the_connection_stays_active() {
    let (world, connection) = World::connected().await;
    let oauth_error =
        |error: &str| json!({ "error": error, "error_description": "not now" }).to_string();
    let busy = [
        (status(503, Some(600), ""), Duration::from_mins(10)),
        (status(429, Some(900), ""), Duration::from_mins(15)),
        (status(429, None, ""), Duration::from_mins(7)),
        (status(408, None, ""), Duration::from_mins(13)),
        (
            status(400, None, &oauth_error("rate_limit_exceeded")),
            Duration::from_hours(1),
        ),
        (status(429, Some(86_400), ""), Duration::from_hours(1)),
    ];
    for (number, (fault, least)) in busy.into_iter().enumerate() {
        world.fault("salesforce", TOKEN, fault.clone(), 1);
        let begun = Timestamp::now();
        world.when_due(&connection).await;
        let record = world.record(&connection).await;
        let due = Timestamp::from_millisecond(record.number("due_at")).unwrap();
        assert!(due >= begun + least, "{fault:?}: due {due}, begun {begun}");
        assert!(
            due <= begun + Duration::from_hours(3),
            "{fault:?}: due {due}, begun {begun}"
        );
        assert_eq!(
            record.number("failures"),
            i64::try_from(number).unwrap() + 1,
            "{fault:?}"
        );
        assert!(
            !record.has("intent") && !record.has("lease_until"),
            "{fault:?}: {}",
            record.0
        );
        assert_eq!(
            world.seen(&connection).await["state"],
            "active",
            "{fault:?}"
        );
        assert_eq!(
            world.tick_at(due - Duration::from_secs(1)).await,
            0,
            "{fault:?}: not before it is due"
        );
    }
    assert_eq!(
        world.sandbox.salesforce.token_counters().refreshes,
        0,
        "every one was turned away at the door"
    );
    world.when_due(&connection).await;
    let record = world.record(&connection).await;
    assert_eq!(
        (record.generations(), record.number("failures")),
        ((2, 2), 0)
    );
    assert_eq!(world.told(&connection, "reauth_required").await.len(), 0);
    world.end().await;
}

/// A refusal of our own app is about us: no connection changes, and it is tried again later.
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_our_app_blames_no_connection() {
    let (world, connection) = World::connected().await;
    let body =
        json!({ "error": "invalid_client", "error_description": "invalid client credentials" })
            .to_string();
    world.fault("salesforce", TOKEN, status(400, None, &body), 1);
    world.when_due(&connection).await;
    let record = world.record(&connection).await;
    assert!(!record.has("intent"), "{}", record.0);
    assert_eq!(world.seen(&connection).await["state"], "active");
    world.when_due(&connection).await;
    assert_eq!(world.record(&connection).await.generations(), (2, 2));
    world.end().await;
}

/// R3, R6: the request never arrived, or the provider broke before it did anything. Nobody knows at
/// first: the token is not presented again before the provider said that it is good.
#[tokio::test(flavor = "multi_thread")]
async fn r3_r6_a_lost_request_is_asked_about_and_then_made_again() {
    let (world, connection) = World::connected().await;
    for (number, fault) in [
        Fault::DropBefore,
        status(500, None, "<html>oops</html>"),
        status(502, None, ""),
    ]
    .into_iter()
    .enumerate()
    {
        let generation = i64::try_from(number).unwrap() + 1;
        let before = world.sandbox.salesforce.token_counters();
        world.fault("salesforce", TOKEN, fault.clone(), 1);
        world.when_due(&connection).await;
        let record = world.record(&connection).await;
        assert!(
            record.has("intent") && !record.has("lease_until"),
            "{fault:?}: {}",
            record.0
        );
        let due = record.number("due_at") - Timestamp::now().as_millisecond();
        assert!(
            (180_000..=250_000).contains(&due),
            "{fault:?}: after the settling time, in {due} ms"
        );

        // Before the settling time nothing is asked and nothing presented, whoever knocks.
        let message = world.message(&connection).await;
        world.enqueue(&message).await;
        world.queue_is_empty().await;
        assert_eq!(
            world.sandbox.salesforce.token_counters(),
            before,
            "{fault:?}"
        );

        world.the_intent_ages(&connection, LONG_ENOUGH).await;
        world.when_due(&connection).await;
        let counters = world.sandbox.salesforce.token_counters();
        assert_eq!(
            counters.introspections,
            before.introspections + 2,
            "{fault:?}: what became of the token, and how long the new one lives"
        );
        assert_eq!(counters.refreshes, before.refreshes + 1, "{fault:?}");
        assert_eq!(
            world.record(&connection).await.generations(),
            (generation + 1, generation + 1),
            "{fault:?}"
        );
        assert_eq!(
            world.seen(&connection).await["state"],
            "active",
            "{fault:?}"
        );
    }
    assert!(world.works(&connection).await);
    world.end().await;
}

/// R3, R6: the provider rotated and its answer was lost. The dead token is not presented again; a
/// person is asked, once, with the reason, and a new consent brings the connection back.
#[tokio::test(flavor = "multi_thread")]
async fn r3_r6_a_lost_answer_ends_in_one_request_for_a_person_and_never_in_a_replay() {
    let (world, connection) = World::connected().await;
    for (number, fault) in [Fault::DropAfter, Fault::Truncate].into_iter().enumerate() {
        let before = world.sandbox.salesforce.token_counters();
        world.fault("salesforce", TOKEN, fault.clone(), 1);
        world.when_due(&connection).await;
        let record = world.record(&connection).await;
        assert!(record.has("intent"), "{fault:?}: {}", record.0);
        assert_eq!(
            world.seen(&connection).await["state"],
            "active",
            "{fault:?}: the access token still works"
        );
        assert!(world.works(&connection).await, "{fault:?}");

        world.the_intent_ages(&connection, LONG_ENOUGH).await;
        world.when_due(&connection).await;
        let counters = world.sandbox.salesforce.token_counters();
        assert_eq!(
            counters.refreshes,
            before.refreshes + 1,
            "{fault:?}: presented once"
        );
        let seen = world.seen(&connection).await;
        assert_eq!(
            (seen["state"].as_str(), seen["reason"].as_str()),
            (Some("reauth_required"), Some("rotation_lost")),
            "{fault:?}"
        );
        assert_eq!(world.much_later().await, 0, "{fault:?}");
        assert_eq!(
            world.sandbox.salesforce.token_counters(),
            counters,
            "{fault:?}: never an endless retry"
        );
        if number == 0 {
            world.needs_a_person(&connection, "rotation_lost").await;
        }
        let start = world.ask_again(&connection).await;
        assert_eq!(
            world.consent(&start).await,
            told("connected", "connected"),
            "{fault:?}"
        );
        assert!(world.works(&connection).await, "{fault:?}");
    }
    world.end().await;
}

/// R6: when the question is not answered either, the connection says so and goes on asking, not presenting.
#[tokio::test(flavor = "multi_thread")]
async fn r6_an_unanswered_question_limits_the_connection_until_it_is_answered() {
    let (world, connection) = World::connected().await;
    let before = world.sandbox.salesforce.token_counters();
    world.fault("salesforce", TOKEN, Fault::DropBefore, 1);
    world.when_due(&connection).await;
    world.the_intent_ages(&connection, LONG_ENOUGH).await;
    world.fault("salesforce", INTROSPECT, status(503, None, ""), 1);
    world.when_due(&connection).await;
    let seen = world.seen(&connection).await;
    assert_eq!(
        (seen["state"].as_str(), seen["reason"].as_str()),
        (Some("limited"), Some("refresh_unanswered")),
        "{seen}"
    );
    assert_eq!(
        world.sandbox.salesforce.token_counters().refreshes,
        before.refreshes
    );
    assert!(
        world.works(&connection).await,
        "the access token is used to its end"
    );

    world.when_due(&connection).await;
    assert_eq!(world.record(&connection).await.generations(), (2, 2));
    let seen = world.seen(&connection).await;
    assert_eq!(
        (seen["state"].as_str(), &seen["reason"]),
        (Some("active"), &json!(null)),
        "{seen}"
    );
    world.end().await;
}
