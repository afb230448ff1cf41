//! `GET /v1/tenants`

use axum::{extract::State, response::Response};
use http::StatusCode;
use tributary::{
    error::Error,
    http::{List, ListQuery, Problem},
    store::Key,
};

use super::TenantView;
use crate::{
    App,
    edge::{Listing, Operator, json},
};

/// Lists tenants, newest first.
#[utoipa::path(get, path = "/v1/tenants", tag = "tenants", params(ListQuery), responses(
    (status = 200, body = List<TenantView>),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list_tenants(
    State(app): State<App>,
    _: Operator,
    Listing(query): Listing,
) -> Result<Response, Error> {
    let owner = Key::operator_partition();
    let page = query.page_for(&app.sealer, &owner, "tenants")?;
    let found = app.shared.query(&owner, "TENANT#", &page).await?;
    let list = List::of_owner(found, &app.sealer, &owner, "tenants", |tenant| {
        TenantView::of(tenant, None)
    })?;
    json(StatusCode::OK, &list)
}
