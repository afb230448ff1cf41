//! What comes to each kind of target, and what does not.

use sandbox_core::{CUSTOMER_ACCOUNT, OTHER_CUSTOMER_ACCOUNT};
use serde_json::{Value, json};

use super::world::{
    act, confirmed_queue, function, of_type, patch, published, show, subscribe, take, until_told,
};
use crate::{common, flows::world::World};

const COMPLETED: &str = "tributary.run.completed";
const TEST: &str = "tributary.subscription.test";

/// The event in what a function was invoked with.
fn event_of(invocation: &Value) -> Value {
    let message = invocation["Records"][0]["Sns"]["Message"].as_str();
    serde_json::from_str(message.unwrap_or_default()).unwrap_or_default()
}

/// N1: a queue, a function and a mailbox of the tenant get a completed run once each, with all that it
/// says; another tenant's queue gets nothing of it.
#[tokio::test(flavor = "multi_thread")]
async fn n1_every_kind_of_target_gets_a_completed_run_and_no_other_tenants_does() {
    let world = World::without_schedules().await;
    let (sandbox, api) = (&world.sandbox, world.api());
    let other = common::tenant(sandbox, "Others", &[("alex", "admin")]).await;
    let alex = other.api("alex");
    common::customer_account_in(sandbox, alex, OTHER_CUSTOMER_ACCOUNT).await;
    let all = json!({});
    let (_, own) = confirmed_queue(sandbox, api, CUSTOMER_ACCOUNT, "own", &all).await;
    let (_, others) = confirmed_queue(sandbox, alex, OTHER_CUSTOMER_ACCOUNT, "others", &all).await;

    let told = function(CUSTOMER_ACCOUNT, "told");
    sandbox.sns.offer_function(&told);
    let lambda = json!({ "kind": "lambda", "functionArn": told });
    let lambda = subscribe(api, &lambda).await;
    sandbox.sns.settled().await;
    let asked = sandbox.sns.invocations(&told)[0]["Records"][0]["Sns"].clone();
    let confirmed = act(api, &lambda, "confirm", &asked).await;
    assert_eq!(confirmed.expect(200).unwrap()["state"], "active");

    let mail = json!({ "kind": "email", "address": "ann@customer.example" });
    let mail = subscribe(api, &mail).await;
    assert_eq!(mail["state"], "pending");
    sandbox.sns.settled().await;
    let link = sandbox.sns.mailbox("ann@customer.example")[0].clone();
    let clicked = reqwest::get(link.confirm_url.unwrap()).await.unwrap();
    assert!(clicked.status().is_success());
    assert_eq!(show(api, &mail).await["state"], "active");

    let flow = world.create(&world.flow()).await;
    let run = world.run(&flow).await;
    let events = until_told(sandbox, &own, COMPLETED).await;
    world.settled().await;
    let event = events.iter().find(|event| event["type"] == COMPLETED);
    let event = event.unwrap();
    assert_eq!(event["tenantid"], json!(world.tenant.id));
    assert_eq!(event["data"]["flowId"], flow["id"]);
    assert_eq!(event["subject"], run["id"]);
    assert!(event["id"].is_string() && event["time"].is_string());
    assert_eq!(of_type(&events, COMPLETED), 1);
    assert_eq!(of_type(&take(sandbox, &own).await, COMPLETED), 0);
    let invoked: Vec<Value> = sandbox
        .sns
        .invocations(&told)
        .iter()
        .map(event_of)
        .collect();
    let same = invoked
        .iter()
        .filter(|told| told["id"] == event["id"])
        .count();
    assert_eq!(same, 1);
    let mails = sandbox.sns.mailbox("ann@customer.example");
    let id = event["id"].as_str().unwrap();
    assert_eq!(
        mails.iter().filter(|mail| mail.text.contains(id)).count(),
        1
    );
    let theirs = take(sandbox, &others).await;
    assert!(theirs.is_empty(), "{theirs:?}");
    common::no_leaks(sandbox).await;
}

