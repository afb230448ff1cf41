//! A tenant's own app, as it is shown: never its secret.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::OwnApp;
use crate::TenantApp;

/// A tenant's own app at an OAuth provider.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OauthAppView {
    /// Key of the provider.
    #[schema(example = "salesforce")]
    provider: String,
    /// Client id there.
    #[schema(example = "3MVG9pRzvMkjMb6lExample")]
    client_id: String,
    /// The address to register at the provider.
    #[schema(example = "https://api.example.com/connect/callback/salesforce")]
    redirect_uri: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl OauthAppView {
    pub(super) fn of(app: &TenantApp, own: OwnApp) -> Self {
        let OwnApp {
            provider,
            client_id,
            created_at,
            updated_at,
        } = own;
        let base = &app.config.browser.public_base_url;
        Self {
            redirect_uri: format!("{base}/connect/callback/{provider}"),
            provider,
            client_id,
            created_at,
            updated_at,
        }
    }
}
