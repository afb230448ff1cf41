//! Setting the schedules of a tenant going that its suspension stopped.

use tributary::{error::Error, tenancy::Tenant};

use super::{Budget, Outcome};
use crate::{TenantApp, flows};

/// Starts what was stopped, and nothing else. A flow that cannot be started any more stays stopped.
pub(super) async fn resume(
    app: &TenantApp,
    tenant: &Tenant,
    budget: Budget,
) -> Result<Outcome, Error> {
    let mut failed = false;
    for flow in flows::that_are_paused(app, tenant.id).await? {
        if !budget.is_left() {
            return Ok(Outcome::More);
        }
        match flows::unpause(app, &flow).await {
            Ok(()) => {}
            Err(error) if error.retryable() => {
                tracing::warn!(
                    tenant.id = %tenant.id, flow.id = %flow.id(), error.code = error.code(),
                    error.chain = error.chain(), "a resumed tenant's schedule could not be started yet"
                );
                failed = true;
            }
            Err(error) => {
                tracing::warn!(
                    tenant.id = %tenant.id, flow.id = %flow.id(), error.code = error.code(),
                    error.chain = error.chain(), "a schedule cannot be started again; it stays stopped"
                );
                flows::leave_stopped(app, &flow).await?;
            }
        }
    }
    Ok(if failed {
        Outcome::Failed
    } else {
        Outcome::Done
    })
}
