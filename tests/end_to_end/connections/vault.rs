//! The vault: what is sealed opens in its own place only, and keys change without anybody noticing.

use jiff::Timestamp;
use sandbox_core::VENDOR_ACCOUNT;
use serde_json::{Value, json};
use tributary::{subscription::SigningSecret, vault::VaultKeys};

use super::{
    seed::Seeder,
    world::{REFRESH, Record, World, told},
};
use crate::common;

/// The functions that seal and open.
const SEALERS: [&str; 4] = [
    "FlowsFunction",
    "OauthCallbackFunction",
    "QueriesFunction",
    REFRESH,
];

impl World {
    async fn set_bundle(&self, of: &Record, bundle: &Value) {
        let names = json!({ "#b": "bundle" });
        let values = json!({ ":b": bundle });
        self.change(&of.0, "SET #b = :b", names, values).await;
    }

    /// A refresh is asked for, and the token endpoint hears nothing of it.
    async fn refuses_to_open(&self, connection: &str, what: &str) {
        let before = self.sandbox.salesforce.token_counters().refreshes;
        let message = self.message(connection).await;
        self.the_lease_lapses(connection).await;
        self.enqueue(&message).await;
        self.queue_is_empty().await;
        let after = self.sandbox.salesforce.token_counters().refreshes;
        assert_eq!(after, before, "{what}");
    }
}

/// T6: a ciphertext in the row of another connection, of another tenant, or of another generation
/// does not open, and no token is presented.
#[tokio::test(flavor = "multi_thread")]
async fn t6_a_ciphertext_opens_in_its_own_row_only() {
    let (world, connection) = World::connected().await;
    let seeder = Seeder::new(&world);
    let due = Timestamp::now();
    let here = Seeder::here(&world);
    let beside = seeder.connection(here, due).await.to_string();
    let elsewhere = seeder.another_tenant(&world).await;
    let elsewhere = seeder.connection(elsewhere, due).await.to_string();
    let own = world.record(&connection).await;
    for (from, what) in [
        (&beside, "of another connection"),
        (&elsewhere, "of another tenant"),
    ] {
        let foreign = world.record(from).await.0["bundle"].clone();
        world.set_bundle(&own, &foreign).await;
        world.refuses_to_open(&connection, what).await;
    }
    // The same row, as if it were of another generation.
    world.set_bundle(&own, &own.0["bundle"]).await;
    let names = json!({ "#g": "generation", "#p": "pushed_generation" });
    let values = json!({ ":g": { "N": "7" } });
    let forwards = "SET #g = :g, #p = :g";
    world.change(&own.0, forwards, names.clone(), values).await;
    world
        .refuses_to_open(&connection, "of another generation")
        .await;
    let lines = world.sandbox.logs.lines();
    let said = |line: &&sandbox_gateway::runtime::LogLine| line.text.contains("does not open");
    assert!(lines.iter().filter(said).count() >= 3);

    // Back in its place it opens.
    let values = json!({ ":g": { "N": "1" } });
    world.change(&own.0, forwards, names, values).await;
    world.the_lease_lapses(&connection).await;
    world.when_due(&connection).await;
    assert_eq!(world.record(&connection).await.generations(), (2, 2));
    world.end().await;
}

