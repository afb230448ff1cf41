//! Connector profiles: how tokens, credentials and roles get into AppFlow.
//!
//! What goes in is told apart by type. For connections whose refresh token is ours, AppFlow gets an
//! [`AccessToken`], which is made from a bundle or an answer only. [`AppflowOwned`] is made only for
//! a connection whose refresh token is AppFlow's. [`Credentials`] are the user's own.

mod credentials;
mod given;
mod oauth;
mod push;

use std::collections::HashMap;

use aws_sdk_appflow::{
    Client,
    types::{
        ConnectorProfileConfig, ConnectorType,
        builders::{ConnectorProfileCredentialsBuilder, ConnectorProfilePropertiesBuilder},
    },
};
use uuid::Uuid;

pub use given::Credentials;
pub use push::{PushError, PushFailure};

use super::{AuthKind, Connector, connector};
use crate::{
    connection::{Connection, TokenOwner},
    oauth::{AppCredentials, InstanceUrl, TokenAnswer, TokenBundle},
    secret::Secret,
};
use oauth::Tokens;

/// Properties that AppFlow has elsewhere than in a connector's own.
const NOT_THE_CONNECTORS: [&str; 3] = ["connectorLabel", "customAuthenticationType", "tokenUrl"];

type Config = (
    ConnectorProfilePropertiesBuilder,
    ConnectorProfileCredentialsBuilder,
);

/// An access token on its way to AppFlow. Cannot be made from any other secret.
#[derive(Debug, Clone, Copy)]
pub struct AccessToken<'a>(&'a Secret);

impl<'a> From<&'a TokenBundle> for AccessToken<'a> {
    fn from(bundle: &'a TokenBundle) -> Self {
        Self(&bundle.access_token)
    }
}

impl<'a> From<&'a TokenAnswer> for AccessToken<'a> {
    fn from(answer: &'a TokenAnswer) -> Self {
        Self(&answer.access_token)
    }
}

/// Everything that AppFlow needs to refresh by itself.
#[derive(Debug, Clone, Copy)]
pub struct AppflowOwned<'a> {
    access: &'a Secret,
    refresh: &'a Secret,
    client_id: &'a str,
    client_secret: &'a Secret,
}

impl<'a> AppflowOwned<'a> {
    /// Of a connection whose refresh token is AppFlow's, and of no other: none where we refresh,
    /// where the catalogue does not allow it, or where something is missing.
    pub fn of(
        connection: &Connection,
        bundle: &'a TokenBundle,
        app: &'a AppCredentials,
    ) -> Option<Self> {
        let owner = TokenOwner::Appflow;
        let method = connector(&connection.connector)?.method(connection.auth)?;
        let allowed = connection.token_owner == owner && method.token_owners.contains(&owner);
        allowed.then_some(())?;
        Some(Self {
            access: &bundle.access_token,
            refresh: bundle.refresh_token.as_ref()?,
            client_id: &app.client_id,
            client_secret: app.client_secret.as_ref()?,
        })
    }
}

/// What a profile consists of.
#[derive(Clone)]
struct Profile {
    kind: ConnectorType,
    label: Option<String>,
    config: ConnectorProfileConfig,
}

/// Gives AppFlow the access token of a connection's current generation: creates the profile, or
/// updates it. Repeating the call with the same generation has no further effect.
pub async fn push_tokens(
    appflow: &Client,
    connection: &Connection,
    instance: Option<&InstanceUrl>,
    access_token: AccessToken<'_>,
) -> Result<(), PushError> {
    let place = Place::of(connection, instance)?;
    let config = oauth::config(&place, Tokens::Access(access_token))?;
    push::put(appflow, connection, &place.profile(config)).await
}

/// Gives AppFlow everything that it needs to refresh by itself.
pub async fn push_owned(
    appflow: &Client,
    connection: &Connection,
    instance: Option<&InstanceUrl>,
    owned: &AppflowOwned<'_>,
) -> Result<(), PushError> {
    let place = Place::of(connection, instance)?;
    let config = oauth::config(&place, Tokens::Owned(owned))?;
    push::put(appflow, connection, &place.profile(config)).await
}

/// Gives AppFlow the user's own credentials, which for roles are none.
pub async fn push_credentials(
    appflow: &Client,
    connection: &Connection,
    instance: Option<&InstanceUrl>,
    given: &Credentials,
) -> Result<(), PushError> {
    let place = Place::of(connection, instance)?;
    let config = credentials::config(&place, given)?;
    push::put(appflow, connection, &place.profile(config)).await
}

/// The application that a profile leads to.
struct Place<'a> {
    row: &'static Connector,
    kind: AuthKind,
    connection: &'a Connection,
    instance: Option<&'a InstanceUrl>,
}

impl<'a> Place<'a> {
    fn of(
        connection: &'a Connection,
        instance: Option<&'a InstanceUrl>,
    ) -> Result<Self, PushError> {
        let row = connector(&connection.connector)
            .ok_or_else(|| PushError::wrong("the connector is unknown".to_owned()))?;
        Ok(Self {
            row,
            kind: connection.auth,
            connection,
            instance,
        })
    }

    fn instance(&self) -> Result<&'a str, PushError> {
        let instance = self.instance.map(InstanceUrl::as_str);
        instance.ok_or_else(|| PushError::wrong("the instance is not known".to_owned()))
    }

    fn property(&self, name: &str) -> Result<&'a str, PushError> {
        let value = self.connection.properties.get(name).map(String::as_str);
        value.ok_or_else(|| PushError::wrong(format!("the property {name} is missing")))
    }

    fn optional(&self, name: &str) -> Option<String> {
        self.connection.properties.get(name).cloned()
    }

    /// Where AppFlow's connector gets tokens.
    fn token_url(&self) -> Result<String, PushError> {
        let label = self.connection.instance.as_deref().unwrap_or_default();
        match self.row.oauth.profile_token_url {
            Some(url) => Ok(url.replace("{instance}", label)),
            None => self.property("tokenUrl").map(str::to_owned),
        }
    }

    /// What a connector behind `CustomConnector` defines itself.
    fn profile_properties(&self) -> HashMap<String, String> {
        let own = self.connection.properties.iter();
        let mut properties: HashMap<String, String> = own
            .filter(|(name, _)| !NOT_THE_CONNECTORS.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        if let (Some(instance), Some(_)) = (self.instance, self.row.instance_base()) {
            properties.insert("instanceUrl".to_owned(), instance.as_str().to_owned());
        }
        properties
    }

    fn profile(&self, (properties, credentials): Config) -> Profile {
        let custom = self.row.property_key == "CustomConnector";
        let label = self.row.custom_label.map(str::to_owned);
        Profile {
            kind: ConnectorType::from(self.row.appflow_type),
            label: label.or_else(|| custom.then(|| self.optional("connectorLabel"))?),
            config: ConnectorProfileConfig::builder()
                .connector_profile_properties(properties.build())
                .connector_profile_credentials(credentials.build())
                .build(),
        }
    }
}

/// Names one call about one generation, so that a call whose answer was lost can be sent again.
/// AppFlow refuses a token that comes back with other parameters, hence the operation in it.
fn client_token(connection: &Connection, operation: &str) -> String {
    let name = format!("{operation}:{}", connection.generation);
    Uuid::new_v5(&connection.id.as_uuid(), name.as_bytes()).to_string()
}

#[cfg(test)]
mod tests;
