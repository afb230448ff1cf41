//! Refreshing: by schedule and on demand, once for each generation, by the token's owner only.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::StatusCode;
use sandbox_core::REGION;
use serde_json::json;

use super::world::{World, told};
use crate::common;

/// T1: each refresh presents the token that the one before answered. Here the template's schedules
/// fire as the clock passes the due time.
#[tokio::test(flavor = "multi_thread")]
async fn t1_three_refreshes_in_a_row_each_use_the_token_before() {
    let (world, connection) = World::connected().await;
    let first = world.record(&connection).await.0["bundle"].clone();
    world.sandbox.clock.advance(Duration::from_hours(3));
    for refreshes in 1..=3 {
        for shard in 0..4 {
            assert!(
                world
                    .sandbox
                    .schedules
                    .fire(&format!("tributary-refresh-{shard}"))
                    .await
            );
        }
        world.sandbox.runtime.settled().await;
        world.queue_is_empty().await;
        let record = world.record(&connection).await;
        assert_eq!(record.generations(), (refreshes + 1, refreshes + 1));
        assert_ne!(record.0["bundle"], first);
        assert!(
            !record.has("intent") && !record.has("lease_until"),
            "{}",
            record.0
        );
        assert!(
            world.works(&connection).await,
            "AppFlow has the token of refresh {refreshes}"
        );
    }
    let counters = world.sandbox.salesforce.token_counters();
    assert_eq!(
        (counters.refreshes, counters.refreshes_granted),
        (3, 3),
        "{counters:?}"
    );
    world.end().await;
}

/// R1: twenty messages at once, in several processes: one token request for each generation.
#[tokio::test(flavor = "multi_thread")]
async fn r1_twenty_requests_at_once_make_one_token_request() {
    let (world, connection) = World::connected().await;
    for refreshes in 1..=2 {
        let message = world.message(&connection).await;
        for _ in 0..20 {
            world.enqueue(&message).await;
        }
        world.queue_is_empty().await;
        assert_eq!(
            world.record(&connection).await.generations(),
            (refreshes + 1, refreshes + 1)
        );
        let counters = world.sandbox.salesforce.token_counters();
        assert_eq!(
            (counters.refreshes, counters.introspections),
            (refreshes.unsigned_abs(), refreshes.unsigned_abs() + 1),
            "one introspection at the consent and after each refresh: the answer does not say how long the token lives"
        );
    }
    world.end().await;
}

/// R12: a tick that fires twice, late, or for the second time after hours makes no second refresh; a
/// schedule that did not fire is made up for by the next that does.
#[tokio::test(flavor = "multi_thread")]
async fn r12_doubled_late_and_missed_ticks_refresh_once() {
    let (world, connection) = World::connected().await;
    let due =
        Timestamp::from_millisecond(world.record(&connection).await.number("due_at")).unwrap();
    assert_eq!(
        world.tick_at(due - Duration::from_secs(1)).await,
        0,
        "not due yet"
    );
    assert!(
        due > Timestamp::now() + Duration::from_mins(25),
        "more than half of the token's life is used"
    );

    // Time passes, and two periods without a tick.
    let now = Timestamp::now();
    let due = (now - Duration::from_mins(2)).as_millisecond().to_string();
    let record = world.record(&connection).await;
    world
        .change(
            &record.0,
            "SET #d = :d",
            json!({ "#d": "due_at" }),
            json!({ ":d": { "N": due } }),
        )
        .await;
    let (one, other) = tokio::join!(world.tick_at(now), world.tick_at(now));
    assert!(one + other >= 1);
    world.queue_is_empty().await;
    assert_eq!(world.record(&connection).await.generations(), (2, 2));
    assert_eq!(world.tick_at(now).await, 0, "the same tick, hours later");
    assert_eq!(world.sandbox.salesforce.token_counters().refreshes, 1);
    world.end().await;
}

