//! `GET /v1/tenants/{id}`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use tributary::{
    error::Error,
    http::Problem,
    id::TenantId,
    store::{Key, PageRequest},
};

use super::{Tenant, TenantView, member::Member};
use crate::{
    App,
    edge::{Operator, id_in_path, json},
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
    let partition = Key::tenant_partition(id);
    let members = app
        .store
        .query::<Member>(&partition, "MEMBER#", &PageRequest::first(100))
        .await?;
    json(StatusCode::OK, &TenantView::of(tenant, Some(members.items)))
}
