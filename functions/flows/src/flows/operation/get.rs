//! `GET /v1/operations/{id}`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use tributary::{error::Error, http::Problem, id::OperationId, store::Key};

use super::{Operation, OperationView};
use crate::{
    App,
    edge::{Viewer, id_in_path, json},
};

/// Shows what became of a request that AppFlow throttled. Known for a week.
#[utoipa::path(get, path = "/v1/operations/{id}", tag = "flows", params(
    ("id" = OperationId, Path, description = "The operation"),
), responses(
    (status = 200, body = OperationView),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get_operation(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let app = app.within(&viewer.scope);
    let key = Key::operation(viewer.tenant, id_in_path(&id)?);
    let operation: Option<Operation> = app.store.get(&key).await?;
    let operation = operation.ok_or_else(Error::not_found)?;
    json(StatusCode::OK, &OperationView::of(operation))
}
