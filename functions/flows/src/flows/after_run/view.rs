//! What became of the statement after a run, as it is shown.

use jiff::Timestamp;
use serde::Serialize;
use tributary::{
    query::QueryName,
    run::{AfterRunProgress, AfterRunState},
};
use utoipa::ToSchema;

/// How far the statement after a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AfterRunPhase {
    /// Decided, and not begun.
    Pending,
    /// Under way.
    Running,
    /// Ended well.
    Finished,
    /// Ended badly, or could not be run.
    Failed,
    /// Not run, on purpose.
    Skipped,
}

/// Why a statement after a run failed or was not run.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AfterRunError {
    /// Stable code.
    #[schema(example = "forbidden_data")]
    code: String,
    /// What happened, for people. The warehouse's own words are not shown: they name what only some
    /// may know of.
    #[schema(example = "The service identity may not do this with these data.")]
    detail: String,
    /// Whether running the flow again can help without anything being changed.
    #[schema(example = false)]
    retryable: bool,
}

/// The statement after a run.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AfterRunView {
    /// The registered query.
    #[schema(value_type = String, example = "load-city-sales")]
    query: QueryName,
    /// The version of it that counted, that of the moment when the run completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 3)]
    version: Option<u64>,
    /// How far it is.
    state: AfterRunPhase,
    /// Rows that were written, where the warehouse says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 1200)]
    rows: Option<u64>,
    /// When it was begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
    /// Why it failed or was not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<AfterRunError>,
}

impl AfterRunView {
    pub(in crate::flows) fn of(progress: AfterRunProgress) -> Self {
        let AfterRunProgress {
            query,
            version,
            step: _,
            state,
        } = progress;
        let shown = |state, started_at, ended_at| Self {
            query,
            version,
            state,
            rows: None,
            started_at,
            ended_at,
            error: None,
        };
        match state {
            AfterRunState::Pending { .. } => shown(AfterRunPhase::Pending, None, None),
            AfterRunState::Sending { started_at, .. }
            | AfterRunState::Running { started_at, .. } => {
                shown(AfterRunPhase::Running, Some(started_at), None)
            }
            AfterRunState::Finished {
                statement: _,
                rows,
                started_at,
                ended_at,
            } => Self {
                rows,
                ..shown(AfterRunPhase::Finished, Some(started_at), Some(ended_at))
            },
            AfterRunState::Failed {
                code,
                statement: _,
                started_at,
                ended_at,
            } => Self {
                error: Some(AfterRunError {
                    code: code.as_str().to_owned(),
                    detail: code.detail().to_owned(),
                    retryable: code.retryable(),
                }),
                ..shown(AfterRunPhase::Failed, started_at, Some(ended_at))
            },
            AfterRunState::Skipped { reason, ended_at } => Self {
                error: Some(AfterRunError {
                    code: reason.as_str().to_owned(),
                    detail: reason.detail().to_owned(),
                    retryable: false,
                }),
                ..shown(AfterRunPhase::Skipped, None, Some(ended_at))
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tributary::run::{AfterRunCode, Prepared, SkipReason};

    use super::*;

    fn shown(state: AfterRunState) -> Value {
        let progress = AfterRunProgress {
            query: "load".parse().unwrap(),
            version: Some(3),
            step: 0,
            state,
        };
        serde_json::to_value(AfterRunView::of(progress)).unwrap()
    }

    #[test]
    fn each_state_is_shown_and_neither_the_statement_nor_its_id_is() {
        let at = Timestamp::UNIX_EPOCH;
        let prepared = Prepared {
            sql: "CALL secret_load()".to_owned(),
            parameters: std::collections::BTreeMap::new(),
        };
        let statement = "d9b6c0c9".to_owned();
        let cases = [
            (
                AfterRunState::Pending {
                    prepared: prepared.clone(),
                },
                json!({ "state": "pending" }),
            ),
            (
                AfterRunState::Sending {
                    prepared,
                    started_at: at,
                    attempts: 1,
                    refused: 0,
                },
                json!({ "state": "running", "startedAt": at }),
            ),
            (
                AfterRunState::Running {
                    statement: statement.clone(),
                    started_at: at,
                },
                json!({ "state": "running", "startedAt": at }),
            ),
            (
                AfterRunState::Finished {
                    statement,
                    rows: Some(7),
                    started_at: at,
                    ended_at: at,
                },
                json!({ "state": "finished", "rows": 7, "startedAt": at, "endedAt": at }),
            ),
            (
                AfterRunState::Failed {
                    code: AfterRunCode::Timeout,
                    statement: None,
                    started_at: None,
                    ended_at: at,
                },
                json!({ "state": "failed", "endedAt": at, "error": {
                    "code": "timeout", "detail": AfterRunCode::Timeout.detail(), "retryable": true,
                } }),
            ),
            (
                AfterRunState::Skipped {
                    reason: SkipReason::TenantSuspended,
                    ended_at: at,
                },
                json!({ "state": "skipped", "endedAt": at, "error": {
                    "code": "tenant_suspended", "detail": SkipReason::TenantSuspended.detail(),
                    "retryable": false,
                } }),
            ),
        ];
        for (state, mut expected) in cases {
            expected["query"] = json!("load");
            expected["version"] = json!(3);
            assert_eq!(shown(state), expected);
        }
    }
}
