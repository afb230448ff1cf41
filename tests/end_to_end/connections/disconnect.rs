//! Disconnecting: the grant ends at the provider, however long that takes, and what is left is said.

use std::time::Duration;

use reqwest::Method;
use sandbox::browser::Browser;
use sandbox_core::{CUSTOMER_ACCOUNT, Fault};
use serde_json::{Value, json};

use super::world::{REFRESH, TOKEN, World, told};
use crate::common;

const REVOKE: &str = "/services/oauth2/revoke";

fn unavailable() -> Fault {
    Fault::Status {
        status: 503,
        retry_after: Some(1),
        body: String::new(),
    }
}

impl World {
    /// Deletes a connection; answers what is left.
    async fn disconnect(&self, connection: &str) -> Value {
        let path = format!("/v1/connections/{connection}");
        let api = &self.frank().api;
        let answer = api.call(Method::DELETE, &path, None, &[]).await.unwrap();
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.body);
        assert_eq!(
            (&answer.body["id"], &answer.body["deleted"]),
            (&json!(connection), &json!(true)),
            "{}",
            answer.body
        );
        answer.body["leftOver"].clone()
    }

    /// Revocations that are written down, for a connection.
    async fn revocations(&self, connection: &str) -> Vec<Value> {
        let prefix = format!("REVOCATION#{connection}#");
        let items = self.sandbox.table_items().await;
        let is_one = |item: &Value| {
            item["sk"]["S"]
                .as_str()
                .is_some_and(|sk| sk.starts_with(&prefix))
        };
        items.into_iter().filter(is_one).collect()
    }

    /// Revocations become due, and the next tick works on them.
    async fn revocations_are_due(&self, connection: &str) {
        for item in self.revocations(connection).await {
            if item["due_at"].is_object() {
                let names = json!({ "#d": "due_at" });
                let values = json!({ ":d": { "N": "1" } });
                self.change(&item, "SET #d = :d", names, values).await;
            }
        }
        self.tick_at(jiff::Timestamp::now()).await;
        self.queue_is_empty().await;
    }

    fn grants(&self) -> usize {
        let salesforce = &self.sandbox.salesforce;
        salesforce.grants_of(&self.sandbox.salesforce_admin())
    }
}

/// O11, T7 of oauth.md: a connection ends everywhere at once, and ending it again is harmless.
#[tokio::test(flavor = "multi_thread")]
async fn o11_a_connection_that_is_deleted_leaves_nothing_and_can_be_deleted_again() {
    let (world, connection) = World::connected().await;
    assert_eq!(world.grants(), 1);
    assert_eq!(
        world.sandbox.appflow_secrets(CUSTOMER_ACCOUNT).await.len(),
        1
    );
    assert_eq!(world.disconnect(&connection).await, json!([]));
    assert_eq!(world.grants(), 0);
    assert_eq!(
        world.sandbox.appflow_secrets(CUSTOMER_ACCOUNT).await,
        [],
        "the profile is gone"
    );
    assert_eq!(world.revocations(&connection).await, Vec::<Value>::new());
    let record = world.record(&connection).await;
    for gone in ["bundle", "due_at", "due_shard", "intent", "lease_until"] {
        assert!(!record.has(gone), "{gone}: {}", record.0);
    }
    assert_eq!(world.disconnect(&connection).await, json!([]));
    assert_eq!(world.much_later().await, 0, "nothing is due any more");
    world.end().await;
}

/// O11: a provider that is away keeps nothing alive: the revocation waits, is told as left over, and
/// is tried until it is done.
#[tokio::test(flavor = "multi_thread")]
async fn o11_a_revocation_is_tried_until_the_provider_confirms_it() {
    let (world, connection) = World::connected().await;
    world.fault("salesforce", REVOKE, unavailable(), 2);
    let left = world.disconnect(&connection).await;
    assert_eq!(left.as_array().unwrap().len(), 1, "{left}");
    assert_eq!(
        (&left[0]["what"], &left[0]["retrying"]),
        (&json!("grant"), &json!(true)),
        "{left}"
    );
    assert_eq!(world.grants(), 1);
    assert_eq!(
        world.tick_at(jiff::Timestamp::now()).await,
        0,
        "not at once"
    );

    world.revocations_are_due(&connection).await;
    assert_eq!(world.grants(), 1, "the second attempt failed too");
    let waiting = world.revocations(&connection).await;
    assert_eq!(waiting[0]["attempts"]["N"], "2", "{waiting:?}");
    assert_eq!(world.disconnect(&connection).await, left);

    world.revocations_are_due(&connection).await;
    assert_eq!(world.grants(), 0);
    assert_eq!(world.disconnect(&connection).await, json!([]));
    assert_eq!(world.much_later().await, 0);
    world.end().await;
}

