//! `GET /v1/flows/{id}/runs`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use tributary::{
    error::Error,
    http::{List, ListQuery, Problem},
    id::FlowId,
    store::Key,
};

use super::{find, view::RunView};
use crate::{
    App,
    edge::{Listing, Viewer, id_in_path, json},
};

/// Lists a flow's runs, newest first.
#[utoipa::path(get, path = "/v1/flows/{id}/runs", tag = "runs", params(
    ("id" = FlowId, Path, description = "The flow"),
    ListQuery,
), responses(
    (status = 200, body = List<RunView>),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list_runs(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    Listing(query): Listing,
) -> Result<Response, Error> {
    let app = app.within(&viewer.scope);
    let flow = find(&app, viewer.tenant, id_in_path(&id)?).await?;
    let name = format!("runs/{}", flow.id);
    let page = query.page(&app.sealer, viewer.tenant, &name)?;
    let partition = Key::runs_partition(viewer.tenant, flow.id);
    let found = app.store.query(&partition, "RUN#", &page).await?;
    let list = List::of(found, &app.sealer, viewer.tenant, &name, RunView::of)?;
    json(StatusCode::OK, &list)
}
