//! Stopping the schedules of a tenant that is suspended.

use tributary::{error::Error, tenancy::Tenant};

use super::{Budget, Outcome, is_locked_out, settled};
use crate::{TenantApp, flows};

/// Stops every flow that starts by itself, and remembers which, for the day it is resumed. Runs in
/// progress end by themselves.
pub(super) async fn pause(
    app: &TenantApp,
    tenant: &Tenant,
    budget: Budget,
) -> Result<Outcome, Error> {
    let mut failed = false;
    for flow in flows::that_start_by_themselves(app, tenant.id).await? {
        if !budget.is_left() {
            return Ok(Outcome::More);
        }
        match flows::pause(app, &flow).await {
            Ok(()) => {}
            Err(error) if is_locked_out(&error) => {
                tracing::error!(
                    tenant.id = %tenant.id, flow.id = %flow.id(), error.code = error.code(),
                    "the account lets nobody in: a suspended tenant's schedule goes on there"
                );
            }
            Err(error) => {
                tracing::warn!(
                    tenant.id = %tenant.id, flow.id = %flow.id(), error.code = error.code(),
                    error.chain = error.chain(), "a suspended tenant's schedule could not be stopped yet"
                );
                failed = true;
            }
        }
    }
    Ok(if failed {
        Outcome::Failed
    } else {
        settled(tenant, budget.now)
    })
}
