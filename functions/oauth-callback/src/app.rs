//! What handlers work with: clients and configuration, made once.

use std::{ops::Deref, sync::Arc};

use aws_config::SdkConfig;
use tributary::{
    connection::{Connection, revocation::Revoker},
    error::Result,
    http::Audit,
    id::TenantId,
    limit::Limiter,
    oauth::{
        Provider, ProviderLink, Providers, Target,
        http::{HostOrigin, TokenHttp},
    },
    store::Store,
    tenancy::{RoleSessions, TenantScopes},
    vault::Vault,
};

use crate::{config::Config, guess::Guesses, sign_in::SignIn};

/// The state of the router. Cheap to clone, and knows no tenant.
#[derive(Debug, Clone)]
pub struct App {
    pub(crate) config: Arc<Config>,
    pub(crate) audit: Audit,
    pub(crate) guesses: Guesses,
    /// The table, for what is no tenant's: sessions, links, consents under way.
    pub(crate) shared: Store,
    /// Seals what is no tenant's: sign-ins.
    pub(crate) sign_ins: Vault,
    /// The table and the vault, for one tenant at a time.
    pub(crate) scopes: TenantScopes,
    pub(crate) roles: RoleSessions,
    pub(crate) sign_in: SignIn,
    pub(crate) providers: Providers,
}

impl App {
    /// Makes the clients.
    pub fn new(config: Config, aws: &SdkConfig) -> std::result::Result<Self, reqwest::Error> {
        let secrets = aws_sdk_secretsmanager::Client::new(aws);
        let http = TokenHttp::new(HostOrigin::Configured)?;
        let sign_in = SignIn::new(&config, secrets.clone(), http);
        let providers = Providers::new(config.providers.clone(), secrets.clone())?;
        let shared = Store::new(
            aws_sdk_dynamodb::Client::new(aws),
            config.table_name.clone(),
        );
        let limiter = Limiter::new(shared.clone(), config.limits);
        let key = config.sealing_key_secret_arn.clone();
        Ok(Self {
            guesses: Guesses::new(limiter, secrets.clone(), key),
            audit: Audit::of_handlers(config.audit.clone(), aws.clone()),
            shared,
            sign_ins: Vault::new(aws_sdk_kms::Client::new(aws), config.vault_keys.clone()),
            scopes: TenantScopes::new(aws.clone(), config.scopes.clone()),
            roles: RoleSessions::new(aws.clone()),
            sign_in,
            providers,
            config: Arc::new(config),
        })
    }

    /// How this deployment talks to a connection's provider.
    pub(crate) fn link(&self, connection: &Connection) -> Result<ProviderLink> {
        self.providers.link(Target::of(connection))
    }

    /// Where a provider sends browsers back to: constant, never made from a request.
    pub(crate) fn redirect_uri(&self, provider: &Provider) -> String {
        let path = format!("/connect/callback/{}", provider.key);
        self.config.public_base_url.join(&path).to_string()
    }
}

/// The function at work for one tenant: its store and its vault are the tenant's.
#[derive(Debug, Clone)]
pub(crate) struct TenantApp {
    app: App,
    pub(crate) store: Store,
    pub(crate) vault: Vault,
}

impl App {
    /// The function, at work for the tenant that a link or a consent belongs to.
    pub(crate) async fn within(&self, tenant: TenantId) -> Result<TenantApp> {
        let scope = self.scopes.of(tenant).await?;
        Ok(TenantApp {
            store: scope.store().clone(),
            vault: scope.vault().clone(),
            app: self.clone(),
        })
    }
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
