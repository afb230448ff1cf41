//! `GET /v1/oauth-apps`

use axum::{extract::State, response::Response};
use http::StatusCode;
use serde::Serialize;
use tributary::{error::Error, http::Problem};
use utoipa::ToSchema;

use super::{find, view::OauthAppView};
use crate::{
    App,
    edge::{Admin, json},
};

/// Where the tenant could bring an app of its own, and where it did.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProviderView {
    /// Key of the provider.
    #[schema(example = "salesforce")]
    provider: &'static str,
    /// What people call it.
    #[schema(example = "Salesforce")]
    label: &'static str,
    /// The address to register at the provider.
    #[schema(example = "https://api.example.com/connect/callback/salesforce")]
    redirect_uri: String,
    /// The tenant's own app; absent where the vendor's is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<OauthAppView>,
}

/// The providers of this deployment.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProvidersView {
    /// The providers.
    items: Vec<ProviderView>,
}

/// Lists the OAuth providers of this deployment, with the tenant's own apps.
#[utoipa::path(get, path = "/v1/oauth-apps", tag = "connections", responses(
    (status = 200, body = ProvidersView),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list_apps(State(app): State<App>, admin: Admin) -> Result<Response, Error> {
    let app = app.within(&admin.scope);
    let base = &app.config.browser.public_base_url;
    let mut items = Vec::new();
    for row in app.providers.rows() {
        let own = find(&app, admin.tenant, row.key).await?;
        items.push(ProviderView {
            provider: row.key,
            label: row.label,
            redirect_uri: format!("{base}/connect/callback/{}", row.key),
            app: own.map(|own| OauthAppView::of(&app, own)),
        });
    }
    json(StatusCode::OK, &ProvidersView { items })
}
