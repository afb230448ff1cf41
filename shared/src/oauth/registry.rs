//! Which providers a deployment uses, and how it talks to each of them for one connection.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
};

use aws_sdk_secretsmanager::Client;

use super::{
    App, Endpoint, InstanceUrl, Provider, TokenClient,
    http::{HostOrigin, TokenHttp},
    provider::{PROVIDERS, provider},
};
use crate::{
    config::Env,
    connection::{AppOwner, Connection},
    connector::{Connector, connector},
    error::{Error, Kind},
    id::TenantId,
};

/// What stands for the user's label in the bases of instances.
const PLACEHOLDER: &str = "{instance}";

/// One label of a host name, as a user gives it for an instance (`acme` of `acme.zendesk.com`).
/// Never a URL: what a token is sent to is made from this and a base of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceLabel(String);

/// Why a text is no label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an instance is one label of a host name: a-z, 0-9 and hyphens inside, 63 at most")]
pub struct InvalidLabel;

impl FromStr for InstanceLabel {
    type Err = InvalidLabel;

    fn from_str(unverified: &str) -> Result<Self, InvalidLabel> {
        let sound = (1..=63).contains(&unverified.len())
            && !unverified.starts_with('-')
            && !unverified.ends_with('-')
            && unverified
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        sound
            .then(|| Self(unverified.to_owned()))
            .ok_or(InvalidLabel)
    }
}

impl InstanceLabel {
    /// The label.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Which providers are on, where their apps' secrets are, and which hosts differ.
#[derive(Debug, Clone)]
pub struct ProviderConfig {
    /// `OAUTH_PROVIDERS`: keys of the providers that are on.
    pub providers: Vec<String>,
    /// `OAUTH_APP_SECRET_PREFIX`: the vendor's app at a provider is the secret of this name followed
    /// by the provider's key.
    pub secret_prefix: String,
    /// `OAUTH_HOSTS`: bases that differ from the table's (`salesforce=https://test.salesforce.com`),
    /// by the key of a provider or, for applications' instances, of a connector. May hold
    /// `{instance}`.
    pub hosts: BTreeMap<String, String>,
}

impl ProviderConfig {
    /// Reads the three variables; every fault goes to `env`.
    pub fn from_env(env: &mut Env) -> Self {
        let providers = env.list("OAUTH_PROVIDERS");
        for key in &providers {
            if provider(key).is_none() {
                env.fault(format!("OAUTH_PROVIDERS names {key}, which is unknown"));
            }
        }
        let mut hosts = BTreeMap::new();
        for entry in env.optional_list("OAUTH_HOSTS") {
            let Some((key, base)) = entry.split_once('=') else {
                env.fault("OAUTH_HOSTS is a list of key=https://base");
                continue;
            };
            if provider(key).is_none() && connector(key).is_none() {
                env.fault(format!("OAUTH_HOSTS names {key}, which is unknown"));
            }
            if let Err(error) = base.replace(PLACEHOLDER, "x").parse::<Endpoint>() {
                env.fault(format!("OAUTH_HOSTS: {key}: {error}"));
            }
            hosts.insert(key.to_owned(), base.to_owned());
        }
        Self {
            providers,
            secret_prefix: env.required("OAUTH_APP_SECRET_PREFIX"),
            hosts,
        }
    }
}

/// How one connection's provider is talked to.
#[derive(Debug, Clone)]
pub struct ProviderLink {
    /// The application.
    pub connector: &'static Connector,
    /// Token calls.
    pub client: TokenClient,
    /// Base of the provider's endpoints: what `iss` is compared with, and the host of the gate.
    pub login: Endpoint,
    /// The application's instance, where it follows from the label; Salesforce names its own in
    /// each answer.
    pub instance: Option<InstanceUrl>,
    /// Scopes to ask for.
    pub scopes: Vec<String>,
    /// Calls to the application itself, with an access token.
    pub http: TokenHttp,
}

impl ProviderLink {
    /// The provider's row.
    pub const fn provider(&self) -> &'static Provider {
        self.client.provider()
    }
}

