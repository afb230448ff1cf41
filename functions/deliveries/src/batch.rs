//! A batch of either queue: each message is worked on, and those that must come back are named.

use std::collections::HashMap;

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use futures::{StreamExt, stream};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tributary::{error::Result, id::SubscriptionId, store::Key, subscription::DELIVER_TO};

use crate::{App, attempt, fan_out, message::Message, redeliver};

/// Requests to one endpoint that a batch makes at the same time: if it hangs, the others of the batch
/// wait for one timeout and are put off then.
const PER_ENDPOINT: usize = 2;

pub(crate) async fn run(app: &App, batch: SqsEvent, deadline_ms: u64) -> Value {
    let deadline = Timestamp::from_millisecond(i64::try_from(deadline_ms).unwrap_or(i64::MAX))
        .unwrap_or(Timestamp::MAX);
    let received: Vec<Received> = batch.records.into_iter().map(Received::from).collect();
    let lanes: HashMap<SubscriptionId, Semaphore> = received
        .iter()
        .filter_map(Received::lane)
        .map(|subscription| (subscription, Semaphore::new(PER_ENDPOINT)))
        .collect();
    let lanes = &lanes;
    let at_once = received.len().max(1);
    let failures: Vec<Value> = stream::iter(received)
        .map(|received| async move {
            let _turn = match received.lane().and_then(|lane| lanes.get(&lane)) {
                Some(lane) => lane.acquire().await.ok(),
                None => None,
            };
            let id = received.id.clone();
            work(app, received, deadline).await.err().map(|()| id)
        })
        .buffer_unordered(at_once)
        .filter_map(|failed| async move { failed.map(|id| json!({ "itemIdentifier": id })) })
        .collect()
        .await;
    json!({ "batchItemFailures": failures })
}

/// A message of a queue, read if it can be read.
struct Received {
    id: Option<String>,
    /// For whom the topic's message is.
    deliver_to: Option<String>,
    message: Result<Message>,
}

impl From<SqsMessage> for Received {
    fn from(mut record: SqsMessage) -> Self {
        Self {
            message: Message::parse(record.body.as_deref().unwrap_or_default()),
            deliver_to: record
                .message_attributes
                .remove(DELIVER_TO)
                .and_then(|attribute| attribute.string_value),
            id: record.message_id,
        }
    }
}

impl Received {
    fn lane(&self) -> Option<SubscriptionId> {
        self.message.as_ref().ok().and_then(Message::lane)
    }
}

/// Works on one message. `Err` sends it back to the queue; why is logged here, once.
async fn work(app: &App, received: Received, deadline: Timestamp) -> std::result::Result<(), ()> {
    let outcome = match received.message {
        Err(error) => Err(error),
        Ok(Message::Notification(notification)) => {
            fan_out::run(app, &notification, received.deliver_to.as_deref()).await
        }
        Ok(Message::Publish(waiting)) => app.outbox.publish(&Key::outbox(&waiting.event_id)).await,
        Ok(Message::Redeliver(asked)) => redeliver::run(app, asked).await,
        Ok(Message::Attempt(attempt)) => attempt::run(app, attempt, deadline).await,
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
