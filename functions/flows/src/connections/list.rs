//! `GET /v1/connections`

use axum::{extract::State, response::Response};
use http::StatusCode;
use tributary::{
    connection::{Connection, ConnectionState},
    error::Error,
    http::{List, ListQuery, Problem},
    store::Key,
};

use super::view::ConnectionView;
use crate::{
    App,
    edge::{Listing, Viewer, json},
};

/// Lists the tenant's connections, newest first. A page may be short where some were deleted.
#[utoipa::path(get, path = "/v1/connections", tag = "connections", params(ListQuery), responses(
    (status = 200, body = List<ConnectionView>),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list_connections(
    State(app): State<App>,
    viewer: Viewer,
    Listing(query): Listing,
) -> Result<Response, Error> {
    let app = app.within(&viewer.scope);
    let page = query.page(&app.sealer, viewer.tenant, "connections")?;
    let partition = Key::tenant_partition(viewer.tenant);
    let mut found = app
        .store
        .query::<Connection>(&partition, "CONNECTION#", &page)
        .await?;
    found
        .items
        .retain(|connection| connection.state != ConnectionState::Deleted);
    let list = List::of(
        found,
        &app.sealer,
        viewer.tenant,
        "connections",
        |connection| ConnectionView::of(&connection),
    )?;
    json(StatusCode::OK, &list)
}
