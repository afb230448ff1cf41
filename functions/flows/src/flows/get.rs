//! `GET /v1/flows/{id}`

use axum::{
    extract::{Path, State},
    response::Response,
};
use tributary::{error::Error, http::Problem, id::FlowId};

use super::{
    find,
    view::{FlowView, tagged},
};
use crate::{
    App,
    edge::{Viewer, id_in_path},
};

/// Shows a flow of the tenant.
#[utoipa::path(get, path = "/v1/flows/{id}", tag = "flows", params(
    ("id" = FlowId, Path, description = "The flow"),
), responses(
    (status = 200, body = FlowView, headers(("etag" = String))),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get_flow(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let app = app.within(&viewer.scope);
    tagged(find(&app, viewer.tenant, id_in_path(&id)?).await?)
}
