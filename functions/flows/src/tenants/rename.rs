//! `PATCH /v1/tenants/{id}`

use axum::{
    extract::{Path, State},
    response::Response,
};
use jiff::Timestamp;
use serde::Deserialize;
use tributary::{
    error::Error,
    http::{Json, Problem},
    id::TenantId,
    store::{Key, Update},
};
use utoipa::ToSchema;

use super::{TenantView, check_name, present, tagged};
use crate::{
    App,
    edge::{IfMatch, Operator, id_in_path, stale},
};

/// What changes of a tenant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TenantPatch {
    /// What people call it.
    #[schema(example = "Acme")]
    name: String,
}

/// Renames a tenant. Nothing hangs on the name.
#[utoipa::path(patch, path = "/v1/tenants/{id}", tag = "tenants", params(
    ("id" = TenantId, Path, description = "The tenant"),
    ("if-match" = String, Header, description = "ETag of the version that is to be changed"),
), request_body = TenantPatch, responses(
    (status = 200, body = TenantView),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn rename_tenant(
    State(app): State<App>,
    _: Operator,
    if_match: IfMatch,
    Path(id): Path<String>,
    Json { value, .. }: Json<TenantPatch>,
) -> Result<Response, Error> {
    let tenant = present(&app.store, id_in_path(&id)?).await?;
    if_match.holds_for(tenant.version)?;
    let mut faults = Vec::new();
    check_name(&mut faults, &value.name);
    if !faults.is_empty() {
        return Err(Error::unprocessable(
            "invalid_tenant",
            "The tenant breaks rules.",
            faults,
        ));
    }
    let update = Update::new()
        .set("name", value.name)
        .set("updated_at", Timestamp::now())
        .add("version", 1)
        .when_equal("version", tenant.version);
    match app.store.update(&Key::tenant(tenant.id), update).await {
        Ok(renamed) => tagged(renamed, None),
        Err(error) if error.is_condition() => Err(stale()),
        Err(error) => Err(error.into()),
    }
}
