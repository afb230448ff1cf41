//! One tenant's session reaches one tenant's things, whatever our own code asks for (I2, I3).
//!
//! The calls here are the ones that a bug would make: a repository function that got another tenant's
//! key, a vault that was given another tenant's text. They go through the real scopes, over sessions
//! that the functions' own roles assume, against the policies of `template.yaml`.

mod cost;
mod keys;
mod table;

use std::sync::Arc;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use sandbox::Sandbox;
use sandbox_aws::ExpectedDenial;
use sandbox_core::REGION;
use tributary::{
    id::TenantId,
    tenancy::{ScopeConfig, TenantScope, TenantScopes},
    vault::VaultKeys,
};

use crate::common::{start, tenant};

/// Functions that work on tenants' things, by the logical name of their role.
const FUNCTIONS: [&str; 5] = [
    "FlowsRole",
    "QueriesRole",
    "TokenRefreshRole",
    "RunEventsRole",
    "OauthCallbackRole",
];

/// A sandbox with two tenants, as seen by a function of ours.
struct World {
    sandbox: Arc<Sandbox>,
    ours: TenantId,
    theirs: TenantId,
}

impl World {
    async fn start() -> Self {
        let sandbox = start().await;
        let ours = tenant(&sandbox, "Ours", &[]).await.id.parse().unwrap();
        let theirs = tenant(&sandbox, "Theirs", &[]).await.id.parse().unwrap();
        // What these tests ask for is to be refused.
        for role in FUNCTIONS
            .into_iter()
            .chain(["TenantDataRole", "TokenClaimsRole"])
        {
            sandbox.aws.expect_denial(ExpectedDenial {
                role: role.to_owned(),
                action: "*".to_owned(),
            });
        }
        Self {
            sandbox,
            ours,
            theirs,
        }
    }

    /// The configuration of a function that runs under a role of the stack.
    fn function(&self, role: &str) -> SdkConfig {
        let arn = self.arn(role);
        let given = self.sandbox.aws.assume_for_function(&arn, "tests").unwrap();
        let credentials = Credentials::new(
            given.access_key_id,
            given.secret_access_key,
            given.session_token,
            None,
            "tests",
        );
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(REGION))
            .endpoint_url(self.sandbox.aws_url.as_str())
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build()
    }

    /// The scopes of such a function.
    fn scopes(&self, role: &str) -> TenantScopes {
        let config = ScopeConfig {
            role_arn: self.arn("TenantDataRole"),
            table: self.table(),
            vault_keys: VaultKeys::from(self.arn("DataKey")),
        };
        TenantScopes::new(self.function(role), config)
    }

    async fn scope(&self, role: &str, tenant: TenantId) -> TenantScope {
        self.scopes(role).of(tenant).await.unwrap()
    }

    fn table(&self) -> String {
        self.sandbox.stack.resources["Table"]
            .physical_id()
            .to_owned()
    }

    fn arn(&self, resource: &str) -> String {
        let resource = &self.sandbox.stack.resources[resource];
        resource.arn().unwrap().to_owned()
    }
}
