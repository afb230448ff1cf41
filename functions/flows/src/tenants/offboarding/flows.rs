//! The tenant's flows: stopped, their runs cancelled, deleted in AppFlow.

use tributary::{
    error::Error,
    store::{Key, PageRequest},
};

use super::{
    Offboarding,
    thing::{LeftBehind, ThingKind, leave, meet},
};
use crate::{
    TenantApp,
    flows::{self, Flow},
    tenants::work::{Budget, Outcome, is_locked_out},
};

/// Removes every flow. One whose account lets us in no more is forgotten and left over.
pub(super) async fn remove(
    app: &TenantApp,
    job: &Offboarding,
    budget: Budget,
) -> Result<Outcome, Error> {
    let (tenant, store) = (job.tenant_id, &app.store);
    let partition = Key::tenant_partition(tenant);
    let mut page = PageRequest::first(50);
    let mut failed = false;
    loop {
        let found = store.query::<Flow>(&partition, "FLOW#", &page).await?;
        for flow in &found.items {
            if !budget.is_left() {
                return Ok(Outcome::More);
            }
            let name = flow.id().to_string();
            meet(store, tenant, ThingKind::Flow, &name).await?;
            let Err(error) = flows::take_down(app, flow).await else {
                continue;
            };
            let locked_out = is_locked_out(&error);
            if !locked_out && !job.is_out_of_patience(budget.now) {
                tracing::warn!(
                    tenant.id = %tenant, flow.id = name, error.code = error.code(),
                    error.chain = error.chain(), "a leaving tenant's flow could not be deleted yet"
                );
                failed = true;
                continue;
            }
            let (place, why) = (flow.place(), why(locked_out));
            let left = LeftBehind::new("flow", format!("{} in account {}", place.0, place.1), why);
            leave(store, tenant, ThingKind::Flow, &name, vec![left]).await?;
            flows::forget(app, flow).await?;
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

pub(super) const fn why(locked_out: bool) -> &'static str {
    if locked_out {
        "The AWS account does not let us in any more. Delete what has this name in AppFlow."
    } else {
        "AppFlow did not delete it for a day. Delete what has this name in AppFlow."
    }
}
