//! Publish and PublishBatch.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Map, Value};

use super::{
    Sns,
    api::{Answer, Asked},
    deliver,
    subscription::{Scope, Subscription},
    wire::{ApiError, element, text},
};
use crate::lock;

/// Body and attributes of a message, or of a batch.
const MOST_BYTES: usize = 256 * 1024;
/// Messages of a batch.
const MOST_ENTRIES: usize = 10;

/// One message attribute.
#[derive(Debug, Clone)]
pub(super) struct Attribute {
    pub(super) kind: String,
    pub(super) value: String,
}

/// A message on its way.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) topic_arn: String,
    pub(super) subject: Option<String>,
    pub(super) body: String,
    pub(super) attributes: BTreeMap<String, Attribute>,
    pub(super) published: String,
}

impl Message {
    fn size(&self) -> usize {
        let attributes = self.attributes.iter();
        let attributes: usize = attributes
            .map(|(name, attribute)| name.len() + attribute.kind.len() + attribute.value.len())
            .sum();
        self.body.len() + attributes
    }

    /// Whether a subscription's filter policy lets the message through.
    fn passes(&self, subscription: &Subscription) -> bool {
        let Some(filter) = &subscription.filter else {
            return true;
        };
        match subscription.scope {
            Scope::Body => serde_json::from_str(&self.body).is_ok_and(|body| filter.matches(&body)),
            Scope::Attributes => filter.matches(&Value::Object(self.attribute_values())),
        }
    }

    /// The attributes as a filter policy sees them.
    fn attribute_values(&self) -> Map<String, Value> {
        let values = self.attributes.iter().map(|(name, attribute)| {
            let text = || Value::String(attribute.value.clone());
            let value = match attribute.kind.as_str() {
                "Number" | "String.Array" => {
                    serde_json::from_str(&attribute.value).unwrap_or_else(|_| text())
                }
                _ => text(),
            };
            (name.clone(), value)
        });
        values.collect()
    }
}

pub(super) fn publish(sns: &Sns, asked: &Asked) -> Answer {
    let topic = asked
        .form
        .get("TopicArn")
        .or_else(|| asked.form.get("TargetArn"));
    let topic = asked.own(topic.ok_or_else(|| ApiError::invalid("TopicArn"))?)?;
    let message = message(sns, asked, topic, "")?;
    if message.size() > MOST_BYTES {
        return Err(ApiError::invalid("Message too long"));
    }
    let id = message.id.clone();
    send(sns, message)?;
    Ok(Some(text("MessageId", &id)))
}

pub(super) fn publish_batch(sns: &Sns, asked: &Asked) -> Answer {
    let topic = asked.own(asked.form.required("TopicArn")?)?;
    let entries = asked.form.members("PublishBatchRequestEntries.member");
    let refuse = |code, message: &str| Err(ApiError(400, code, message.to_owned()));
    if entries.is_empty() {
        return refuse(
            "EmptyBatchRequest",
            "The batch request doesn't contain any entries.",
        );
    }
    if entries.len() > MOST_ENTRIES {
        return refuse(
            "TooManyEntriesInBatchRequest",
            "The batch request contains more entries than permissible.",
        );
    }
    let mut messages: BTreeMap<String, Message> = BTreeMap::new();
    for prefix in &entries {
        let id = asked.form.required(&format!("{prefix}.Id"))?.to_owned();
        let message = message(sns, asked, topic, &format!("{prefix}."))?;
        if messages.insert(id, message).is_some() {
            return refuse(
                "BatchEntryIdsNotDistinct",
                "Two or more batch entries in the request have the same Id.",
            );
        }
    }
    if messages.values().map(Message::size).sum::<usize>() > MOST_BYTES {
        return refuse(
            "BatchRequestTooLong",
            "The length of all the batch messages put together is more than the limit.",
        );
    }
    let mut members = String::new();
    for (id, message) in messages {
        let inner = text("Id", &id) + &text("MessageId", &message.id);
        send(sns, message)?;
        members.push_str(&element("member", &inner));
    }
    Ok(Some(element("Successful", &members) + "<Failed/>"))
}

fn message(sns: &Sns, asked: &Asked, topic: &str, prefix: &str) -> Result<Message, ApiError> {
    let form = &asked.form;
    if form.get(&format!("{prefix}MessageStructure")).is_some() {
        return Err(ApiError::invalid(
            "MessageStructure is not played by this stand-in",
        ));
    }
    let mut attributes = BTreeMap::new();
    for entry in form.members(&format!("{prefix}MessageAttributes.entry")) {
        let name = form.required(&format!("{entry}.Name"))?;
        let kind = form.required(&format!("{entry}.Value.DataType"))?;
        let value = form
            .get(&format!("{entry}.Value.StringValue"))
            .or_else(|| form.get(&format!("{entry}.Value.BinaryValue")))
            .filter(|value| !value.is_empty())
            .ok_or_else(|| ApiError(400, "ParameterValueInvalid", format!(
                "The message attribute '{name}' must contain non-empty message attribute value."
            )))?;
        let attribute = Attribute {
            kind: kind.to_owned(),
            value: value.to_owned(),
        };
        attributes.insert(name.to_owned(), attribute);
    }
    Ok(Message {
        id: uuid::Uuid::new_v4().to_string(),
        topic_arn: topic.to_owned(),
        subject: form.get(&format!("{prefix}Subject")).map(str::to_owned),
        body: form.required(&format!("{prefix}Message"))?.to_owned(),
        attributes,
        published: sns
            .inner
            .clock
            .now()
            .strftime("%Y-%m-%dT%H:%M:%S.%3fZ")
            .to_string(),
    })
}

/// Hands a message to each confirmed subscription whose filter lets it through.
fn send(sns: &Sns, message: Message) -> Result<(), ApiError> {
    let state = lock(&sns.inner.state);
    if !state.topics.contains_key(&message.topic_arn) {
        return Err(ApiError::not_found("Topic"));
    }
    let wanted: Vec<Subscription> = state
        .subscriptions
        .values()
        .filter(|s| s.confirmed && s.topic_arn == message.topic_arn && message.passes(s))
        .cloned()
        .collect();
    drop(state);
    let message = Arc::new(message);
    for subscription in wanted {
        deliver::start(&sns.inner, Arc::clone(&message), subscription);
    }
    Ok(())
}
