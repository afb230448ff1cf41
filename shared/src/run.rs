//! Runs: one execution of a flow. A run's status only moves forward.

mod after_run;
mod listed;

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::{FlowId, RunId, TenantId};

pub use after_run::{
    AfterRun, AfterRunCode, AfterRunProgress, AfterRunState, KeptAfterRun, Prepared, SkipReason,
};
pub use listed::ListedRun;

/// Shard of the due index that holds the runs about which something is still to be done.
pub const RUN_SHARD: &str = "runs";
/// Shard of the due index that holds the flows that run by themselves.
pub const FLOW_SHARD: &str = "flows";
/// How long after news of a run it is looked up, should no more news come.
const CHECK_AFTER: SignedDuration = SignedDuration::from_mins(4);

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RunStatus {
    /// Asked for; AppFlow has not reported its start.
    Queued,
    /// Under way.
    Running,
    /// Ended well.
    Completed,
    /// Ended with an error.
    Failed,
    /// Stopped on request.
    Cancelled,
}

impl RunStatus {
    /// Every status.
    pub const ALL: [Self; 5] = [
        Self::Queued,
        Self::Running,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The word under which the status is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether the run is over.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// Whether news of `next` changes a run that is here: forward only, and an end is the end.
    pub const fn may_become(self, next: Self) -> bool {
        self.rank() < next.rank()
    }

    /// How far forward it is; the ends are equally far.
    pub const fn rank(self) -> u8 {
        match self {
            Self::Queued => 0,
            Self::Running => 1,
            Self::Completed | Self::Failed | Self::Cancelled => 2,
        }
    }
}

impl fmt::Display for RunStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What made a run begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunTrigger {
    /// Somebody started it, here or in AppFlow's console.
    OnDemand,
    /// The flow's schedule.
    Scheduled,
    /// An event of the application.
    Event,
}

/// What a failed run failed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CauseClass {
    /// The application refused the connection's credentials.
    Credentials,
    /// A field, type or rule does not fit the data.
    Mapping,
    /// A limit of AWS or of the application.
    Quota,
    /// The source did not deliver.
    Source,
    /// The destination did not take it.
    Destination,
    /// None of these, or not told.
    Internal,
}

/// A run, as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// The flow that ran.
    pub flow_id: FlowId,
    /// AppFlow's execution id.
    pub execution_id: String,
    /// How far it is.
    pub status: RunStatus,
    /// What made it begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<RunTrigger>,
    /// The run that it repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<RunId>,
    /// The last run that repeated it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retried_by: Option<RunId>,
    /// The correlation id of the API call that started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Records that were processed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records_processed: Option<u64>,
    /// Records that could not be written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records_failed: Option<u64>,
    /// Bytes that were processed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_processed: Option<u64>,
    /// What it failed on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<CauseClass>,
    /// The provider's words, with secrets removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Whether trying again makes sense.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retryable: Option<bool>,
    /// What it does in the warehouse once it has completed, if its flow says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_run: Option<AfterRunProgress>,
    /// [`RUN_SHARD`] while [`Run::is_open`], then absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_shard: Option<String>,
    /// When to look the run up if no news comes, epoch milliseconds; absent when nothing is to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<i64>,
    /// When we learned of it.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Run {
    /// A run that was just asked for and whose start AppFlow has not reported.
    pub fn queued(
        tenant_id: TenantId,
        flow_id: FlowId,
        execution_id: impl Into<String>,
        now: Timestamp,
    ) -> Self {
        Self {
            id: RunId::new(),
            tenant_id,
            flow_id,
            execution_id: execution_id.into(),
            status: RunStatus::Queued,
            trigger: None,
            retry_of: None,
            retried_by: None,
            correlation_id: None,
            started_at: None,
            ended_at: None,
            records_processed: None,
            records_failed: None,
            bytes_processed: None,
            cause: None,
            message: None,
            retryable: None,
            after_run: None,
            due_shard: Some(RUN_SHARD.to_owned()),
            due_at: Some(Self::next_check(now)),
            created_at: now,
            updated_at: now,
        }
    }

    /// Whether news is still to come: of the run, or of what it does in the warehouse afterwards.
    pub fn is_open(&self) -> bool {
        let after_run = self.after_run.as_ref();
        !self.status.is_final() || after_run.is_some_and(|after_run| after_run.state.is_open())
    }

    /// When to look a run up that there was news of now, epoch milliseconds.
    pub fn next_check(now: Timestamp) -> i64 {
        now.saturating_add(CHECK_AFTER)
            .unwrap_or(Timestamp::MAX)
            .as_millisecond()
    }
}

/// Which tenant's flow an AppFlow flow is; kept under [`crate::store::Key::flow_name`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowOwner {
    /// Whose flow it is.
    pub tenant_id: TenantId,
    /// The flow.
    pub flow_id: FlowId,
    /// Our account in which it runs.
    pub account_id: crate::id::AccountId,
}

/// Which run an AppFlow execution is; kept under [`crate::store::Key::execution`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionPointer {
    /// The run.
    pub run_id: RunId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u1_a_status_never_goes_back_and_an_end_is_the_end() {
        use RunStatus::{Cancelled, Completed, Failed, Queued, Running};
        assert!(
            Queued.may_become(Running)
                && Queued.may_become(Failed)
                && Running.may_become(Completed)
        );
        for end in [Completed, Failed, Cancelled] {
            for next in [Queued, Running, Completed, Failed, Cancelled] {
                assert!(!end.may_become(next), "{end} became {next}");
            }
        }
        assert!(!Running.may_become(Queued) && !Running.may_become(Running));
    }
}
