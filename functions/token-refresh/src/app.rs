//! What the function is made of.

use std::{ops::Deref, time::Duration};

use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use tributary::{
    config::{ConfigError, Env},
    connection::Connection,
    error::{Error, Result},
    id::TenantId,
    oauth::{InstanceUrl, ProviderConfig, ProviderLink, Providers, Target, gate::store::Gates},
    outbox::Outbox,
    store::Store,
    tenancy::{RoleSessions, ScopeConfig, TenantScopes},
    vault::{Vault, VaultKeys},
};

use crate::message::Message;

/// Configuration, from the variables that the fields name.
#[derive(Debug, Clone)]
pub struct Config {
    /// `STAGE`: name of the deployment.
    pub stage: String,
    /// `TABLE_NAME`: the table.
    pub table_name: String,
    /// `REFRESH_QUEUE_URL`: where work is enqueued.
    pub refresh_queue_url: String,
    /// `NOTIFICATIONS_TOPIC_ARN`: where notifications go.
    pub notifications_topic_arn: String,
    /// `PUBLIC_BASE_URL`: where events are that a message has no room for.
    pub public_base_url: String,
    /// `DATA_KEY_ARN`, `PREVIOUS_DATA_KEY_ARNS`: KMS keys that wrap the vault's data keys.
    pub vault_keys: VaultKeys,
    /// `TENANT_DATA_ROLE_ARN`: how tenants' things are reached.
    pub scopes: ScopeConfig,
    /// `OAUTH_*`: the providers of connections.
    pub providers: ProviderConfig,
    /// `DUE_SHARDS`: how many shards the due index has (default 4).
    pub due_shards: u32,
    /// `LEASE_SKEW_SECONDS`: how far the clocks of two workers may be apart (default 120).
    pub lease_skew: Duration,
    /// `REFRESH_CONCURRENCY`: connections that one worker refreshes at the same time (default 16).
    pub concurrency: usize,
}

impl Config {
    /// Reads the environment; every fault is in the error.
    pub fn from_env(mut env: Env) -> std::result::Result<Self, ConfigError> {
        let providers = ProviderConfig::from_env(&mut env);
        let vault_keys = VaultKeys::from_env(&mut env);
        let (stage, table_name) = (env.required("STAGE"), env.required("TABLE_NAME"));
        let scopes = ScopeConfig::from_env(&mut env, &table_name, &vault_keys);
        let config = Self {
            stage,
            table_name,
            refresh_queue_url: env.required("REFRESH_QUEUE_URL"),
            notifications_topic_arn: env.required("NOTIFICATIONS_TOPIC_ARN"),
            public_base_url: env.required("PUBLIC_BASE_URL"),
            vault_keys,
            scopes,
            providers,
            due_shards: env.parsed_or("DUE_SHARDS", 4),
            lease_skew: Duration::from_secs(env.parsed_or("LEASE_SKEW_SECONDS", 120)),
            concurrency: env.parsed_or("REFRESH_CONCURRENCY", 16),
        };
        env.finish(Some(config))
    }
}

/// The function: its configuration and clients, made once.
#[derive(Debug)]
pub struct App {
    /// Configuration.
    pub config: Config,
    /// The table, for what is no tenant's.
    pub shared: Store,
    /// The table and the vault, for one tenant at a time.
    pub scopes: TenantScopes,
    /// Sessions in tenants' accounts.
    pub sessions: RoleSessions,
    /// Notifications.
    pub outbox: Outbox,
    /// The gates before providers.
    pub gates: Gates,
    /// Secrets Manager, for connections' own credentials.
    pub secrets: aws_sdk_secretsmanager::Client,
    sqs: aws_sdk_sqs::Client,
    providers: Providers,
}

