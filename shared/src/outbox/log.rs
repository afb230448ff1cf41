//! The log of events: what was decided for a tenant, kept for as long as it can be asked for again.
//!
//! An event is written under its id together with its outbox entry, and a second, small item puts
//! it in the order of time, so that lists and redeliveries read ranges and load what they need.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Entry;
use crate::{
    event::CloudEvent,
    id::TenantId,
    store::{Key, Store, StoreError},
};

/// How long an event is kept after it was decided.
pub const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// An event that was decided, as it is stored under [`Key::event`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoggedEvent {
    /// The event.
    pub event: CloudEvent,
    /// The attributes of its message.
    pub attributes: BTreeMap<String, String>,
    /// When the table forgets it, epoch seconds.
    pub expires_at: i64,
}

impl LoggedEvent {
    /// An event of a tenant, while it is kept.
    pub async fn load(
        store: &Store,
        tenant: TenantId,
        event_id: &str,
    ) -> Result<Option<Self>, StoreError> {
        let found: Option<Self> = store.get(&Key::event(tenant, event_id)).await?;
        // The table forgets later than it says.
        let now = Timestamp::now().as_second();
        Ok(found.filter(|logged| now < logged.expires_at))
    }
}

/// What an event is and when it happened, as it is stored under [`Key::event_at`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventPointer {
    /// Its id.
    pub event_id: String,
    /// Its type.
    pub event_type: String,
    /// What it is about.
    pub subject: String,
    /// When the fact happened.
    pub time: Timestamp,
    /// Where the fact is among those about its subject.
    pub sequence: String,
    /// When the table forgets it, epoch seconds.
    pub expires_at: i64,
}

impl EventPointer {
    /// What the sort keys of [`Key::event_at`] begin with.
    pub const PREFIX: &str = "AT#";
}

/// One of the items that a decision to notify writes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum EntryItem {
    /// What is to be published.
    Outbox(Box<Entry>),
    /// What is kept.
    Logged(Box<LoggedEvent>),
    /// When it happened.
    Pointer(Box<EventPointer>),
}

impl Entry {
    /// What a decision writes, in the transaction of the change that it tells: the entry, the
    /// event, and where that is in the order of time.
    pub fn items(self, now: Timestamp) -> Vec<(Key, EntryItem)> {
        let entry = self.storable();
        let event = &entry.event;
        let expires_at = now
            .saturating_add(KEPT)
            .unwrap_or(Timestamp::MAX)
            .as_second();
        let logged = LoggedEvent {
            event: event.clone(),
            attributes: entry.attributes.clone(),
            expires_at,
        };
        let pointer = EventPointer {
            event_id: event.id.clone(),
            event_type: event.kind.clone(),
            subject: event.subject.clone(),
            time: event.time,
            sequence: event.sequence.clone(),
            expires_at,
        };
        vec![
            (
                Key::event(event.tenantid, &event.id),
                EntryItem::Logged(Box::new(logged)),
            ),
            (
                Key::event_at(event.tenantid, event.time, &event.id),
                EntryItem::Pointer(Box::new(pointer)),
            ),
            (entry.key(), EntryItem::Outbox(Box::new(entry))),
        ]
    }

    /// The same without the log, for a tenant that is gone and leaves nothing behind.
    pub fn unlogged_items(self) -> Vec<(Key, EntryItem)> {
        let entry = self.storable();
        vec![(entry.key(), EntryItem::Outbox(Box::new(entry)))]
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        event::{Fact, Sequence},
        store::key::Key,
        store::to_item,
        subscription::EventType,
    };

    fn entry(data: serde_json::Value) -> Entry {
        let fact = Fact {
            kind: EventType::RunFailed,
            subject: "run_1".to_owned(),
            name: "failed",
            sequence: Sequence::of_version(2, 0),
            time: Timestamp::UNIX_EPOCH,
            data,
        };
        Entry::new(CloudEvent::new("test", TenantId::new(), fact), "failed")
    }

    #[test]
    fn n1_a_decision_writes_entry_event_and_pointer_for_thirty_days() {
        let entry = entry(json!({"runId": "run_1"}));
        let (tenant, id) = (entry.event.tenantid, entry.event.id.clone());
        let items = entry.clone().items(Timestamp::UNIX_EPOCH);
        let keys: Vec<_> = items.iter().map(|(key, _)| key.clone()).collect();
        assert_eq!(
            keys,
            [
                Key::event(tenant, &id),
                Key::event_at(tenant, Timestamp::UNIX_EPOCH, &id),
                Key::outbox(&id),
            ]
        );
        assert!(keys[1].sk.starts_with(EventPointer::PREFIX));
        let logged: LoggedEvent =
            crate::store::from_item(to_item(&items[0].0, &items[0].1).unwrap()).unwrap();
        assert_eq!(logged.event, entry.event);
        assert_eq!(logged.expires_at, 30 * 24 * 3_600);
    }

    #[test]
    fn n8_what_no_item_takes_is_left_out_by_name_and_the_rest_is_told() {
        let entry =
            entry(json!({"runId": "run_1", "message": "x".repeat(500_000), "cause": "mapping"}));
        let items = entry.items(Timestamp::UNIX_EPOCH);
        for (key, item) in &items {
            let written = to_item(key, item).unwrap();
            let EntryItem::Logged(logged) = item else {
                continue;
            };
            assert!(written.len() > 2);
            assert_eq!(
                logged.event.data,
                json!({"runId": "run_1", "cause": "mapping", "omitted": ["message"]})
            );
        }
        assert_eq!(items.len(), 3);
    }
}
