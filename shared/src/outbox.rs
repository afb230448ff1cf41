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
use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::{Value, json};

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

/// How long an entry is left alone that cannot be published as it is.
const PUT_OFF: SignedDuration = SignedDuration::from_mins(60);

/// What SNS says of a message that it does not take as it is.
const REFUSED: [&str; 3] = [
    "InvalidParameter",
    "InvalidParameterValue",
    "ParameterValueInvalid",
];

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

/// What is needed of an entry to find it; whether the rest can be read is seen then.
#[derive(Debug, Deserialize)]
struct Waiting {
    sk: String,
    #[serde(default)]
    claimed_until: Option<i64>,
    #[serde(default)]
    event: Value,
}

impl Waiting {
    /// When its fact happened, if that can be read.
    fn time(&self) -> Option<Timestamp> {
        self.event["time"].as_str()?.parse().ok()
    }
}

/// Why an entry did not go out.
enum Unsent {
    /// The topic may take it later.
    Now(Error),
    /// The topic does not take it as it is.
    Never(Error),
}

impl From<Unsent> for Error {
    fn from(unsent: Unsent) -> Self {
        match unsent {
            Unsent::Now(error) | Unsent::Never(error) => error,
        }
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
            Err(error @ StoreError::Shape(_)) => {
                self.put_off(key).await?;
                return Err(error.into());
            }
            Err(error) => return Err(error.into()),
        };
        match self.send(&entry).await {
            Ok(()) => telemetry::count(Metric::NotificationPublished),
            Err(unsent) => {
                telemetry::count(Metric::NotificationFailed);
                return match unsent {
                    Unsent::Never(error) => {
                        self.put_off(key).await?;
                        Err(error)
                    }
                    Unsent::Now(error) => Err(error),
                };
            }
        }
        self.store.delete(key).await?;
        tracing::info!(event.id = entry.event.id, event.kind = entry.event.kind, tenant.id = %entry.event.tenantid, "notification published");
        Ok(())
    }

    /// Publishes at most `most` of what others left behind, and answers how many it found.
    ///
    /// What fails does not keep the rest back, in this look or in the next: an entry that the topic
    /// will not take is put off, however many there are.
    pub async fn publish_left_over(&self, most: usize) -> Result<usize, Error> {
        let now = Timestamp::now();
        let mut request = PageRequest::first(most);
        let mut found = 0;
        let mut oldest = None;
        let mut outcome = Ok(());
        loop {
            let partition = Key::outbox_partition();
            let page = self
                .store
                .query::<Waiting>(&partition, "", &request)
                .await?;
            oldest = page
                .items
                .iter()
                .filter_map(Waiting::time)
                .chain(oldest)
                .min();
            let is_free = |entry: &Waiting| {
                let until = entry.claimed_until;
                until.is_none_or(|until| until < now.as_millisecond())
            };
            for entry in page.items.into_iter().filter(is_free).take(most - found) {
                found += 1;
                if let Err(error) = self.publish(&Key::outbox(&entry.sk)).await {
                    outcome = Err(error);
                }
            }
            request.after = page.next;
            if request.after.is_none() || found == most {
                let age = oldest.map_or(0.0, |oldest| telemetry::seconds_since(oldest, now));
                telemetry::emit(Metric::OutboxAge, age, &[("found", json!(found))]);
                return outcome.map(|()| found);
            }
        }
    }

    /// Keeps everybody away from an entry that cannot be published as it is, for a while: people may
    /// mend it.
    async fn put_off(&self, key: &Key) -> Result<(), Error> {
        let until = Timestamp::now()
            .saturating_add(PUT_OFF)
            .unwrap_or(Timestamp::MAX);
        let put_off = Update::new()
            .set("claimed_until", until.as_millisecond())
            // Not one that was published meanwhile.
            .when_equal("pk", &key.pk);
        match self.store.update::<IgnoredAny>(key, put_off).await {
            Ok(_) | Err(StoreError::Condition { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
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
        self.send(&entry.for_subscription(to))
            .await
            .map_err(Error::from)
    }

    async fn send(&self, entry: &Entry) -> Result<(), Unsent> {
        let body = size::publishable(&entry.event, &entry.attributes, &self.public_base_url)
            .map_err(|error| {
                let what = "an event could not be written";
                Unsent::Never(Error::internal("event_unwritable", what).with_source(error))
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
                    let what = "an attribute could not be built";
                    Unsent::Never(Error::internal("event_unwritable", what).with_source(error))
                })?;
            call = call.message_attributes(name, value);
        }
        match call.send().await {
            Ok(_) => Ok(()),
            Err(error) => {
                let refusal = Refusal::of(&error);
                let is_refused = REFUSED.iter().any(|code| refusal.is(code));
                let error = refusal.into_error("sns:Publish");
                Err(if is_refused {
                    Unsent::Never(error)
                } else {
                    Unsent::Now(error)
                })
            }
        }
    }
}
