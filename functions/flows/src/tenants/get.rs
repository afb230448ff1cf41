//! `GET /v1/tenants/{id}`

use axum::{
    extract::{Path, State},
    response::Response,
};
use tributary::{
    error::Error,
    http::Problem,
    id::TenantId,
    store::{Key, PageRequest},
    tenancy::Tenant,
};

use super::{TenantView, member::Member, tagged};
use crate::{
    App,
    edge::{Operator, id_in_path},
};

/// Shows a tenant with its first hundred members.
#[utoipa::path(get, path = "/v1/tenants/{id}", tag = "tenants", params(
    ("id" = TenantId, Path, description = "The tenant"),
), responses(
    (status = 200, body = TenantView),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get_tenant(
    State(app): State<App>,
    _: Operator,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let id: TenantId = id_in_path(&id)?;
    let tenant = Tenant::load(&app.store, id).await?;
    let app = app.for_operator(id).await?;
    let partition = Key::tenant_partition(id);
    let members = app
        .store
        .query::<Member>(&partition, "MEMBER#", &PageRequest::first(100))
        .await?;
    tagged(tenant, Some(members.items))
}
