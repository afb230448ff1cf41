//! What handlers work with: clients and configuration, made once.

use std::sync::Arc;

use aws_config::SdkConfig;
use axum::extract::FromRef;
use tributary::{
    aws::Refusal,
    error::Error,
    http::{Admission, Audit},
    identity::AuthConfig,
    jwt::IdTokenVerifier,
    seal::Sealer,
    secret::Secret,
    store::Store,
    tenancy::TenantScopes,
};

use crate::{Config, session::Sessions, warehouse::Warehouse};

/// The state of the router. Cheap to clone, and knows no tenant and no user.
#[derive(Debug, Clone)]
pub struct App {
    /// How callers are recognised.
    pub auth: Arc<AuthConfig>,
    /// The table, for what is no tenant's alone.
    pub store: Store,
    /// The table and the vault, for one tenant at a time.
    pub scopes: TenantScopes,
    /// Writes the audit trail.
    pub audit: Audit,
    /// Lets callers in.
    pub admission: Admission,
    /// Seals query ids and cursors.
    pub sealer: Arc<Sealer>,
    /// Verifies ID tokens.
    pub verifier: IdTokenVerifier,
    /// Users' credentials.
    pub sessions: Sessions,
    /// The warehouse.
    pub warehouse: Warehouse,
}

impl App {
    /// Makes the clients and fetches the sealing key.
    pub async fn start(config: Config, aws: SdkConfig) -> Result<Self, Error> {
        let material = aws_sdk_secretsmanager::Client::new(&aws)
            .get_secret_value()
            .secret_id(&config.sealing_key_secret_arn)
            .send()
            .await
            .map_err(|error| Refusal::of(&error).into_error("secretsmanager:GetSecretValue"))?
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
        let verifier = IdTokenVerifier::new(
            config.identity.issuer.clone(),
            config.identity.client_id.clone(),
        )
        .map_err(|error| {
            Error::internal("http_client", "no HTTP client could be made").with_source(error)
        })?;
        let store = Store::new(aws_sdk_dynamodb::Client::new(&aws), config.table);
        let auth = Arc::new(config.auth);
        Ok(Self {
            audit: Audit::new(config.audit, aws.clone(), Arc::clone(&auth)),
            auth,
            sealer: Arc::new(sealer),
            scopes: TenantScopes::new(aws.clone(), config.scopes),
            admission: Admission::new(store.clone(), config.limits),
            verifier,
            sessions: Sessions::new(store.clone(), &aws, config.identity),
            warehouse: Warehouse::new(aws, config.warehouse),
            store,
        })
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
