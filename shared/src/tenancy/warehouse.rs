//! Sessions in which a tenant's service identity works in the warehouse.
//!
//! The role may read one secret, the tenant's of the session's tag, and the warehouse is opened with
//! what stands in it: IAM keeps one tenant's statements from another's identity (scenario I2).

use std::sync::Arc;

use aws_config::SdkConfig;
use aws_sdk_sts::{Client, config::Credentials};
use jiff::Timestamp;

use super::{
    RoleArn,
    assumed::{AssumeError, SESSION_SECONDS, config_with, credentials, tag},
    flights::{ENTRIES, Flights},
    scope::TENANT_TAG,
};
use crate::id::TenantId;

/// Assumes the role of tenants' service identities, for one tenant at a time.
#[derive(Debug, Clone)]
pub struct WarehouseSessions {
    base: SdkConfig,
    client: Client,
    role_arn: RoleArn,
    flights: Arc<Flights<TenantId, Credentials>>,
}

impl WarehouseSessions {
    /// Sessions on top of the function's own configuration.
    pub fn new(base: SdkConfig, role_arn: RoleArn) -> Self {
        Self {
            client: Client::new(&base),
            base,
            role_arn,
            flights: Arc::new(Flights::new(ENTRIES)),
        }
    }

    /// An SDK configuration that reaches the warehouse for this tenant and no other.
    pub async fn config(&self, tenant: TenantId) -> Result<SdkConfig, AssumeError> {
        let credentials = self.flights.get(&tenant, self.assume(tenant)).await?;
        Ok(config_with(&self.base, credentials))
    }

    async fn assume(&self, tenant: TenantId) -> Result<(Credentials, Timestamp), AssumeError> {
        let tenant = tenant.to_string();
        let answer = self
            .client
            .assume_role()
            .role_arn(self.role_arn.as_str())
            .role_session_name(&tenant)
            .duration_seconds(SESSION_SECONDS)
            .set_tags(tag(TENANT_TAG, &tenant).map(|tag| vec![tag]))
            .send()
            .await;
        credentials(answer)
    }
}
