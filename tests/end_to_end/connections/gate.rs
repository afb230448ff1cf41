//! The gate before a provider's host: rate, cool-down, circuit breaker, and our app's secret.

use jiff::Timestamp;
use sandbox_core::{Fault, VENDOR_ACCOUNT};
use serde_json::{Value, json};

use super::world::{TOKEN, World};

/// The gate's item, in DynamoDB's JSON.
async fn gate(world: &World) -> Value {
    let items = world.sandbox.table_items().await;
    let gate = items.into_iter().find(|item| item["sk"]["S"] == "GATE");
    gate.unwrap_or_else(|| panic!("no gate"))["gate"]["M"].clone()
}

fn refused() -> Fault {
    let body = json!({ "error": "invalid_client", "error_description": "invalid client" });
    Fault::Status {
        status: 400,
        retry_after: None,
        body: body.to_string(),
    }
}

/// What a host tells one connection holds for all: nothing is presented before, no failure is counted,
/// and nobody's state changes.
#[tokio::test(flavor = "multi_thread")]
async fn r5_r7_a_host_that_wants_to_be_left_alone_is_left_alone_by_all() {
    let (world, first) = World::connected().await;
    let second = world.connect().await;
    let busy = Fault::Status {
        status: 429,
        retry_after: Some(120),
        body: String::new(),
    };
    world.fault("salesforce", TOKEN, busy, 1);
    // One after the other: a tick could find both.
    for connection in [&first, &second] {
        let message = world.message(connection).await;
        world.enqueue(&message).await;
        world.queue_is_empty().await;
    }
    let record = world.record(&second).await;
    let wait = record.number("due_at") - Timestamp::now().as_millisecond();
    assert!((60_000..=150_000).contains(&wait), "{wait} ms");
    assert_eq!(record.number("failures"), 0);
    assert!(
        !record.has("intent") && !record.has("lease_until"),
        "{}",
        record.0
    );
    assert_eq!(world.seen(&second).await["state"], "active");
    assert_eq!(world.sandbox.salesforce.token_counters().refreshes, 0);
    world.when_due(&second).await;
    assert_eq!(world.record(&second).await.generations(), (2, 2));
    world.end().await;
}

/// An open gate passes one probe; answered, everybody goes on. No connection changes meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn an_open_gate_is_closed_by_a_probe_and_blames_nobody() {
    let (world, connection) = World::connected().await;
    world.when_due(&connection).await;
    // One tenant's refusals open nothing at the vendor's app ...
    world.fault("salesforce", TOKEN, refused(), 4);
    for _ in 0..4 {
        world.when_due(&connection).await;
    }
    let found = gate(&world).await;
    assert_eq!(found["refusals"]["N"], "4", "{found}");
    assert!(found["opened_at"].is_null(), "{found}");
    // ... and another tenant's beside them do.
    let items = world.sandbox.table_items().await;
    let item = items.iter().find(|item| item["sk"]["S"] == "GATE").unwrap();
    let names = json!({ "#g": "gate", "#r": "refused_for", "#v": "version" });
    let values = json!({ ":r": { "L": [{ "S": "another tenant" }] }, ":one": { "N": "1" } });
    world
        .change(item, "SET #g.#r = :r, #v = #v + :one", names, values)
        .await;
    world.fault("salesforce", TOKEN, refused(), 1);
    world.when_due(&connection).await;
    assert!(gate(&world).await["opened_at"].is_object());
    let alarms = |world: &World| {
        let lines = world.sandbox.logs.lines();
        let is_alarm = |text: &str| text.contains("provider_breaker_opened");
        lines.iter().filter(|line| is_alarm(&line.text)).count()
    };
    assert_eq!(alarms(&world), 1);
    let failures = world.record(&connection).await.number("failures");

    let before = world.sandbox.journal.count("salesforce", TOKEN);
    let message = world.message(&connection).await;
    world.enqueue(&message).await;
    world.queue_is_empty().await;
    assert_eq!(world.sandbox.journal.count("salesforce", TOKEN), before);
    let record = world.record(&connection).await;
    assert_eq!(record.number("failures"), failures, "nobody is to blame");
    assert_eq!(world.seen(&connection).await["state"], "active");

    world.when_due(&connection).await;
    assert_eq!(world.record(&connection).await.generations(), (3, 3));
    assert!(gate(&world).await["opened_at"].is_null());
    assert_eq!(alarms(&world), 1, "one alarm");
    world.end().await;
}

/// What Secrets Manager answers to the vendor.
async fn secrets(world: &World, operation: &str, request: Value) -> Value {
    let aws = &world.sandbox.aws;
    let admin = aws.admin(VENDOR_ACCOUNT);
    let reply = aws
        .call(&admin, "secretsmanager", operation, &request)
        .await;
    assert!(
        reply.status.is_success(),
        "{}",
        String::from_utf8_lossy(&reply.body)
    );
    serde_json::from_slice(&reply.body).unwrap()
}

/// T4: our app's secret is rotated at the provider. A refusal of the old one is no failure: the secret
/// is read again, and the refresh succeeds in the same piece of work.
#[tokio::test(flavor = "multi_thread")]
async fn t4_a_rotated_app_secret_is_read_again_before_its_refusal_counts() {
    const APP: &str = "tributary/oauth-apps/salesforce";
    const NEW: &str = "the-new-secret-of-our-app-2026";
    let (world, connection) = World::connected().await;
    world.when_due(&connection).await;
    let stored = secrets(&world, "GetSecretValue", json!({ "SecretId": APP })).await;
    let mut app: Value = serde_json::from_str(stored["SecretString"].as_str().unwrap()).unwrap();
    let old = app["clientSecret"].as_str().unwrap().to_owned();

    world.sandbox.salesforce.add_client_secret(NEW);
    app["clientSecret"] = json!(NEW);
    let request = json!({ "SecretId": APP, "SecretString": app.to_string() });
    let put = secrets(&world, "PutSecretValue", request).await;
    world.when_due(&connection).await;
    assert_eq!(
        world.record(&connection).await.generations(),
        (3, 3),
        "overlap"
    );

    world.sandbox.salesforce.retire_client_secret(&old);
    for generation in 4..=5 {
        world.when_due(&connection).await;
        let record = world.record(&connection).await;
        assert_eq!(record.generations(), (generation, generation));
        assert_eq!(record.number("failures"), 0);
        assert_eq!(record.0["app_secret_version"]["S"], put["VersionId"]);
    }
    // A process remembers a secret for five minutes at most; here the window was shorter than that, so
    // the one that still had the old secret learned it by one refusal, and nothing carries it since.
    let refused = world.sandbox.journal.count("salesforce", "invalid_client");
    assert!(refused <= 1, "{refused}");
    world.end().await;
}
