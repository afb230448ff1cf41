//! Who is let in: after the identity is known, before anything is read or done for it.

mod known;
mod limit;
mod revoked;
mod standing;

use std::sync::Arc;

use http::{Method, request::Parts};

use self::{revoked::Revoked, standing::Standings};
use crate::{
    error::Error,
    http::Caller,
    id::TenantId,
    jwt::IssuerKeys,
    limit::{Limiter, Limits, Party},
    store::Store,
};

/// Lets callers in, or says why not.
#[derive(Debug, Clone)]
pub struct Admission {
    limiter: Limiter,
    standings: Arc<Standings>,
    revoked: Arc<Revoked>,
}

impl Admission {
    /// Admission with the function's own access to what is no tenant's alone.
    pub fn new(store: Store, limits: Limits) -> Self {
        Self {
            limiter: Limiter::new(store.clone(), limits),
            standings: Arc::new(Standings::new(store.clone())),
            revoked: Arc::new(Revoked::new(store)),
        }
    }

    /// Also refuses tokens whose signing key the issuer has taken back.
    #[must_use]
    pub fn with_keys(self, keys: IssuerKeys) -> Self {
        let revoked = Revoked::clone(&self.revoked).with_keys(keys);
        Self {
            revoked: Arc::new(revoked),
            ..self
        }
    }

    /// Lets a member's request in.
    pub async fn admit(
        &self,
        caller: &Caller,
        tenant: TenantId,
        parts: &Parts,
    ) -> Result<(), Error> {
        // First, so that who asks too often costs nothing more than this.
        self.limit(Party::Tenant(tenant), parts).await?;
        let changes = changes(&parts.method);
        let (standing, sign_in) = tokio::join!(
            self.standings.check(tenant, changes),
            self.revoked.check(&caller.identity, parts, changes),
        );
        // Who is signed out learns nothing about the tenant.
        sign_in?;
        standing
    }

    /// Lets a request of the vendor's own clients in.
    pub async fn admit_operator(&self, caller: &Caller, parts: &Parts) -> Result<(), Error> {
        self.limit(Party::Operator, parts).await?;
        self.vouch(caller, parts).await
    }

    /// Lets in whoever is still signed in, of whichever tenant or none.
    pub async fn vouch(&self, caller: &Caller, parts: &Parts) -> Result<(), Error> {
        self.revoked
            .check(&caller.identity, parts, changes(&parts.method))
            .await
    }
}

/// Whether a request may change something.
fn changes(method: &Method) -> bool {
    !method.is_safe()
}
