//! `GET /v1/flows/{id}/runs/{runId}`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use tributary::{
    error::Error,
    http::Problem,
    id::{FlowId, RunId},
    run::Run,
    store::Key,
};

use super::view::RunView;
use crate::{
    App,
    edge::{Viewer, id_in_path, json},
};

/// Shows a run of a flow.
#[utoipa::path(get, path = "/v1/flows/{id}/runs/{runId}", tag = "runs", params(
    ("id" = FlowId, Path, description = "The flow"),
    ("runId" = RunId, Path, description = "The run"),
), responses(
    (status = 200, body = RunView),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get_run(
    State(app): State<App>,
    viewer: Viewer,
    Path((flow, run)): Path<(String, String)>,
) -> Result<Response, Error> {
    let app = app.within(&viewer.scope);
    let key = Key::run(viewer.tenant, id_in_path(&flow)?, id_in_path(&run)?);
    let run: Option<Run> = app.store.get(&key).await?;
    json(
        StatusCode::OK,
        &RunView::of(run.ok_or_else(Error::not_found)?),
    )
}
