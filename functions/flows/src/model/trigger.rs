//! When a flow runs.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Nothing;

/// When a flow runs, told apart by `type`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Trigger {
    /// When somebody starts it.
    OnDemand(Nothing),
    /// At the times of a schedule, once it is started.
    Scheduled(Scheduled),
    /// When the application sends an event, once it is started.
    Event(Nothing),
}

/// A schedule and what each run brings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Scheduled {
    /// `rate(<n> <unit>)` or `cron(<six fields>)`.
    #[schema(example = "rate(1 hour)")]
    pub every: String,
    /// What each run brings.
    pub pull: Pull,
    /// The field that says when a record changed; the connector's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp_field: Option<String>,
    /// No run before this. A start in the past moves to the next point of its own grid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub start: Option<Timestamp>,
    /// No run after this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub end: Option<Timestamp>,
    /// How much later than its time a run reads, 0 to 36,000 seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset_seconds: Option<i64>,
    /// From when the first incremental run reads; 30 days back when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub first_from: Option<Timestamp>,
    /// A label for people; AppFlow does not compute with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// After how many failures in a row AppFlow gives up, 1 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_after_failures: Option<i32>,
}

/// What each run brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Pull {
    /// What changed since the run before.
    Incremental,
    /// Everything, every time.
    Complete,
}
