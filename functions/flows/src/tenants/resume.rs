//! `POST /v1/tenants/{id}/resume`

use axum::{
    extract::{Path, State},
    response::Response,
};
use jiff::Timestamp;
use tributary::{error::Error, http::Problem, id::TenantId, tenancy::TenantState};

use super::{TenantView, present, tagged, turn::turn};
use crate::{
    App,
    edge::{NoBody, Operator, id_in_path},
};

/// Lets a suspended tenant in again, and sets those schedules going that its suspension stopped.
/// Doing it again is harmless.
#[utoipa::path(post, path = "/v1/tenants/{id}/resume", tag = "tenants", params(
    ("id" = TenantId, Path, description = "The tenant"),
), responses(
    (status = 200, body = TenantView),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn resume_tenant(
    State(app): State<App>,
    _: Operator,
    Path(id): Path<String>,
    _: NoBody,
) -> Result<Response, Error> {
    let tenant = present(&app.store, id_in_path(&id)?).await?;
    if tenant.state == TenantState::Active {
        return tagged(tenant, None);
    }
    let (next, now) = (TenantState::Active, Timestamp::now());
    tagged(turn(&app, &tenant, next, None, now).await?, None)
}
