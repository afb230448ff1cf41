//! Run history and notifications, from AppFlow's events and from AppFlow's own records.
//!
//! AppFlow's events are best effort, repeated and unordered: they are hints. What a piece of news
//! does to a run is decided by one pure function ([`decide`]); the change and the notification that
//! it asks for are one transaction, so that a crash loses neither and a repeat doubles neither.
//! What never came is found by the reconciliation ([`reconcile`]), which asks AppFlow. What a flow
//! does in the warehouse when a run has completed goes the same way ([`after_run`]).

pub mod after_run;
mod alarm;
mod apply;
mod config;
mod deactivation;
pub mod decision;
pub mod failure;
mod fair;
pub mod input;
mod notification;
mod owner;
pub mod reconcile;
mod refresh;
mod rejected;
mod report;
mod verification;

use std::ops::Deref;

use aws_config::SdkConfig;
use serde_json::Value;
use tributary::{
    error::Error,
    id::TenantId,
    limit::Limiter,
    outbox::Outbox,
    store::Store,
    tenancy::{RoleSessions, TenantScopes},
};

pub use config::Config;
pub use decision::{Decision, Facts, News, decide};
pub use rejected::Rejected;

use after_run::ServiceWarehouse;
use fair::Way;
use input::{Input, parse};

/// The function and what it works with.
#[derive(Debug, Clone)]
pub struct RunEvents {
    stage: String,
    /// The table, for what is no tenant's.
    shared: Store,
    scopes: TenantScopes,
    outbox: Outbox,
    sessions: RoleSessions,
    queues: aws_sdk_sqs::Client,
    refresh_queue: String,
    event_queue: String,
    limiter: Limiter,
    warehouse: ServiceWarehouse,
}

impl RunEvents {
    /// The function over AWS.
    pub fn new(aws: SdkConfig, config: Config) -> Self {
        let store = Store::new(aws_sdk_dynamodb::Client::new(&aws), config.table);
        let topic = aws_sdk_sns::Client::new(&aws);
        Self {
            stage: config.stage,
            outbox: Outbox::new(
                store.clone(),
                topic,
                config.notifications_topic,
                config.public_base_url,
            ),
            limiter: Limiter::new(store.clone(), config.limits),
            event_queue: config.event_queue,
            shared: store,
            scopes: TenantScopes::new(aws.clone(), config.scopes),
            queues: aws_sdk_sqs::Client::new(&aws),
            refresh_queue: config.refresh_queue,
            warehouse: ServiceWarehouse::new(aws.clone(), config.warehouse),
            sessions: RoleSessions::new(aws),
        }
    }

    /// The function, at work for the tenant whose flow or run something is about.
    async fn within(&self, tenant: TenantId) -> Result<TenantEvents<'_>, Error> {
        Ok(TenantEvents {
            events: self,
            tenant,
            store: self.scopes.of(tenant).await?.store().clone(),
        })
    }

    /// Works on one event, or on a batch of those that waited. An error sends an event to Lambda's
    /// retries and then to the dead-letter queue; messages that must come back are in the answer.
    pub async fn handle(&self, event: Value) -> Result<Value, Rejected> {
        if let Some(batch) = fair::batch(&event) {
            return Ok(self.work_off(batch).await);
        }
        self.take_up(Way::Direct, &event).await?;
        Ok(Value::Null)
    }

    async fn take_up(&self, way: Way, event: &Value) -> Result<(), Rejected> {
        self.work(way, event).await.inspect_err(|rejected| {
            tracing::error!(
                event.id = event["id"].as_str().unwrap_or_default(),
                error.code = rejected.error_type(),
                error.chain = rejected.chain(),
                "event rejected"
            );
        })
    }

    async fn work(&self, way: Way, event: &Value) -> Result<(), Rejected> {
        match parse(event)? {
            Input::Run {
                flow,
                execution_id,
                news,
            } => {
                let owner = self.owner_of(&flow).await?;
                if self.waits(way, owner.tenant_id, event).await {
                    return Ok(());
                }
                self.within(owner.tenant_id)
                    .await?
                    .apply(&owner.into(), &execution_id, &news)
                    .await?;
            }
            Input::Deactivated(deactivated) => {
                let owner = self.owner_of(&deactivated.flow).await?;
                if self.waits(way, owner.tenant_id, event).await {
                    return Ok(());
                }
                self.within(owner.tenant_id)
                    .await?
                    .tell_deactivation(&owner, &deactivated)
                    .await?;
            }
            Input::Report(report) => {
                let owner = self.owner_of(&report.flow).await?;
                if self.waits(way, owner.tenant_id, event).await {
                    return Ok(());
                }
                self.within(owner.tenant_id)
                    .await?
                    .keep_report(&owner, report)
                    .await?;
            }
            Input::Alarm(news) => {
                let owner = self.owner_of(&news.flow).await?;
                if self.waits(way, owner.tenant_id, event).await {
                    return Ok(());
                }
                self.within(owner.tenant_id)
                    .await?
                    .tell_alarm(&owner, &news)
                    .await?;
            }
            Input::Statement(news) => self.statement_ended(&news).await?,
            Input::Verification {
                account,
                unverified_nonce,
            } => self.verification(&account, &unverified_nonce).await?,
            Input::Ignored { detail_type } => {
                tracing::info!(
                    event.kind = detail_type,
                    ignored_events = 1,
                    "event ignored"
                );
            }
            Input::Reconcile { scheduled_time } => self.reconcile(scheduled_time).await?,
        }
        Ok(())
    }
}

/// The function at work for one tenant: its store is the tenant's.
#[derive(Debug)]
struct TenantEvents<'a> {
    events: &'a RunEvents,
    tenant: TenantId,
    store: Store,
}

impl Deref for TenantEvents<'_> {
    type Target = RunEvents;

    fn deref(&self) -> &RunEvents {
        self.events
    }
}
