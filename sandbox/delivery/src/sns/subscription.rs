//! Subscriptions: who gets the messages of a topic, and which.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::{
    Sns,
    api::{Answer, Asked},
    confirmation, policy,
    wire::{self, ApiError, element, text},
};
use crate::{arn::Arn, lock, pattern::Pattern};

/// What a filter policy looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Scope {
    #[default]
    Attributes,
    Body,
}

/// One subscription.
#[derive(Debug, Clone)]
pub(super) struct Subscription {
    pub(super) arn: String,
    pub(super) topic_arn: String,
    pub(super) protocol: String,
    pub(super) endpoint: String,
    pub(super) confirmed: bool,
    /// What its endpoint is sent to confirm it.
    pub(super) token: String,
    pub(super) raw: bool,
    pub(super) filter: Option<Pattern>,
    pub(super) filter_text: String,
    pub(super) scope: Scope,
    pub(super) dead_letter_arn: Option<String>,
    /// When it was made; an unconfirmed one does not last.
    pub(super) made: Timestamp,
}

impl Subscription {
    /// What a second Subscribe for the same endpoint must ask for as well.
    fn attributes(&self) -> (bool, &str, Scope, Option<&str>) {
        let queue = self.dead_letter_arn.as_deref();
        (self.raw, &self.filter_text, self.scope, queue)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), ApiError> {
        match name {
            "RawMessageDelivery" => self.raw = value == "true",
            "FilterPolicy" => {
                self.filter = policy::parse(value)?;
                value.clone_into(&mut self.filter_text);
            }
            "FilterPolicyScope" => {
                self.scope = match value {
                    "MessageAttributes" => Scope::Attributes,
                    "MessageBody" => Scope::Body,
                    _ => return Err(ApiError::invalid("FilterPolicyScope")),
                };
            }
            "RedrivePolicy" if value.is_empty() => self.dead_letter_arn = None,
            "RedrivePolicy" => {
                let policy: Value = serde_json::from_str(value)
                    .map_err(|_| ApiError::invalid("RedrivePolicy: failed to parse JSON"))?;
                let queue = policy["deadLetterTargetArn"].as_str().unwrap_or_default();
                if Arn::parse(queue).is_none_or(|arn| arn.service != "sqs") {
                    return Err(ApiError::invalid(
                        "RedrivePolicy: deadLetterTargetArn is not a queue",
                    ));
                }
                self.dead_letter_arn = Some(queue.to_owned());
            }
            _ => return Err(ApiError::invalid("AttributeName")),
        }
        Ok(())
    }
}

/// Makes a subscription; the same topic, protocol and endpoint are one.
pub(super) fn subscribe(sns: &Sns, asked: &Asked) -> Answer {
    let topic = asked.own(asked.form.required("TopicArn")?)?;
    let protocol = asked.form.required("Protocol")?;
    let endpoint = asked.form.required("Endpoint")?;
    let needs_confirmation = check_endpoint(&asked.account, protocol, endpoint)?;
    let mut made = Subscription {
        arn: format!("{topic}:{}", uuid::Uuid::new_v4()),
        topic_arn: topic.to_owned(),
        protocol: protocol.to_owned(),
        endpoint: endpoint.to_owned(),
        confirmed: !needs_confirmation,
        token: uuid::Uuid::new_v4().simple().to_string(),
        raw: false,
        filter: None,
        filter_text: String::new(),
        scope: Scope::default(),
        dead_letter_arn: None,
        made: sns.inner.clock.now(),
    };
    let attributes = asked.form.map("Attributes");
    for (name, value) in &attributes {
        made.set(name, value)?;
    }
    if protocol.starts_with("email") && made.raw {
        return Err(ApiError::invalid(
            "Attributes Reason: RawMessageDelivery is not for this protocol",
        ));
    }
    let mut state = lock(&sns.inner.state);
    state.forget_unconfirmed(sns.inner.clock.now());
    if !state.topics.contains_key(topic) {
        return Err(ApiError::not_found("Topic"));
    }
    let mut existing = state.subscriptions.values();
    let known = existing
        .find(|s| s.topic_arn == topic && s.protocol == protocol && s.endpoint == endpoint)
        .cloned();
    if let Some(known) = &known
        && !attributes.is_empty()
        && known.attributes() != made.attributes()
    {
        return Err(ApiError::invalid(
            "Attributes Reason: Subscription already exists with different attributes",
        ));
    }
    let subscription = known.unwrap_or_else(|| {
        state.subscriptions.insert(made.arn.clone(), made.clone());
        made
    });
    drop(state);
    if !subscription.confirmed {
        confirmation::ask(&sns.inner, subscription.clone());
    }
    let shown = subscription.confirmed || asked.form.flag("ReturnSubscriptionArn");
    let arn = if shown {
        &subscription.arn
    } else {
        "pending confirmation"
    };
    Ok(Some(text("SubscriptionArn", arn)))
}

