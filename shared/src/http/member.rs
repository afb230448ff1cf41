//! Extractors that let only callers with a role pass.
//!
//! They run before the body is read, so that who may not act learns nothing about the body either.
//! Members come with the [`TenantScope`] of their own tenant, and handlers reach tenants' things
//! through it alone.

use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use http::request::Parts;

use crate::{
    error::Error,
    http::{Admission, Caller},
    id::TenantId,
    identity::{AuthConfig, Role},
    store::{Key, Store},
    tenancy::{TenantScope, TenantScopes},
    vault::Vault,
};

macro_rules! member {
    ($(#[$doc:meta])* $name:ident, $role:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $name {
            /// The caller's tenant.
            pub tenant: TenantId,
            /// Who calls.
            pub caller: Caller,
            /// What the caller may reach.
            pub scope: TenantScope,
        }

        impl<S> FromRequestParts<S> for $name
        where
            S: Send + Sync,
            Arc<AuthConfig>: FromRef<S>,
            Admission: FromRef<S>,
            TenantScopes: FromRef<S>,
        {
            type Rejection = Error;

            async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
                let caller = Caller::from_request_parts(parts, state).await?;
                let tenant = caller.require($role)?;
                Admission::from_ref(state)
                    .admit(&caller, tenant, parts)
                    .await?;
                let scope = TenantScopes::from_ref(state).of(tenant).await?;
                Ok(Self { tenant, caller, scope })
            }
        }

        impl $name {
            /// The tenant's items.
            pub const fn store(&self) -> &Store {
                self.scope.store()
            }

            /// Seals and opens the tenant's secrets.
            pub const fn vault(&self) -> &Vault {
                self.scope.vault()
            }

            /// The partition in which the tenant's idempotency keys are kept.
            pub fn partition(&self) -> String {
                Key::tenant_partition(self.tenant)
            }

            /// Who calls, within the issuer.
            pub fn subject(&self) -> &str {
                &self.caller.identity.subject
            }
        }
    };
}

member!(
    /// A member who may read.
    Viewer, Role::Viewer
);
member!(
    /// A member who may also manage connections and flows.
    Editor, Role::Editor
);
member!(
    /// A member who may also manage accounts.
    Admin, Role::Admin
);

/// Whoever is signed in, of whichever tenant or none.
#[derive(Debug, Clone)]
pub struct SignedIn(pub Caller);

impl<S> FromRequestParts<S> for SignedIn
where
    S: Send + Sync,
    Arc<AuthConfig>: FromRef<S>,
    Admission: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let caller = Caller::from_request_parts(parts, state).await?;
        Admission::from_ref(state).vouch(&caller, parts).await?;
        Ok(Self(caller))
    }
}

/// The vendor's own machine client.
#[derive(Debug, Clone)]
pub struct Operator {
    /// Who calls.
    pub caller: Caller,
}

impl Operator {
    /// Who calls, within the issuer.
    pub fn subject(&self) -> &str {
        &self.caller.identity.subject
    }
}

impl<S> FromRequestParts<S> for Operator
where
    S: Send + Sync,
    Arc<AuthConfig>: FromRef<S>,
    Admission: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let caller = Caller::from_request_parts(parts, state).await?;
        caller.require_operator()?;
        let admission = Admission::from_ref(state);
        admission.admit_operator(&caller, parts).await?;
        Ok(Self { caller })
    }
}
