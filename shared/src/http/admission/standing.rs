//! Whether a tenant may use the service now.

use std::time::Duration;

use super::known::Known;
use crate::{
    error::{Error, Kind},
    id::TenantId,
    store::Store,
    tenancy::TenantState,
};

/// How long a standing counts without being read again.
const FRESH: Duration = Duration::from_secs(10);

/// The standings of tenants, as they were read lately.
#[derive(Debug)]
pub(super) struct Standings {
    store: Store,
    known: Known<TenantId, Option<TenantState>>,
}

impl Standings {
    pub(super) fn new(store: Store) -> Self {
        Self {
            store,
            known: Known::new(FRESH),
        }
    }

    /// Lets the members of an active tenant pass.
    pub(super) async fn check(&self, tenant: TenantId, changes: bool) -> Result<(), Error> {
        let state = self
            .known
            .or_read(tenant, changes, TenantState::of(&self.store, tenant))
            .await?;
        pass(state)
    }
}

/// Which standing lets pass.
fn pass(state: Option<TenantState>) -> Result<(), Error> {
    let (code, caller) = match state {
        Some(TenantState::Active) => return Ok(()),
        Some(TenantState::Suspended) => (
            "tenant_suspended",
            "Your organisation's use of this service is suspended. Whoever offers it to you can resume it.",
        ),
        Some(TenantState::Leaving | TenantState::Gone) => (
            "tenant_leaving",
            "Your organisation has left this service, or is leaving it.",
        ),
        None => ("no_tenant", "You do not belong to a tenant."),
    };
    Err(Error::new(Kind::Forbidden, code, caller))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_active_tenant_passes_and_an_unknown_one_does_not() {
        assert!(pass(Some(TenantState::Active)).is_ok());
        for (state, code) in [
            (Some(TenantState::Suspended), "tenant_suspended"),
            (Some(TenantState::Leaving), "tenant_leaving"),
            (Some(TenantState::Gone), "tenant_leaving"),
            (None, "no_tenant"),
        ] {
            assert_eq!(pass(state).unwrap_err().code(), code);
        }
    }
}
