//! `POST /v1/flows/{id}/runs/{runId}/retry`

use axum::{
    extract::{Path, State},
    response::Response,
};
use serde::Deserialize;
use tributary::{
    error::{Error, Kind},
    http::{IdempotencyKey, Problem},
    id::{FlowId, RunId},
    run::{Run, RunStatus},
    store::Key,
};
use utoipa::ToSchema;

use super::{
    find,
    operation::{Work, is_throttled, later},
    patience::patiently,
    ready,
    record::Flow,
    start::{self, StartedRun},
};
use crate::{
    App,
    edge::{Editor, OptionalJson, id_in_path},
    model::Trigger,
};

/// How a run is repeated.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Retry {
    /// Also if the run succeeded: what it wrote is written again.
    #[serde(default)]
    force: bool,
}

/// Runs an on-demand flow again because a run of it failed or was cancelled. AppFlow knows no retry:
/// it is a new run of the flow as it is defined now, and the two name each other.
#[utoipa::path(post, path = "/v1/flows/{id}/runs/{runId}/retry", tag = "runs", params(
    ("id" = FlowId, Path, description = "The flow"),
    ("runId" = RunId, Path, description = "The run that is repeated"),
    IdempotencyKey,
), request_body = Option<Retry>, responses(
    (status = 202, body = StartedRun, description = "The new run is queued. Where AppFlow throttles: an operation (see GET /v1/operations/{id})"),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn retry_run(
    State(app): State<App>,
    editor: Editor,
    key: IdempotencyKey,
    Path((flow, run)): Path<(String, String)>,
    body: OptionalJson<Retry>,
) -> Result<Response, Error> {
    let app = app.within(&editor.scope);
    let flow = find(&app, editor.tenant, id_in_path(&flow)?).await?;
    let run_key = Key::run(editor.tenant, flow.id, id_in_path(&run)?);
    let first: Option<Run> = app.store.get(&run_key).await?;
    let first = first.ok_or_else(Error::not_found)?;
    let operation = format!("retry-{}", first.id);
    let work = async {
        ready(&flow)?;
        repeatable(&flow, first.status, body.value.force)?;
        start::startable(&flow)?;
        let action = format!("retry\n{}", first.id);
        let token = start::client_token(&action, flow.id, editor.subject(), key.value());
        let run = patiently(|| start::run(&app, &flow, &token, Some(first.id))).await;
        if is_throttled(&run) {
            let work = Work::Run {
                client_token: token,
                retry_of: Some(first.id),
            };
            return later(&app, &flow, work).await;
        }
        start::answer(&flow, run?)
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

/// Whether the run can and should be repeated.
fn repeatable(flow: &Flow, status: RunStatus, forced: bool) -> Result<(), Error> {
    let refusal = |code, caller| Err(Error::new(Kind::Conflict, code, caller));
    if !matches!(flow.definition.trigger, Trigger::OnDemand(_)) {
        return refusal(
            "trigger_not_on_demand",
            "AppFlow runs this flow at its schedule or when events come, and cannot be asked to run it in between. What a failed run of a schedule left out, the next one brings.",
        );
    }
    match status {
        RunStatus::Queued | RunStatus::Running => refusal(
            "run_not_over",
            "This run is not over. Wait for its end, or cancel it first.",
        ),
        RunStatus::Completed if !forced => refusal(
            "run_succeeded",
            "This run succeeded; a retry would write the same again. Send {\"force\":true} if that is meant.",
        ),
        RunStatus::Completed | RunStatus::Failed | RunStatus::Cancelled => Ok(()),
    }
}
