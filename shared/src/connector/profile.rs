//! Connector profiles: how access tokens and roles get into AppFlow.
//!
//! For connections whose refresh token is ours, AppFlow gets the access token and the instance, and
//! nothing else: an [`AccessToken`] is made from a bundle or an answer only, and no function here
//! takes a refresh token or a client secret.

mod push;
mod redshift;

use aws_sdk_appflow::types::{
    ConnectorProfileConfig, ConnectorProfileCredentials, ConnectorProfileProperties, ConnectorType,
    SalesforceConnectorProfileCredentials, SalesforceConnectorProfileProperties,
};
use uuid::Uuid;

pub use push::{PushError, PushFailure};
pub use redshift::RedshiftProperties;

use crate::{
    connection::Connection,
    oauth::{InstanceUrl, TokenAnswer, TokenBundle},
    secret::Secret,
};

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

/// What a profile consists of.
#[derive(Clone)]
struct Profile {
    kind: ConnectorType,
    config: ConnectorProfileConfig,
}

/// Gives AppFlow the access token of a connection's current generation: creates the profile, or
/// updates it. Repeating the call with the same generation has no further effect.
pub async fn push_tokens(
    appflow: &aws_sdk_appflow::Client,
    connection: &Connection,
    instance: &InstanceUrl,
    access_token: AccessToken<'_>,
) -> Result<(), PushError> {
    push::put(appflow, connection, &salesforce(instance, access_token)).await
}

/// Gives AppFlow the roles of a Redshift connection: creates the profile, or updates it.
pub async fn push_roles(
    appflow: &aws_sdk_appflow::Client,
    connection: &Connection,
    properties: &RedshiftProperties,
) -> Result<(), PushError> {
    push::put(appflow, connection, &properties.profile()?).await
}

/// Salesforce with an access token alone.
///
/// Whether AppFlow takes a profile without a refresh token, and what it does when the token ends, is
/// not documented; this function is the one place that relies on it.
fn salesforce(instance: &InstanceUrl, token: AccessToken<'_>) -> Profile {
    let credentials = SalesforceConnectorProfileCredentials::builder()
        .access_token(token.0.expose())
        .build();
    let properties = SalesforceConnectorProfileProperties::builder()
        .instance_url(instance.as_str())
        .is_sandbox_environment(instance.as_str().contains(".sandbox."))
        .build();
    Profile::new(
        ConnectorType::Salesforce,
        ConnectorProfileProperties::builder()
            .salesforce(properties)
            .build(),
        ConnectorProfileCredentials::builder()
            .salesforce(credentials)
            .build(),
    )
}

impl Profile {
    fn new(
        kind: ConnectorType,
        properties: ConnectorProfileProperties,
        credentials: ConnectorProfileCredentials,
    ) -> Self {
        let config = ConnectorProfileConfig::builder()
            .connector_profile_properties(properties)
            .connector_profile_credentials(credentials)
            .build();
        Self { kind, config }
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
