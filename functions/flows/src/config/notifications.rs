//! Where notifications go.

use tributary::{config::Env, subscription::Origins};

/// Where notifications go.
#[derive(Debug, Clone)]
pub struct NotificationsConfig {
    /// `NOTIFICATIONS_TOPIC_ARN`: the topic that native targets subscribe to.
    pub topic_arn: String,
    /// `SUBSCRIPTIONS_DEAD_LETTER_QUEUE_ARN`: where the topic puts what a target did not take.
    pub dead_letter_queue_arn: String,
    /// `DELIVERY_QUEUE_URL`: queue of what is to be delivered once more.
    pub delivery_queue_url: String,
    /// `WEBHOOK_ORIGINS`: origins inside our own network that may be called nevertheless.
    pub origins: Origins,
}

impl NotificationsConfig {
    pub(super) fn from_env(env: &mut Env) -> Self {
        let origins = env.optional_list("WEBHOOK_ORIGINS").join(",");
        let origins = Origins::parse(&origins).unwrap_or_else(|error| {
            env.fault(format!("WEBHOOK_ORIGINS: {error}"));
            Origins::default()
        });
        Self {
            topic_arn: env.required("NOTIFICATIONS_TOPIC_ARN"),
            dead_letter_queue_arn: env.required("SUBSCRIPTIONS_DEAD_LETTER_QUEUE_ARN"),
            delivery_queue_url: env.required("DELIVERY_QUEUE_URL"),
            origins,
        }
    }

    /// The Region of the topic.
    pub(crate) fn region(&self) -> &str {
        self.topic_arn.split(':').nth(3).unwrap_or_default()
    }

    /// The partition of AWS that the topic is in.
    pub(crate) fn partition(&self) -> &str {
        self.topic_arn.split(':').nth(1).unwrap_or_default()
    }
}
