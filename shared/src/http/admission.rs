//! Who is let in: after the identity is known, before anything is read or done for it.

mod limit;

use http::request::Parts;

use crate::{
    error::Error,
    http::Caller,
    id::TenantId,
    limit::{Limiter, Limits, Party},
    store::Store,
};

/// Lets requests of tenants' members and of the operator in, or says why not.
#[derive(Debug, Clone)]
pub struct Admission {
    limiter: Limiter,
}

impl Admission {
    /// Admission with the function's own access to what is no tenant's alone.
    pub fn new(store: Store, limits: Limits) -> Self {
        Self {
            limiter: Limiter::new(store, limits),
        }
    }

    /// Lets a member's request in.
    pub async fn admit(
        &self,
        _caller: &Caller,
        tenant: TenantId,
        parts: &Parts,
    ) -> Result<(), Error> {
        self.limit(Party::Tenant(tenant), parts).await
    }

    /// Lets a request of the vendor's own clients in.
    pub async fn admit_operator(&self, parts: &Parts) -> Result<(), Error> {
        self.limit(Party::Operator, parts).await
    }
}
