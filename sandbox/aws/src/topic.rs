//! What a topic may do with a queue.

use sandbox_core::REGION;
use serde_json::{Value, json};

use crate::{
    Aws,
    call::answer,
    policy::{self, Caller, Context, Request},
};

/// Condition keys of what SNS sends.
const KEYS: &[&str] = &["aws:"];

impl Aws {
    /// Makes a queue whose policy lets a topic send to it, as who wants messages does; answers its ARN.
    pub async fn queue_for_topic(
        &self,
        account: &str,
        name: &str,
        topic_arn: &str,
    ) -> Result<String, String> {
        let queue_arn = format!("arn:aws:sqs:{REGION}:{account}:{name}");
        let policy = json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow",
            "Principal": { "Service": "sns.amazonaws.com" },
            "Action": "sqs:SendMessage",
            "Resource": queue_arn,
            "Condition": { "ArnEquals": { "aws:SourceArn": topic_arn } },
        }] });
        let ask = json!({ "QueueName": name, "Attributes": { "Policy": policy.to_string() } });
        let owner = self.admin(account);
        answer(&self.call(&owner, "sqs", "CreateQueue", &ask).await)?;
        Ok(queue_arn)
    }

    /// Whether a queue's policy lets a topic send to it. SNS has no right of its own to any queue, not
    /// even to one of the topic's account.
    pub async fn topic_may_send(&self, topic_arn: &str, queue_arn: &str) -> Result<(), String> {
        let parts: Vec<&str> = queue_arn.split(':').collect();
        let ["arn", "aws", "sqs", _, account, name] = parts.as_slice() else {
            return Err("QueueDoesNotExist".to_owned());
        };
        let ask = json!({
            "QueueUrl": self.queue_url(account, name), "AttributeNames": ["Policy"],
        });
        let owner = self.admin(account);
        let attributes = answer(&self.call(&owner, "sqs", "GetQueueAttributes", &ask).await)?;
        let policy = attributes["Attributes"]["Policy"].as_str();
        let policy = policy.and_then(|text| serde_json::from_str::<Value>(text).ok());
        if allows(policy.as_ref(), topic_arn, queue_arn) {
            return Ok(());
        }
        Err("AccessDenied".to_owned())
    }
}

fn allows(policy: Option<&Value>, topic_arn: &str, queue_arn: &str) -> bool {
    let Some(policy) = policy else {
        return false;
    };
    let mut context = Context::with_known_keys(KEYS);
    let account = topic_arn.split(':').nth(4).unwrap_or_default();
    for (key, value) in [
        ("aws:SourceArn", topic_arn),
        ("aws:SourceAccount", account),
        ("aws:SecureTransport", "true"),
        ("aws:PrincipalIsAWSService", "true"),
    ] {
        context.set(key, [value.to_owned()]);
    }
    policy::allows(
        policy,
        &Request {
            caller: Some(&Caller::service("sns.amazonaws.com")),
            action: "sqs:SendMessage",
            resource: Some(queue_arn),
            context: &context,
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPIC: &str = "arn:aws:sns:us-east-1:111111111111:notifications";
    const QUEUE: &str = "arn:aws:sqs:us-east-1:222222222222:inbox";

    #[test]
    fn only_a_policy_that_names_sns_and_the_topic_lets_it_send() {
        let policy = |service: &str, topic: &str| {
            json!({ "Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Principal": { "Service": service },
                "Action": "sqs:SendMessage", "Resource": QUEUE,
                "Condition": { "ArnEquals": { "aws:SourceArn": topic } },
            }] })
        };
        let named = policy("sns.amazonaws.com", TOPIC);
        assert!(allows(Some(&named), TOPIC, QUEUE));
        for refused in [
            policy("events.amazonaws.com", TOPIC),
            policy(
                "sns.amazonaws.com",
                "arn:aws:sns:us-east-1:111111111111:other",
            ),
        ] {
            assert!(!allows(Some(&refused), TOPIC, QUEUE));
        }
        assert!(!allows(None, TOPIC, QUEUE));
    }
}
