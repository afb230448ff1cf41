//! `DELETE /v1/oauth-apps/{provider}`

use axum::{
    extract::{Path, State},
    response::Response,
};
use serde::Deserialize;
use tributary::{
    error::{Error, Fault, Kind},
    http::Problem,
    oauth::registry::tenant_app_secret,
    store::Key,
};
use utoipa::IntoParams;

use super::{find, users};
use crate::{
    App, credentials,
    edge::{Admin, Typed, no_content},
};

/// Query parameters of the removal.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RemovalQuery {
    /// `true` removes it although connections use it: they end, and never fall back to the vendor's.
    #[serde(default)]
    #[param(default = false)]
    force: bool,
}

/// Removes the tenant's own app at a provider. Connections that were made with it cannot be refreshed
/// any more (`app_removed`); as long as there are any, it takes `force`.
#[utoipa::path(delete, path = "/v1/oauth-apps/{provider}", tag = "connections", params(
    ("provider" = String, Path, description = "Key of the provider", example = "salesforce"),
    RemovalQuery,
), responses(
    (status = 204),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn delete_app(
    State(app): State<App>,
    admin: Admin,
    Path(provider): Path<String>,
    Typed(query): Typed<RemovalQuery>,
) -> Result<Response, Error> {
    let app = app.within(&admin.scope);
    let row = super::provider(&app, &provider)?;
    find(&app, admin.tenant, row.key)
        .await?
        .ok_or_else(Error::not_found)?;
    let users = users(&app, admin.tenant, row.key).await?;
    if !users.is_empty() && !query.force {
        let faults = users
            .iter()
            .map(|id| Fault::new("query:force", "in_use", id.to_string()))
            .collect();
        return Err(Error::new(
            Kind::Conflict,
            "oauth_app_in_use",
            "Connections were made with this app and would end. Repeat with force=true.",
        )
        .with_faults(faults));
    }
    // The record first: from then on no connection is made with it.
    app.store
        .delete(&Key::oauth_app(admin.tenant, row.key))
        .await?;
    credentials::forget(&app.secrets, &tenant_app_secret(admin.tenant, row.key)).await?;
    tracing::info!(tenant.id = %admin.tenant, provider = row.key, user.subject = admin.subject(), connections = users.len(), "the tenant removed its own app");
    Ok(no_content())
}
