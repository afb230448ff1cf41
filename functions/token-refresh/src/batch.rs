//! A batch of the queue: each message is worked on, and those that must come back are named.

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use futures::{StreamExt, stream};
use jiff::Timestamp;
use serde_json::{Value, json};
use tributary::error::Result;

use crate::{
    App, commit,
    message::{Message, Reason},
    refresh, revocation, unknown_event,
};

/// Connections that one worker refreshes at the same time.
const CONCURRENCY: usize = 5;

pub(crate) async fn run(app: &App, batch: SqsEvent, deadline_ms: u64) -> Result<Value> {
    let deadline = Timestamp::from_millisecond(i64::try_from(deadline_ms).unwrap_or(i64::MAX))
        .unwrap_or(Timestamp::MAX);
    let failures: Vec<Value> = stream::iter(batch.records)
        .map(|record| async move {
            work(app, &record, deadline)
                .await
                .err()
                .map(|()| record.message_id)
        })
        .buffer_unordered(CONCURRENCY)
        .filter_map(|failed| async move { failed.map(|id| json!({ "itemIdentifier": id })) })
        .collect()
        .await;
    Ok(json!({ "batchItemFailures": failures }))
}

/// Works on one message. `Err` sends it back to the queue; why is logged here, once.
async fn work(app: &App, record: &SqsMessage, deadline: Timestamp) -> std::result::Result<(), ()> {
    let body = record.body.as_deref().unwrap_or_default();
    let outcome = match serde_json::from_str::<Message>(body) {
        Err(error) => {
            Err(unknown_event("a message of the refresh queue cannot be read").with_source(error))
        }
        Ok(Message {
            reason: Reason::Rescue,
            rescue: Some(rescue),
            tenant_id,
            connection_id,
            generation,
        }) => commit::rescued(app, tenant_id, connection_id, generation, rescue).await,
        Ok(message) if message.reason == Reason::Revocation => revocation::run(app, &message).await,
        Ok(message) => refresh::run(app, &message, deadline).await,
    };
    outcome.map_err(|error| {
        tracing::warn!(
            message.id = record.message_id.as_deref().unwrap_or("none"),
            error.code = error.code(),
            error.chain = error.chain(),
            "message goes back to the queue"
        );
    })
}
