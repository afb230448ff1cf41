//! Configuration from the environment.

use tributary::{
    config::{ConfigError, Env},
    http::AuditConfig,
    limit::Limits,
    oauth::{Endpoint, ProviderConfig},
    tenancy::ScopeConfig,
    vault::VaultKeys,
};

use crate::return_to::AppOrigins;

/// What the function is told.
#[derive(Debug, Clone)]
pub struct Config {
    /// `STAGE`: name of the deployment, part of the source of events.
    pub stage: String,
    /// `AUDIT_BUCKET`: where the audit trail goes.
    pub audit: AuditConfig,
    /// `LIMIT_GUESS`: how often an address may present what is not ours.
    pub limits: Limits,
    /// `SEALING_KEY_SECRET_ARN`: secret under which addresses are hashed.
    pub sealing_key_secret_arn: String,
    /// `TABLE_NAME`
    pub table_name: String,
    /// `DATA_KEY_ARN`, `PREVIOUS_DATA_KEY_ARNS`: KMS keys that wrap the vault's data keys.
    pub vault_keys: VaultKeys,
    /// `TENANT_DATA_ROLE_ARN`: how tenants' things are reached.
    pub scopes: ScopeConfig,
    /// `PUBLIC_BASE_URL`: where browsers reach us; redirect URIs are made from it alone.
    pub public_base_url: Endpoint,
    /// `APP_ORIGINS`: origins of the single-page applications.
    pub app_origins: AppOrigins,
    /// `OIDC_ISSUER`: the identity provider.
    pub oidc_issuer: Endpoint,
    /// `OIDC_CLIENT_ID`: our client there.
    pub oidc_client_id: String,
    /// `OIDC_CLIENT_SECRET_ARN`: its secret; absent for a public client.
    pub oidc_client_secret_arn: Option<String>,
    /// `OAUTH_*`: the providers of connections.
    pub providers: ProviderConfig,
    /// `DUE_SHARDS`: how many shards the due index has.
    pub due_shards: u32,
}

impl Config {
    /// Reads the process's environment.
    pub fn from_process() -> Result<Self, ConfigError> {
        Self::from_env(Env::from_process())
    }

    /// Reads the variables named above.
    pub fn from_env(mut env: Env) -> Result<Self, ConfigError> {
        let stage = env.required("STAGE");
        let audit = AuditConfig::from_env(&mut env);
        let limits = Limits::from_env(&mut env);
        let sealing_key_secret_arn = env.required("SEALING_KEY_SECRET_ARN");
        let table_name = env.required("TABLE_NAME");
        let vault_keys = VaultKeys::from_env(&mut env);
        let scopes = ScopeConfig::from_env(&mut env, &table_name, &vault_keys);
        let public_base_url = env.parsed::<Endpoint>("PUBLIC_BASE_URL");
        let app_origins = env.parsed::<AppOrigins>("APP_ORIGINS");
        let oidc_issuer = env.parsed::<Endpoint>("OIDC_ISSUER");
        let oidc_client_id = env.required("OIDC_CLIENT_ID");
        let providers = ProviderConfig::from_env(&mut env);
        let due_shards = env.parsed_or("DUE_SHARDS", 4);
        if !(1..=1000).contains(&due_shards) {
            env.fault("DUE_SHARDS must be between 1 and 1000");
        }
        let oidc_client_secret_arn = env.optional("OIDC_CLIENT_SECRET_ARN");
        let config = public_base_url.zip(app_origins).zip(oidc_issuer).map(
            |((public_base_url, app_origins), oidc_issuer)| Self {
                stage,
                audit,
                limits,
                sealing_key_secret_arn,
                table_name,
                vault_keys,
                scopes,
                public_base_url,
                app_origins,
                oidc_issuer,
                oidc_client_id,
                oidc_client_secret_arn,
                providers,
                due_shards,
            },
        );
        env.finish(config)
    }
}
