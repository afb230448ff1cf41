//! `DELETE /v1/flows/{id}`

use aws_sdk_appflow::Client;
use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use tributary::{
    aws::Refusal,
    error::Error,
    http::Problem,
    id::FlowId,
    store::{Key, Update},
};
use utoipa::ToSchema;

use super::{
    appflow, find,
    record::{Flow, FlowState},
};
use crate::{
    App,
    appflow::refused,
    edge::{Editor, IfMatch, id_in_path, json, stale},
    model::Trigger,
};

/// What was done about the flow's being in use (F10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) enum Choice {
    /// It was not in use.
    Deleted,
    /// Its schedule was stopped first. A run in progress writes what it has and is not recorded.
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
}

/// Deletes a flow and, with it, AppFlow's record of its runs. Data that was written stays.
#[utoipa::path(delete, path = "/v1/flows/{id}", tag = "flows", params(
    ("id" = FlowId, Path, description = "The flow"),
    ("if-match" = String, Header, description = "ETag of the version that is to be deleted"),
), responses(
    (status = 200, body = DeletedFlow),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn delete_flow(
    State(app): State<App>,
    editor: Editor,
    if_match: IfMatch,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let flow = find(&app, editor.tenant, id_in_path(&id)?).await?;
    if_match.holds_for(flow.version)?;
    let client = appflow::client(&app, &flow).await?;
    begin(&app, &flow).await?;
    let choice = delete(&client, &flow).await?;
    forget(&app, &flow).await?;
    tracing::info!(tenant.id = %flow.tenant_id, flow.id = %flow.id, ?choice, "flow deleted");
    json(
        StatusCode::OK,
        &DeletedFlow {
            id: flow.id,
            choice,
        },
    )
}

/// Removes our record. The flow's own item goes last: until then the request can be repeated.
pub(super) async fn forget(app: &App, flow: &Flow) -> Result<(), Error> {
    app.store
        .delete(&Key::flow_name(&flow.aws_account_id, &flow.appflow_name))
        .await?;
    app.store
        .delete(&Key::flow(flow.tenant_id, flow.id))
        .await?;
    Ok(())
}

async fn begin(app: &App, flow: &Flow) -> Result<(), Error> {
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
    let scheduled = matches!(flow.definition.trigger, Trigger::Scheduled(_));
    let stopped = scheduled && stop(client, flow).await?;
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

/// Stops the schedule; says whether there was one to stop.
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