/// What a link is made for.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// Key of the connector.
    pub connector: &'a str,
    /// The tenant.
    pub tenant: TenantId,
    /// Whose app.
    pub app: AppOwner,
    /// The user's label.
    pub instance: Option<&'a str>,
}

impl<'a> Target<'a> {
    /// What a connection needs.
    pub fn of(connection: &'a Connection) -> Self {
        Self {
            connector: &connection.connector,
            tenant: connection.tenant_id,
            app: connection.app,
            instance: connection.instance.as_deref(),
        }
    }
}

/// The providers of this deployment. Cheap to clone; remembers apps' credentials for minutes.
#[derive(Clone)]
pub struct Providers(Arc<Inner>);

struct Inner {
    config: ProviderConfig,
    secrets: Client,
    configured: TokenHttp,
    foreign: TokenHttp,
    /// By tenant, where the app is its own, and provider.
    apps: Mutex<HashMap<(Option<TenantId>, &'static str), App>>,
}

impl fmt::Debug for Providers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Providers")
            .field(&self.0.config.providers)
            .finish()
    }
}

impl Providers {
    /// Makes the clients.
    pub fn new(config: ProviderConfig, secrets: Client) -> Result<Self, reqwest::Error> {
        Ok(Self(Arc::new(Inner {
            config,
            secrets,
            configured: TokenHttp::new(HostOrigin::Configured)?,
            foreign: TokenHttp::new(HostOrigin::Foreign)?,
            apps: Mutex::default(),
        })))
    }

    /// The providers that are on.
    pub fn rows(&self) -> impl Iterator<Item = &'static Provider> {
        let on = &self.0.config.providers;
        PROVIDERS.iter().filter(|row| is_on(on, row.key))
    }

    /// The row of a provider that is on.
    pub fn row(&self, key: &str) -> Option<&'static Provider> {
        self.rows().find(|row| row.key == key)
    }

    /// How to talk to the provider of a connection.
    pub fn link(&self, target: Target<'_>) -> Result<ProviderLink, Error> {
        let connector = connector(target.connector).ok_or_else(|| no_provider(target.connector))?;
        let row = connector
            .provider
            .and_then(|key| self.row(key))
            .ok_or_else(|| no_provider(target.connector))?;
        let label = target
            .instance
            .map(str::parse::<InstanceLabel>)
            .transpose()
            .map_err(|error| invalid_instance().with_source(error))?;
        let place = self.place(row, label.as_ref())?;
        let instance = self.instance(connector, row, label.as_ref(), &place)?;
        let http = if place.foreign {
            self.0.foreign.clone()
        } else {
            self.0.configured.clone()
        };
        let endpoints = row.endpoints_at(&place.base, &place.authorize);
        let scopes = scopes(connector, row, instance.as_ref());
        let app = self.app(row, target.tenant, target.app);
        Ok(ProviderLink {
            connector,
            client: TokenClient::new(row, endpoints, app, http.clone()),
            login: place.base,
            instance,
            scopes,
            http,
        })
    }

    /// Where the application of a connection without a provider of ours is: made from the label.
    pub fn instance_of(
        &self,
        connector: &Connector,
        label: Option<&str>,
    ) -> Result<Option<InstanceUrl>, Error> {
        let Some(template) = connector.instance_base() else {
            return Ok(None);
        };
        let label = label.ok_or_else(invalid_instance)?;
        let label: InstanceLabel = label
            .parse()
            .map_err(|error| invalid_instance().with_source(error))?;
        let hosts = &self.0.config.hosts;
        let configured = hosts
            .get(connector.key)
            .or_else(|| hosts.get(connector.provider?));
        let base = configured.map_or(template, String::as_str);
        Ok(Some(InstanceUrl::of_base(&at(base, Some(&label))?)))
    }

    /// Our registration at a provider: the vendor's, or the tenant's own.
    pub fn app(&self, row: &Provider, tenant: TenantId, owner: AppOwner) -> App {
        let (whose, name) = match owner {
            AppOwner::Vendor => (None, format!("{}{}", self.0.config.secret_prefix, row.key)),
            AppOwner::Tenant => (Some(tenant), tenant_app_secret(tenant, row.key)),
        };
        let mut apps = self.0.apps.lock().unwrap_or_else(PoisonError::into_inner);
        let made = || App::stored(self.0.secrets.clone(), name);
        apps.entry((whose, row.key)).or_insert_with(made).clone()
    }

    /// The base of a provider's endpoints, and of its authorization endpoint.
    fn place(&self, row: &Provider, label: Option<&InstanceLabel>) -> Result<Place, Error> {
        let configured = self.0.config.hosts.get(row.key).map(String::as_str);
        // A label makes the host only where the table says so; a configured base may hold it too.
        let (base, own_host) = match (configured, row.hosts.instance, label) {
            (Some(base), _, _) => (base, false),
            (None, Some(template), Some(_)) => (template, true),
            (None, _, _) => (row.hosts.fixed.ok_or_else(invalid_instance)?, false),
        };
        let authorize = match configured {
            None if !own_host => row.hosts.authorize.unwrap_or(base),
            _ => base,
        };
        Ok(Place {
            base: at(base, label)?,
            authorize: at(authorize, label)?,
            foreign: own_host,
        })
    }

    /// The application's instance that follows from the label. What has none of its own is at the
    /// provider's host; Salesforce says where it is.
    fn instance(
        &self,
        connector: &Connector,
        row: &Provider,
        label: Option<&InstanceLabel>,
        place: &Place,
    ) -> Result<Option<InstanceUrl>, Error> {
        let hosts = &self.0.config.hosts;
        let base = match connector.oauth.instance {
            Some(template) => hosts.get(connector.key).map_or(template, String::as_str),
            None if row.hosts.instance.is_some() && row.instance_suffixes.is_empty() => {
                return Ok(Some(InstanceUrl::of_base(&place.base)));
            }
            None => return Ok(None),
        };
        Ok(Some(InstanceUrl::of_base(&at(base, label)?)))
    }
}

