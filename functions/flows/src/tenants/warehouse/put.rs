//! `PUT /v1/tenants/{id}/warehouse`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use tributary::{
    error::Error,
    http::{Json, Problem},
    id::TenantId,
    store::Key,
};
use utoipa::ToSchema;

use super::{Warehouse, WarehouseView, schema};
use crate::{
    App,
    edge::{Operator, id_in_path, json},
    tenants::present,
};

/// What a tenant may load.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::tenants) struct WarehouseInput {
    /// Up to 50 schemas of the vendor's warehouse; an empty list takes the permission away.
    #[schema(max_items = 50, example = json!(["sports_gear"]))]
    schemas: Vec<String>,
}

/// Says which schemas of the vendor's warehouse a tenant's flows in the vendor's account may load. The
/// list replaces the one before; the same list again changes nothing. Flows that stand in AppFlow with
/// a schema that is no longer in it go on until they are stopped.
#[utoipa::path(put, path = "/v1/tenants/{id}/warehouse", tag = "tenants", params(
    ("id" = TenantId, Path, description = "The tenant"),
), request_body = WarehouseInput, responses(
    (status = 200, body = WarehouseView),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(in crate::tenants) async fn put_warehouse(
    State(app): State<App>,
    _: Operator,
    Path(id): Path<String>,
    Json { value, .. }: Json<WarehouseInput>,
) -> Result<Response, Error> {
    let tenant = present(&app.store, id_in_path(&id)?).await?;
    let WarehouseInput { schemas } = value;
    let faults = schema::faults(&schemas);
    if !faults.is_empty() {
        return Err(Error::unprocessable(
            "invalid_warehouse",
            "The list of schemas breaks rules.",
            faults,
        ));
    }
    let app = app.for_operator(tenant.id).await?;
    let before = Warehouse::load(&app.store, tenant.id).await?;
    if before.schemas == schemas && before.updated_at.is_some() {
        return json(StatusCode::OK, &WarehouseView::of(before));
    }
    let warehouse = Warehouse {
        schemas,
        updated_at: Some(Timestamp::now()),
    };
    app.store
        .put(&Key::warehouse(tenant.id), &warehouse)
        .await?;
    tracing::warn!(
        tenant.id = %tenant.id, schemas.before = before.schemas.join(","),
        schemas.after = warehouse.schemas.join(","), "what a tenant may load of our warehouse changed"
    );
    json(StatusCode::OK, &WarehouseView::of(warehouse))
}
