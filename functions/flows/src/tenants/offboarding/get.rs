//! `GET /v1/tenants/{id}/offboarding`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use tributary::{error::Error, http::Problem, id::TenantId, tenancy::Tenant};

use super::view::OffboardingView;
use crate::{
    App,
    edge::{Operator, id_in_path, json},
};

/// Shows how far the removal of a tenant is, and when it is over, the receipt.
#[utoipa::path(get, path = "/v1/tenants/{id}/offboarding", tag = "tenants", params(
    ("id" = TenantId, Path, description = "The tenant"),
), responses(
    (status = 200, body = OffboardingView),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get_offboarding(
    State(app): State<App>,
    _: Operator,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let tenant = Tenant::load(&app.store, id_in_path(&id)?).await?;
    json(
        StatusCode::OK,
        &OffboardingView::load(&app.store, &tenant).await?,
    )
}