/// A lost answer is no answer: the revocation is repeated, which the provider does not mind.
#[tokio::test(flavor = "multi_thread")]
async fn o11_a_revocation_whose_answer_is_lost_is_repeated() {
    let (world, connection) = World::connected().await;
    world.fault("salesforce", REVOKE, Fault::DropAfter, 1);
    let left = world.disconnect(&connection).await;
    assert_eq!(left[0]["retrying"], true, "{left}");
    world.revocations_are_due(&connection).await;
    assert_eq!(world.revocations(&connection).await, Vec::<Value>::new());
    assert_eq!(world.disconnect(&connection).await, json!([]));
    world.end().await;
}

/// After 30 days it is given up, loudly, and stays on the list.
#[tokio::test(flavor = "multi_thread")]
async fn o11_a_revocation_that_never_succeeds_is_given_up_loudly_and_stays_listed() {
    let (world, connection) = World::connected().await;
    world.fault("salesforce", REVOKE, unavailable(), u32::MAX);
    world.disconnect(&connection).await;
    let waiting = world.revocations(&connection).await;
    let long_ago = jiff::Timestamp::now() - Duration::from_hours(24 * 31);
    let names = json!({ "#a": "asked_at" });
    let values = json!({ ":a": { "S": long_ago.to_string() } });
    world
        .change(&waiting[0], "SET #a = :a", names, values)
        .await;
    world.revocations_are_due(&connection).await;
    let left = world.disconnect(&connection).await;
    assert_eq!(
        (&left[0]["what"], &left[0]["retrying"]),
        (&json!("grant"), &json!(false)),
        "{left}"
    );
    let loud = world.sandbox.logs.lines().into_iter().filter(|line| {
        line.text.contains("could not be ended for 30 days") && line.text.contains("ERROR")
    });
    assert_eq!(loud.count(), 1);
    assert_eq!(world.much_later().await, 0, "nothing is tried any more");
    world.end().await;
}

/// A process that dies while it revokes loses no revocation: it was written with the deletion.
#[tokio::test(flavor = "multi_thread")]
async fn o11_a_crash_while_revoking_loses_nothing() {
    let (world, connection) = World::connected().await;
    world.fault("salesforce", REVOKE, Fault::Delay(6_000), 1);
    let path = format!("/v1/connections/{connection}");
    let api = &world.frank().api;
    let crash = async {
        let revoked = || async { (world.grants() == 0).then_some(()) };
        common::eventually("the revocation at the provider", revoked).await;
        assert!(world.sandbox.runtime.kill_now("FlowsFunction") >= 1);
    };
    let (answer, ()) = tokio::join!(api.call(Method::DELETE, &path, None, &[]), crash);
    assert!(answer.unwrap().status.is_server_error());
    assert_eq!(world.revocations(&connection).await.len(), 1);
    let gone = api.get(&path).await.unwrap();
    assert_eq!(gone.status.as_u16(), 404, "the deletion stands");
    assert_eq!(world.disconnect(&connection).await[0]["retrying"], true);
    world.revocations_are_due(&connection).await;
    assert_eq!(world.revocations(&connection).await, Vec::<Value>::new());
    assert_eq!(world.disconnect(&connection).await, json!([]));
    world.end().await;
}

