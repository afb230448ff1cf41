//! A batch of the queue: each message is worked on, and those that must come back are named.

use std::collections::HashMap;

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use futures::{StreamExt, stream};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tributary::{error::Result, id::TenantId};

use crate::{
    App, commit, fair,
    message::{Message, Reason},
    refresh, revocation, unknown_event,
};

pub(crate) async fn run(app: &App, batch: SqsEvent, deadline_ms: u64) -> Result<Value> {
    let deadline = Timestamp::from_millisecond(i64::try_from(deadline_ms).unwrap_or(i64::MAX))
        .unwrap_or(Timestamp::MAX);
    let records = fair::turns(batch.records.into_iter().map(Received::from), |received| {
        received
            .message
            .as_ref()
            .ok()
            .map(|message| message.tenant_id)
    });
    let concurrency = app.config.concurrency.max(1);
    // One tenant's work takes at most half of what is done at the same time.
    let share = concurrency.div_ceil(2);
    let shares: HashMap<Option<TenantId>, Semaphore> = records
        .iter()
        .map(|received| (received.tenant(), Semaphore::new(share)))
        .collect();
    let shares = &shares;
    let failures: Vec<Value> = stream::iter(fair::once(records))
        .map(|received| async move {
            let _turn = match shares.get(&received.tenant()) {
                Some(share) => share.acquire().await.ok(),
                None => None,
            };
            work(app, &received, deadline)
                .await
                .err()
                .map(|()| received.id)
        })
        .buffer_unordered(concurrency)
        .filter_map(|failed| async move { failed.map(|id| json!({ "itemIdentifier": id })) })
        .collect()
        .await;
    Ok(json!({ "batchItemFailures": failures }))
}

/// A message of the queue, read if it can be read.
#[derive(Debug)]
pub(crate) struct Received {
    id: Option<String>,
    pub(crate) message: std::result::Result<Message, serde_json::Error>,
}

impl From<SqsMessage> for Received {
    fn from(record: SqsMessage) -> Self {
        Self {
            message: serde_json::from_str(record.body.as_deref().unwrap_or_default()),
            id: record.message_id,
        }
    }
}

impl Received {
    fn tenant(&self) -> Option<TenantId> {
        self.message.as_ref().ok().map(|message| message.tenant_id)
    }
}

/// Works on one message. `Err` sends it back to the queue; why is logged here, once.
async fn work(app: &App, received: &Received, deadline: Timestamp) -> std::result::Result<(), ()> {
    let outcome = match &received.message {
        Err(error) => Err(
            unknown_event("a message of the refresh queue cannot be read")
                .with_log(error.to_string()),
        ),
        Ok(message) => for_tenant(app, message, deadline).await,
    };
    outcome.map_err(|error| {
        tracing::warn!(
            message.id = received.id.as_deref().unwrap_or("none"),
            error.code = error.code(),
            error.chain = error.chain(),
            "message goes back to the queue"
        );
    })
}

/// Works on a message in the scope of its tenant.
async fn for_tenant(app: &App, message: &Message, deadline: Timestamp) -> Result<()> {
    let app = &app.within(message.tenant_id).await?;
    match message {
        Message {
            reason: Reason::Rescue,
            rescue: Some(rescue),
            tenant_id,
            connection_id,
            generation,
            slot: _,
            due_at: _,
        } => commit::rescued(app, *tenant_id, *connection_id, *generation, rescue.clone()).await,
        message if message.reason == Reason::Revocation => revocation::run(app, message).await,
        message => refresh::run(app, message, deadline).await,
    }
}
