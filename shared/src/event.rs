//! CloudEvents 1.0 that leave the system.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::id::TenantId;

/// Namespace under which event ids are derived.
const EVENT_NAMESPACE: Uuid = Uuid::from_u128(0x6f2c_b9a4_5d1e_4c57_9a83_7b10_44de_21c6);

/// A CloudEvents 1.0 event in JSON format (structured mode).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CloudEvent {
    /// Always `1.0`.
    pub specversion: String,
    /// The same for every delivery of the same fact, so that subscribers can drop duplicates.
    pub id: String,
    /// `/tributary/<stage>/tenants/<tenant id>`.
    pub source: String,
    /// `tributary.run.completed`, `tributary.connection.reauth_required`, ...
    #[serde(rename = "type")]
    pub kind: String,
    /// Id of the run or connection that it is about.
    pub subject: String,
    /// When the fact happened.
    pub time: Timestamp,
    /// Always `application/json`.
    pub datacontenttype: String,
    /// Extension attribute: the tenant.
    pub tenantid: TenantId,
    /// The fact.
    pub data: Value,
}

impl CloudEvent {
    /// An event about a subject; `fact` tells apart the facts about one subject (`completed`,
    /// `reauth_required/7`) and makes the id.
    pub fn new(
        stage: &str,
        tenant: TenantId,
        kind: impl Into<String>,
        subject: impl Into<String>,
        fact: &str,
        time: Timestamp,
        data: Value,
    ) -> Self {
        let subject = subject.into();
        Self {
            specversion: "1.0".to_owned(),
            id: event_id(&subject, fact),
            source: format!("/tributary/{stage}/tenants/{tenant}"),
            kind: kind.into(),
            subject,
            time,
            datacontenttype: "application/json".to_owned(),
            tenantid: tenant,
            data,
        }
    }
}

/// The id of the event that says `fact` about `subject`.
pub fn event_id(subject: &str, fact: &str) -> String {
    Uuid::new_v5(&EVENT_NAMESPACE, format!("{subject}\n{fact}").as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_fact_has_the_same_id_and_another_fact_another() {
        assert_eq!(
            event_id("run_1", "completed"),
            event_id("run_1", "completed")
        );
        assert_ne!(event_id("run_1", "completed"), event_id("run_1", "failed"));
        assert_ne!(
            event_id("run_1", "completed"),
            event_id("run_2", "completed")
        );
    }
}