/// `POST /v1/connections/{id}/refresh` refreshes before anything is due, once for a key.
#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_on_demand_happens_once_for_an_idempotency_key() {
    let (world, connection) = World::connected().await;
    let path = format!("/v1/connections/{connection}/refresh");
    let api = &world.frank().api;
    for _ in 0..2 {
        let answer = api
            .call(
                reqwest::Method::POST,
                &path,
                None,
                &[("idempotency-key", "refresh-it-now")],
            )
            .await
            .unwrap();
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
        world.queue_is_empty().await;
        assert_eq!(world.record(&connection).await.generations(), (2, 2));
    }
    // Tokens that are new are not asked for anew ...
    let ask = |key: &'static str| {
        let (api, path) = (api.clone(), path.clone());
        async move {
            let headers = [("idempotency-key", key)];
            let answer = api.call(reqwest::Method::POST, &path, None, &headers).await;
            answer.unwrap()
        }
    };
    let answer = ask("a-moment-later").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    // ... and a while later they are.
    let record = world.record(&connection).await;
    let (names, values) = (
        json!({ "#r": "refreshed_at" }),
        json!({ ":r": { "N": "0" } }),
    );
    world.change(&record.0, "SET #r = :r", names, values).await;
    let answer = ask("and-once-more").await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
    world.queue_is_empty().await;
    assert_eq!(world.record(&connection).await.generations(), (3, 3));
    assert_eq!(world.sandbox.salesforce.token_counters().refreshes, 2);
    world.end().await;
}

/// R9: a token that AppFlow owns is never presented by us, whoever asks.
#[tokio::test(flavor = "multi_thread")]
async fn r9_a_token_that_appflow_owns_is_never_presented() {
    let (world, connection) = World::connected().await;
    for owner in ["appflow", "nobody"] {
        let record = world.record(&connection).await;
        world
            .change(
                &record.0,
                "SET #o = :o",
                json!({ "#o": "token_owner" }),
                json!({ ":o": { "S": owner } }),
            )
            .await;
        let message = world.message(&connection).await;
        world.enqueue(&message).await;
        world.queue_is_empty().await;
        assert_eq!(
            world.much_later().await,
            1,
            "the due index does not know owners"
        );
        let path = format!("/v1/connections/{connection}/refresh");
        let refused = world.frank().api.post(&path, &json!(null)).await.unwrap();
        assert_ne!(refused.status, StatusCode::ACCEPTED, "{}", refused.body);
        let counters = world.sandbox.salesforce.token_counters();
        assert_eq!(
            (counters.refreshes, counters.introspections),
            (0, 1),
            "{owner}"
        );
        assert_eq!(world.record(&connection).await.generations(), (1, 1));
    }
    world.end().await;
}

/// R4, X5: one `invalid_grant` is the last word: one notification, and nothing more reaches the provider.
#[tokio::test(flavor = "multi_thread")]
async fn r4_x5_a_revoked_grant_is_told_once_and_never_tried_again() {
    let (world, connection) = World::connected().await;
    assert_eq!(
        world
            .sandbox
            .salesforce
            .revoke_grants_of(&world.sandbox.salesforce_admin()),
        1
    );
    world.when_due(&connection).await;
    world.needs_a_person(&connection, "revoked").await;
    assert_eq!(world.sandbox.salesforce.token_counters().refreshes, 1);

    let before = world
        .sandbox
        .journal
        .count("salesforce", TOKEN_OR_INTROSPECT);
    for _ in 0..3 {
        assert_eq!(world.much_later().await, 0, "nothing is due any more");
        let message = world.message(&connection).await;
        world.enqueue(&message).await;
        world.queue_is_empty().await;
    }
    let path = format!("/v1/connections/{connection}/refresh");
    let refused = world
        .frank()
        .api
        .call(
            reqwest::Method::POST,
            &path,
            None,
            &[("idempotency-key", "try-it-again")],
        )
        .await
        .unwrap();
    assert_eq!(
        (refused.status, refused.code()),
        (StatusCode::CONFLICT, "not_connected"),
        "{}",
        refused.body
    );
    assert_eq!(
        world
            .sandbox
            .journal
            .count("salesforce", TOKEN_OR_INTROSPECT),
        before
    );
    world.needs_a_person(&connection, "revoked").await;
    assert_eq!(world.told(&connection, "recovered").await.len(), 0);

    let start = world.ask_again(&connection).await;
    assert_eq!(world.consent(&start).await, told("connected", "connected"));
    world.when_due(&connection).await;
    assert_eq!(
        world.record(&connection).await.generations(),
        (3, 3),
        "due again after a new consent"
    );
    world.end().await;
}

/// Part of the paths of everything that takes a token.
const TOKEN_OR_INTROSPECT: &str = "POST /services/oauth2/";

