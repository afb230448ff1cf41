//! `/v1/accounts`: AWS accounts in which a tenant's flows run.

mod create;
mod delete;
mod get;
mod inspect;
mod list;
pub(crate) mod onboarding;
pub(crate) mod recheck;
pub(crate) mod report;

pub(crate) mod pool;
mod settle;
mod verify;
mod view;

use tributary::{
    error::{Error, Kind},
    id::{AccountId, TenantId},
    tenancy::{Account, AccountState, session},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{App, TenantApp};

/// Routes of accounts.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create::create_account, list::list_accounts))
        .routes(routes!(get::get_account, delete::delete_account))
        .routes(routes!(verify::verify_account))
        .merge(report::routes())
}

/// An account of the tenant, or the answer for what does not exist.
pub(crate) async fn find(
    app: &TenantApp,
    tenant: TenantId,
    id: AccountId,
) -> Result<Account, Error> {
    Account::load(&app.store, tenant, id)
        .await?
        .ok_or_else(Error::not_found)
}

/// AppFlow in the account, as the tenant. A role that was never proven is not used.
pub(crate) async fn appflow(
    app: &TenantApp,
    account: &Account,
) -> Result<aws_sdk_appflow::Client, Error> {
    usable(account)?;
    let config = session(&app.sessions, &app.store, account).await?;
    Ok(aws_sdk_appflow::Client::new(&config))
}

/// Refuses an account whose role was never proven.
pub(crate) fn usable(account: &Account) -> Result<(), Error> {
    if account.state == AccountState::Pending {
        return Err(Error::new(
            Kind::Conflict,
            "account_not_verified",
            "The AWS account is not verified yet.",
        ));
    }
    Ok(())
}
