//! What handlers work with: clients and configuration, made once.

use std::sync::Arc;

use aws_config::SdkConfig;
use tributary::{
    connection::{Connection, revocation::Revoker},
    error::Result,
    http::Audit,
    oauth::{
        Provider, ProviderLink, Providers, Target,
        http::{HostOrigin, TokenHttp},
    },
    store::Store,
    tenancy::RoleSessions,
    vault::Vault,
};

use crate::{config::Config, sign_in::SignIn};

/// The state of the router. Cheap to clone, and knows no tenant.
#[derive(Debug, Clone)]
pub struct App {
    pub(crate) config: Arc<Config>,
    pub(crate) audit: Audit,
    pub(crate) store: Store,
    pub(crate) vault: Vault,
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
        let providers = Providers::new(config.providers.clone(), secrets)?;
        Ok(Self {
            audit: Audit::of_handlers(config.audit.clone(), aws.clone()),
            store: Store::new(
                aws_sdk_dynamodb::Client::new(aws),
                config.table_name.clone(),
            ),
            vault: Vault::new(aws_sdk_kms::Client::new(aws), config.vault_keys.clone()),
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

    /// What ends grants at their providers.
    pub(crate) const fn revoker(&self) -> Revoker<'_> {
        Revoker {
            store: &self.store,
            vault: &self.vault,
            providers: &self.providers,
        }
    }

    /// Where a provider sends browsers back to: constant, never made from a request.
    pub(crate) fn redirect_uri(&self, provider: &Provider) -> String {
        let path = format!("/connect/callback/{}", provider.key);
        self.config.public_base_url.join(&path).to_string()
    }
}
