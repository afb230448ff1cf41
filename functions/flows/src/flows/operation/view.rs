//! An operation, as it is shown.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use tributary::{
    http::Problem,
    id::{FlowId, OperationId},
};
use utoipa::ToSchema;

use super::{Operation, OperationStatus, Work};

/// What a request came to that was answered before it was done.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OperationView {
    operation_id: OperationId,
    /// How far it is.
    status: OperationStatus,
    /// `create`, `update`, `delete`, `run` or `activate`.
    #[schema(example = "create")]
    kind: &'static str,
    flow_id: FlowId,
    /// Path of the flow or run that it resulted in, once it succeeded; absent after a deletion.
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Problem>)]
    problem: Option<Value>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl OperationView {
    pub(super) fn of(operation: Operation) -> Self {
        let resource = resource(&operation);
        let Operation {
            id,
            tenant_id: _,
            flow_id,
            work,
            status,
            run_id: _,
            problem,
            due_shard: _,
            due_at: _,
            created_at,
            updated_at,
            expires_at: _,
        } = operation;
        Self {
            operation_id: id,
            status,
            kind: match work {
                Work::Create => "create",
                Work::Update { .. } => "update",
                Work::Delete => "delete",
                Work::Run { .. } => "run",
                Work::Activate => "activate",
            },
            flow_id,
            resource,
            problem: problem.and_then(|text| serde_json::from_str(&text).ok()),
            created_at,
            updated_at,
        }
    }
}

fn resource(operation: &Operation) -> Option<String> {
    if operation.status != OperationStatus::Succeeded {
        return None;
    }
    let flow = format!("/v1/flows/{}", operation.flow_id);
    match (&operation.work, operation.run_id) {
        (Work::Delete, _) => None,
        (Work::Run { .. }, Some(run)) => Some(format!("{flow}/runs/{run}")),
        _ => Some(flow),
    }
}
