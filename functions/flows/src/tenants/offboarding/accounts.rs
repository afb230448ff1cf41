//! The tenant's AWS accounts: what is still the tenant's in AppFlow goes, then nobody asks for their
//! roles any more.

mod strays;

use tributary::{
    error::Error,
    store::{Key, PageRequest},
    tenancy::{Account, AccountState, HostingMode, Tenant},
};

use super::{
    Offboarding,
    thing::{LeftBehind, ThingKind, leave, meet},
};
use crate::{
    TenantApp,
    tenants::work::{Budget, Outcome, is_locked_out, settled},
};

/// Leaves every account, once nobody can be at anything in it any more.
pub(super) async fn remove(
    app: &TenantApp,
    tenant: &Tenant,
    job: &Offboarding,
    budget: Budget,
) -> Result<Outcome, Error> {
    let wait = settled(tenant, budget.now);
    if wait != Outcome::Done {
        return Ok(wait);
    }
    let store = &app.store;
    let partition = Key::tenant_partition(tenant.id);
    let mut page = PageRequest::first(50);
    let mut failed = false;
    loop {
        let found = store
            .query::<Account>(&partition, "ACCOUNT#", &page)
            .await?;
        for account in &found.items {
            if !budget.is_left() {
                return Ok(Outcome::More);
            }
            failed |= !one(app, job, account, budget).await?;
        }
        page.after = found.next;
        if page.after.is_none() {
            break;
        }
    }
    Ok(if failed {
        Outcome::Failed
    } else {
        Outcome::Done
    })
}

/// Leaves one account; false when it has to be tried again.
async fn one(
    app: &TenantApp,
    job: &Offboarding,
    account: &Account,
    budget: Budget,
) -> Result<bool, Error> {
    let (tenant, store) = (job.tenant_id, &app.store);
    let id = account.id.to_string();
    meet(store, tenant, ThingKind::Account, &id).await?;
    let mut left = Vec::new();
    // In an account that was never proven, nothing was ever made.
    if account.state != AccountState::Pending
        && let Err(error) = strays::remove(app, account).await
        && !is_locked_out(&error)
    {
        if !job.is_out_of_patience(budget.now) {
            tracing::warn!(
                tenant.id = %tenant, account.id = id, error.code = error.code(),
                error.chain = error.chain(), "a leaving tenant's account could not be looked through yet"
            );
            return Ok(false);
        }
        left.push(LeftBehind::new(
            "appflow",
            &account.aws_account_id,
            format!(
                "AppFlow was not looked through. Delete what begins with {}.",
                strays::prefix(tenant)
            ),
        ));
    }
    if account.hosting == HostingMode::Customer {
        left.push(LeftBehind::new(
            "cloudFormationStack",
            &account.aws_account_id,
            format!(
                "The stack with the role {} is the customer's. Nobody asks for the role any more; delete the stack there.",
                account.role_arn
            ),
        ));
    }
    leave(store, tenant, ThingKind::Account, &id, left).await?;
    // The external id goes with the account. The guard stays: it holds nothing but the number.
    store.delete(&Key::account(tenant, account.id)).await?;
    Ok(true)
}
