//! The tenant's connections: connector profiles and secrets go, grants are ended at their providers.

use tributary::{
    connection::{Connection, ConnectionState, grantors},
    error::Error,
    store::{Key, PageRequest},
};

use super::{
    Offboarding,
    thing::{ThingKind, meet},
};
use crate::{
    TenantApp,
    connections::{Patience, end},
    tenants::work::{Budget, Outcome},
};

/// Ends every connection. What is left of each is kept with it until the grants are settled.
pub(super) async fn remove(
    app: &TenantApp,
    job: &Offboarding,
    budget: Budget,
) -> Result<Outcome, Error> {
    let (tenant, store) = (job.tenant_id, &app.store);
    let patience = if job.is_out_of_patience(budget.now) {
        Patience::Over
    } else {
        Patience::Left
    };
    let partition = Key::tenant_partition(tenant);
    let mut page = PageRequest::first(50);
    let mut failed = false;
    loop {
        let found = store
            .query::<Connection>(&partition, "CONNECTION#", &page)
            .await?;
        for connection in found.items {
            if !budget.is_left() {
                return Ok(Outcome::More);
            }
            let id = connection.id;
            meet(store, tenant, ThingKind::Connection, &id.to_string()).await?;
            grantors::forget(&app.shared, &connection).await?;
            if connection.state == ConnectionState::Deleted {
                continue;
            }
            if let Err(error) = end(app, connection, patience).await {
                tracing::warn!(
                    tenant.id = %tenant, connection.id = %id, error.code = error.code(),
                    error.chain = error.chain(), "a leaving tenant's connection could not be ended yet"
                );
                failed = true;
            }
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
