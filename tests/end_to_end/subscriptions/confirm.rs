//! Confirmation: what is taken for a message of SNS, and what a token confirms.

use std::time::Duration;

use sandbox_core::{CUSTOMER_ACCOUNT, OTHER_CUSTOMER_ACCOUNT};
use serde_json::{Value, json};

use super::world::{act, asked_to_confirm, patch, queue, show, subscribe, to_queue};
use crate::{
    common,
    flows::world::{World, faults},
};

/// How often SNS was asked to confirm anything.
fn confirmations(world: &World) -> usize {
    let entries = world.sandbox.journal.entries();
    let asked = |operation: &str| operation == "ConfirmSubscription";
    let entries = entries.iter();
    entries
        .filter(|entry| entry.service == "sns" && asked(&entry.operation))
        .count()
}

/// N7: a message with a forged topic, or with addresses that are not AWS's, is refused, and nothing is
/// called: neither SNS nor what the message names.
#[tokio::test(flavor = "multi_thread")]
async fn n7_a_forged_confirmation_is_refused_and_nothing_is_called() {
    let world = World::without_schedules().await;
    let (sandbox, api) = (&world.sandbox, world.api());
    let queue = queue(sandbox, CUSTOMER_ACCOUNT, "inbox").await;
    let made = subscribe(api, &to_queue(&queue)).await;
    assert!(made["topicArn"].is_string());
    let message = asked_to_confirm(sandbox, &queue).await;
    let (listener, address) = sandbox_core::serve::bind(0).await.unwrap();
    let pem = "SimpleNotificationService-01.pem";
    let subscribe_url = message["SubscribeURL"].as_str().unwrap();
    for (member, value) in [
        (
            "TopicArn",
            "arn:aws:sns:us-east-1:999999999999:evil".to_owned(),
        ),
        ("Type", "Notification".to_owned()),
        (
            "SigningCertURL",
            format!("https://sns.us-east-1.amazonaws.com.evil.example/{pem}"),
        ),
        (
            "SigningCertURL",
            format!("http://sns.us-east-1.amazonaws.com/{pem}"),
        ),
        (
            "SigningCertURL",
            format!("https://sns.us-east-1.amazonaws.com@evil.example/{pem}"),
        ),
        (
            "SigningCertURL",
            format!("https://sns.us-east-1.amazonaws.com:8443/{pem}"),
        ),
        (
            "SigningCertURL",
            format!("https://sns.eu-west-1.amazonaws.com/{pem}"),
        ),
        ("SigningCertURL", format!("http://{address}/{pem}")),
        (
            "SubscribeURL",
            format!("http://{address}/?Action=ConfirmSubscription"),
        ),
        (
            "SubscribeURL",
            subscribe_url.replace("amazonaws.com", "amazonaws.com.evil.example"),
        ),
        ("Token", "0123456789abcdef".to_owned()),
    ] {
        let mut forged = message.clone();
        forged[member] = value.clone().into();
        let refused = act(api, &made, "confirm", &forged).await;
        assert_eq!(refused.status, 422, "{member} {value}: {}", refused.text);
        assert_eq!(refused.code(), "confirmation_refused");
    }
    assert_eq!(confirmations(&world), 0);
    let nobody = tokio::time::timeout(Duration::from_millis(1), listener.accept()).await;
    assert!(nobody.is_err(), "an address of a message was called");
    assert_eq!(show(api, &made).await["state"], "pending");
    let confirmed = act(api, &made, "confirm", &message).await;
    assert_eq!(confirmed.expect(200).unwrap()["state"], "active");
    // A second time changes nothing.
    let again = act(api, &made, "confirm", &message).await;
    assert_eq!(again.expect(200).unwrap()["state"], "active");
}

