//! A flow and a run, as they are shown.

use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use jiff::Timestamp;
use serde::Serialize;
use tributary::{
    error::Error,
    id::{FlowId, RunId},
    run::{CauseClass, Run, RunStatus, RunTrigger},
};
use utoipa::ToSchema;

use super::{
    after_run::view::AfterRunView,
    drift::DriftView,
    record::{Flow, FlowState},
};
use crate::{
    catalog,
    edge::{etag, json},
    model::FlowDefinition,
};

/// A flow.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FlowView {
    id: FlowId,
    /// Where it stands.
    state: FlowState,
    /// Counts definitions; the number in the ETag.
    version: u64,
    /// As it was written.
    #[serde(flatten)]
    definition: FlowDefinition,
    /// Its name in AppFlow.
    appflow_name: String,
    /// Why AppFlow switched it off, in its words, with secrets removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    status_message: Option<String>,
    /// What somebody changed in AppFlow without us. Nothing of it is overwritten or taken over
    /// before a user says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    drift: Option<DriftView>,
    /// Fields that the last validation missed at the source.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    needs_mapping: Vec<String>,
    /// Where the tables that it registers are listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    catalog_tables: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl FlowView {
    pub(super) fn of(flow: Flow) -> Self {
        let Flow {
            id,
            tenant_id: _,
            account_id: _,
            aws_account_id: _,
            appflow_name,
            state,
            definition,
            after_run: _,
            appflow_arn: _,
            compiled_at: _,
            appflow_updated_at: _,
            status_message,
            drift,
            needs_mapping,
            updating_until: _,
            paused: _,
            created_by: _,
            created_at,
            updated_at,
            version,
        } = flow;
        Self {
            id,
            state,
            version,
            catalog_tables: catalog::tables_of(&definition),
            definition,
            appflow_name,
            status_message,
            drift: drift.map(DriftView::of),
            needs_mapping,
            created_at,
            updated_at,
        }
    }
}

/// A run.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RunView {
    id: RunId,
    flow_id: FlowId,
    /// AppFlow's id of the run.
    execution_id: String,
    /// How far it is.
    status: RunStatus,
    /// What made it begin; absent when nobody told.
    #[serde(skip_serializing_if = "Option::is_none")]
    trigger: Option<RunTrigger>,
    /// The run that it repeats.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_of: Option<RunId>,
    /// The last run that repeated it.
    #[serde(skip_serializing_if = "Option::is_none")]
    retried_by: Option<RunId>,
    /// The `x-correlation-id` of the request that started it.
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    started_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    records_processed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    records_failed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_processed: Option<u64>,
    /// What it failed on.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<CauseClass>,
    /// The provider's words, with secrets removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// Whether trying again makes sense.
    #[serde(skip_serializing_if = "Option::is_none")]
    retryable: Option<bool>,
    /// What it did in the warehouse once it had completed. The run stays completed whatever came of
    /// it: its data arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    after_run: Option<AfterRunView>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl RunView {
    pub(super) fn of(run: Run) -> Self {
        let Run {
            id,
            tenant_id: _,
            flow_id,
            execution_id,
            status,
            trigger,
            retry_of,
            retried_by,
            correlation_id,
            started_at,
            ended_at,
            records_processed,
            records_failed,
            bytes_processed,
            cause,
            message,
            retryable,
            after_run,
            due_shard: _,
            due_at: _,
            created_at,
            updated_at,
        } = run;
        Self {
            id,
            flow_id,
            execution_id,
            status,
            trigger,
            retry_of,
            retried_by,
            correlation_id,
            started_at,
            ended_at,
            records_processed,
            records_failed,
            bytes_processed,
            cause,
            message,
            retryable,
            after_run: after_run.map(AfterRunView::of),
            created_at,
            updated_at,
        }
    }
}

/// A flow as an answer, with its entity tag.
pub(super) fn tagged(flow: Flow) -> Result<Response, Error> {
    let tag = etag(flow.version);
    with_tag(json(StatusCode::OK, &FlowView::of(flow))?, &tag)
}

/// Puts the entity tag on an answer.
pub(super) fn with_tag(mut response: Response, tag: &str) -> Result<Response, Error> {
    let tag = HeaderValue::from_str(tag)
        .map_err(|error| Error::internal("etag", "a tag is no header").with_source(error))?;
    response.headers_mut().insert(header::ETAG, tag);
    Ok(response)
}