/// T5: the KMS key is replaced while connections are refreshed and reconnected. Nothing fails, every
/// bundle ends under the new key, and the operator sees how far it is.
#[tokio::test(flavor = "multi_thread")]
async fn t5_the_key_changes_under_load_and_everything_ends_under_the_new_one() {
    let (world, connection) = World::connected().await;
    let seeder = Seeder::new(&world);
    let here = Seeder::here(&world);
    let mut ids = vec![connection.clone()];
    for _ in 0..24 {
        let id = seeder.connection(here, Timestamp::now()).await;
        ids.push(id.to_string());
    }
    // One needs a person, so it is in no index of what is due; one is from before keys were named.
    let waiting = world.record(&ids[1]).await;
    let names = json!({ "#s": "state", "#d": "due_shard" });
    let values = json!({ ":s": { "S": "reauth_required" } });
    world
        .change(&waiting.0, "SET #s = :s REMOVE #d", names, values)
        .await;
    let old_text = world.record(&ids[2]).await;
    let names = json!({ "#b": "bundle", "#n": "n", "#t": "t" });
    world
        .change(&old_text.0, "REMOVE #b.#n, #b.#t", names, Value::Null)
        .await;

    let old_key = world.arn("DataKey");
    let new_key = world.new_key().await;
    assert_eq!(world.vault().await["currentKey"], old_key);

    // Before, during and after the change, everything is refreshed all the time.
    let load = async {
        for _ in 0..3 {
            for id in &ids[2..] {
                let message = world.message(id).await;
                world.enqueue(&message).await;
            }
            world.queue_is_empty().await;
        }
    };
    let consents = async {
        for _ in 0..2 {
            let start = world.ask_again(&connection).await;
            assert_eq!(world.consent(&start).await, told("connected", "connected"));
        }
    };
    let change = async {
        for function in SEALERS {
            let runtime = &world.sandbox.runtime;
            assert!(runtime.configure(function, "PREVIOUS_DATA_KEY_ARNS", &old_key));
            assert!(runtime.configure(function, "DATA_KEY_ARN", &new_key));
        }
        let before = world.vault().await;
        assert_eq!(before["currentKey"], new_key);
        assert_eq!(
            (&before["left"], &before["finishedAt"]),
            (&Value::Null, &Value::Null),
            "nothing is counted yet: {before}"
        );
        world.rewrap().await;
    };
    tokio::join!(load, consents, change);
    let done_before = world.vault().await["done"].as_u64().unwrap();
    // What processes with the old configuration sealed while the walk went on is found by the next.
    for item in world.walks().await {
        let names = json!({ "#f": "finished_at" });
        let values = json!({ ":f": { "S": "2026-01-01T00:00:00Z" } });
        world.change(&item, "SET #f = :f", names, values).await;
    }
    world.rewrap().await;

    let after = world.vault().await;
    assert_eq!(
        (&after["left"], &after["failed"]),
        (&json!(0), &json!(0)),
        "{after}"
    );
    assert!(
        after["done"].as_u64() >= Some(1) || done_before >= 1,
        "{after}"
    );
    assert!(after["finishedAt"].is_string(), "{after}");
    for id in &ids {
        let record = world.record(id).await;
        assert_eq!(record.0["bundle"]["M"]["n"]["S"], new_key, "{}", record.0);
    }
    let runtime = &world.sandbox.runtime;
    assert_eq!(runtime.counters(REFRESH).failures, 0);
    assert_eq!(world.waiting("RefreshDeadLetterQueue").await, 0);
    let lines = world.sandbox.logs.lines();
    let failed: Vec<&str> = lines
        .iter()
        .map(|line| line.text.as_str())
        .filter(|text| text.contains("vault_failed") || text.contains("goes back to the queue"))
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");

    // The old key can go: what opens now opens with the new one.
    for function in SEALERS {
        assert!(runtime.configure(function, "PREVIOUS_DATA_KEY_ARNS", ""));
    }
    let new_seeder = Seeder::with_keys(&world, VaultKeys::from(new_key));
    for id in &ids {
        let record = new_seeder.record(here, id.parse().unwrap()).await;
        new_seeder.tokens(&record).await;
    }
    let before = world.record(&connection).await.generations().0;
    world.when_due(&connection).await;
    assert_eq!(
        world.record(&connection).await.generations(),
        (before + 1, before + 1)
    );
    world.end().await;
}

/// A key that is not configured opens nothing, whatever a text says: the walk tells what it cannot do.
#[tokio::test(flavor = "multi_thread")]
async fn t5_a_text_under_a_foreign_key_is_not_opened_and_stays_left() {
    let (world, connection) = World::connected().await;
    let foreign = world.new_key().await;
    let record = world.record(&connection).await;
    let names = json!({ "#b": "bundle", "#n": "n" });
    let values = json!({ ":n": { "S": foreign } });
    world
        .change(&record.0, "SET #b.#n = :n", names, values)
        .await;
    world.rewrap().await;
    let seen = world.vault().await;
    assert_eq!(
        (&seen["left"], &seen["failed"], &seen["done"]),
        (&json!(1), &json!(1), &json!(0)),
        "{seen}"
    );
    world
        .refuses_to_open(&connection, "under a foreign key")
        .await;
    world.end().await;
}

