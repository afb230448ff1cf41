//! Runs that fail: what they failed on, and whether trying again makes sense.

use std::time::Duration;

use http::Method;
use sandbox_core::CUSTOMER_ACCOUNT;
use serde_json::{Value, json};

use super::events::event;
use crate::{
    common,
    flows::world::{World, landing_bucket},
};

/// The run's end, and the one notification of it.
async fn failure(world: &World, flow: &Value) -> Value {
    let run = world.start(flow).await;
    let run = world.ended(flow, &run).await;
    assert_eq!(run["status"], "failed", "{run}");
    world.settled().await;
    let told = world.told_of(&run["id"]).await;
    let failed: Vec<&Value> = told
        .iter()
        .filter(|event| event["type"] == "tributary.run.failed")
        .collect();
    assert_eq!(failed.len(), 1, "{told:?}");
    for member in ["cause", "message", "retryable"] {
        assert_eq!(failed[0]["data"][member], run[member], "{member}");
    }
    assert!(
        told.iter()
            .all(|event| event["type"] != "tributary.run.completed")
    );
    run
}

/// U5: the token has expired and nobody refreshed it: a matter of credentials, and trying again
/// does not help.
#[tokio::test(flavor = "multi_thread")]
async fn u5_an_expired_token_is_a_matter_of_credentials() {
    let world = World::without_schedules().await;
    let flow = world.create(&world.flow()).await;
    world.sandbox.clock.advance(Duration::from_hours(3));
    let run = failure(&world, &flow).await;
    assert_eq!(
        (&run["cause"], &run["retryable"]),
        (&json!("credentials"), &json!(false)),
        "{run}"
    );
    common::no_leaks(&world.sandbox).await;
}

/// U5: the bucket is gone: a matter of the destination.
#[tokio::test(flavor = "multi_thread")]
async fn u5_a_missing_bucket_is_a_matter_of_the_destination() {
    let world = World::without_schedules().await;
    let flow = world.create(&world.flow()).await;
    let (aws, bucket) = (&world.sandbox.aws, landing_bucket(CUSTOMER_ACCOUNT));
    let admin = aws.admin(CUSTOMER_ACCOUNT);
    let deleted = aws
        .call_rest(
            &admin,
            "s3",
            Method::DELETE,
            &format!("/{bucket}"),
            String::new().into(),
        )
        .await;
    assert!(deleted.status.is_success(), "{deleted:?}");
    let run = failure(&world, &flow).await;
    assert_eq!(run["cause"], "destination", "{run}");
    assert!(run["retryable"].is_boolean());
    common::no_leaks(&world.sandbox).await;
}

/// U5: the provider's words are kept, what looks like a secret in them is not.
#[tokio::test(flavor = "multi_thread")]
async fn u5_secrets_in_a_providers_words_are_removed() {
    let world = World::without_schedules().await;
    let flow = world.create(&world.flow()).await;
    let session = "00Dxx0000001gPL!AQEAQHh4Y2FuYXJ5c2VjcmV0dmFsdWU";
    world
        .sandbox
        .canaries
        .seed("session id in a provider's text", session);
    let mut ended = event(
        &flow,
        "00000000-0000-4000-8000-000000000005",
        Some("Execution Failed"),
    );
    ended["detail"]["error"] = json!(format!(
        "INVALID_SESSION_ID: Session expired or invalid (sid {session})"
    ));
    world.sandbox.events.put_event(CUSTOMER_ACCOUNT, ended);
    let runs = world.ended_runs(&flow, 1).await;
    assert_eq!(
        (&runs[0]["status"], &runs[0]["cause"]),
        (&json!("failed"), &json!("credentials")),
        "{runs:?}"
    );
    let message = runs[0]["message"].as_str().unwrap();
    assert!(
        message.contains("Session expired or invalid") && message.contains("[removed]"),
        "{message}"
    );
    assert!(!message.contains("AQEA"), "{message}");
    world.settled().await;
    assert_eq!(world.told_of(&runs[0]["id"]).await.len(), 1);
    common::no_leaks(&world.sandbox).await;
}

/// U5: each cause class has its words, and says whether a retry is sensible.
#[tokio::test(flavor = "multi_thread")]
async fn u5_every_cause_is_told_from_the_providers_words() {
    let world = World::without_schedules().await;
    let flow = world.create(&world.flow()).await;
    let cases = [
        (
            "Error while authenticating to connector",
            "credentials",
            false,
        ),
        (
            "No such column 'Region__c' on entity 'Account'",
            "mapping",
            false,
        ),
        (
            "REQUEST_LIMIT_EXCEEDED: TotalRequests Limit exceeded.",
            "quota",
            true,
        ),
        ("The request timed out", "source", true),
        (
            "The specified bucket does not exist (NoSuchBucket)",
            "destination",
            false,
        ),
        ("Something nobody has seen before", "internal", true),
    ];
    for (number, (words, ..)) in cases.iter().enumerate() {
        let mut ended = event(&flow, &format!("e-{number}"), Some("Execution Failed"));
        ended["detail"]["error"] = json!(words);
        world.sandbox.events.put_event(CUSTOMER_ACCOUNT, ended);
    }
    let runs = world.ended_runs(&flow, cases.len()).await;
    for (number, (words, cause, retryable)) in cases.into_iter().enumerate() {
        let execution = format!("e-{number}");
        let run = runs
            .iter()
            .find(|run| run["executionId"] == execution.as_str());
        let run = run.unwrap();
        assert_eq!(
            (&run["cause"], &run["retryable"], &run["message"]),
            (&json!(cause), &json!(retryable), &json!(words)),
            "{run}"
        );
    }
    common::no_leaks(&world.sandbox).await;
}
