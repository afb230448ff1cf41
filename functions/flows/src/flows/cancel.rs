//! `POST /v1/flows/{id}/cancel`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use serde::Serialize;
use tributary::{
    error::Error,
    http::{IdempotencyKey, Problem},
    id::{FlowId, RunId},
    run::Run,
    store::{Key, PageRequest},
};
use utoipa::ToSchema;

use super::{appflow, find, record::Flow};
use crate::{
    App, TenantApp,
    edge::{Editor, NoBody, id_in_path, json},
};

/// Runs older than the newest so many have ended: AppFlow lets a run take two days at most.
const MOST_PAGES: usize = 10;

/// Runs that were asked to end.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CancelledRuns {
    /// They will end as cancelled, unless they end by themselves first.
    cancelling: Vec<RunId>,
    /// AppFlow could not cancel these: they have ended, or have only just begun.
    not_cancellable: Vec<RunId>,
}

/// Cancels every run of a flow that is in progress. What they have written stays; a schedule goes on.
#[utoipa::path(post, path = "/v1/flows/{id}/cancel", tag = "runs", params(
    ("id" = FlowId, Path, description = "The flow"),
    IdempotencyKey,
), responses(
    (status = 202, body = CancelledRuns),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn cancel_runs(
    State(app): State<App>,
    editor: Editor,
    key: IdempotencyKey,
    Path(id): Path<String>,
    body: NoBody,
) -> Result<Response, Error> {
    let app = app.within(&editor.scope);
    let flow = find(&app, editor.tenant, id_in_path(&id)?).await?;
    let operation = format!("cancel-{}", flow.id);
    let work = async {
        let open = open_runs(&app, &flow).await?;
        let executions: Vec<String> = open.iter().map(|run| run.execution_id.clone()).collect();
        let invalid = if executions.is_empty() {
            Vec::new()
        } else {
            let client = appflow::client(&app, &flow).await?;
            appflow::cancel(&client, &flow, Some(executions)).await?
        };
        let (not_cancellable, cancelling): (Vec<&Run>, Vec<&Run>) = open
            .iter()
            .partition(|run| invalid.contains(&run.execution_id));
        let ids = |runs: Vec<&Run>| runs.into_iter().map(|run| run.id).collect();
        let answer = CancelledRuns {
            cancelling: ids(cancelling),
            not_cancellable: ids(not_cancellable),
        };
        json(StatusCode::ACCEPTED, &answer)
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

/// The flow's runs that are not over, newest first.
pub(super) async fn open_runs(app: &TenantApp, flow: &Flow) -> Result<Vec<Run>, Error> {
    let partition = Key::runs_partition(flow.tenant_id, flow.id);
    let mut page = PageRequest {
        limit: 100,
        after: None,
        newest_first: true,
    };
    let mut open = Vec::new();
    for _ in 0..MOST_PAGES {
        let found = app.store.query::<Run>(&partition, "RUN#", &page).await?;
        open.extend(found.items.into_iter().filter(|run| !run.status.is_final()));
        if found.next.is_none() {
            break;
        }
        page.after = found.next;
    }
    Ok(open)
}
