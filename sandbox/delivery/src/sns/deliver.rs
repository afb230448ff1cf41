//! Delivery to one subscription, with retries and the dead-letter queue.

use std::{collections::BTreeMap, sync::Arc};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sandbox_core::Entry;
use serde_json::{Map, Value, json};

use super::{Inner, publish::Message, subscription::Subscription};

/// Attempts at an HTTP endpoint. SNS spreads up to fifty over an hour; here they follow at once.
const ATTEMPTS: u32 = 3;

/// Starts a delivery as a task of its own.
pub(super) fn start(inner: &Arc<Inner>, message: Arc<Message>, subscription: Subscription) {
    let worker = Arc::clone(inner);
    inner.in_flight.spawn(async move {
        match deliver(&worker, &message, &subscription).await {
            Ok(()) => note(&worker, "deliver", &subscription, ""),
            Err(error) => {
                note(&worker, "undeliverable", &subscription, &error);
                dead_letter(&worker, &message, &subscription).await;
            }
        }
    });
}

async fn deliver(
    inner: &Inner,
    message: &Message,
    subscription: &Subscription,
) -> Result<(), String> {
    let body = body(inner, message, subscription);
    if subscription.protocol == "sqs" {
        return inner
            .queues
            .send(
                &subscription.endpoint,
                body,
                queue_attributes(message, subscription),
            )
            .await;
    }
    post(inner, subscription, "Notification", &message.id, body).await
}

/// A raw subscription gets the message itself, any other the envelope.
fn body(inner: &Inner, message: &Message, subscription: &Subscription) -> String {
    if subscription.raw {
        return message.body.clone();
    }
    let mut envelope = json!({
        "Type": "Notification",
        "MessageId": message.id,
        "TopicArn": message.topic_arn,
        "Message": message.body,
        "Timestamp": message.published,
        "UnsubscribeURL": link(inner, "Unsubscribe", &[("SubscriptionArn", &subscription.arn)]),
    });
    if let Some(subject) = &message.subject {
        envelope["Subject"] = subject.clone().into();
    }
    if !message.attributes.is_empty() {
        let attributes = message.attributes.iter();
        let attributes: Map<String, Value> = attributes
            .map(|(name, a)| (name.clone(), json!({ "Type": a.kind, "Value": a.value })))
            .collect();
        envelope["MessageAttributes"] = attributes.into();
    }
    envelope.to_string()
}

/// Only raw messages keep their attributes as attributes of the queue's message.
fn queue_attributes(message: &Message, subscription: &Subscription) -> BTreeMap<String, String> {
    if !subscription.raw {
        return BTreeMap::new();
    }
    let attributes = message.attributes.iter();
    attributes
        .map(|(name, a)| (name.clone(), a.value.clone()))
        .collect()
}

async fn post(
    inner: &Inner,
    subscription: &Subscription,
    kind: &str,
    message_id: &str,
    body: String,
) -> Result<(), String> {
    let mut last = String::new();
    for _ in 0..ATTEMPTS {
        let mut request = inner
            .http
            .post(&subscription.endpoint)
            .header("content-type", "text/plain; charset=UTF-8")
            .header("x-amz-sns-message-type", kind)
            .header("x-amz-sns-message-id", message_id)
            .header("x-amz-sns-topic-arn", &subscription.topic_arn)
            .body(body.clone());
        if subscription.confirmed {
            request = request.header("x-amz-sns-subscription-arn", &subscription.arn);
        }
        if subscription.raw && kind == "Notification" {
            request = request.header("x-amz-sns-rawdelivery", "true");
        }
        match request.send().await {
            Ok(answer) if answer.status().is_success() => return Ok(()),
            // The endpoint's own fault is not retried; being asked to slow down is.
            Ok(answer) if answer.status().is_client_error() && answer.status() != 429 => {
                return Err(answer.status().to_string());
            }
            Ok(answer) => last = answer.status().to_string(),
            Err(error) => last = error.without_url().to_string(),
        }
    }
    Err(last)
}

async fn dead_letter(inner: &Inner, message: &Message, subscription: &Subscription) {
    let Some(queue) = &subscription.dead_letter_arn else {
        return;
    };
    let body = body(inner, message, subscription);
    let attributes = queue_attributes(message, subscription);
    if let Err(lost) = inner.queues.send(queue, body, attributes).await {
        note(inner, "lost", subscription, &lost);
    }
}

/// Sends the endpoint the token that confirms its subscription.
pub(super) fn ask_to_confirm(inner: &Arc<Inner>, subscription: Subscription) {
    let worker = Arc::clone(inner);
    inner.in_flight.spawn(async move {
        let id = uuid::Uuid::new_v4().to_string();
        let topic = &subscription.topic_arn;
        let parameters = [("TopicArn", topic.as_str()), ("Token", &subscription.token)];
        let body = json!({
            "Type": "SubscriptionConfirmation",
            "MessageId": id,
            "TopicArn": topic,
            "Token": subscription.token,
            "Message": format!("You have chosen to subscribe to the topic {topic}.\nTo confirm the \
                subscription, visit the SubscribeURL included in this message."),
            "SubscribeURL": link(&worker, "ConfirmSubscription", &parameters),
            "Timestamp": worker.clock.now().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
        });
        let sent = if subscription.protocol == "sqs" {
            let queue = &subscription.endpoint;
            worker
                .queues
                .send(queue, body.to_string(), BTreeMap::new())
                .await
        } else {
            post(
                &worker,
                &subscription,
                "SubscriptionConfirmation",
                &id,
                body.to_string(),
            )
            .await
        };
        let outcome = sent.err().unwrap_or_default();
        note(&worker, "ask-to-confirm", &subscription, &outcome);
    });
}

fn link(inner: &Inner, action: &str, parameters: &[(&str, &str)]) -> String {
    let base = inner
        .public_url
        .get()
        .map_or("http://127.0.0.1", String::as_str);
    parameters
        .iter()
        .fold(format!("{base}/?Action={action}"), |link, (name, value)| {
            format!(
                "{link}&{name}={}",
                utf8_percent_encode(value, NON_ALPHANUMERIC)
            )
        })
}

fn note(inner: &Inner, operation: &str, subscription: &Subscription, note: &str) {
    let account = subscription.topic_arn.split(':').nth(4).map(str::to_owned);
    inner.journal.record(Entry {
        service: "sns".to_owned(),
        operation: operation.to_owned(),
        account,
        principal: None,
        on_behalf_of: None,
        status: if note.is_empty() { 200 } else { 502 },
        note: format!("{} {note}", subscription.endpoint)
            .trim()
            .to_owned(),
    });
}