/// A filter on types and flows holds, and a new one replaces it.
#[tokio::test(flavor = "multi_thread")]
async fn n1_a_filter_lets_through_what_fits_it() {
    let world = World::without_schedules().await;
    let (sandbox, api) = (&world.sandbox, world.api());
    let wanted = world.create(&world.flow()).await;
    let mut another = world.flow();
    another["name"] = json!("Another");
    let another = world.create(&another).await;
    let filter = json!({ "eventTypes": [COMPLETED], "flowIds": [wanted["id"]] });
    let (made, queue) = confirmed_queue(sandbox, api, CUSTOMER_ACCOUNT, "some", &filter).await;
    world.run(&another).await;
    world.run(&wanted).await;
    let events = until_told(sandbox, &queue, COMPLETED).await;
    world.settled().await;
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0]["data"]["flowId"], wanted["id"]);

    let filter = json!({ "filter": { "flowIds": [another["id"]] } });
    patch(api, &made, &filter).await.expect(200).unwrap();
    world.run(&wanted).await;
    world.run(&another).await;
    let events = until_told(sandbox, &queue, COMPLETED).await;
    world.settled().await;
    let others = events
        .iter()
        .filter(|event| event["data"]["flowId"] != another["id"]);
    assert_eq!(others.count(), 0, "{events:?}");
}

/// A test comes to the subscription that it is for, whatever its filter, and to no other.
#[tokio::test(flavor = "multi_thread")]
async fn a_test_comes_to_one_subscription_alone() {
    let world = World::without_schedules().await;
    let (sandbox, api) = (&world.sandbox, world.api());
    let failed = json!({ "eventTypes": ["tributary.run.failed"] });
    let (tested, one) = confirmed_queue(sandbox, api, CUSTOMER_ACCOUNT, "one", &failed).await;
    let (_, two) = confirmed_queue(sandbox, api, CUSTOMER_ACCOUNT, "two", &json!({})).await;
    let sent = act(api, &tested, "test", &json!({})).await;
    let sent = sent.expect(202).unwrap();
    published(sandbox).await;
    let events = until_told(sandbox, &one, TEST).await;
    assert_eq!(events[0]["id"], sent["eventId"]);
    assert_eq!(events[0]["subject"], tested["id"]);
    // What waited for its turn besides, the verified account, is for all.
    assert_eq!(of_type(&take(sandbox, &two).await, TEST), 0);
}

/// One that is off gets nothing, and gets what comes after it is on again.
#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_is_off_gets_nothing() {
    let world = World::without_schedules().await;
    let (sandbox, api) = (&world.sandbox, world.api());
    let (made, queue) = confirmed_queue(sandbox, api, CUSTOMER_ACCOUNT, "q", &json!({})).await;
    let flow = world.create(&world.flow()).await;
    let off = json!({ "state": "disabled" });
    patch(api, &made, &off).await.expect(200).unwrap();
    world.run(&flow).await;
    world.settled().await;
    published(sandbox).await;
    assert_eq!(take(sandbox, &queue).await, Vec::<Value>::new());
    let on = patch(api, &made, &json!({ "state": "active" })).await;
    // It has confirmed before, and need not again.
    assert_eq!(on.expect(200).unwrap()["state"], "active");
    world.run(&flow).await;
    let events = until_told(sandbox, &queue, COMPLETED).await;
    assert_eq!(of_type(&events, COMPLETED), 1);
}

/// What a target does not take is in the dead-letter queue: a queue that is gone, one whose policy no
/// longer lets the topic in, a function that refuses.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_target_does_not_take_is_a_dead_letter() {
    let world = World::without_schedules().await;
    let (sandbox, api) = (&world.sandbox, world.api());
    let all = json!({});
    let (_, gone) = confirmed_queue(sandbox, api, CUSTOMER_ACCOUNT, "gone", &all).await;
    let (_, shut) = confirmed_queue(sandbox, api, CUSTOMER_ACCOUNT, "shut", &all).await;
    let admin = sandbox.aws.admin(CUSTOMER_ACCOUNT);
    let sqs = async |operation: &str, queue: &str, more: Value| {
        let name = queue.rsplit(':').next().unwrap();
        let mut body = json!({ "QueueUrl": sandbox.aws.queue_url(CUSTOMER_ACCOUNT, name) });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let reply = sandbox.aws.call(&admin, "sqs", operation, &body).await;
        assert!(reply.status.is_success(), "{operation}: {:?}", reply.body);
    };
    sqs("DeleteQueue", &gone, json!({})).await;
    let policy = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": shut,
    }] });
    let policy = json!({ "Attributes": { "Policy": policy.to_string() } });
    sqs("SetQueueAttributes", &shut, policy).await;
    let flow = world.create(&world.flow()).await;
    let run = world.run(&flow).await;
    world.settled().await;
    let dead = sandbox.stack.resources["SubscriptionsDeadLetterQueue"].arn();
    let dead = dead.unwrap();
    let events = until_told(sandbox, dead, COMPLETED).await;
    let of_run = events.iter().filter(|event| event["subject"] == run["id"]);
    assert_eq!(of_run.filter(|event| event["type"] == COMPLETED).count(), 2);
}
