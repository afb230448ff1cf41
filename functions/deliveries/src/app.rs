//! What the function is made of.

use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use tributary::{
    aws::Refusal,
    error::{Error, Result},
    outbox::Outbox,
    store::Store,
    tenancy::TenantScopes,
};

use crate::{
    Config,
    message::{self, Attempt, Redeliver},
    post::Poster,
};

/// The function: its configuration and clients, made once.
#[derive(Debug)]
pub struct App {
    /// Configuration.
    pub config: Config,
    /// The table, for what is no tenant's.
    pub(crate) shared: Store,
    /// The table and the vault, for one tenant at a time.
    pub(crate) scopes: TenantScopes,
    /// Notifications.
    pub(crate) outbox: Outbox,
    /// Calls endpoints.
    pub(crate) poster: Poster,
    sqs: aws_sdk_sqs::Client,
}

impl App {
    /// Makes the clients.
    pub fn new(config: Config, aws: &aws_config::SdkConfig) -> Result<Self> {
        let store = Store::new(
            aws_sdk_dynamodb::Client::new(aws),
            config.table_name.clone(),
        );
        let poster = Poster::new().map_err(|error| {
            Error::internal(
                "no_http_client",
                "the client of endpoints could not be made",
            )
            .with_source(error)
        })?;
        Ok(Self {
            scopes: TenantScopes::new(aws.clone(), config.scopes.clone()),
            outbox: Outbox::new(
                store.clone(),
                aws_sdk_sns::Client::new(aws),
                config.notifications_topic_arn.clone(),
                config.public_base_url.clone(),
            ),
            poster,
            sqs: aws_sdk_sqs::Client::new(aws),
            shared: store,
            config,
        })
    }

    /// Sends attempts that become visible after so many seconds, ten a call. The subscription groups
    /// them, so that one endpoint's many do not keep another's waiting. What the queue refuses is
    /// found due by a tick.
    pub(crate) async fn enqueue(&self, attempts: Vec<Attempt>, seconds: i32) -> Result<()> {
        let mut attempts = attempts.into_iter().peekable();
        while attempts.peek().is_some() {
            let mut call = self
                .sqs
                .send_message_batch()
                .queue_url(&self.config.attempt_queue_url);
            for (index, attempt) in attempts.by_ref().take(10).enumerate() {
                let group = attempt.subscription_id.to_string();
                let entry = SendMessageBatchRequestEntry::builder()
                    .id(index.to_string())
                    .message_body(message::attempt(attempt).map_err(unwritable)?)
                    .message_group_id(group)
                    .set_delay_seconds((seconds > 0).then_some(seconds))
                    .build()
                    .map_err(unwritable)?;
                call = call.entries(entry);
            }
            let answer = call
                .send()
                .await
                .map_err(|error| Refusal::of(&error).into_error("sqs:SendMessageBatch"))?;
            if !answer.failed.is_empty() {
                return Err(Error::unavailable(
                    "queue_refused",
                    format!("{} messages were refused", answer.failed.len()),
                ));
            }
        }
        Ok(())
    }

    /// Lets a redelivery go on with another message.
    pub(crate) async fn go_on(&self, rest: Redeliver) -> Result<()> {
        self.sqs
            .send_message()
            .queue_url(&self.config.delivery_queue_url)
            .message_group_id(rest.subscription_id.to_string())
            .message_body(message::redeliver(rest).map_err(unwritable)?)
            .send()
            .await
            .map_err(|error| Refusal::of(&error).into_error("sqs:SendMessage"))?;
        Ok(())
    }
}

fn unwritable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::internal("message_unwritable", "a message could not be written").with_source(error)
}
