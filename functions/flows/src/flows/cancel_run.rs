//! `POST /v1/flows/{id}/runs/{runId}/cancel`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use tributary::{
    error::{Error, Kind},
    http::{IdempotencyKey, Problem},
    id::{FlowId, RunId},
    run::{Run, RunStatus},
    store::Key,
};

use super::{appflow, find, view::RunView};
use crate::{
    App,
    edge::{Editor, NoBody, id_in_path, json},
};

/// Cancels a run in progress. What it has written stays, and is charged; a batch that the application
/// is working on is still finished. The run shows `cancelled` when AppFlow has ended it; it may also
/// end by itself first. It cannot be resumed.
#[utoipa::path(post, path = "/v1/flows/{id}/runs/{runId}/cancel", tag = "runs", params(
    ("id" = FlowId, Path, description = "The flow"),
    ("runId" = RunId, Path, description = "The run"),
    IdempotencyKey,
), responses(
    (status = 202, body = RunView),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn cancel_run(
    State(app): State<App>,
    editor: Editor,
    key: IdempotencyKey,
    Path((flow, run)): Path<(String, String)>,
    body: NoBody,
) -> Result<Response, Error> {
    let app = app.within(&editor.scope);
    let flow = find(&app, editor.tenant, id_in_path(&flow)?).await?;
    let run_key = Key::run(editor.tenant, flow.id, id_in_path(&run)?);
    let run: Option<Run> = app.store.get(&run_key).await?;
    let run = run.ok_or_else(Error::not_found)?;
    let operation = format!("cancel-{}", run.id);
    let work = async {
        if run.status.is_final() {
            return Err(not_cancellable(run.status));
        }
        let client = appflow::client(&app, &flow).await?;
        let executions = vec![run.execution_id.clone()];
        let invalid = appflow::cancel(&client, &flow, Some(executions)).await?;
        if !invalid.is_empty() {
            // It ended, and the news is on its way.
            let now: Option<Run> = app.store.get(&run_key).await?;
            return Err(not_cancellable(now.map_or(run.status, |now| now.status)));
        }
        tracing::info!(tenant.id = %flow.tenant_id, flow.id = %flow.id, run.id = %run.id, "run is being cancelled");
        json(StatusCode::ACCEPTED, &RunView::of(run.clone()))
    };
    key.once(
        &app.store,
        &editor.partition(),
        &operation,
        editor.subject(),
        &body.bytes,
        work,
    )
    .await
}

/// AppFlow cancels a run in progress and no other.
fn not_cancellable(status: RunStatus) -> Error {
    let caller = match status {
        RunStatus::Queued | RunStatus::Running => {
            "AppFlow does not cancel this run: it has ended, or has not begun yet. AppFlow cancels runs in progress only, and a run that it lets wait for its turn cannot be called back."
        }
        RunStatus::Completed => "This run has completed. AppFlow takes nothing back.",
        RunStatus::Failed => "This run has failed.",
        RunStatus::Cancelled => "This run is cancelled already.",
    };
    Error::new(Kind::Conflict, "not_cancellable", caller)
}
