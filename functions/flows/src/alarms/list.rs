//! `GET /v1/flows/{id}/alarms`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use serde::Serialize;
use tributary::{error::Error, http::Problem, id::FlowId};
use utoipa::ToSchema;

use super::{monitoring, ours, view::AlarmView};
use crate::{
    App,
    edge::{Viewer, id_in_path, json},
    flows,
};

/// The alarms of a flow.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AlarmList {
    /// All of them, by name.
    items: Vec<AlarmView>,
}

/// Lists the alarms that were made for a flow here, with how they stand.
#[utoipa::path(get, path = "/v1/flows/{id}/alarms", tag = "flows", params(
    ("id" = FlowId, Path, description = "The flow"),
), responses(
    (status = 200, body = AlarmList),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list_alarms(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let app = app.within(&viewer.scope);
    let flow = flows::find(&app, viewer.tenant, id_in_path(&id)?).await?;
    let cloudwatch = monitoring(&app, viewer.tenant, &flow).await?;
    let items = ours(&cloudwatch, &flow).await?;
    json(StatusCode::OK, &AlarmList { items })
}
