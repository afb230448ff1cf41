//! Asking endpoints whether they want to be subscribed.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};

use super::{Inner, Mail, deliver, envelope, function, subscription::Subscription};
use crate::lock;

/// Sends the endpoint the token that confirms its subscription.
pub(super) fn ask(inner: &Arc<Inner>, subscription: Subscription) {
    let worker = Arc::clone(inner);
    inner.in_flight.spawn(async move {
        let outcome = send(&worker, &subscription).await.err().unwrap_or_default();
        deliver::note(&worker, "ask-to-confirm", &subscription, &outcome);
    });
}

async fn send(inner: &Inner, subscription: &Subscription) -> Result<(), String> {
    let id = uuid::Uuid::new_v4().to_string();
    let message = message(inner, &id, subscription);
    let endpoint = &subscription.endpoint;
    match subscription.protocol.as_str() {
        "sqs" => {
            deliver::may_send(inner, subscription, endpoint).await?;
            let queues = &inner.queues;
            queues
                .send(endpoint, message.to_string(), BTreeMap::new())
                .await
        }
        "lambda" => {
            let event = envelope::record(subscription, &message);
            function::invoke(inner, endpoint, &subscription.topic_arn, event).await
        }
        "email" => {
            mail(inner, subscription);
            Ok(())
        }
        _ => {
            let kind = "SubscriptionConfirmation";
            deliver::post(inner, subscription, kind, &id, message.to_string()).await
        }
    }
}

/// The message, as SNS sends it.
fn message(inner: &Inner, id: &str, subscription: &Subscription) -> Value {
    let topic = &subscription.topic_arn;
    json!({
        "Type": "SubscriptionConfirmation",
        "MessageId": id,
        "Token": subscription.token,
        "TopicArn": topic,
        "Message": format!("You have chosen to subscribe to the topic {topic}.\nTo confirm the \
            subscription, visit the SubscribeURL included in this message."),
        "SubscribeURL": envelope::subscribe_url(&envelope::service(), subscription),
        "Timestamp": inner.clock.now().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
        "SignatureVersion": "1",
        "Signature": envelope::SIGNATURE,
        "SigningCertURL": envelope::signing_cert_url(),
    })
}

/// People click, and here the link must lead somewhere.
fn mail(inner: &Inner, subscription: &Subscription) {
    let url = envelope::subscribe_url(&inner.links(), subscription);
    let topic = &subscription.topic_arn;
    let mail = Mail {
        subject: "AWS Notification - Subscription Confirmation".to_owned(),
        text: format!("You have chosen to subscribe to the topic: {topic}\nTo confirm: {url}"),
        confirm_url: Some(url),
        token: Some(subscription.token.clone()),
        unsubscribe_url: None,
    };
    let mut state = lock(&inner.state);
    let mailbox = state.mailboxes.entry(subscription.endpoint.clone());
    mailbox.or_default().push(mail);
}
