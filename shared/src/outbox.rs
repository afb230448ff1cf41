//! The outbox: a state change and the decision to notify are one transaction; publishing follows.
//!
//! An entry stands until its event was published. Whoever publishes claims it first, so that of
//! several workers one sends. A worker that dies between sending and deleting leaves a claim that
//! lapses, and the event goes out once more under the same id: the one duplicate that is possible,
//! and one that subscribers recognise. The event itself stays in the tenant's log ([`LoggedEvent`]).

mod log;
mod size;

use std::collections::BTreeMap;

use aws_sdk_sns::{Client, types::MessageAttributeValue};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    aws::Refusal,
    error::Error,
    event::CloudEvent,
    id::SubscriptionId,
    store::{Key, PageRequest, Store, StoreError, Update},
    subscription::{DELIVER_TO, TO_ALL},
    telemetry::{self, Metric},
};

pub use log::{EntryItem, EventPointer, KEPT, LoggedEvent};

/// How long a claim keeps others away: longer than one publish takes with its retries.
const CLAIM: SignedDuration = SignedDuration::from_secs(30);

/// A notification that is decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The event.
    pub event: CloudEvent,
    /// Message attributes, for subscribers' filter policies.
    pub attributes: BTreeMap<String, String>,
    /// Until when somebody is publishing it, epoch milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_until: Option<i64>,
}

impl Entry {
    /// An entry for an event; `tenantId`, `eventType`, `status` and `deliverTo` are attributes of
    /// every event.
    pub fn new(event: CloudEvent, status: &str) -> Self {
        let attributes = BTreeMap::from([
            ("tenantId".to_owned(), event.tenantid.to_string()),
            ("eventType".to_owned(), event.kind.clone()),
            ("status".to_owned(), status.to_owned()),
            (DELIVER_TO.to_owned(), TO_ALL.to_owned()),
        ]);
        Self {
            event,
            attributes,
            claimed_until: None,
        }
    }

    /// Adds an attribute.
    #[must_use]
    pub fn with_attribute(mut self, name: &str, value: &impl ToString) -> Self {
        self.attributes.insert(name.to_owned(), value.to_string());
        self
    }

    /// For one subscription alone, whatever its filter.
    #[must_use]
    pub fn for_subscription(self, subscription: SubscriptionId) -> Self {
        self.with_attribute(DELIVER_TO, &subscription)
    }

    /// Where the entry is kept.
    pub fn key(&self) -> Key {
        Key::outbox(&self.event.id)
    }
}

/// Publishes what is in the outbox.
#[derive(Debug, Clone)]
pub struct Outbox {
    store: Store,
    client: Client,
    topic_arn: String,
    public_base_url: String,
}

impl Outbox {
    /// An outbox that publishes to a topic. What is too large for a message is referred to below the
    /// API's public address.
    pub const fn new(
        store: Store,
        client: Client,
        topic_arn: String,
        public_base_url: String,
    ) -> Self {
        Self {
            store,
            client,
            topic_arn,
            public_base_url,
        }
    }

    /// Publishes one entry, if it is still there and nobody else is at it.
    pub async fn publish(&self, key: &Key) -> Result<(), Error> {
        let now = Timestamp::now();
        let until = now
            .saturating_add(CLAIM)
            .unwrap_or(Timestamp::MAX)
            .as_millisecond();
        let claim = Update::new()
            .set("claimed_until", until)
            .when_absent_or_less("claimed_until", now.as_millisecond());
        let entry: Entry = match self.store.update(key, claim).await {
            Ok(entry) => entry,
            // Published, or somebody else is publishing it.
            Err(StoreError::Condition { .. }) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        self.send(&entry)
            .await
            .inspect_err(|_| telemetry::count(Metric::NotificationFailed))?;
        telemetry::count(Metric::NotificationPublished);
        self.store.delete(key).await?;
        tracing::info!(event.id = entry.event.id, event.kind = entry.event.kind, tenant.id = %entry.event.tenantid, "notification published");
        Ok(())
    }

    /// Publishes what others left behind, oldest decision first as far as ids tell.
    pub async fn publish_left_over(&self, most: usize) -> Result<usize, Error> {
        let page = self
            .store
            .query::<Entry>(&Key::outbox_partition(), "", &PageRequest::first(most))
            .await?;
        let found = page.items.len();
        let now = Timestamp::now();
        let oldest = page.items.iter().map(|entry| entry.event.time).min();
        let age = oldest.map_or(0.0, |oldest| telemetry::seconds_since(oldest, now));
        telemetry::emit(Metric::OutboxAge, age, &[("found", json!(found))]);
        let mut outcome = Ok(found);
        for entry in page.items {
            // One that fails does not keep the others back.
            if let Err(error) = self.publish(&entry.key()).await {
                outcome = Err(error);
            }
        }
        outcome
    }

    /// Publishes an event of the log once more, to one subscription.
    pub async fn publish_again(
        &self,
        logged: LoggedEvent,
        to: SubscriptionId,
    ) -> Result<(), Error> {
        let entry = Entry {
            event: logged.event,
            attributes: logged.attributes,
            claimed_until: None,
        };
        self.send(&entry.for_subscription(to)).await
    }

    async fn send(&self, entry: &Entry) -> Result<(), Error> {
        let body = size::publishable(&entry.event, &entry.attributes, &self.public_base_url)
            .map_err(|error| {
                Error::internal("event_unwritable", "an event could not be written")
                    .with_source(error)
            })?;
        let mut call = self
            .client
            .publish()
            .topic_arn(&self.topic_arn)
            .message(body);
        for (name, value) in &entry.attributes {
            let value = MessageAttributeValue::builder()
                .data_type("String")
                .string_value(value)
                .build()
                .map_err(|error| {
                    Error::internal("event_unwritable", "an attribute could not be built")
                        .with_source(error)
                })?;
            call = call.message_attributes(name, value);
        }
        call.send()
            .await
            .map_err(|error| Refusal::of(&error).into_error("sns:Publish"))?;
        Ok(())
    }
}
