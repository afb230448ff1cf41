//! Delivery to one subscription, with retries and the dead-letter queue.

use std::sync::Arc;

use sandbox_core::Entry;

use super::{Inner, Mail, envelope, function, publish::Message, subscription::Subscription};
use crate::lock;

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
    let endpoint = &subscription.endpoint;
    match subscription.protocol.as_str() {
        "sqs" => {
            may_send(inner, subscription, endpoint).await?;
            send(inner, message, subscription, endpoint).await
        }
        "lambda" => {
            let event = envelope::function_event(message, subscription);
            function::invoke(inner, endpoint, &subscription.topic_arn, event).await
        }
        "email" => {
            mail(inner, message, subscription);
            Ok(())
        }
        _ => {
            let body = envelope::body(message, subscription);
            post(inner, subscription, "Notification", &message.id, body).await
        }
    }
}

async fn send(
    inner: &Inner,
    message: &Message,
    subscription: &Subscription,
    queue: &str,
) -> Result<(), String> {
    let body = envelope::body(message, subscription);
    let attributes = envelope::queue_attributes(message, subscription);
    inner.queues.send(queue, body, attributes).await
}

/// Whether the queue's policy lets the topic send to it.
pub(super) async fn may_send(
    inner: &Inner,
    subscription: &Subscription,
    queue: &str,
) -> Result<(), String> {
    let Some(check) = inner.queue_check.get() else {
        return Ok(());
    };
    check(subscription.topic_arn.clone(), queue.to_owned()).await
}

fn mail(inner: &Inner, message: &Message, subscription: &Subscription) {
    let unsubscribe = envelope::unsubscribe_url(&inner.links(), subscription);
    let subject = message.subject.as_deref();
    let mail = Mail {
        subject: subject.unwrap_or("AWS Notification Message").to_owned(),
        text: message.body.clone(),
        confirm_url: None,
        token: None,
        unsubscribe_url: Some(unsubscribe),
    };
    let mut state = lock(&inner.state);
    let mailbox = state.mailboxes.entry(subscription.endpoint.clone());
    mailbox.or_default().push(mail);
}

pub(super) async fn post(
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
    let sent = match may_send(inner, subscription, queue).await {
        Ok(()) => send(inner, message, subscription, queue).await,
        refused => refused,
    };
    if let Err(lost) = sent {
        note(inner, "lost", subscription, &lost);
    }
}

pub(super) fn note(inner: &Inner, operation: &str, subscription: &Subscription, note: &str) {
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