/// T5: the keys with which deliveries are signed move to the new key as tokens do, and sign on.
#[tokio::test(flavor = "multi_thread")]
async fn t5_signing_keys_of_subscriptions_end_under_the_new_key() {
    let world = World::start().await;
    let webhooks = &world.sandbox.webhooks;
    let subscription = json!({
        "name": "Kept", "target": { "kind": "https", "url": webhooks.url("kept") },
    });
    let api = &world.frank().api;
    let made = api.post("/v1/subscriptions", &subscription).await.unwrap();
    let made = made.expect(201).unwrap();
    let secret = SigningSecret::parse(made["signingSecret"].as_str().unwrap()).unwrap();
    let sealed_under = async || {
        let items = world.sandbox.table_items().await;
        let item = items.iter().find(|item| item["id"]["S"] == made["id"]);
        item.unwrap()["keys"]["L"][0]["M"]["sealed"]["M"]["n"]["S"].clone()
    };
    let (old_key, new_key) = (world.arn("DataKey"), world.new_key().await);
    assert_eq!(sealed_under().await, old_key);
    let functions = SEALERS.iter().chain(&["DeliveriesFunction"]);
    let configure = |name: &str, value: &str| {
        for function in functions.clone() {
            assert!(world.sandbox.runtime.configure(function, name, value));
        }
    };
    configure("PREVIOUS_DATA_KEY_ARNS", &old_key);
    configure("DATA_KEY_ARN", &new_key);
    world.rewrap().await;
    let seen = world.vault().await;
    let expected = (&json!(0), &json!(0));
    assert_eq!((&seen["left"], &seen["failed"]), expected, "{seen}");
    assert_eq!(sealed_under().await, new_key);

    configure("PREVIOUS_DATA_KEY_ARNS", "");
    let test = format!("/v1/subscriptions/{}/test", made["id"].as_str().unwrap());
    let sent = api.post(&test, &json!({})).await.unwrap();
    sent.expect(202).unwrap();
    let caught =
        common::eventually("the delivery", || async { webhooks.caught("kept").pop() }).await;
    let at = caught.header("webhook-timestamp").parse().unwrap();
    let at = Timestamp::from_second(at).unwrap();
    let expected = secret.sign(caught.header("webhook-id"), at, caught.body.as_bytes());
    assert_eq!(caught.header("webhook-signature"), expected);
    world.end().await;
}

impl World {
    fn arn(&self, resource: &str) -> String {
        let resource = &self.sandbox.stack.resources[resource];
        resource.arn().unwrap().to_owned()
    }

    /// Makes a KMS key that the functions may use.
    async fn new_key(&self) -> String {
        let aws = &self.sandbox.aws;
        let admin = aws.admin(VENDOR_ACCOUNT);
        let made = aws.call(&admin, "kms", "CreateKey", &json!({})).await;
        let made: Value = serde_json::from_slice(&made.body).unwrap();
        let arn = made["KeyMetadata"]["Arn"].as_str().unwrap().to_owned();
        // As the template gives it: for a tenant's session, and for what is no tenant's yet.
        for (role, tenant) in [
            ("TenantDataRole", "${aws:PrincipalTag/tributary:tenant}"),
            ("OauthCallbackRole", "none"),
        ] {
            let mut role = aws.role(&self.arn(role)).unwrap();
            role.identity_policies.push(json!({
                "Version": "2012-10-17",
                "Statement": [{
                    "Effect": "Allow",
                    "Action": ["kms:GenerateDataKey", "kms:Decrypt"],
                    "Resource": arn,
                    "Condition": { "StringEquals": { "kms:EncryptionContext:tenant": tenant } },
                }],
            }));
            aws.put_role(role);
        }
        arn
    }

    /// What the operator sees.
    async fn vault(&self) -> Value {
        let operator = self.sandbox.operator().await.unwrap();
        let seen = operator.get("/v1/vault").await.unwrap();
        seen.expect(200).unwrap()
    }

    /// Ticks of the re-wrapping until all shards are done.
    async fn rewrap(&self) {
        for shard in 0..4 {
            let done = || async {
                let tick = json!({ "kind": "rewrap", "shard": shard });
                let answer = sandbox_core::Functions::invoke(&self.sandbox.runtime, REFRESH, tick);
                (answer.await.unwrap()["finished"] == true).then_some(())
            };
            common::eventually("the end of the walk", done).await;
        }
    }

    async fn walks(&self) -> Vec<Value> {
        let items = self.sandbox.table_items().await;
        let is_walk = |item: &Value| {
            item["sk"]["S"]
                .as_str()
                .is_some_and(|sk| sk.starts_with("REWRAP#"))
        };
        items.into_iter().filter(is_walk).collect()
    }
}
