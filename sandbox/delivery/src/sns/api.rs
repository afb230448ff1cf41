//! The operations of SNS.

use sandbox_core::{AwsCall, AwsReply, Entry};

use super::{
    Sns, publish, subscription, topic,
    wire::{ApiError, Form, failure, success},
};

/// The result element of an operation, if it has one.
pub(super) type Answer = Result<Option<String>, ApiError>;

/// One request, read.
pub(super) struct Asked {
    pub(super) account: String,
    pub(super) form: Form,
}

impl Asked {
    /// An ARN that must be the caller's own; another account's is refused, existing or not.
    pub(super) fn own<'a>(&self, arn: &'a str) -> Result<&'a str, ApiError> {
        let parts: Vec<&str> = arn.split(':').collect();
        match parts.as_slice() {
            ["arn", "aws", "sns", _, owner, _, ..] if *owner == self.account => Ok(arn),
            ["arn", "aws", "sns", _, _, _, ..] => Err(ApiError(
                403,
                "AuthorizationError",
                "User is not authorized to perform this action on this resource".to_owned(),
            )),
            _ => Err(ApiError::invalid("TopicArn")),
        }
    }
}

pub(super) fn handle(sns: &Sns, call: &AwsCall) -> AwsReply {
    let asked = Asked {
        account: call.principal.account.clone(),
        form: Form::read(call),
    };
    let operation = asked.form.get("Action").unwrap_or_default().to_owned();
    let answer = match operation.as_str() {
        "CreateTopic" => topic::create(sns, &asked),
        "DeleteTopic" => topic::delete(sns, &asked),
        "ListTopics" => Ok(Some(topic::list(sns, &asked))),
        "GetTopicAttributes" => topic::attributes(sns, &asked),
        "SetTopicAttributes" => topic::set_attribute(sns, &asked),
        "Subscribe" => subscription::subscribe(sns, &asked),
        "ConfirmSubscription" => subscription::confirm(sns, &asked),
        "Unsubscribe" => subscription::unsubscribe(sns, &asked),
        "ListSubscriptions" => subscription::list(sns, &asked, None),
        "ListSubscriptionsByTopic" => asked
            .form
            .required("TopicArn")
            .and_then(|topic| subscription::list(sns, &asked, Some(topic))),
        "GetSubscriptionAttributes" => subscription::attributes(sns, &asked),
        "SetSubscriptionAttributes" => subscription::set_attribute(sns, &asked),
        "Publish" => publish::publish(sns, &asked),
        "PublishBatch" => publish::publish_batch(sns, &asked),
        other => Err(ApiError(
            400,
            "InvalidAction",
            format!("{other} is not an operation of this stand-in"),
        )),
    };
    let reply = match answer {
        Ok(result) => success(&operation, result),
        Err(error) => failure(&error),
    };
    sns.inner.journal.record(Entry {
        service: "sns".to_owned(),
        operation,
        account: Some(asked.account),
        principal: Some(call.principal.arn.clone()),
        on_behalf_of: None,
        status: reply.status.as_u16(),
        note: String::new(),
    });
    reply
}