struct Place {
    base: Endpoint,
    authorize: Endpoint,
    /// Whether the host is made from what a user gave.
    foreign: bool,
}

/// A base, with the label in its place. A label that is needed and missing is the user's fault.
fn at(base: &str, label: Option<&InstanceLabel>) -> Result<Endpoint, Error> {
    let text = match label {
        Some(label) => base.replace(PLACEHOLDER, label.as_str()),
        None if base.contains(PLACEHOLDER) => return Err(invalid_instance()),
        None => base.to_owned(),
    };
    text.parse().map_err(|error| {
        Error::internal("bad_host", "a provider's base is not usable").with_source(error)
    })
}

fn scopes(connector: &Connector, row: &Provider, instance: Option<&InstanceUrl>) -> Vec<String> {
    let scopes = if connector.oauth.scopes.is_empty() {
        row.scopes
    } else {
        connector.oauth.scopes
    };
    let instance = instance.map(InstanceUrl::as_str).unwrap_or_default();
    scopes
        .iter()
        .map(|scope| scope.replace(PLACEHOLDER, instance))
        .collect()
}

/// Name of the secret that holds a tenant's own app at a provider.
pub fn tenant_app_secret(tenant: TenantId, provider: &str) -> String {
    format!("tributary/tenants/{tenant}/oauth-apps/{provider}")
}

/// Name of the secret that holds a connection's long-lived credentials.
pub fn credentials_secret(connection: &Connection) -> String {
    format!(
        "tributary/tenants/{}/connections/{}",
        connection.tenant_id, connection.id
    )
}

fn is_on(on: &[String], key: &str) -> bool {
    on.iter().any(|name| name == key)
}

fn no_provider(connector: &str) -> Error {
    Error::new(
        Kind::Conflict,
        "provider_not_configured",
        "This deployment has no app at the provider of these connections.",
    )
    .with_log(format!("connector {connector} has no provider that is on"))
}

fn invalid_instance() -> Error {
    Error::new(
        Kind::Conflict,
        "invalid_instance",
        "The instance of the application is missing, or is not one label of a host name.",
    )
}

#[cfg(test)]
mod tests;