/// A connection that is gone is nobody's work, and its message is no failure.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_about_a_deleted_connection_is_dropped() {
    let (world, connection) = World::connected().await;
    let message = world.message(&connection).await;
    let path = format!("/v1/connections/{connection}");
    let deleted = world
        .frank()
        .api
        .call(reqwest::Method::DELETE, &path, None, &[])
        .await
        .unwrap();
    assert!(
        deleted.status.is_success(),
        "{} {}",
        deleted.status,
        deleted.body
    );
    world.enqueue(&message).await;
    world.queue_is_empty().await;
    assert_eq!(world.much_later().await, 0);
    assert_eq!(world.waiting("RefreshDeadLetterQueue").await, 0);
    assert_eq!(world.sandbox.salesforce.token_counters().refreshes, 0);
    assert_eq!(
        world
            .sandbox
            .salesforce
            .grants_of(&world.sandbox.salesforce_admin()),
        0,
        "the grant was ended"
    );
    common::no_leaks(&world.sandbox).await;
}

/// R1: two hundred callers at once, each waiting for the outcome: one token request, and everybody is
/// answered with the same generation.
#[tokio::test(flavor = "multi_thread")]
async fn r1_two_hundred_callers_at_once_wait_for_one_token_request() {
    let (world, connection) = World::connected().await;
    world.fault(
        "salesforce",
        super::world::TOKEN,
        sandbox_core::Fault::Delay(1_500),
        1,
    );
    let path = format!("/v1/connections/{connection}/refresh");
    let before = world.seen(&connection).await;
    let mut callers = tokio::task::JoinSet::new();
    for number in 0..200 {
        let (api, path) = (world.frank().api.clone(), path.clone());
        callers.spawn(async move {
            let key = format!("caller-number-{number}");
            let headers = [("idempotency-key", key.as_str()), ("prefer", "wait=20")];
            api.call(reqwest::Method::POST, &path, None, &headers).await
        });
    }
    let answers = callers.join_all().await;
    let seen = world.record(&connection).await;
    assert_eq!(seen.number("generation"), 2);
    for answer in answers {
        let answer = answer.unwrap();
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        assert_ne!(answer.body["accessExpiresAt"], before["accessExpiresAt"]);
    }
    world.queue_is_empty().await;
    assert_eq!(world.sandbox.salesforce.token_counters().refreshes, 1);
    assert_eq!(world.record(&connection).await.generations(), (2, 2));
    world.end().await;
}

/// R10: where an answer does not say how long its access token lives, the provider is asked.
#[tokio::test(flavor = "multi_thread")]
async fn r10_the_life_of_a_refreshed_token_is_asked_for() {
    let (world, connection) = World::connected().await;
    world.when_due(&connection).await;
    let record = world.record(&connection).await;
    let life = record.number("access_expires_at") - Timestamp::now().as_millisecond();
    assert!(
        (110 * 60_000..=120 * 60_000).contains(&life),
        "the organisation's two hours, not the row's one: {life} ms"
    );
    world.end().await;
}

/// After a failure an attempt on demand is refused for half a minute, and says for how long.
#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_on_demand_waits_after_a_failure() {
    let (world, connection) = World::connected().await;
    let busy = sandbox_core::Fault::Status {
        status: 503,
        retry_after: Some(60),
        body: String::new(),
    };
    world.fault("salesforce", super::world::TOKEN, busy, 1);
    world.when_due(&connection).await;
    let path = format!("/v1/connections/{connection}/refresh");
    let headers = [("idempotency-key", "once-more-please")];
    let refused = world
        .frank()
        .api
        .call(reqwest::Method::POST, &path, None, &headers)
        .await
        .unwrap();
    assert_eq!(
        (refused.status, refused.code()),
        (StatusCode::TOO_MANY_REQUESTS, "refresh_failed_recently"),
        "{}",
        refused.body
    );
    world.end().await;
}

/// T1, F11: a connection in the vendor's own account is refreshed like one in a customer's.
#[tokio::test(flavor = "multi_thread")]
async fn t1_f11_a_connection_in_the_vendors_account_is_refreshed() {
    let world = World::start().await;
    let hosted = json!({ "hosting": "vendor", "region": REGION });
    let api = &world.frank().api;
    let account = api.post("/v1/accounts", &hosted).await.unwrap();
    let account = account.expect(201).unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let verify = format!("/v1/accounts/{account}/verify");
    let verified = api.post(&verify, &json!({})).await.unwrap();
    assert_eq!(verified.expect(200).unwrap()["state"], "verified");
    let connection = common::salesforce(&world.sandbox, world.frank(), &account).await;
    let (kept, pushed) = world.record(&connection).await.generations();
    world.when_due(&connection).await;
    let record = world.record(&connection).await;
    assert_eq!(record.generations(), (kept + 1, pushed + 1));
    world.end().await;
}
