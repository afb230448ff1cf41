//! `POST /v1/tenants/{id}/suspend`

use axum::{
    extract::{Path, State},
    response::Response,
};
use jiff::Timestamp;
use serde::Deserialize;
use tributary::{
    error::{Error, Fault},
    http::{Json, Problem},
    id::TenantId,
    tenancy::TenantState,
};
use utoipa::ToSchema;

use super::{TenantView, present, tagged, turn::turn};
use crate::{
    App,
    edge::{Operator, id_in_path},
};

/// Why a tenant is suspended.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Suspension {
    /// For the operator's own people, 1 to 500 characters; the tenant never sees it.
    #[schema(example = "Invoice 2026-113 is unpaid.")]
    reason: String,
}

/// Suspends a tenant: within seconds nobody of it comes in, and its schedules are stopped. Tokens at
/// providers are kept fresh, so that resuming needs no new consent. Doing it again is harmless.
#[utoipa::path(post, path = "/v1/tenants/{id}/suspend", tag = "tenants", params(
    ("id" = TenantId, Path, description = "The tenant"),
), request_body = Suspension, responses(
    (status = 200, body = TenantView),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn suspend_tenant(
    State(app): State<App>,
    _: Operator,
    Path(id): Path<String>,
    Json { value, .. }: Json<Suspension>,
) -> Result<Response, Error> {
    let tenant = present(&app.store, id_in_path(&id)?).await?;
    let reason = value.reason.trim();
    if !(1..=500).contains(&reason.chars().count()) || reason.chars().any(char::is_control) {
        let fault = Fault::new(
            "/reason",
            "invalid_reason",
            "1 to 500 characters, not only blanks, no control characters.",
        );
        return Err(Error::unprocessable(
            "invalid_suspension",
            "The suspension breaks rules.",
            vec![fault],
        ));
    }
    if tenant.state == TenantState::Suspended {
        return tagged(tenant, None);
    }
    let (next, now) = (TenantState::Suspended, Timestamp::now());
    tagged(turn(&app, &tenant, next, Some(reason), now).await?, None)
}
