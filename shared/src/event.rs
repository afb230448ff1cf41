//! CloudEvents 1.0 that leave the system. Their schemas are in `docs/events/`.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{id::TenantId, subscription::EventType};

/// Namespace under which event ids are derived.
const EVENT_NAMESPACE: Uuid = Uuid::from_u128(0x6f2c_b9a4_5d1e_4c57_9a83_7b10_44de_21c6);

/// A CloudEvents 1.0 event in JSON format (structured mode).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CloudEvent {
    /// Always `1.0`.
    #[schema(example = "1.0")]
    pub specversion: String,
    /// The same for every delivery of the same fact, so that subscribers can drop duplicates.
    #[schema(example = "5b8f64fd-4f0e-5c07-9c0e-0c2f6f1d3a52")]
    pub id: String,
    /// `/tributary/<stage>/tenants/<tenant id>`.
    #[schema(example = "/tributary/prod/tenants/ten_019364c0a1b27cc3a4d5e6f708192a3b")]
    pub source: String,
    /// `tributary.run.completed`, `tributary.connection.reauth_required`, ...
    #[serde(rename = "type")]
    #[schema(example = "tributary.run.completed")]
    pub kind: String,
    /// Id of the run or connection that it is about.
    #[schema(example = "run_019364c0a1b27cc3a4d5e6f708192a3b")]
    pub subject: String,
    /// When the fact happened.
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
    /// Always `application/json`.
    #[schema(example = "application/json")]
    pub datacontenttype: String,
    /// Extension attribute: the tenant.
    pub tenantid: TenantId,
    /// Extension attribute: where the fact is among those about its subject. Texts of later facts
    /// are greater. Absent in what was decided before there were any.
    #[serde(default)]
    #[schema(example = "00000000000000000020")]
    pub sequence: String,
    /// Extension attribute: what the caller of the API call that it began with named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "order-4711")]
    pub correlationid: Option<String>,
    /// Extension attribute: where the event with its data is, when the message has no room for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "https://api.example.com/v1/events/5b8f64fd-4f0e-5c07-9c0e-0c2f6f1d3a52")]
    pub dataref: Option<String>,
    /// The fact; absent when `dataref` is there.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    #[schema(value_type = Object, example = json!({"runId": "run_019364c0a1b27cc3a4d5e6f708192a3b", "status": "completed"}))]
    pub data: Value,
}

/// Something that happened, as subscribers are told it.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact<'a> {
    /// What happened.
    pub kind: EventType,
    /// Id of what it is about.
    pub subject: String,
    /// Tells apart the facts about one subject (`completed`, `reauth_required/7`); makes the id.
    pub name: &'a str,
    /// Where it is among the facts about its subject.
    pub sequence: Sequence,
    /// When it happened.
    pub time: Timestamp,
    /// What there is to say.
    pub data: Value,
}

impl CloudEvent {
    /// The event that tells a tenant a fact.
    pub fn new(stage: &str, tenant: TenantId, fact: Fact<'_>) -> Self {
        let Fact {
            kind,
            subject,
            name,
            sequence,
            time,
            data,
        } = fact;
        Self {
            specversion: "1.0".to_owned(),
            id: event_id(&subject, name),
            source: format!("/tributary/{stage}/tenants/{tenant}"),
            kind: kind.as_str().to_owned(),
            subject,
            time,
            datacontenttype: "application/json".to_owned(),
            tenantid: tenant,
            sequence: sequence.to_string(),
            correlationid: None,
            dataref: None,
            data,
        }
    }
}

impl CloudEvent {
    /// Says which API call it began with, if that is known.
    #[must_use]
    pub fn begun_with(mut self, correlation: Option<&str>) -> Self {
        self.correlationid = correlation.map(str::to_owned);
        self
    }
}

/// Where a fact is among those about one subject: 20 digits, so that texts sort as numbers do.
///
/// Facts about one kind of subject all count the same way. Two that count the same version, or the
/// same time, have different places there: no two facts about a subject have the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sequence(u128);

/// Facts that may share a version or a time.
const PLACES: u128 = 10;

impl Sequence {
    /// For subjects whose version, generation or rank grows with each fact, or stays for at most ten
    /// facts: `place`, 0 to 9, says which of these it is.
    pub const fn of_version(version: u64, place: u8) -> Self {
        Self(version as u128 * PLACES + (place % 10) as u128)
    }

    /// For subjects that have no number of their own: by the time at which the fact happened, to
    /// the nanosecond. `place`, 0 to 9, tells apart kinds of facts that may share one.
    pub fn of_time(time: Timestamp, place: u8) -> Self {
        let nanoseconds = u128::try_from(time.as_nanosecond()).unwrap_or_default();
        Self(nanoseconds * PLACES + u128::from(place % 10))
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:020}", self.0)
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
    fn n1_the_same_fact_has_the_same_id_and_another_fact_another() {
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

    #[test]
    fn n1_sequences_sort_as_texts_and_are_twenty_digits() {
        let at = |text: &str, place| Sequence::of_time(text.parse().unwrap(), place).to_string();
        let in_order = [
            Sequence::of_version(0, 0).to_string(),
            Sequence::of_version(0, 1).to_string(),
            Sequence::of_version(1, 0).to_string(),
            Sequence::of_version(9, 9).to_string(),
            Sequence::of_version(10, 0).to_string(),
            at("2026-11-20T10:00:00Z", 0),
            at("2026-11-20T10:00:00Z", 1),
            at("2026-11-20T10:00:00.000000001Z", 0),
            at("2199-01-01T00:00:00Z", 0),
        ];
        assert!(in_order.iter().all(|text| text.len() == 20), "{in_order:?}");
        assert!(
            in_order.is_sorted_by(|one, next| one < next),
            "{in_order:?}"
        );
    }
}
