//! `GET /v1/tenants/{id}/members`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use tributary::{
    error::Error,
    http::{List, ListQuery, Problem},
    id::TenantId,
    store::Key,
    tenancy::Tenant,
};

use super::member::{Member, MemberView};
use crate::{
    App,
    edge::{Listing, Operator, id_in_path, json},
};

/// Lists who belongs to a tenant.
#[utoipa::path(get, path = "/v1/tenants/{id}/members", tag = "tenants", params(
    ("id" = TenantId, Path, description = "The tenant"),
    ListQuery,
), responses(
    (status = 200, body = List<MemberView>),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list_members(
    State(app): State<App>,
    _: Operator,
    Path(id): Path<String>,
    Listing(query): Listing,
) -> Result<Response, Error> {
    let tenant = Tenant::load(&app.store, id_in_path(&id)?).await?.id;
    let app = app.for_operator(tenant).await?;
    let page = query.page(&app.sealer, tenant, "members")?;
    let partition = Key::tenant_partition(tenant);
    let found = app
        .store
        .query::<Member>(&partition, "MEMBER#", &page)
        .await?;
    let list = List::of(found, &app.sealer, tenant, "members", MemberView::of)?;
    json(StatusCode::OK, &list)
}