/// N7: the token of another tenant's subscription confirms nothing here, and its answer is that of a
/// token that nobody has.
#[tokio::test(flavor = "multi_thread")]
async fn n7_another_tenants_token_confirms_nothing_here() {
    let world = World::without_schedules().await;
    let (sandbox, api) = (&world.sandbox, world.api());
    let other = common::tenant(sandbox, "Others", &[("alex", "admin")]).await;
    let alex = other.api("alex");
    common::customer_account_in(sandbox, alex, OTHER_CUSTOMER_ACCOUNT).await;
    let (own, others) = (
        queue(sandbox, CUSTOMER_ACCOUNT, "own").await,
        queue(sandbox, OTHER_CUSTOMER_ACCOUNT, "others").await,
    );
    let mine = subscribe(api, &to_queue(&own)).await;
    let theirs = subscribe(alex, &to_queue(&others)).await;
    let message = asked_to_confirm(sandbox, &others).await;
    let refused = act(api, &mine, "confirm", &message).await;
    let with_token = |token: &str| {
        let url = message["SubscribeURL"].as_str().unwrap();
        let (begin, _) = url.split_once("&Token=").unwrap();
        let mut message = message.clone();
        message["Token"] = token.into();
        message["SubscribeURL"] = format!("{begin}&Token={token}").into();
        message
    };
    let unknown = act(api, &mine, "confirm", &with_token("0123456789abcdef")).await;
    for answer in [&refused, &unknown] {
        assert_eq!(answer.status, 422, "{}", answer.text);
        let told: Vec<String> = faults(&answer.body).into_iter().collect();
        assert_eq!(told, ["/Token unknown_token"]);
    }
    assert_eq!(refused.body["errors"], unknown.body["errors"]);
    assert_eq!(show(api, &mine).await["state"], "pending");
    // Nobody reaches another tenant's subscription by its id.
    let foreign = act(api, &theirs, "confirm", &message).await;
    assert_eq!(foreign.status, 404);
}

/// A token is good for two days. Then the subscription is off, and switching it on asks anew.
#[tokio::test(flavor = "multi_thread")]
async fn an_unconfirmed_subscription_is_off_after_two_days_and_can_be_asked_anew() {
    let world = World::without_schedules().await;
    let (sandbox, api) = (&world.sandbox, world.api());
    let address = json!({ "kind": "email", "address": "late@customer.example" });
    let made = subscribe(api, &address).await;
    sandbox.sns.settled().await;
    let old = sandbox.sns.mailbox("late@customer.example")[0].clone();
    // SNS may take minutes to know a new subscription; this one was made long ago.
    make_older(&world, &made).await;
    sandbox.clock.advance(Duration::from_hours(49));
    let shown = show(api, &made).await;
    assert_eq!(
        (&shown["state"], &shown["disabledReason"]),
        (&json!("disabled"), &json!("gone"))
    );
    let on = patch(api, &made, &json!({ "state": "active" })).await;
    assert_eq!(on.expect(200).unwrap()["state"], "pending");
    sandbox.sns.settled().await;
    let mails = sandbox.sns.mailbox("late@customer.example");
    assert_eq!(mails.len(), 2);
    let new = &mails[1];
    assert_ne!(new.token, old.token);
    reqwest::get(new.confirm_url.clone().unwrap())
        .await
        .unwrap();
    assert_eq!(show(api, &made).await["state"], "active");
}

/// Dates the record of a subscription back.
async fn make_older(world: &World, subscription: &Value) {
    let table = world.sandbox.stack.resources["Table"].physical_id();
    let key = json!({
        "pk": { "S": format!("TENANT#{}", world.tenant.id) },
        "sk": { "S": format!("SUBSCRIPTION#{}", subscription["id"].as_str().unwrap()) },
    });
    let ask = json!({
        "TableName": table, "Key": key, "UpdateExpression": "SET updated_at = :then",
        "ExpressionAttributeValues": { ":then": { "S": "2026-01-01T00:00:00Z" } },
    });
    let aws = &world.sandbox.aws;
    let admin = aws.admin(sandbox_core::VENDOR_ACCOUNT);
    let reply = aws.call(&admin, "dynamodb", "UpdateItem", &ask).await;
    assert!(reply.status.is_success(), "{:?}", reply.body);
}