/// Whether an endpoint of this kind has to confirm; others than queues and loopback are refused.
fn check_endpoint(account: &str, protocol: &str, endpoint: &str) -> Result<bool, ApiError> {
    match protocol {
        "sqs" => match Arn::parse(endpoint) {
            Some(arn) if arn.service == "sqs" => Ok(arn.account != account),
            _ => Err(ApiError::invalid("SQS endpoint ARN")),
        },
        "lambda" => match Arn::parse(endpoint) {
            Some(arn) if arn.function().is_some() => Ok(arn.account != account),
            _ => Err(ApiError::invalid("Lambda endpoint ARN")),
        },
        // A mailbox on this machine; nothing is sent.
        "email" if is_address(endpoint) => Ok(true),
        "email" => Err(ApiError::invalid("Email address")),
        "http" | "https" => {
            let url = url::Url::parse(endpoint).map_err(|_| ApiError::invalid("Endpoint"))?;
            let is_loopback = match url.host() {
                Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
                Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
                Some(url::Host::Domain(name)) => name == "localhost",
                None => false,
            };
            if url.scheme() != protocol || !is_loopback {
                return Err(ApiError::invalid("Endpoint must be on loopback"));
            }
            Ok(true)
        }
        _ => Err(ApiError::invalid(format!(
            "Protocol {protocol} is not played by this stand-in"
        ))),
    }
}

fn is_address(text: &str) -> bool {
    let parts = text.split_once('@');
    parts.is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !host.contains('@'))
}

pub(super) fn confirm(sns: &Sns, asked: &Asked) -> Answer {
    let topic = asked.form.required("TopicArn")?;
    let token = asked.form.required("Token")?;
    let arn = sns
        .confirm(topic, token)
        .ok_or_else(|| ApiError::invalid("Token"))?;
    Ok(Some(text("SubscriptionArn", &arn)))
}

pub(super) fn unsubscribe(sns: &Sns, asked: &Asked) -> Answer {
    let arn = asked.own(asked.form.required("SubscriptionArn")?)?;
    lock(&sns.inner.state).subscriptions.remove(arn);
    Ok(None)
}

pub(super) fn list(sns: &Sns, asked: &Asked, topic: Option<&str>) -> Answer {
    let state = lock(&sns.inner.state);
    if let Some(topic) = topic {
        asked.own(topic)?;
        if !state.topics.contains_key(topic) {
            return Err(ApiError::not_found("Topic"));
        }
    }
    let wanted = state
        .subscriptions
        .values()
        .filter(|s| asked.own(&s.arn).is_ok() && topic.is_none_or(|topic| s.topic_arn == topic));
    let members: String = wanted
        .map(|s| {
            let arn = if s.confirmed {
                &s.arn
            } else {
                "PendingConfirmation"
            };
            let inner = [
                text("SubscriptionArn", arn),
                text("Owner", &asked.account),
                text("Protocol", &s.protocol),
                text("Endpoint", &s.endpoint),
                text("TopicArn", &s.topic_arn),
            ];
            element("member", &inner.concat())
        })
        .collect();
    Ok(Some(element("Subscriptions", &members)))
}

pub(super) fn attributes(sns: &Sns, asked: &Asked) -> Answer {
    let arn = asked.own(asked.form.required("SubscriptionArn")?)?;
    let mut state = lock(&sns.inner.state);
    state.forget_unconfirmed(sns.inner.clock.now());
    let found = state
        .subscriptions
        .get(arn)
        .ok_or_else(|| ApiError::not_found("Subscription"))?;
    let mut map: BTreeMap<String, String> = [
        ("SubscriptionArn", found.arn.clone()),
        ("TopicArn", found.topic_arn.clone()),
        ("Owner", asked.account.clone()),
        ("Protocol", found.protocol.clone()),
        ("Endpoint", found.endpoint.clone()),
        ("PendingConfirmation", (!found.confirmed).to_string()),
        ("RawMessageDelivery", found.raw.to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    if found.filter.is_some() {
        let scope = match found.scope {
            Scope::Attributes => "MessageAttributes",
            Scope::Body => "MessageBody",
        };
        map.insert("FilterPolicy".to_owned(), found.filter_text.clone());
        map.insert("FilterPolicyScope".to_owned(), scope.to_owned());
    }
    if let Some(queue) = &found.dead_letter_arn {
        let policy = serde_json::json!({ "deadLetterTargetArn": queue });
        map.insert("RedrivePolicy".to_owned(), policy.to_string());
    }
    Ok(Some(wire::attributes(&map)))
}

pub(super) fn set_attribute(sns: &Sns, asked: &Asked) -> Answer {
    let arn = asked.own(asked.form.required("SubscriptionArn")?)?;
    let name = asked.form.required("AttributeName")?;
    let value = asked.form.get("AttributeValue").unwrap_or_default();
    let mut state = lock(&sns.inner.state);
    let found = state.subscriptions.get_mut(arn);
    found
        .ok_or_else(|| ApiError::not_found("Subscription"))?
        .set(name, value)?;
    Ok(None)
}
