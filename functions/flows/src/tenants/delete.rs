//! `DELETE /v1/tenants/{id}`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::{HeaderValue, StatusCode, header};
use jiff::Timestamp;
use tributary::{
    error::Error,
    http::Problem,
    id::TenantId,
    store::StoreError,
    tenancy::{Tenant, TenantState},
};

use super::{
    offboarding::{Offboarding, view::OffboardingView},
    turn::turn,
};
use crate::{
    App,
    edge::{Operator, id_in_path, json},
};

/// Removes a tenant with everything that this service made for it. Nobody of it comes in from now
/// on; the rest takes minutes, or a day where a provider does not answer. There is no way back, and
/// its id is never given again. Doing it again is harmless.
#[utoipa::path(delete, path = "/v1/tenants/{id}", tag = "tenants", params(
    ("id" = TenantId, Path, description = "The tenant"),
), responses(
    (status = 202, body = OffboardingView, description = "It is leaving; `Location` says where to look"),
    (status = 200, body = OffboardingView, description = "It has left: the receipt"),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn delete_tenant(
    State(app): State<App>,
    operator: Operator,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let mut tenant = Tenant::load(&app.store, id_in_path(&id)?).await?;
    if tenant.state.may_become(TenantState::Leaving) {
        let now = Timestamp::now();
        let begun = Offboarding::begin(&tenant, &operator.caller, now);
        // First: a tenant that is leaving always has it. One of an attempt that died is as good.
        match app.store.insert(&begun.key(), &begun).await {
            Ok(()) | Err(StoreError::Condition { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        tenant = turn(&app, &tenant, TenantState::Leaving, None, now).await?;
    }
    let view = OffboardingView::load(&app.store, &tenant).await?;
    let status = match tenant.state {
        TenantState::Gone => StatusCode::OK,
        TenantState::Active | TenantState::Suspended | TenantState::Leaving => StatusCode::ACCEPTED,
    };
    let mut response = json(status, &view)?;
    let location = format!("/v1/tenants/{}/offboarding", tenant.id);
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}
