//! The audit trail: one record of every call that may change something, once it is known who calls.
//!
//! Records are objects of a bucket with Object Lock (docs/adr/0015). The function's role may add
//! objects there and nothing else, so what is written stays as it was written. A record that S3 does
//! not take goes to the log, whole, and raises an alarm: none is lost in silence.

mod keep;
mod record;
mod trail;

use std::sync::Arc;

use aws_config::SdkConfig;
use axum::extract::Request;
use lambda_http::request::RequestContext;

use self::{keep::Keeper, record::Call};
pub use self::{
    record::{Actor, Record},
    trail::Trail,
};
use crate::{
    config::Env,
    identity::{AuthConfig, Identity},
};

/// Where records go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditConfig {
    /// `STAGE`: dimension of the metric that counts records that were not stored.
    pub stage: String,
    /// `AUDIT_BUCKET`: the bucket.
    pub bucket: String,
}

impl AuditConfig {
    /// Reads the variables named above.
    pub fn from_env(env: &mut Env) -> Self {
        Self {
            stage: env.required("STAGE"),
            bucket: env.required("AUDIT_BUCKET"),
        }
    }
}

/// Writes the audit trail.
#[derive(Debug, Clone)]
pub struct Audit {
    keeper: Keeper,
    gateway: Option<Arc<AuthConfig>>,
}

impl Audit {
    /// A trail of calls whose callers the gateway vouches for.
    pub fn new(config: AuditConfig, aws: SdkConfig, gateway: Arc<AuthConfig>) -> Self {
        Self {
            keeper: Keeper::new(config, aws),
            gateway: Some(gateway),
        }
    }

    /// A trail of calls whose callers the handlers make out: they say so on the [`Trail`].
    pub fn of_handlers(config: AuditConfig, aws: SdkConfig) -> Self {
        Self {
            keeper: Keeper::new(config, aws),
            gateway: None,
        }
    }

    /// What is known of a call before it is handled.
    pub(super) fn begin(&self, request: &Request, request_id: &str) -> (Call, Trail) {
        let trail = Trail::default();
        if !request.method().is_safe()
            && let Some(actor) = self.caller(request)
        {
            trail.acts(actor);
        }
        (Call::of(request, request_id), trail)
    }

    /// Keeps the record of a call, if it is one of somebody who may have changed something.
    pub(super) async fn end(&self, call: Call, trail: &Trail, status: u16, code: Option<&str>) {
        if let Some(record) = call.record(trail, status, code) {
            self.keeper.keep(&record).await;
        }
    }

    fn caller(&self, request: &Request) -> Option<Actor> {
        let context = match request.extensions().get::<RequestContext>()? {
            RequestContext::ApiGatewayV2(context) => serde_json::to_value(context),
            RequestContext::ApiGatewayV1(context) => serde_json::to_value(context),
            _ => return None,
        };
        let identity =
            Identity::from_request_context(self.gateway.as_ref()?, &context.ok()?).ok()?;
        Some(Actor {
            issuer: identity.issuer,
            subject: identity.subject,
            tenant: identity.tenant,
            operator: identity.operator,
        })
    }
}
