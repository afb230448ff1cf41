//! Targets of subscriptions, and what came to them.

use http::Method;
use sandbox::{
    Sandbox,
    client::{Answer, Api},
};
use sandbox_core::{Queues as _, REGION};
use serde_json::{Value, json};

use crate::common;

/// The topic of the vendor's stack.
pub(crate) fn topic(sandbox: &Sandbox) -> &str {
    sandbox.stack.resources["NotificationsTopic"].physical_id()
}

/// A queue in an account that lets the topic send to it.
pub(crate) async fn queue(sandbox: &Sandbox, account: &str, name: &str) -> String {
    let made = sandbox.aws.queue_for_topic(account, name, topic(sandbox));
    made.await.unwrap()
}

/// Takes everything that is in a queue.
pub(crate) async fn take(sandbox: &Sandbox, queue: &str) -> Vec<Value> {
    let mut all = Vec::new();
    loop {
        let batch = sandbox.aws.receive(queue, 10).await.unwrap();
        if batch.is_empty() {
            return all;
        }
        for message in batch {
            let handle = &message.receipt_handle;
            sandbox.aws.delete(queue, handle).await.unwrap();
            all.push(serde_json::from_str(&message.body).unwrap());
        }
    }
}

/// What stands for a queue in a subscription.
pub(crate) fn to_queue(arn: &str) -> Value {
    json!({ "kind": "queue", "queueArn": arn })
}

/// ARN of a function in an account.
pub(crate) fn function(account: &str, name: &str) -> String {
    format!("arn:aws:lambda:{REGION}:{account}:function:{name}")
}

/// Asks for a subscription.
pub(crate) async fn ask(api: &Api, target: &Value, filter: &Value) -> Answer {
    let body = json!({ "name": "Operations", "target": target, "filter": filter });
    api.post("/v1/subscriptions", &body).await.unwrap()
}

/// Makes a subscription that gets everything.
pub(crate) async fn subscribe(api: &Api, target: &Value) -> Value {
    ask(api, target, &json!({})).await.expect(201).unwrap()
}

/// Path of a subscription.
pub(crate) fn path(subscription: &Value) -> String {
    format!("/v1/subscriptions/{}", subscription["id"].as_str().unwrap())
}

pub(crate) async fn show(api: &Api, subscription: &Value) -> Value {
    let answer = api.get(&path(subscription)).await.unwrap();
    answer.expect(200).unwrap()
}

/// An action of a subscription.
pub(crate) async fn act(api: &Api, subscription: &Value, action: &str, body: &Value) -> Answer {
    let path = format!("{}/{action}", path(subscription));
    api.post(&path, body).await.unwrap()
}

/// Changes the version that is there now.
pub(crate) async fn patch(api: &Api, subscription: &Value, change: &Value) -> Answer {
    let version = show(api, subscription).await["version"].to_string();
    patch_version(api, subscription, change, &version).await
}

/// Changes this version.
pub(crate) async fn patch_version(
    api: &Api,
    subscription: &Value,
    change: &Value,
    version: &str,
) -> Answer {
    let tag = format!("\"{version}\"");
    let (path, body) = (path(subscription), Some(change.to_string()));
    let headers = [("if-match", tag.as_str())];
    api.call(Method::PATCH, &path, body, &headers)
        .await
        .unwrap()
}

pub(crate) async fn delete(api: &Api, subscription: &Value) -> Answer {
    let path = path(subscription);
    api.call(Method::DELETE, &path, None, &[]).await.unwrap()
}

/// The message with which SNS asked a queue to confirm.
pub(crate) async fn asked_to_confirm(sandbox: &Sandbox, queue: &str) -> Value {
    sandbox.sns.settled().await;
    let mut messages = take(sandbox, queue).await;
    messages.retain(|message| message["Type"] == "SubscriptionConfirmation");
    messages.pop().unwrap()
}

/// A queue that is subscribed and confirmed: the subscription, and the queue's ARN.
pub(crate) async fn confirmed_queue(
    sandbox: &Sandbox,
    api: &Api,
    account: &str,
    name: &str,
    filter: &Value,
) -> (Value, String) {
    let queue = queue(sandbox, account, name).await;
    let made = ask(api, &to_queue(&queue), filter).await;
    let made = made.expect(201).unwrap();
    assert_eq!(made["state"], "pending");
    let message = asked_to_confirm(sandbox, &queue).await;
    let confirmed = act(api, &made, "confirm", &message).await;
    assert_eq!(confirmed.expect(200).unwrap()["state"], "active");
    (made, queue)
}

/// Publishes what waits, and waits until it has arrived.
pub(crate) async fn published(sandbox: &Sandbox) {
    sandbox.runtime.settled().await;
    assert!(sandbox.schedules.fire("tributary-reconcile").await);
    sandbox.runtime.settled().await;
    sandbox.sns.settled().await;
}

/// Waits until an event of this type has come to a queue, and answers all that came until then.
pub(crate) async fn until_told(sandbox: &Sandbox, queue: &str, kind: &str) -> Vec<Value> {
    let all = tokio::sync::Mutex::new(Vec::new());
    common::eventually(kind, || async {
        let mut all = all.lock().await;
        all.extend(take(sandbox, queue).await);
        all.iter()
            .any(|event| event["type"] == kind)
            .then(|| all.clone())
    })
    .await
}

/// How many of these are of a type.
pub(crate) fn of_type(events: &[Value], kind: &str) -> usize {
    events.iter().filter(|event| event["type"] == kind).count()
}
