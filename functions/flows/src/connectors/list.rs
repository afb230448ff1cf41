//! `GET /v1/connectors`

use axum::response::Response;
use http::StatusCode;
use tributary::{
    connector::{CONNECTORS, Connector},
    error::Error,
    http::{List, Problem},
};

use crate::edge::{Viewer, json};

/// Lists the applications that can be connected.
#[utoipa::path(get, path = "/v1/connectors", tag = "connectors", responses(
    (status = 200, body = List<Connector>),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list_connectors(_: Viewer) -> Result<Response, Error> {
    let catalogue = List {
        items: CONNECTORS.to_vec(),
        next_cursor: None,
    };
    json(StatusCode::OK, &catalogue)
}
