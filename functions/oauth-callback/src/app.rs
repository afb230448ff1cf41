//! What handlers work with: clients and configuration, made once.

use std::sync::Arc;

use aws_config::SdkConfig;
use tributary::{
    oauth::{
        App as OauthApp, Endpoint, TokenClient,
        http::{HostOrigin, TokenHttp},
        provider::provider,
    },
    store::Store,
    tenancy::RoleSessions,
    vault::Vault,
};

use crate::{config::Config, sign_in::SignIn};

/// A provider of connections, as this deployment talks to it.
#[derive(Debug, Clone)]
pub(crate) struct ProviderLink {
    /// Token calls.
    pub(crate) client: TokenClient,
    /// The configured login host.
    pub(crate) login: Endpoint,
    /// Where the provider sends browsers back to; constant, never made from a request.
    pub(crate) redirect_uri: String,
}

/// The state of the router. Cheap to clone, and knows no tenant.
#[derive(Debug, Clone)]
pub struct App {
    pub(crate) config: Arc<Config>,
    pub(crate) store: Store,
    pub(crate) vault: Vault,
    pub(crate) roles: RoleSessions,
    pub(crate) sign_in: SignIn,
    providers: Arc<[ProviderLink]>,
}

impl App {
    /// Makes the clients.
    pub fn new(config: Config, aws: &SdkConfig) -> Result<Self, reqwest::Error> {
        let secrets = aws_sdk_secretsmanager::Client::new(aws);
        let http = TokenHttp::new(HostOrigin::Configured)?;
        let sign_in = SignIn::new(&config, secrets.clone(), http.clone());
        let salesforce = provider("salesforce").map(|row| {
            let login = config.salesforce_login_url.clone();
            let app = OauthApp::stored(secrets, config.salesforce_client_secret_arn.clone());
            ProviderLink {
                client: TokenClient::new(row, row.endpoints(&login), app, http),
                login,
                redirect_uri: config
                    .public_base_url
                    .join(&format!("/connect/callback/{}", row.key))
                    .to_string(),
            }
        });
        Ok(Self {
            store: Store::new(
                aws_sdk_dynamodb::Client::new(aws),
                config.table_name.clone(),
            ),
            vault: Vault::new(aws_sdk_kms::Client::new(aws), config.data_key_arn.clone()),
            roles: RoleSessions::new(aws.clone()),
            sign_in,
            providers: salesforce.into_iter().collect(),
            config: Arc::new(config),
        })
    }

    /// How this deployment talks to a provider.
    pub(crate) fn provider(&self, key: &str) -> Option<&ProviderLink> {
        self.providers
            .iter()
            .find(|link| link.client.provider().key == key)
    }
}
