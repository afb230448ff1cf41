//! What one account has in one Region: profiles, flows, runs, registrations.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::{
    cache::MetadataCache,
    definition::{Definition, TriggerType},
    idempotency::Tokens,
    window::Window,
    wire::{epoch, epoch_or_null},
};

/// An account and a Region: nothing is shared between two of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Home {
    pub(crate) account: String,
    pub(crate) region: String,
}

impl Home {
    /// ARN of a resource here.
    pub(crate) fn arn(&self, resource: &str, name: &str) -> String {
        format!(
            "arn:aws:appflow:{}:{}:{resource}/{name}",
            self.region, self.account
        )
    }
}

/// Everything of one home.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) profiles: BTreeMap<String, Profile>,
    pub(crate) flows: BTreeMap<String, Flow>,
    pub(crate) registrations: BTreeMap<String, Registration>,
    pub(crate) tokens: Tokens,
    pub(crate) cache: MetadataCache,
    /// This home's own quota of flows, if it was changed.
    pub(crate) max_flows: Option<usize>,
}

/// A connector profile. Its credentials are in the secret alone.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) kind: String,
    pub(crate) label: Option<String>,
    pub(crate) mode: String,
    /// `connectorProfileProperties`: one connector key and its members.
    pub(crate) properties: Value,
    pub(crate) secret_name: String,
    pub(crate) credentials_arn: String,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    /// Only one refresh of its tokens at a time.
    pub(crate) refreshing: Arc<tokio::sync::Mutex<()>>,
}

impl Profile {
    /// A text property under the connector's key.
    pub(crate) fn text(&self, key: &str, member: &str) -> Option<&str> {
        self.properties.get(key)?.get(member)?.as_str()
    }
}

/// A registered connector of the account itself.
#[derive(Debug, Clone)]
pub(crate) struct Registration {
    pub(crate) label: String,
    pub(crate) arn: String,
    pub(crate) description: Option<String>,
    pub(crate) provisioning: Value,
    pub(crate) registered_at: Timestamp,
    pub(crate) registered_by: String,
    pub(crate) tags: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FlowStatus {
    Active,
    Draft,
    Suspended,
}

impl FlowStatus {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Draft => "Draft",
            Self::Suspended => "Suspended",
        }
    }
}

/// A flow with its runs.
#[derive(Debug)]
pub(crate) struct Flow {
    pub(crate) arn: String,
    /// The request, as describe answers give it back.
    pub(crate) body: Value,
    pub(crate) definition: Arc<Definition>,
    pub(crate) status: FlowStatus,
    pub(crate) status_message: Option<String>,
    pub(crate) schema_version: u32,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) created_at: Timestamp,
    pub(crate) created_by: String,
    pub(crate) updated_at: Timestamp,
    pub(crate) updated_by: String,
    /// The opaque id in the `resources` of its events.
    pub(crate) event_id: String,
    /// Oldest first.
    pub(crate) runs: VecDeque<Run>,
    pub(crate) failures_in_a_row: u32,
    pub(crate) last_success: Option<Timestamp>,
    /// When the schedule was switched on, and its next instant.
    pub(crate) activated_at: Option<Timestamp>,
    pub(crate) next_run: Option<Timestamp>,
    /// Events of an event flow since its last report.
    pub(crate) events_received: u64,
    pub(crate) last_report: Option<Timestamp>,
    pub(crate) metrics: FlowMetrics,
}

/// What CloudWatch counts per flow name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FlowMetrics {
    /// `FlowExecutionsStarted`.
    pub executions_started: u64,
    /// `FlowExecutionsSucceeded`.
    pub executions_succeeded: u64,
    /// `FlowExecutionsFailed`.
    pub executions_failed: u64,
    /// `FlowExecutionRecordsProcessed`.
    pub records_processed: u64,
    /// `FlowExecutionTime`, summed, in milliseconds.
    pub execution_millis: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RunStatus {
    InProgress,
    Successful,
    Error,
    CancelStarted,
    Canceled,
}

impl RunStatus {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Successful => "Successful",
            Self::Error => "Error",
            Self::CancelStarted => "CancelStarted",
            Self::Canceled => "Canceled",
        }
    }

    /// Whether the run still holds a place among the concurrent ones.
    pub(crate) fn is_open(self) -> bool {
        matches!(self, Self::InProgress | Self::CancelStarted)
    }
}

/// One execution.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) id: String,
    pub(crate) status: RunStatus,
    pub(crate) started_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) window: Option<Window>,
    pub(crate) counts: Counts,
    pub(crate) message: Option<String>,
    pub(crate) cancel: Arc<Notify>,
}

/// What a run moved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) records: u64,
    pub(crate) filtered: u64,
    pub(crate) put_failures: u64,
    pub(crate) bytes_read: u64,
    pub(crate) bytes_written: u64,
}

impl Run {
    /// The entry of `flowExecutions`.
    pub(crate) fn record(&self) -> Value {
        let failed = self.status == RunStatus::Error || self.counts.put_failures > 0;
        let error = failed.then(|| {
            json!({
                "putFailuresCount": self.counts.put_failures,
                "executionMessage": self.message,
            })
        });
        json!({
            "executionId": self.id,
            "executionStatus": self.status.as_str(),
            "executionResult": {
                "errorInfo": error,
                "bytesProcessed": self.counts.bytes_read,
                "bytesWritten": self.counts.bytes_written,
                "recordsProcessed": self.counts.records,
            },
            "startedAt": epoch(self.started_at),
            "lastUpdatedAt": epoch(self.updated_at),
            "dataPullStartTime": epoch_or_null(self.window.map(|w| w.from)),
            "dataPullEndTime": epoch_or_null(self.window.map(|w| w.to)),
        })
    }
}

impl Flow {
    pub(crate) fn trigger(&self) -> TriggerType {
        self.definition.trigger_config.trigger_type
    }

    /// The run with this id.
    pub(crate) fn run_mut(&mut self, id: &str) -> Option<&mut Run> {
        self.runs.iter_mut().find(|r| r.id == id)
    }

    /// `lastRunExecutionDetails`.
    pub(crate) fn last_run(&self) -> Value {
        let Some(run) = self.runs.back() else {
            return Value::Null;
        };
        let message = match run.status {
            RunStatus::Successful => Some("Successfully ran the flow"),
            RunStatus::Error => run.message.as_deref(),
            RunStatus::InProgress | RunStatus::CancelStarted | RunStatus::Canceled => None,
        };
        json!({
            "mostRecentExecutionMessage": message,
            "mostRecentExecutionTime": epoch(run.started_at),
            "mostRecentExecutionStatus": run.status.as_str(),
        })
    }

    /// Whether the flow uses this profile, on either side.
    pub(crate) fn uses_profile(&self, name: &str) -> bool {
        let definition = &self.definition;
        definition
            .source_flow_config
            .connector_profile_name
            .as_deref()
            == Some(name)
            || definition
                .destination()
                .is_some_and(|d| d.connector_profile_name.as_deref() == Some(name))
    }
}

impl State {
    /// How many runs are open in this home.
    pub(crate) fn open_runs(&self) -> usize {
        self.flows
            .values()
            .flat_map(|f| &f.runs)
            .filter(|r| r.status.is_open())
            .count()
    }
}
