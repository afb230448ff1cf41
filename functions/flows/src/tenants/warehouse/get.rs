//! `GET /v1/tenants/{id}/warehouse`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use tributary::{error::Error, http::Problem, id::TenantId, tenancy::Tenant};

use super::{Warehouse, WarehouseView};
use crate::{
    App,
    edge::{Operator, id_in_path, json},
};

/// Shows which schemas of the vendor's warehouse a tenant's flows in the vendor's account may load.
#[utoipa::path(get, path = "/v1/tenants/{id}/warehouse", tag = "tenants", params(
    ("id" = TenantId, Path, description = "The tenant"),
), responses(
    (status = 200, body = WarehouseView),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::tenants) async fn get_warehouse(
    State(app): State<App>,
    _: Operator,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let tenant = Tenant::load(&app.store, id_in_path(&id)?).await?;
    let app = app.for_operator(tenant.id).await?;
    let warehouse = Warehouse::load(&app.store, tenant.id).await?;
    json(StatusCode::OK, &WarehouseView::of(warehouse))
}
