//! `GET /v1/connections/{id}`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use tributary::{error::Error, http::Problem, id::ConnectionId};

use super::{candidate::SeenConnection, find};
use crate::{
    App,
    edge::{Viewer, id_in_path, json},
};

/// Shows a connection of the tenant, with the grant that waits for a confirmation.
#[utoipa::path(get, path = "/v1/connections/{id}", tag = "connections", params(
    ("id" = ConnectionId, Path, description = "The connection"),
), responses(
    (status = 200, body = SeenConnection),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get_connection(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let app = app.within(&viewer.scope);
    let connection = find(&app, viewer.tenant, id_in_path(&id)?).await?;
    json(
        StatusCode::OK,
        &SeenConnection::of(&app, &connection).await?,
    )
}
