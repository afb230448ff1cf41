//! Telling that a connection works again.

use jiff::Timestamp;
use serde_json::json;

use super::Connection;
use crate::{
    event::{CloudEvent, Fact, Sequence},
    outbox::Entry,
    subscription::EventType,
};

impl Connection {
    /// X5: who was told that a new consent was needed is told once that this generation came of it.
    ///
    /// A generation recovers first, if it does, and is lost last: what needs a consent again comes
    /// later in the order of facts.
    pub fn recovered(&self, stage: &str, now: Timestamp) -> Entry {
        let fact = Fact {
            kind: EventType::ConnectionRecovered,
            subject: self.id.to_string(),
            name: &format!("recovered/{}", self.generation),
            sequence: Sequence::of_version(self.generation, 0),
            time: now,
            data: json!({"connectionId": self.id, "connector": self.connector, "name": self.name}),
        };
        let event = CloudEvent::new(stage, self.tenant_id, fact);
        Entry::new(event, "recovered").with_attribute("connectionId", &self.id)
    }
}
