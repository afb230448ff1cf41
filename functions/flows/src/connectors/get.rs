//! `GET /v1/connectors/{key}`

use axum::{extract::Path, response::Response};
use http::StatusCode;
use tributary::{
    connector::{Connector, connector},
    error::Error,
    http::Problem,
};

use crate::edge::{Viewer, json};

/// Shows one application of the catalogue.
#[utoipa::path(get, path = "/v1/connectors/{key}", tag = "connectors", params(
    ("key" = String, Path, description = "Key of the connector", example = "salesforce"),
), responses(
    (status = 200, body = Connector),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get_connector(_: Viewer, Path(key): Path<String>) -> Result<Response, Error> {
    let found = connector(&key).ok_or_else(Error::not_found)?;
    json(StatusCode::OK, found)
}
