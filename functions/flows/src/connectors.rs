//! `/v1/connectors`: the catalogue of applications, and what an account really has of it.

mod get;
mod list;
pub(crate) mod method;
mod offer;
mod view;

use tributary::{
    error::Error,
    id::{AccountId, TenantId},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{App, TenantApp, accounts, connections::cache::Cache};
use offer::Offer;

/// What accounts offer.
pub(crate) type Offered = Cache<(TenantId, AccountId), std::sync::Arc<[Offer]>>;

/// Routes of the catalogue.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list::list_connectors))
        .routes(routes!(get::get_connector))
}

/// AppFlow in the account that a query names. An account that is not the tenant's is not there.
async fn appflow(
    app: &TenantApp,
    tenant: TenantId,
    account: &str,
) -> Result<(AccountId, aws_sdk_appflow::Client), Error> {
    let account = accounts::find(app, tenant, crate::edge::id_in_path(account)?).await?;
    Ok((account.id, accounts::appflow(app, &account).await?))
}
