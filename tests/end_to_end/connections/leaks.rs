//! No secret ever stands where it does not belong: a whole life of connections, and then a look at
//! everything that was written, sent or kept (scenario I5).

use reqwest::Method;
use sandbox_core::{CUSTOMER_ACCOUNT, Fault, Queues as _, REGION, VENDOR_ACCOUNT};
use serde_json::json;

use super::world::{LONG_ENOUGH, TOKEN, World, told};

fn answer(status: u16, body: String) -> Fault {
    Fault::Status {
        status,
        retry_after: None,
        body,
    }
}

/// I5, C9: consent, refresh, refusals, odd answers that hold secrets, a dead letter, a reconnect and a
/// disconnect, with every token, code, verifier and secret seeded.
#[tokio::test(flavor = "multi_thread")]
async fn i5_a_whole_life_of_connections_leaves_no_secret_anywhere() {
    let (world, connection) = World::connected().await;
    let odd = "canary-in-an-odd-answer-8c1f2a";
    world.sandbox.canaries.seed("odd answer", odd);
    world.when_due(&connection).await;

    // A success that cannot be read may hold the only token: it is kept, sealed.
    let unreadable = json!({ "token": odd, "note": "no access_token" }).to_string();
    let refused = json!({ "error": "server_error", "error_description": odd }).to_string();
    for (status, body) in [
        (200, unreadable),
        (200, format!("<html>{odd}</html>")),
        (500, refused),
        (400, format!("{{\"error\":\"{odd}\"}}")),
        (302, odd.to_owned()),
    ] {
        world.fault("salesforce", TOKEN, answer(status, body), 1);
        world.when_due(&connection).await;
        if world.record(&connection).await.has("intent") {
            world.the_intent_ages(&connection, LONG_ENOUGH).await;
        }
        world.the_lease_lapses(&connection).await;
    }
    for fault in [Fault::Truncate, Fault::DropAfter] {
        let start = world.ask_again(&connection).await;
        assert_eq!(world.consent(&start).await, told("connected", "connected"));
        world.fault("salesforce", TOKEN, fault, 1);
        world.when_due(&connection).await;
        if world.record(&connection).await.has("intent") {
            world.the_intent_ages(&connection, LONG_ENOUGH).await;
            world.the_lease_lapses(&connection).await;
            world.when_due(&connection).await;
        }
    }
    // A message that nobody can read ends among the dead letters.
    world.enqueue("not a message").await;
    world.queue_is_empty().await;
    let revoke = answer(503, odd.to_owned());
    world.fault("salesforce", "/services/oauth2/revoke", revoke, 1);
    let path = format!("/v1/connections/{connection}");
    let api = &world.frank().api;
    let deleted = api.call(Method::DELETE, &path, None, &[]).await.unwrap();
    assert_eq!(deleted.status.as_u16(), 200, "{}", deleted.body);

    // AppFlow has access tokens, and nothing that outlives them.
    let second = world.connect().await;
    world.when_due(&second).await;
    let secrets = world.sandbox.appflow_secrets(CUSTOMER_ACCOUNT).await;
    assert_eq!(secrets.len(), 1, "one profile is left");
    for (name, value) in secrets {
        let found = world.sandbox.canaries.found_in(&value);
        assert_eq!(found, ["salesforce access token"], "{name}");
    }
    // The sweep at the end reads access logs and dead letters too: there are some. Metrics are lines
    // of the functions' output like all others.
    let lines = world.sandbox.logs.lines();
    let access = lines.iter().find(|line| line.source == "gateway");
    assert!(access.is_some_and(|line| line.text.contains("routeKey")));
    let queued = world.sandbox.queued_messages().await;
    let dead = |(queue, _): &(String, String)| queue.contains("DeadLetter");
    assert!(queued.iter().any(dead), "{queued:?}");
    world.end().await;
}

/// The sweep itself: a secret on a queue or in a bucket is found.
#[tokio::test(flavor = "multi_thread")]
async fn i5_the_sweep_finds_what_is_planted() {
    let world = World::start().await;
    let secret = "canary-planted-by-the-test-5d0e";
    world.sandbox.canaries.seed("planted", secret);
    let queue = world.physical("ScheduleDeadLetterQueue");
    let name = queue.rsplit('/').next().unwrap();
    let arn = format!("arn:aws:sqs:{REGION}:{VENDOR_ACCOUNT}:{name}");
    let body = json!({ "why": secret }).to_string();
    let aws = &world.sandbox.aws;
    aws.send(&arn, body, std::collections::BTreeMap::new())
        .await
        .unwrap();
    let bucket = world.physical("LandingBucket");
    let admin = aws.admin(VENDOR_ACCOUNT);
    let object = format!("/{bucket}/errors/1.json");
    let put = aws.call_rest(&admin, "s3", http::Method::PUT, &object, secret.into());
    assert!(put.await.status.is_success());
    let leaks = world.sandbox.sweep_for_leaks().await;
    let places: Vec<&str> = leaks.iter().map(|leak| leak.place.as_str()).collect();
    assert_eq!(
        places,
        [
            "queue ScheduleDeadLetterQueue".to_owned(),
            format!("object {object}")
        ],
        "{leaks:?}"
    );
}
