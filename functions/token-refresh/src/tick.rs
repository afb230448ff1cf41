//! A tick: what is due in one shard at the tick's own time is enqueued.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tributary::{
    aws::Refusal,
    error::Result,
    id::{ConnectionId, TenantId},
    store::{Key, from_item},
    telemetry::{self, Metric},
};

use crate::{
    App, fair,
    message::{Message, Reason},
    unknown_event,
};

/// A tick looks at so many at most, so that tenants whose work became due last have their turn too.
const LOOKED_AT: usize = 20_000;
/// A tick enqueues at most so many; the rest is due at the next one too.
const MOST: usize = 5_000;

/// The schedule's input.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tick {
    shard: u32,
    scheduled_time: Timestamp,
}

/// An entry of the due index.
#[derive(Debug, Deserialize)]
struct Entry {
    tenant_id: TenantId,
    connection_id: ConnectionId,
    generation: u64,
    due_at: i64,
    /// Sort key: what sort of thing is due.
    sk: String,
}

pub(crate) async fn run(app: &App, payload: Value) -> Result<Value> {
    let tick: Tick = serde_json::from_value(payload)
        .map_err(|error| unknown_event("the tick cannot be read").with_source(error))?;
    let mut due: Vec<Message> = Vec::new();
    let mut start = None;
    loop {
        let page = app
            .shared
            .client()
            .query()
            .table_name(app.shared.table())
            .index_name("due")
            .key_condition_expression("due_shard = :shard AND due_at <= :now")
            .expression_attribute_values(":shard", AttributeValue::S(tick.shard.to_string()))
            .expression_attribute_values(
                ":now",
                AttributeValue::N(tick.scheduled_time.as_millisecond().to_string()),
            )
            .set_exclusive_start_key(start)
            .limit(500)
            .send()
            .await
            .map_err(|error| Refusal::of(&error).into_error("dynamodb:Query"))?;
        for item in page.items.unwrap_or_default() {
            due.push(from_item::<Entry>(item).map(Entry::into_message)?);
        }
        start = page.last_evaluated_key;
        if start.is_none() || due.len() >= LOOKED_AT {
            break;
        }
    }
    let mut turns = fair::turns(due, |message| message.tenant_id);
    turns.truncate(MOST);
    app.enqueue(&turns).await?;
    let enqueued = turns.len();
    #[expect(clippy::cast_precision_loss, reason = "a tick enqueues some thousands")]
    let found = enqueued as f64;
    telemetry::emit(Metric::RefreshDue, found, &[("shard", json!(tick.shard))]);
    tracing::info!(shard = tick.shard, scheduled_time = %tick.scheduled_time, enqueued, "tick handled");
    Ok(json!({ "enqueued": enqueued }))
}

impl Entry {
    fn into_message(self) -> Message {
        let reason = if self.sk.starts_with(Key::REVOCATIONS) {
            Reason::Revocation
        } else {
            Reason::Due
        };
        Message {
            tenant_id: self.tenant_id,
            connection_id: self.connection_id,
            generation: self.generation,
            reason,
            rescue: None,
            slot: None,
            due_at: (reason == Reason::Due).then_some(self.due_at),
        }
    }
}
