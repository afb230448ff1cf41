//! The push into AppFlow fails: the tokens are safe, and a later tick brings them there.

use sandbox_core::Fault;
use serde_json::json;

use super::world::{World, told};
use crate::common;

const UPDATE: &str = "update-connector-profile";
/// As often as one push is tried within an invocation.
const ATTEMPTS: u32 = 3;

fn out_of_order() -> Fault {
    Fault::Status {
        status: 500,
        retry_after: None,
        body: String::new(),
    }
}

/// A push that fails, with and without effect, is repaired by a later tick and needs no token call.
#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_failed_is_made_up_for_by_a_later_tick() {
    let (world, connection) = World::connected().await;
    for (generation, fault) in [
        (2, out_of_order()),
        (3, Fault::DropAfter),
        (4, Fault::DropBefore),
    ] {
        world.fault("appflow", UPDATE, fault.clone(), ATTEMPTS);
        world.when_due(&connection).await;
        let record = world.record(&connection).await;
        assert_eq!(
            record.generations(),
            (generation, generation - 1),
            "{fault:?}"
        );
        assert!(!record.has("lease_until"), "{fault:?}: {}", record.0);
        assert_eq!(
            world.seen(&connection).await["state"],
            "active",
            "{fault:?}: the token before still works"
        );

        world.when_due(&connection).await;
        let record = world.record(&connection).await;
        assert_eq!(record.generations(), (generation, generation), "{fault:?}");
        assert_eq!(record.number("failures"), 0, "{fault:?}");
        let next = record.number("due_at") - jiff::Timestamp::now().as_millisecond();
        assert!(
            next > 20 * 60_000,
            "{fault:?}: due when the token's life says, not in {next} ms"
        );
        assert!(world.works(&connection).await, "{fault:?}");
        let refreshes = world.sandbox.salesforce.token_counters().refreshes;
        assert_eq!(
            refreshes,
            u64::try_from(generation - 1).unwrap(),
            "{fault:?}: one token call for each generation"
        );
    }
    world.end().await;
}

/// A consent whose push failed is limited and says so; the refresh brings the token to AppFlow, and the
/// connection becomes active without a person.
#[tokio::test(flavor = "multi_thread")]
async fn a_consent_whose_push_failed_becomes_active_by_itself() {
    let world = World::start().await;
    let (connection, start) = world.ask().await;
    world.fault(
        "appflow",
        "create-connector-profile",
        out_of_order(),
        ATTEMPTS,
    );
    assert_eq!(world.consent(&start).await, told("limited", "push_failed"));
    let seen = world.seen(&connection).await;
    assert_eq!(
        (seen["state"].as_str(), seen["reason"].as_str()),
        (Some("limited"), Some("push_failed")),
        "{seen}"
    );
    world.when_due(&connection).await;
    assert_eq!(world.record(&connection).await.generations(), (1, 1));
    let seen = world.seen(&connection).await;
    assert_eq!(
        (seen["state"].as_str(), &seen["reason"]),
        (Some("active"), &json!(null)),
        "{seen}"
    );
    assert!(world.works(&connection).await);
    assert_eq!(
        world.sandbox.salesforce.token_counters().refreshes,
        0,
        "the consent's own token was pushed"
    );
    world.when_due(&connection).await;
    assert_eq!(world.record(&connection).await.generations(), (2, 2));
    world.end().await;
}

/// X5: a reconnect whose push failed is told as `recovered` once, when AppFlow has the token.
#[tokio::test(flavor = "multi_thread")]
async fn x5_a_reconnect_whose_push_failed_is_told_once_when_it_works() {
    let (world, connection) = World::connected().await;
    world
        .sandbox
        .salesforce
        .revoke_grants_of(&world.sandbox.salesforce_admin());
    world.when_due(&connection).await;
    world.needs_a_person(&connection, "revoked").await;
    let start = world.ask_again(&connection).await;
    world.fault("appflow", UPDATE, out_of_order(), ATTEMPTS);
    assert_eq!(world.consent(&start).await, told("limited", "push_failed"));
    assert_eq!(
        world.told(&connection, "recovered").await.len(),
        0,
        "it does not work yet"
    );
    for _ in 0..2 {
        world.when_due(&connection).await;
        let recovered = || async {
            Some(world.told(&connection, "recovered").await).filter(|told| !told.is_empty())
        };
        let recovered = common::eventually("the recovery's notification", recovered).await;
        assert_eq!(recovered.len(), 1, "{recovered:?}");
        assert_eq!(world.seen(&connection).await["state"], "active");
    }
    assert_eq!(world.told(&connection, "reauth_required").await.len(), 1);
    assert_eq!(world.record(&connection).await.generations(), (3, 3));
    world.end().await;
}
