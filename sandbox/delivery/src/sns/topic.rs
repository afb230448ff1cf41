//! Topics and their attributes.

use std::collections::BTreeMap;

use super::{
    Sns,
    api::{Answer, Asked},
    wire::{self, ApiError, element, text},
};
use crate::lock;

/// Attributes that can be set.
const SETTABLE: [&str; 4] = ["DisplayName", "Policy", "KmsMasterKeyId", "DeliveryPolicy"];

pub(super) fn create(sns: &Sns, asked: &Asked) -> Answer {
    let name = asked.form.required("Name")?;
    let valid = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.len() > 256 || !name.chars().all(valid) {
        return Err(ApiError::invalid("Topic Name"));
    }
    let attributes = asked.form.map("Attributes");
    if let Some(unknown) = attributes
        .keys()
        .find(|name| !SETTABLE.contains(&name.as_str()))
    {
        return Err(ApiError::invalid(format!(
            "Attributes Reason: Unknown attribute {unknown}"
        )));
    }
    let arn = sns.create_topic(&asked.account, name);
    if let Some(topic) = lock(&sns.inner.state).topics.get_mut(&arn) {
        topic.attributes.extend(attributes);
    }
    Ok(Some(text("TopicArn", &arn)))
}

pub(super) fn delete(sns: &Sns, asked: &Asked) -> Answer {
    let arn = asked.own(asked.form.required("TopicArn")?)?;
    let mut state = lock(&sns.inner.state);
    // Deleting a topic that is gone succeeds, as in SNS.
    state.topics.remove(arn);
    state
        .subscriptions
        .retain(|_, subscription| subscription.topic_arn != arn);
    Ok(None)
}

pub(super) fn list(sns: &Sns, asked: &Asked) -> String {
    let state = lock(&sns.inner.state);
    let own = state.topics.keys().filter(|arn| asked.own(arn).is_ok());
    let members: String = own
        .map(|arn| element("member", &text("TopicArn", arn)))
        .collect();
    element("Topics", &members)
}

pub(super) fn attributes(sns: &Sns, asked: &Asked) -> Answer {
    let arn = asked.own(asked.form.required("TopicArn")?)?;
    let state = lock(&sns.inner.state);
    let topic = state
        .topics
        .get(arn)
        .ok_or_else(|| ApiError::not_found("Topic"))?;
    let count = |confirmed: bool| {
        let all = state.subscriptions.values();
        all.filter(|s| s.topic_arn == arn && s.confirmed == confirmed)
            .count()
            .to_string()
    };
    let mut map: BTreeMap<String, String> = topic.attributes.clone();
    map.insert("TopicArn".to_owned(), arn.to_owned());
    map.insert("Owner".to_owned(), asked.account.clone());
    map.insert("SubscriptionsConfirmed".to_owned(), count(true));
    map.insert("SubscriptionsPending".to_owned(), count(false));
    Ok(Some(wire::attributes(&map)))
}

pub(super) fn set_attribute(sns: &Sns, asked: &Asked) -> Answer {
    let arn = asked.own(asked.form.required("TopicArn")?)?;
    let name = asked.form.required("AttributeName")?;
    if !SETTABLE.contains(&name) {
        return Err(ApiError::invalid("AttributeName"));
    }
    let value = asked.form.get("AttributeValue").unwrap_or_default();
    let mut state = lock(&sns.inner.state);
    let topic = state
        .topics
        .get_mut(arn)
        .ok_or_else(|| ApiError::not_found("Topic"))?;
    topic.attributes.insert(name.to_owned(), value.to_owned());
    Ok(None)
}
