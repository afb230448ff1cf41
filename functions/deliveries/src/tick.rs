//! A tick: deliveries that are due at the tick's own time are enqueued.

use std::collections::{BTreeMap, VecDeque};

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tributary::{
    aws::Refusal,
    error::Result,
    id::{SubscriptionId, TenantId},
    store::from_item,
    subscription::DELIVERY_SHARD,
};

use crate::{App, message::Attempt, unknown_event};

/// A tick looks at so many at most, so that subscriptions whose work became due last have their turn
/// too.
const LOOKED_AT: usize = 20_000;
/// A tick enqueues at most so many; the rest is due at the next one too.
const MOST: usize = 5_000;

/// The schedule's input.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tick {
    scheduled_time: Timestamp,
}

/// An entry of the due index: its key says what is due.
#[derive(Debug, Deserialize)]
struct Entry {
    pk: String,
    sk: String,
    due_at: i64,
}

pub(crate) async fn run(app: &App, payload: Value) -> Result<Value> {
    let tick: Tick = serde_json::from_value(payload)
        .map_err(|error| unknown_event("the tick cannot be read").with_source(error))?;
    let now = tick.scheduled_time;
    let mut due = Vec::new();
    let mut start = None;
    loop {
        let page = app
            .shared
            .client()
            .query()
            .table_name(app.shared.table())
            .index_name("due")
            .key_condition_expression("due_shard = :shard AND due_at <= :now")
            .expression_attribute_values(":shard", AttributeValue::S(DELIVERY_SHARD.to_owned()))
            .expression_attribute_values(
                ":now",
                AttributeValue::N(now.as_millisecond().to_string()),
            )
            .set_exclusive_start_key(start)
            .limit(500)
            .send()
            .await
            .map_err(|error| Refusal::of(&error).into_error("dynamodb:Query"))?;
        for item in page.items.unwrap_or_default() {
            let entry: Entry = from_item(item)?;
            if let Some(attempt) = entry.attempt(now) {
                due.push(attempt);
            } else {
                tracing::error!(sk = entry.sk, "what is due is no delivery");
            }
        }
        start = page.last_evaluated_key;
        if start.is_none() || due.len() >= LOOKED_AT {
            break;
        }
    }
    let mut turns = turns(due);
    turns.truncate(MOST);
    let enqueued = turns.len();
    app.enqueue(turns, 0).await?;
    tracing::info!(scheduled_time = %now, enqueued, "tick handled");
    Ok(json!({ "enqueued": enqueued }))
}

impl Entry {
    /// What [`tributary::store::Key::delivery`] says, read back.
    fn attempt(&self, at: Timestamp) -> Option<Attempt> {
        let (tenant, subscription) = self.pk.strip_prefix("TENANT#")?.split_once('#')?;
        let (millis, event_id) = self.sk.strip_prefix("DELIVERY#")?.split_once('#')?;
        Some(Attempt {
            tenant_id: tenant.parse::<TenantId>().ok()?,
            subscription_id: subscription.parse::<SubscriptionId>().ok()?,
            event_time: Timestamp::from_millisecond(millis.parse().ok()?).ok()?,
            event_id: event_id.to_owned(),
            due_at: self.due_at,
            at,
        })
    }
}

/// Orders attempts so that subscriptions take turns.
fn turns(due: Vec<Attempt>) -> Vec<Attempt> {
    let mut queues: BTreeMap<SubscriptionId, VecDeque<Attempt>> = BTreeMap::new();
    for attempt in due {
        queues
            .entry(attempt.subscription_id)
            .or_default()
            .push_back(attempt);
    }
    let mut ordered = Vec::new();
    while !queues.is_empty() {
        queues.retain(|_, queue| {
            ordered.extend(queue.pop_front());
            !queue.is_empty()
        });
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(tenant: TenantId, subscription: SubscriptionId, number: u32) -> Entry {
        let time = Timestamp::from_millisecond(1_700_000_000_123).unwrap();
        let key =
            tributary::store::Key::delivery(tenant, subscription, time, &format!("e-{number}"));
        Entry {
            pk: key.pk,
            sk: key.sk,
            due_at: 5,
        }
    }

    #[test]
    fn what_is_due_is_read_from_its_key() {
        let (tenant, subscription) = (TenantId::new(), SubscriptionId::new());
        let found = entry(tenant, subscription, 1);
        let attempt = found.attempt(Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!((attempt.key().pk, attempt.key().sk), (found.pk, found.sk));
        assert_eq!((attempt.tenant_id, attempt.due_at), (tenant, 5));
        let strange = Entry {
            pk: "TENANT#x".to_owned(),
            sk: "DELIVERY#1#e".to_owned(),
            due_at: 5,
        };
        assert_eq!(strange.attempt(Timestamp::UNIX_EPOCH), None);
    }

    /// N5: a subscription with much that is due does not go before one with little.
    #[test]
    fn n5_subscriptions_take_turns() {
        let (tenant, many, few) = (
            TenantId::new(),
            SubscriptionId::new(),
            SubscriptionId::new(),
        );
        let due = (0..1_000)
            .map(|number| entry(tenant, many, number))
            .chain([entry(tenant, few, 0)])
            .map(|entry| entry.attempt(Timestamp::UNIX_EPOCH).unwrap());
        let ordered = turns(due.collect());
        assert_eq!(ordered.len(), 1_001);
        let place = ordered.iter().position(|it| it.subscription_id == few);
        assert!(place <= Some(1), "{place:?}");
    }
}
