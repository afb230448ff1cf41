//! What a request may reach: its own tenant's part of the table and of the keys.
//!
//! The table's and the keys' clients of a scope work with a session of `TenantDataRole` that carries
//! the tenant as its tag. IAM compares the tag with the leading key of each item and with the
//! encryption context of each data key, so that a bug that asks for another tenant's things is
//! refused there (scenarios I2, I3). The functions' own rights do not reach tenants' things, and
//! nothing falls back to them.

use std::sync::Arc;

use aws_config::SdkConfig;
use aws_credential_types::provider::{ProvideCredentials, error::CredentialsError, future};
use aws_sdk_sts::{Client, config::Credentials};
use jiff::{SignedDuration, Timestamp};

use super::{
    assumed::{AssumeError, SESSION_SECONDS, config_with, credentials, tag},
    flights::{ENTRIES, Flights},
};
use crate::{
    config::Env,
    error::Error,
    id::TenantId,
    store::Store,
    vault::{Vault, VaultKeys},
};

/// The session tag that names the tenant.
pub(super) const TENANT_TAG: &str = "tributary:tenant";
/// The session tag of the operator's requests, which also touch the list of tenants.
const OPERATOR_TAG: &str = "tributary:operator";

/// One tenant's part of the table and of the keys.
#[derive(Debug, Clone)]
pub struct TenantScope {
    tenant: TenantId,
    store: Store,
    vault: Vault,
}

impl TenantScope {
    /// Whose part it is.
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The tenant's items.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// Seals and opens the tenant's secrets.
    pub const fn vault(&self) -> &Vault {
        &self.vault
    }
}

/// Where tenants' things are, and the role that reaches them.
#[derive(Debug, Clone)]
pub struct ScopeConfig {
    /// `TENANT_DATA_ROLE_ARN`: the role that is assumed for one tenant at a time.
    pub role_arn: String,
    /// `TABLE_NAME`: the table.
    pub table: String,
    /// `DATA_KEY_ARN`, `PREVIOUS_DATA_KEY_ARNS`: KMS keys that wrap the vault's data keys. None for a
    /// function that seals and opens nothing.
    pub vault_keys: VaultKeys,
}

impl ScopeConfig {
    /// Reads `TENANT_DATA_ROLE_ARN`, for a table and its keys that were read already.
    pub fn from_env(env: &mut Env, table: &str, vault_keys: &VaultKeys) -> Self {
        Self {
            role_arn: env.required("TENANT_DATA_ROLE_ARN"),
            table: table.to_owned(),
            vault_keys: vault_keys.clone(),
        }
    }
}

/// How long a scope's clients and data keys are kept at most.
const KEPT: SignedDuration = SignedDuration::from_hours(1);

/// What the sessions and the clients of a scope are kept under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct ScopeKey {
    tenant: TenantId,
    for_operator: bool,
}

/// Makes [`TenantScope`]s: a session for each tenant, assumed when it is first needed and kept until
/// shortly before its end.
#[derive(Debug, Clone)]
pub struct TenantScopes {
    base: SdkConfig,
    config: Arc<ScopeConfig>,
    sessions: Arc<DataSessions>,
    scopes: Arc<Flights<ScopeKey, TenantScope>>,
}

impl TenantScopes {
    /// Scopes on top of the function's own configuration.
    pub fn new(base: SdkConfig, config: ScopeConfig) -> Self {
        Self {
            sessions: Arc::new(DataSessions {
                client: Client::new(&base),
                role_arn: config.role_arn.clone(),
                flights: Flights::new(ENTRIES),
            }),
            scopes: Arc::new(Flights::new(ENTRIES)),
            base,
            config: Arc::new(config),
        }
    }

    /// The scope of one tenant. Whoever asks must have the tenant from the caller's identity, or
    /// from an item that is worked on.
    ///
    /// STS is asked when the scope is first used: a request that is refused before costs nothing.
    pub async fn of(&self, tenant: TenantId) -> Result<TenantScope, Error> {
        self.get(tenant, false).await
    }

    /// The scope of the tenant that the operator's request names. It reaches the list of tenants and
    /// the memberships of subjects too.
    pub async fn for_operator(&self, tenant: TenantId) -> Result<TenantScope, Error> {
        self.get(tenant, true).await
    }

    async fn get(&self, tenant: TenantId, for_operator: bool) -> Result<TenantScope, Error> {
        let key = ScopeKey {
            tenant,
            for_operator,
        };
        let make = async { Ok((self.make(key), Timestamp::now() + KEPT)) };
        Ok(self.scopes.get(&key, make).await?)
    }

    fn make(&self, key: ScopeKey) -> TenantScope {
        let sessions = Arc::clone(&self.sessions);
        let aws = config_with(&self.base, DataSession { sessions, key });
        TenantScope {
            tenant: key.tenant,
            store: Store::of_tenant(
                aws_sdk_dynamodb::Client::new(&aws),
                self.config.table.clone(),
                key.tenant,
            ),
            // Each scope has a vault of its own: a data key that KMS gave to one tenant's session is
            // not in reach of another's.
            vault: Vault::new(
                aws_sdk_kms::Client::new(&aws),
                self.config.vault_keys.clone(),
            ),
        }
    }
}

/// Sessions of `TenantDataRole`.
#[derive(Debug)]
struct DataSessions {
    client: Client,
    role_arn: String,
    flights: Flights<ScopeKey, Credentials>,
}

impl DataSessions {
    async fn assume(&self, key: ScopeKey) -> Result<(Credentials, Timestamp), AssumeError> {
        let tenant = key.tenant.to_string();
        let of_operator = key.for_operator.then(|| tag(OPERATOR_TAG, "true"));
        let tags = std::iter::once(tag(TENANT_TAG, &tenant))
            .chain(of_operator)
            .flatten()
            .collect();
        let answer = self
            .client
            .assume_role()
            .role_arn(&self.role_arn)
            .role_session_name(&tenant)
            .duration_seconds(SESSION_SECONDS)
            .set_tags(Some(tags))
            .send()
            .await;
        credentials(answer).inspect_err(|error| {
            tracing::error!(tenant.id = tenant, error.chain = %error, "no session of the tenant's data");
        })
    }
}

/// What the clients of a scope sign with. Without a session they send nothing.
#[derive(Debug)]
struct DataSession {
    sessions: Arc<DataSessions>,
    key: ScopeKey,
}

impl ProvideCredentials for DataSession {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let assume = self.sessions.assume(self.key);
        future::ProvideCredentials::new(async move {
            let session = self.sessions.flights.get(&self.key, assume).await;
            session.map_err(CredentialsError::provider_error)
        })
    }
}
