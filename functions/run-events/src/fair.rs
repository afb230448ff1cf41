//! Fairness: what a tenant sends beyond its rate waits in a queue of which tenants take turns, so that
//! one tenant's flood delays nobody else's notifications.
//!
//! An event that waited is worked on as any other: whose it is is looked up again, and what happened
//! before happens once.

use serde_json::{Value, json};
use tributary::{
    aws::Refusal,
    error::Error,
    id::TenantId,
    limit::{Class, Limited, Party},
};

use crate::RunEvents;

/// How an event came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// From EventBridge.
    Direct,
    /// From the queue: it has waited.
    Waited,
}

impl RunEvents {
    /// Whether the event has to wait, and then it does. One that cannot be queued does not wait: no
    /// news is lost for fairness.
    pub(crate) async fn waits(&self, way: Way, tenant: TenantId, event: &Value) -> bool {
        if way == Way::Waited {
            return false;
        }
        let taken = self.limiter.take(Party::Tenant(tenant), Class::Event).await;
        match taken {
            Ok(()) | Err(Limited::Unknown) => return false,
            Err(Limited::Reached { .. }) => {}
        }
        match self.queue_up(tenant, event).await {
            Ok(()) => {
                tracing::info!(tenant.id = %tenant, deferred_events = 1, "event waits for its tenant's turn");
                true
            }
            Err(error) => {
                tracing::warn!(tenant.id = %tenant, error.code = error.code(), error.chain = error.chain(), "event cannot wait and is worked on at once");
                false
            }
        }
    }

    async fn queue_up(&self, tenant: TenantId, event: &Value) -> Result<(), Error> {
        self.queues
            .send_message()
            .queue_url(&self.event_queue)
            .message_body(event.to_string())
            .message_group_id(tenant.to_string())
            .send()
            .await
            .map_err(|error| Refusal::of(&error).into_error("sqs:SendMessage"))?;
        Ok(())
    }

    /// Works on a batch of events that waited, and names those that must come back.
    pub(crate) async fn work_off(&self, batch: Vec<Waiting>) -> Value {
        let mut failures = Vec::new();
        for waiting in batch {
            let Waiting { id, event } = waiting;
            if self.take_up(Way::Waited, &event).await.is_err() {
                failures.push(json!({ "itemIdentifier": id }));
            }
        }
        json!({ "batchItemFailures": failures })
    }
}

/// An event that waited.
#[derive(Debug, PartialEq)]
pub(crate) struct Waiting {
    id: String,
    event: Value,
}

/// The messages, if this is a batch of the queue. One that is no JSON is an event that cannot be read.
pub(crate) fn batch(event: &Value) -> Option<Vec<Waiting>> {
    let records = event["Records"].as_array()?;
    let waiting = records.iter().map(|record| {
        if record["eventSource"] != "aws:sqs" {
            return None;
        }
        Some(Waiting {
            id: record["messageId"].as_str()?.to_owned(),
            event: record["body"]
                .as_str()
                .and_then(|body| serde_json::from_str(body).ok())
                .unwrap_or_default(),
        })
    });
    waiting.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_of_the_queue_is_told_from_an_event() {
        let event = json!({ "source": "aws.appflow", "detail": {} });
        assert_eq!(batch(&event), None);
        let record = |source: &str, body: &str| json!({ "messageId": "m", "eventSource": source, "body": body });
        let waiting = |event: Value| Waiting {
            id: "m".to_owned(),
            event,
        };
        let records =
            json!({ "Records": [record("aws:sqs", &event.to_string()), record("aws:sqs", "{")] });
        assert_eq!(
            batch(&records),
            Some(vec![waiting(event), waiting(Value::Null)])
        );
        let other = json!({ "Records": [record("aws:sns", "{}")] });
        assert_eq!(batch(&other), None);
    }
}