/// X3-like: a refresh that rotates while the connection is deleted. Its tokens belong to nobody, and
/// their grant ends all the same.
#[tokio::test(flavor = "multi_thread")]
async fn o11_tokens_that_arrive_after_the_deletion_are_ended_too() {
    let (world, connection) = World::connected().await;
    world.fault("salesforce", TOKEN, Fault::Delay(3_000), 1);
    world.fault("salesforce", REVOKE, unavailable(), 1);
    let message = world.message(&connection).await;
    world.enqueue(&message).await;
    let rotated = || async {
        (world.sandbox.salesforce.token_counters().refreshes_granted == 1).then_some(())
    };
    common::eventually("the rotation at the provider", rotated).await;
    world.disconnect(&connection).await;
    assert_eq!(world.grants(), 1);
    world.queue_is_empty().await;
    assert_eq!(world.grants(), 0, "the new refresh token is ended");
    world.revocations_are_due(&connection).await;
    assert_eq!(world.revocations(&connection).await, Vec::<Value>::new());
    assert_eq!(world.sandbox.runtime.counters(REFRESH).failures, 0);
    world.end().await;
}

/// The grant that a reconnect replaces is ended in the same way, and the new one is not touched.
#[tokio::test(flavor = "multi_thread")]
async fn x1_the_replaced_grant_is_ended_later_if_it_cannot_be_now() {
    let (world, connection) = World::connected().await;
    world.fault("salesforce", REVOKE, unavailable(), 1);
    let start = world.ask_again(&connection).await;
    assert_eq!(world.consent(&start).await, told("connected", "connected"));
    assert_eq!(world.grants(), 2);
    world.revocations_are_due(&connection).await;
    assert_eq!(world.grants(), 1);
    assert_eq!(world.revocations(&connection).await, Vec::<Value>::new());
    world.when_due(&connection).await;
    assert_eq!(world.record(&connection).await.generations(), (3, 3));
    assert!(world.works(&connection).await);
    world.end().await;
}

/// A customer who took our role away can still disconnect, and learns what to delete by hand.
#[tokio::test(flavor = "multi_thread")]
async fn o11_a_profile_in_an_account_that_is_closed_to_us_is_left_over() {
    let (world, connection) = World::connected().await;
    let role = format!("arn:aws:iam::{CUSTOMER_ACCOUNT}:role/TributaryAccess");
    assert!(world.sandbox.aws.delete_role(&role));
    // A new process has no session of the role.
    world.sandbox.runtime.kill_now("FlowsFunction");
    let left = world.disconnect(&connection).await;
    assert_eq!(left.as_array().unwrap().len(), 1, "{left}");
    assert_eq!(
        (&left[0]["what"], &left[0]["retrying"]),
        (&json!("profile"), &json!(false))
    );
    assert_eq!(
        left[0]["where"],
        format!("tributary-{}-{connection}", world.tenant.id)
    );
    assert_eq!(world.grants(), 0);
    assert_eq!(
        world.disconnect(&connection).await,
        left,
        "and it is told again"
    );
    world.end().await;
}

/// L2: a grant that waits to be confirmed has nothing to wait for any more: it is ended as well.
#[tokio::test(flavor = "multi_thread")]
async fn o11_a_grant_that_waits_to_be_confirmed_is_ended_with_the_connection() {
    let world = World::start().await;
    let (connection, _) = world.ask().await;
    let path = format!("/v1/connections/{connection}/invitation");
    let made = world.frank().api.post(&path, &json!({})).await.unwrap();
    let invitation = made.expect(201).unwrap()["url"].as_str().unwrap().parse();
    let browser = Browser::new().unwrap();
    let page = browser.get(&invitation.unwrap()).await.unwrap();
    let mut form = page.url.clone();
    form.set_query(None);
    let (token, csrf) = (page.hidden("token").unwrap(), page.hidden("csrf").unwrap());
    let fields = [("token", token.as_str()), ("csrf", csrf.as_str())];
    let onward = browser.post_form(&form, &fields).await.unwrap();
    let provider = onward.location.unwrap();
    let who = world.sandbox.salesforce_admin();
    let callback = world.decide(&browser, &provider, "allow", &who).await;
    browser.get(&callback).await.unwrap();
    assert_eq!(world.grants(), 1, "it waits");

    world.fault("salesforce", REVOKE, unavailable(), 1);
    let left = world.disconnect(&connection).await;
    assert_eq!(left[0]["retrying"], true, "{left}");
    assert_eq!(world.grants(), 1);
    world.revocations_are_due(&connection).await;
    assert_eq!(world.grants(), 0);
    assert_eq!(world.disconnect(&connection).await, json!([]));
    world.end().await;
}
