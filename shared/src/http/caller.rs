//! The caller of a request: the identity that the gateway's authorizer vouched for.

use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use http::request::Parts;
use lambda_http::request::RequestContext;

use crate::{
    error::{Error, Kind},
    id::TenantId,
    identity::{AuthConfig, Identity, Role},
};

/// Who calls. Made from `requestContext.authorizer` and nothing else.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The identity.
    pub identity: Arc<Identity>,
    /// The gateway's id of this request.
    pub request_id: String,
}

impl Caller {
    /// The caller's tenant, if the caller may act in `role` there.
    pub fn require(&self, role: Role) -> Result<TenantId, Error> {
        let tenant = self.identity.tenant.ok_or_else(|| {
            Error::new(
                Kind::Forbidden,
                "no_tenant",
                "You do not belong to a tenant.",
            )
        })?;
        if self.identity.roles.iter().any(|have| have.includes(role)) {
            return Ok(tenant);
        }
        Err(Error::new(
            Kind::Forbidden,
            "role_required",
            format!("This needs the role {role}."),
        ))
    }

    /// Whether the caller is the vendor's own machine client.
    pub fn require_operator(&self) -> Result<(), Error> {
        if self.identity.operator {
            return Ok(());
        }
        Err(Error::new(
            Kind::Forbidden,
            "operator_required",
            "This is for the vendor's own clients.",
        ))
    }
}

impl<S> FromRequestParts<S> for Caller
where
    S: Send + Sync,
    Arc<AuthConfig>: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let config = Arc::<AuthConfig>::from_ref(state);
        let context = parts.extensions.get::<RequestContext>();
        let (value, request_id) = match context {
            Some(RequestContext::ApiGatewayV2(context)) => {
                (serde_json::to_value(context), context.request_id.clone())
            }
            Some(RequestContext::ApiGatewayV1(context)) => {
                (serde_json::to_value(context), context.request_id.clone())
            }
            _ => {
                return Err(crate::identity::unauthenticated(
                    "the request did not come through the gateway",
                ));
            }
        };
        let value = value.map_err(|error| {
            crate::identity::unauthenticated("the request context cannot be read")
                .with_source(error)
        })?;
        let identity = Identity::from_request_context(&config, &value)?;
        Ok(Self {
            identity: Arc::new(identity),
            request_id: request_id.unwrap_or_default(),
        })
    }
}
