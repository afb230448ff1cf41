//! `DELETE /v1/flows/{id}`

use aws_sdk_appflow::Client;
use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tributary::{
    aws::Refusal,
    error::{Error, Fault, Kind},
    http::Problem,
    id::{FlowId, RunId},
    run::Run,
    store::{Key, Update},
};
use utoipa::{IntoParams, ToSchema};

use super::{
    appflow,
    cancel::open_runs,
    find,
    operation::{OperationView, Work, is_throttled, later},
    patience::patiently,
    record::{Flow, FlowState},
};
use crate::{
    App, TenantApp, alarms,
    appflow::refused,
    edge::{Editor, IfMatch, Typed, id_in_path, json, stale},
    model::Trigger,
};

/// What was done about the flow's being in use (F10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) enum Choice {
    /// It was not in use.
    Deleted,
    /// Its schedule, or its listening to events, was stopped first.
    StoppedFirst,
    /// AppFlow held it as active and was told to delete it all the same.
    Forced,
    /// AppFlow did not have it any more.
    AlreadyGone,
}

/// What became of the flow.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeletedFlow {
    id: FlowId,
    /// What was done about the flow's being in use.
    choice: Choice,
    /// Runs in progress that were cancelled for it. What they wrote stays.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cancelled_runs: Vec<RunId>,
}

/// What is to become of runs in progress.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum RunsChoice {
    /// They end by themselves; until then the flow is not deleted.
    #[default]
    Wait,
    /// They are cancelled.
    Cancel,
}

/// Query of a deletion.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeleteQuery {
    /// What is to become of runs in progress: `wait` (the default) refuses while there are any,
    /// `cancel` cancels them.
    #[serde(default)]
    #[param(inline)]
    runs: RunsChoice,
}

/// Deletes a flow and, with it, AppFlow's record of its runs. Data that was written stays.
#[utoipa::path(delete, path = "/v1/flows/{id}", tag = "flows", params(
    ("id" = FlowId, Path, description = "The flow"),
    ("if-match" = String, Header, description = "ETag of the version that is to be deleted"),
    DeleteQuery,
), responses(
    (status = 200, body = DeletedFlow),
    (status = 202, body = OperationView, description = "AppFlow throttles: it is deleted later"),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn delete_flow(
    State(app): State<App>,
    editor: Editor,
    if_match: IfMatch,
    Path(id): Path<String>,
    Typed(query): Typed<DeleteQuery>,
) -> Result<Response, Error> {
    let app = app.within(&editor.scope);
    let flow = find(&app, editor.tenant, id_in_path(&id)?).await?;
    if_match.holds_for(flow.version)?;
    let open = open_runs(&app, &flow).await?;
    if !open.is_empty() && query.runs == RunsChoice::Wait {
        return Err(running(&open));
    }
    begin(&app, &flow).await?;
    let deleted = patiently(|| carry_on(&app, &flow)).await;
    if is_throttled(&deleted) {
        return later(&app, &flow, Work::Delete).await;
    }
    let choice = deleted?;
    json(
        StatusCode::OK,
        &DeletedFlow {
            id: flow.id,
            choice,
            cancelled_runs: open.iter().map(|run| run.id).collect(),
        },
    )
}

/// Deletes a flow whose record says that it is being deleted, with its runs.
pub(super) async fn carry_on(app: &TenantApp, flow: &Flow) -> Result<Choice, Error> {
    let client = appflow::client(app, flow).await?;
    appflow::cancel(&client, flow, None).await?;
    alarms::forget(app, flow.tenant_id, flow).await?;
    let choice = delete(&client, flow).await?;
    forget(app, flow).await?;
    tracing::info!(tenant.id = %flow.tenant_id, flow.id = %flow.id, ?choice, "flow deleted");
    Ok(choice)
}

/// The answer when runs are in progress and nobody said what is to become of them.
fn running(open: &[Run]) -> Error {
    let faults = open.iter().map(|run| {
        Fault::new(
            format!("/runs/{}", run.id),
            "running",
            "This run is in progress.",
        )
    });
    Error::new(
        Kind::Conflict,
        "running",
        "Runs of this flow are in progress. Wait for their end, or delete with ?runs=cancel.",
    )
    .with_faults(faults.collect())
}

/// Removes our record. The flow's own item goes last: until then the request can be repeated.
pub(super) async fn forget(app: &TenantApp, flow: &Flow) -> Result<(), Error> {
    app.store
        .delete(&Key::flow_name(&flow.aws_account_id, &flow.appflow_name))
        .await?;
    app.store
        .delete(&Key::flow(flow.tenant_id, flow.id))
        .await?;
    Ok(())
}

async fn begin(app: &TenantApp, flow: &Flow) -> Result<(), Error> {
    let update = Update::new()
        .set("state", FlowState::Deleting)
        .set("updated_at", Timestamp::now())
        .when_equal("version", flow.version)
        .when_absent_or_less("updating_until", Timestamp::now().as_millisecond());
    match app
        .store
        .update::<Flow>(&Key::flow(flow.tenant_id, flow.id), update)
        .await
    {
        Ok(_) => Ok(()),
        Err(error) if error.is_condition() => Err(stale()),
        Err(error) => Err(error.into()),
    }
}

/// Deletes the flow in AppFlow, whatever it takes.
pub(super) async fn delete(client: &Client, flow: &Flow) -> Result<Choice, Error> {
    let stoppable = !matches!(flow.definition.trigger, Trigger::OnDemand(_));
    let stopped = stoppable && stop(client, flow).await?;
    match attempt(client, flow, false).await {
        Ok(()) if stopped => Ok(Choice::StoppedFirst),
        Ok(()) => Ok(Choice::Deleted),
        Err(refusal) if refusal.is("ResourceNotFoundException") => Ok(Choice::AlreadyGone),
        // On-demand flows are always active in AppFlow's words.
        Err(refusal) if refusal.is("ConflictException") => attempt(client, flow, true)
            .await
            .map(|()| Choice::Forced)
            .map_err(|refusal| refused("DeleteFlow", refusal)),
        Err(refusal) => Err(refused("DeleteFlow", refusal)),
    }
}

async fn attempt(client: &Client, flow: &Flow, force: bool) -> Result<(), Refusal> {
    client
        .delete_flow()
        .flow_name(&flow.appflow_name)
        .force_delete(force)
        .send()
        .await
        .map(|_| ())
        .map_err(|error| Refusal::of(&error))
}

/// Stops schedule or events; says whether there was something to stop.
async fn stop(client: &Client, flow: &Flow) -> Result<bool, Error> {
    let stopped = client
        .stop_flow()
        .flow_name(&flow.appflow_name)
        .send()
        .await
        .map_err(|error| Refusal::of(&error));
    match stopped {
        Ok(_) => Ok(true),
        // A draft, or gone: there is nothing to stop, and deleting says the rest.
        Err(refusal)
            if [
                "ConflictException",
                "UnsupportedOperationException",
                "ResourceNotFoundException",
            ]
            .iter()
            .any(|code| refusal.is(code)) =>
        {
            Ok(false)
        }
        Err(refusal) => Err(refused("StopFlow", refusal)),
    }
}
