//! SQS and SNS. Who uses an encrypted queue or topic needs its key as well.

use super::{Ask, Need, Unmapped};

/// Operations of SQS and the action that each needs. Batches need what single calls do.
const QUEUES: [(&str, &str); 12] = [
    ("ChangeMessageVisibility", "ChangeMessageVisibility"),
    ("ChangeMessageVisibilityBatch", "ChangeMessageVisibility"),
    ("DeleteMessage", "DeleteMessage"),
    ("DeleteMessageBatch", "DeleteMessage"),
    ("GetQueueAttributes", "GetQueueAttributes"),
    ("GetQueueUrl", "GetQueueUrl"),
    ("PurgeQueue", "PurgeQueue"),
    ("ReceiveMessage", "ReceiveMessage"),
    ("SendMessage", "SendMessage"),
    ("SendMessageBatch", "SendMessage"),
    ("SetQueueAttributes", "SetQueueAttributes"),
    ("ListQueueTags", "ListQueueTags"),
];

/// Operations of SNS and the action that each needs.
const TOPICS: [(&str, &str); 5] = [
    ("ConfirmSubscription", "ConfirmSubscription"),
    ("GetTopicAttributes", "GetTopicAttributes"),
    ("Publish", "Publish"),
    ("PublishBatch", "Publish"),
    ("Subscribe", "Subscribe"),
];

/// Operations on a subscription. SNS has no resource type for subscriptions: only a policy for every
/// resource allows them.
const SUBSCRIPTIONS: [&str; 3] = [
    "GetSubscriptionAttributes",
    "SetSubscriptionAttributes",
    "Unsubscribe",
];

pub(super) fn needs(ask: &Ask<'_>) -> Result<Vec<Need>, Unmapped> {
    if ask.operation == "ListQueues" {
        return Ok(vec![Need::new("sqs:ListQueues", "*")]);
    }
    let action = action(&QUEUES, ask.operation)?;
    let name = match ask.body["QueueUrl"].as_str() {
        Some(url) => url.rsplit('/').next().unwrap_or_default(),
        None => ask.text("QueueName"),
    };
    let arn = ask.arn("sqs", name);
    let mut needs = vec![Need::new(&format!("sqs:{action}"), &arn)];
    match action {
        "SendMessage" => needs.extend(ask.aws.encrypted(&arn, &["GenerateDataKey", "Decrypt"])),
        "ReceiveMessage" => needs.extend(ask.aws.encrypted(&arn, &["Decrypt"])),
        _ => {}
    }
    Ok(needs)
}

pub(super) fn topic_needs(ask: &Ask<'_>) -> Result<Vec<Need>, Unmapped> {
    if SUBSCRIPTIONS.contains(&ask.operation) {
        return Ok(vec![Need::new(&format!("sns:{}", ask.operation), "*")]);
    }
    let action = action(&TOPICS, ask.operation)?;
    let arn = match ask.text("TopicArn") {
        "" => ask.text("TargetArn"),
        arn => arn,
    };
    let mut needs = vec![Need::new(&format!("sns:{action}"), arn)];
    if action == "Publish" {
        needs.extend(ask.aws.encrypted(arn, &["GenerateDataKey", "Decrypt"]));
    }
    Ok(needs)
}

fn action(table: &[(&str, &'static str)], operation: &str) -> Result<&'static str, Unmapped> {
    let found = table.iter().find(|(name, _)| *name == operation);
    found.map(|(_, action)| *action).ok_or(Unmapped::Operation)
}
