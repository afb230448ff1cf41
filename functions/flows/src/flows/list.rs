//! `GET /v1/flows`

use axum::{extract::State, response::Response};
use http::StatusCode;
use tributary::{
    error::Error,
    http::{List, ListQuery, Problem},
    store::Key,
};

use super::{record::Flow, view::FlowView};
use crate::{
    App,
    edge::{Listing, Viewer, json},
};

/// Lists the tenant's flows, newest first.
#[utoipa::path(get, path = "/v1/flows", tag = "flows", params(ListQuery), responses(
    (status = 200, body = List<FlowView>),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list_flows(
    State(app): State<App>,
    viewer: Viewer,
    Listing(query): Listing,
) -> Result<Response, Error> {
    let page = query.page(&app.sealer, viewer.tenant, "flows")?;
    let partition = Key::tenant_partition(viewer.tenant);
    let found = app.store.query::<Flow>(&partition, "FLOW#", &page).await?;
    let list = List::of(found, &app.sealer, viewer.tenant, "flows", FlowView::of)?;
    json(StatusCode::OK, &list)
}
