//! `/v1/oauth-apps`: a tenant's own registrations at OAuth providers (scenario C12).

mod delete;
mod get;
mod list;
mod put;
mod view;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tributary::{
    connection::{AppOwner, Connection, ConnectionState},
    connector::connector,
    error::Error,
    id::{ConnectionId, TenantId},
    oauth::Provider,
    store::{Key, PageRequest},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{App, TenantApp};

/// Routes of a tenant's own apps.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list::list_apps))
        .routes(routes!(get::get_app, put::put_app, delete::delete_app))
}

/// A tenant's own app, as it is stored. Its secret is in Secrets Manager.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct OwnApp {
    /// Key of the provider.
    provider: String,
    /// Client id there.
    client_id: String,
    /// When it was first given.
    created_at: Timestamp,
    /// When it last changed.
    updated_at: Timestamp,
}

impl OwnApp {
    /// Key of the provider.
    pub(crate) fn provider(&self) -> &str {
        &self.provider
    }
}

/// Whether the tenant has an app of its own at the provider of a connector.
pub(crate) async fn has_own(app: &TenantApp, tenant: TenantId, key: &str) -> Result<bool, Error> {
    let Some(provider) = connector(key).and_then(|row| row.provider) else {
        return Ok(false);
    };
    Ok(find(app, tenant, provider).await?.is_some())
}

async fn find(app: &TenantApp, tenant: TenantId, provider: &str) -> Result<Option<OwnApp>, Error> {
    Ok(app.store.get(&Key::oauth_app(tenant, provider)).await?)
}

/// A provider whose apps tenants can bring. What is off in this deployment is not there.
fn provider(app: &TenantApp, key: &str) -> Result<&'static Provider, Error> {
    app.providers.row(key).ok_or_else(Error::not_found)
}

/// The tenant's connections that were made with its own app at a provider.
async fn users(
    app: &TenantApp,
    tenant: TenantId,
    provider: &str,
) -> Result<Vec<ConnectionId>, Error> {
    let mut found = Vec::new();
    let partition = Key::tenant_partition(tenant);
    let mut page = PageRequest::first(100);
    loop {
        let read = app
            .store
            .query::<Connection>(&partition, "CONNECTION#", &page)
            .await?;
        let uses = |connection: &&Connection| {
            connection.app == AppOwner::Tenant
                && connection.state != ConnectionState::Deleted
                && connector(&connection.connector).and_then(|row| row.provider) == Some(provider)
        };
        found.extend(read.items.iter().filter(uses).map(|used| used.id));
        if read.next.is_none() {
            return Ok(found);
        }
        page.after = read.next;
    }
}
