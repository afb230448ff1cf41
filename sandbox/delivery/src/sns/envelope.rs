//! What subscribers are sent: the message itself, or SNS's envelope around it.

use std::collections::BTreeMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sandbox_core::REGION;
use serde_json::{Map, Value, json};

use super::{publish::Message, subscription::Subscription};

/// Stands where SNS's signature does.
pub(super) const SIGNATURE: &str = "bm90IHNpZ25lZCBieSBBV1M=";

/// Where SNS's certificate is.
pub(super) fn signing_cert_url() -> String {
    format!(
        "https://sns.{REGION}.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"
    )
}

/// A raw subscription gets the message itself, any other the envelope.
pub(super) fn body(message: &Message, subscription: &Subscription) -> String {
    if subscription.raw {
        return message.body.clone();
    }
    envelope(message, subscription).to_string()
}

fn envelope(message: &Message, subscription: &Subscription) -> Value {
    let mut envelope = json!({
        "Type": "Notification",
        "MessageId": message.id,
        "TopicArn": message.topic_arn,
        "Message": message.body,
        "Timestamp": message.published,
        "SignatureVersion": "1",
        "Signature": SIGNATURE,
        "SigningCertURL": signing_cert_url(),
        "UnsubscribeURL": unsubscribe_url(&service(), subscription),
    });
    if let Some(subject) = &message.subject {
        envelope["Subject"] = subject.clone().into();
    }
    let attributes = attributes(message);
    if !attributes.is_empty() {
        envelope["MessageAttributes"] = attributes.into();
    }
    envelope
}

fn attributes(message: &Message) -> Map<String, Value> {
    let attributes = message.attributes.iter();
    attributes
        .map(|(name, a)| (name.clone(), json!({ "Type": a.kind, "Value": a.value })))
        .collect()
}

/// Only raw messages keep their attributes as attributes of the queue's message.
pub(super) fn queue_attributes(
    message: &Message,
    subscription: &Subscription,
) -> BTreeMap<String, String> {
    if !subscription.raw {
        return BTreeMap::new();
    }
    let attributes = message.attributes.iter();
    attributes
        .map(|(name, a)| (name.clone(), a.value.clone()))
        .collect()
}

/// What a function is invoked with.
pub(super) fn function_event(message: &Message, subscription: &Subscription) -> Value {
    let sns = json!({
        "Type": "Notification",
        "MessageId": message.id,
        "TopicArn": message.topic_arn,
        "Subject": message.subject,
        "Message": message.body,
        "Timestamp": message.published,
        "SignatureVersion": "1",
        "Signature": SIGNATURE,
        "SigningCertUrl": signing_cert_url(),
        "UnsubscribeUrl": unsubscribe_url(&service(), subscription),
        "MessageAttributes": attributes(message),
    });
    record(subscription, &sns)
}

/// The event of Lambda around one message.
pub(super) fn record(subscription: &Subscription, sns: &Value) -> Value {
    json!({ "Records": [{
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": subscription.arn,
        "Sns": sns,
    }] })
}

/// SNS's own address.
pub(super) fn service() -> String {
    format!("https://sns.{REGION}.amazonaws.com")
}

pub(super) fn unsubscribe_url(base: &str, subscription: &Subscription) -> String {
    link(
        base,
        "Unsubscribe",
        &[("SubscriptionArn", &subscription.arn)],
    )
}

pub(super) fn subscribe_url(base: &str, subscription: &Subscription) -> String {
    let (topic, token) = (&subscription.topic_arn, &subscription.token);
    link(
        base,
        "ConfirmSubscription",
        &[("TopicArn", topic), ("Token", token)],
    )
}

fn link(base: &str, action: &str, parameters: &[(&str, &str)]) -> String {
    parameters
        .iter()
        .fold(format!("{base}/?Action={action}"), |link, (name, value)| {
            format!(
                "{link}&{name}={}",
                utf8_percent_encode(value, NON_ALPHANUMERIC)
            )
        })
}
