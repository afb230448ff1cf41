//! Operations: what AppFlow throttled for longer than the caller could wait, and that is done
//! afterwards (F9). The caller asks what became of it.

pub(super) mod get;
pub(super) mod perform;
mod view;

use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tributary::{
    error::{Error, Kind},
    id::{FlowId, OperationId, RunId, TenantId},
    store::Key,
};
use utoipa::ToSchema;

use super::record::Flow;
use crate::{TenantApp, edge::json};
pub(crate) use view::OperationView;

/// Shard of the due index that holds the operations that are not over.
pub(super) const SHARD: &str = "operations";
/// How long an operation is tried. Well before the watch takes what is half done for abandoned.
const TRIED_FOR: SignedDuration = SignedDuration::from_mins(12);
/// How long what became of it can be asked.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What is to be done with the flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum Work {
    /// Make it in AppFlow; its record says what.
    Create,
    /// Replace this version by this definition, as JSON text.
    Update { version: u64, definition: String },
    /// Delete it.
    Delete,
    /// Run it once; the token makes every attempt the same run.
    Run {
        client_token: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_of: Option<RunId>,
    },
    /// Set its schedule or events going.
    Activate,
}

/// How far an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OperationStatus {
    /// Still to be done.
    Pending,
    /// Done.
    Succeeded,
    /// It will not be done; `problem` says why.
    Failed,
}

/// An operation, as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Operation {
    pub(super) id: OperationId,
    pub(super) tenant_id: TenantId,
    pub(super) flow_id: FlowId,
    pub(super) work: Work,
    pub(super) status: OperationStatus,
    /// The run that it started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) run_id: Option<RunId>,
    /// The problem document that the request would have been answered with, as JSON text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) problem: Option<String>,
    /// [`SHARD`] until it is over, then absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) due_shard: Option<String>,
    /// When it is tried next, epoch milliseconds; absent when it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) due_at: Option<i64>,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) expires_at: i64,
}

impl Operation {
    fn new(flow: &Flow, work: Work, now: Timestamp) -> Self {
        Self {
            id: OperationId::new(),
            tenant_id: flow.tenant_id,
            flow_id: flow.id,
            work,
            status: OperationStatus::Pending,
            run_id: None,
            problem: None,
            due_shard: Some(SHARD.to_owned()),
            due_at: Some(now.as_millisecond()),
            created_at: now,
            updated_at: now,
            expires_at: now.as_second() + REMEMBERED.as_secs(),
        }
    }

    pub(super) fn key(&self) -> Key {
        Key::operation(self.tenant_id, self.id)
    }

    /// Whether it is not tried any more after this failure.
    fn is_given_up(&self, error: &Error, now: Timestamp) -> bool {
        let may_pass = matches!(error.kind(), Kind::Throttled | Kind::Unavailable);
        !may_pass || now.duration_since(self.created_at) >= TRIED_FOR
    }
}

/// Whether there was no getting through to AppFlow within the caller's time.
pub(super) fn is_throttled<T>(answer: &Result<T, Error>) -> bool {
    matches!(answer, Err(error) if error.kind() == Kind::Throttled)
}

/// Answers that the work is done later: 202, and where to ask.
pub(super) async fn later(app: &TenantApp, flow: &Flow, work: Work) -> Result<Response, Error> {
    let operation = Operation::new(flow, work, Timestamp::now());
    app.store.insert(&operation.key(), &operation).await?;
    tracing::warn!(
        tenant.id = %flow.tenant_id, flow.id = %flow.id, operation.id = %operation.id,
        "AppFlow throttles; the request is carried on later"
    );
    let location = format!("/v1/operations/{}", operation.id);
    let mut response = json(StatusCode::ACCEPTED, &OperationView::of(operation))?;
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f9_a_throttle_is_tried_again_for_a_while_and_a_refusal_is_final() {
        let now = Timestamp::UNIX_EPOCH;
        let operation = Operation {
            id: OperationId::new(),
            tenant_id: TenantId::new(),
            flow_id: FlowId::new(),
            work: Work::Delete,
            status: OperationStatus::Pending,
            run_id: None,
            problem: None,
            due_shard: None,
            due_at: None,
            created_at: now,
            updated_at: now,
            expires_at: 0,
        };
        let throttled = Error::new(Kind::Throttled, "aws_throttled", "Slow down.");
        let soon = Timestamp::from_second(60).unwrap();
        let late = Timestamp::from_second(12 * 60).unwrap();
        assert!(!operation.is_given_up(&throttled, soon));
        assert!(operation.is_given_up(&throttled, late));
        assert!(operation.is_given_up(&Error::not_found(), soon));
    }
}
