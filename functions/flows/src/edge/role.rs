//! Extractors that let only callers with a role pass.
//!
//! They run before the body is read, so that who may not act learns nothing about the body either.

use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use http::request::Parts;
use tributary::{
    error::Error,
    http::Caller,
    id::TenantId,
    identity::{AuthConfig, Role},
    store::Key,
};

macro_rules! member {
    ($(#[$doc:meta])* $name:ident, $role:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub(crate) struct $name {
            /// The caller's tenant.
            pub(crate) tenant: TenantId,
            /// Who calls.
            pub(crate) caller: Caller,
        }

        impl<S> FromRequestParts<S> for $name
        where
            S: Send + Sync,
            Arc<AuthConfig>: FromRef<S>,
        {
            type Rejection = Error;

            async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
                let caller = Caller::from_request_parts(parts, state).await?;
                let tenant = caller.require($role)?;
                Ok(Self { tenant, caller })
            }
        }

        impl $name {
            /// The partition in which the tenant's idempotency keys are kept.
            #[allow(dead_code, reason = "viewers never act")]
            pub(crate) fn scope(&self) -> String {
                Key::tenant_partition(self.tenant)
            }

            /// Who calls, within the issuer.
            #[allow(dead_code, reason = "viewers never act")]
            pub(crate) fn subject(&self) -> &str {
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

/// The vendor's own machine client.
#[derive(Debug, Clone)]
pub(crate) struct Operator {
    /// Who calls.
    pub(crate) caller: Caller,
}

impl Operator {
    /// Who calls, within the issuer.
    pub(crate) fn subject(&self) -> &str {
        &self.caller.identity.subject
    }
}

impl<S> FromRequestParts<S> for Operator
where
    S: Send + Sync,
    Arc<AuthConfig>: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let caller = Caller::from_request_parts(parts, state).await?;
        caller.require_operator()?;
        Ok(Self { caller })
    }
}