impl App {
    /// Makes the clients.
    pub fn new(config: Config, aws: &aws_config::SdkConfig) -> Result<Self> {
        let store = Store::new(
            aws_sdk_dynamodb::Client::new(aws),
            config.table_name.clone(),
        );
        let secrets = aws_sdk_secretsmanager::Client::new(aws);
        let providers =
            Providers::new(config.providers.clone(), secrets.clone()).map_err(|error| {
                Error::internal("no_http_client", "the token client could not be made")
                    .with_source(error)
            })?;
        Ok(Self {
            scopes: TenantScopes::new(aws.clone(), config.scopes.clone()),
            sessions: RoleSessions::new(aws.clone()),
            outbox: Outbox::new(
                store.clone(),
                aws_sdk_sns::Client::new(aws),
                config.notifications_topic_arn.clone(),
                config.public_base_url.clone(),
            ),
            gates: Gates::new(store.clone()),
            secrets,
            sqs: aws_sdk_sqs::Client::new(aws),
            shared: store,
            providers,
            config,
        })
    }

    /// The function, at work for the tenant of what it found due.
    pub(crate) async fn within(&self, tenant: TenantId) -> Result<TenantApp<'_>> {
        let scope = self.scopes.of(tenant).await?;
        Ok(TenantApp {
            app: self,
            store: scope.store().clone(),
            vault: scope.vault().clone(),
        })
    }

    /// The providers of connections.
    pub(crate) const fn providers(&self) -> &Providers {
        &self.providers
    }

    /// How to talk to a connection's provider.
    pub fn link(&self, connection: &Connection) -> Result<ProviderLink> {
        self.providers.link(Target::of(connection))
    }

    /// The instance that a connection leads to, checked again before a token goes there; none where
    /// the application has one place for everybody.
    pub fn instance(&self, connection: &Connection) -> Result<Option<InstanceUrl>> {
        let link = self.link(connection)?;
        if link.instance.is_some() || link.provider().instance_suffixes.is_empty() {
            return Ok(link.instance);
        }
        let stored = connection.instance_url.as_deref().unwrap_or_default();
        InstanceUrl::parse(stored, link.provider(), &link.login)
            .map(Some)
            .map_err(|error| {
                Error::internal("bad_instance", "a stored instance URL is refused")
                    .with_source(error)
            })
    }

    /// Sends work, ten messages a call; the tenant groups it, so that one tenant's many do not
    /// keep another's waiting. What the queue refuses is found again by the next tick.
    pub async fn enqueue(&self, messages: &[Message]) -> Result<()> {
        self.enqueue_after(messages, 0).await
    }

    /// Sends work that becomes visible after so many seconds, 900 at most.
    pub async fn enqueue_after(&self, messages: &[Message], seconds: i32) -> Result<()> {
        for chunk in messages.chunks(10) {
            let mut call = self
                .sqs
                .send_message_batch()
                .queue_url(&self.config.refresh_queue_url);
            for (index, message) in chunk.iter().enumerate() {
                let body = serde_json::to_string(message).map_err(|error| {
                    Error::internal("message_unwritable", "a message could not be written")
                        .with_source(error)
                })?;
                let entry = SendMessageBatchRequestEntry::builder()
                    .id(index.to_string())
                    .message_body(body)
                    .message_group_id(message.tenant_id.to_string())
                    .set_delay_seconds((seconds > 0).then_some(seconds))
                    .build()
                    .map_err(|error| {
                        Error::internal("message_unwritable", "a message could not be built")
                            .with_source(error)
                    })?;
                call = call.entries(entry);
            }
            let answer = call.send().await.map_err(|error| {
                tributary::aws::Refusal::of(&error).into_error("sqs:SendMessageBatch")
            })?;
            if !answer.failed.is_empty() {
                return Err(Error::unavailable(
                    "queue_refused",
                    format!("{} messages were refused", answer.failed.len()),
                ));
            }
        }
        Ok(())
    }
}

/// The function at work for one tenant: its store and its vault are the tenant's.
#[derive(Debug)]
pub(crate) struct TenantApp<'a> {
    app: &'a App,
    pub(crate) store: Store,
    pub(crate) vault: Vault,
}

impl Deref for TenantApp<'_> {
    type Target = App;

    fn deref(&self) -> &App {
        self.app
    }
}
