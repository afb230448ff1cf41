//! What handlers work with: clients and configuration, made once.

use std::{ops::Deref, sync::Arc};

use aws_config::SdkConfig;
use axum::extract::FromRef;
use tributary::{
    connection::revocation::Revoker,
    error::Error,
    http::{Admission, Audit},
    id::TenantId,
    identity::AuthConfig,
    oauth::Providers,
    seal::Sealer,
    secret::Secret,
    store::Store,
    tenancy::{RoleSessions, TenantScope, TenantScopes},
    vault::Vault,
};

use crate::{
    accounts::report::ReportSigner, config::Config, connections::discovery::Discovered,
    connectors::Offered, s3::BucketHttp,
};

/// The state of the router. Cheap to clone, and knows no tenant.
#[derive(Debug, Clone)]
pub struct App {
    /// What the function is told.
    pub config: Arc<Config>,
    /// How callers are recognised.
    pub auth: Arc<AuthConfig>,
    /// The table, for what is no tenant's alone.
    pub store: Store,
    /// The same, where a tenant's part of the table is at hand too.
    pub shared: Store,
    /// The table and the vault, for one tenant at a time.
    pub scopes: TenantScopes,
    /// Writes the audit trail.
    pub audit: Audit,
    /// Lets callers in.
    pub admission: Admission,
    /// Seals list cursors.
    pub sealer: Arc<Sealer>,
    /// Credentials in tenants' accounts.
    pub sessions: RoleSessions,
    /// The function's own AWS configuration.
    pub aws: SdkConfig,
    /// The providers of connections.
    pub providers: Providers,
    /// Long-lived credentials.
    pub secrets: aws_sdk_secretsmanager::Client,
    /// Queues.
    pub queues: aws_sdk_sqs::Client,
    /// The notifications topic.
    pub topics: aws_sdk_sns::Client,
    /// What applications said about their objects lately.
    pub(crate) discovered: Arc<Discovered>,
    /// What accounts said about their connectors lately.
    pub(crate) offered: Arc<Offered>,
    /// Signs reports of verifications.
    pub(crate) reports: ReportSigner,
    /// Buckets of accounts.
    pub(crate) buckets: BucketHttp,
}

impl App {
    /// Makes the clients and fetches the sealing key.
    pub async fn start(config: Config, aws: SdkConfig) -> Result<Self, Error> {
        let secrets = aws_sdk_secretsmanager::Client::new(&aws);
        let material = secrets
            .get_secret_value()
            .secret_id(&config.sealing_key_secret_arn)
            .send()
            .await
            .map_err(|error| tributary::aws::Refusal::of(&error).into_error("GetSecretValue"))?
            .secret_string
            .map(Secret::new)
            .unwrap_or_default();
        let sealer = Sealer::new(&material).map_err(|error| {
            Error::internal(
                "sealing_key",
                "the sealing key is shorter than 32 characters",
            )
            .with_source(error)
        })?;
        let app = Self::new(config, aws, sealer)?;
        let admission = match app.auth.issuer_keys()? {
            Some(keys) => app.admission.with_keys(keys),
            None => app.admission,
        };
        Ok(Self { admission, ..app })
    }

    /// Makes the clients around a given sealing key.
    pub fn new(config: Config, aws: SdkConfig, sealer: Sealer) -> Result<Self, Error> {
        let secrets = aws_sdk_secretsmanager::Client::new(&aws);
        let providers =
            Providers::new(config.providers.clone(), secrets.clone()).map_err(|error| {
                Error::internal("http_client", "no HTTP client could be made").with_source(error)
            })?;
        let auth = Arc::new(config.auth.clone());
        let store = Store::new(
            aws_sdk_dynamodb::Client::new(&aws),
            config.table_name.clone(),
        );
        Ok(Self {
            providers,
            scopes: TenantScopes::new(aws.clone(), config.scopes.clone()),
            admission: Admission::new(store.clone(), config.limits),
            secrets,
            audit: Audit::new(config.audit.clone(), aws.clone(), Arc::clone(&auth)),
            auth,
            shared: store.clone(),
            store,
            sealer: Arc::new(sealer),
            sessions: RoleSessions::new(aws.clone()),
            queues: aws_sdk_sqs::Client::new(&aws),
            topics: aws_sdk_sns::Client::new(&aws),
            discovered: Arc::default(),
            offered: Arc::default(),
            reports: ReportSigner::new(
                aws_sdk_kms::Client::new(&aws),
                config.report_key_arn.clone(),
            ),
            buckets: BucketHttp::default(),
            config: Arc::new(config),
            aws,
        })
    }

    /// The function, at work for the tenant that the operator names.
    pub(crate) async fn for_operator(&self, tenant: TenantId) -> Result<TenantApp, Error> {
        Ok(self.within(&self.scopes.for_operator(tenant).await?))
    }

    /// The function, at work for one tenant.
    pub(crate) fn within(&self, scope: &TenantScope) -> TenantApp {
        TenantApp {
            store: scope.store().clone(),
            vault: scope.vault().clone(),
            app: self.clone(),
        }
    }
}

/// The function at work for one tenant: its store and its vault are the tenant's.
#[derive(Debug, Clone)]
pub(crate) struct TenantApp {
    app: App,
    /// The tenant's items.
    pub(crate) store: Store,
    /// Seals the tenant's tokens.
    pub(crate) vault: Vault,
}

impl TenantApp {
    /// What ends grants at their providers.
    pub(crate) const fn revoker(&self) -> Revoker<'_> {
        Revoker {
            store: &self.store,
            vault: &self.vault,
            providers: &self.app.providers,
        }
    }
}

impl Deref for TenantApp {
    type Target = App;

    fn deref(&self) -> &App {
        &self.app
    }
}

impl FromRef<App> for Arc<AuthConfig> {
    fn from_ref(app: &App) -> Self {
        Self::clone(&app.auth)
    }
}

impl FromRef<App> for Admission {
    fn from_ref(app: &App) -> Self {
        app.admission.clone()
    }
}

impl FromRef<App> for TenantScopes {
    fn from_ref(app: &App) -> Self {
        app.scopes.clone()
    }
}
