//! Profiles with tokens. The type of what goes in decides who refreshes.

use aws_sdk_appflow::types::{
    AuthenticationType, ConnectorProfileCredentials, ConnectorProfileProperties,
    CustomConnectorProfileCredentials, CustomConnectorProfileProperties,
    GoogleAnalyticsConnectorProfileCredentials, GoogleAnalyticsConnectorProfileProperties,
    OAuth2Credentials, OAuth2GrantType, OAuth2Properties, PardotConnectorProfileCredentials,
    PardotConnectorProfileProperties, SalesforceConnectorProfileCredentials,
    SalesforceConnectorProfileProperties, ServiceNowConnectorProfileCredentials,
    ServiceNowConnectorProfileProperties, SlackConnectorProfileCredentials,
    SlackConnectorProfileProperties, ZendeskConnectorProfileCredentials,
    ZendeskConnectorProfileProperties,
};

use super::{AccessToken, AppflowOwned, Config, Place, PushError};

/// What AppFlow demands and nobody uses, because the refresh token is not AppFlow's.
const NO_CLIENT_ID: &str = "dummyClientId";
const NO_CLIENT_SECRET: &str = "dummyClientSecret";
const NO_REFRESH_TOKEN: &str = "dummyRefreshToken";

/// What a profile gets.
#[derive(Debug, Clone, Copy)]
pub(super) enum Tokens<'a> {
    /// The access token alone.
    Access(AccessToken<'a>),
    /// Everything, because AppFlow refreshes.
    Owned(&'a AppflowOwned<'a>),
}

impl<'a> Tokens<'a> {
    fn access(self) -> &'a str {
        match self {
            Self::Access(token) => token.0.expose(),
            Self::Owned(owned) => owned.access.expose(),
        }
    }

    fn refresh(self) -> Option<&'a str> {
        match self {
            Self::Access(_) => None,
            Self::Owned(owned) => Some(owned.refresh.expose()),
        }
    }

    fn client_id(self) -> Option<&'a str> {
        match self {
            Self::Access(_) => None,
            Self::Owned(owned) => Some(owned.client_id),
        }
    }

    fn client_secret(self) -> Option<&'a str> {
        match self {
            Self::Access(_) => None,
            Self::Owned(owned) => Some(owned.client_secret.expose()),
        }
    }
}

/// The profile of an application, by AppFlow's key.
pub(super) fn config(place: &Place<'_>, tokens: Tokens<'_>) -> Result<Config, PushError> {
    match place.row.property_key {
        "Salesforce" => salesforce(place, tokens),
        "Pardot" => pardot(place, tokens),
        "ServiceNow" => service_now(place, tokens),
        "Zendesk" => zendesk(place, tokens),
        "Slack" => slack(place, tokens),
        "GoogleAnalytics" => google_analytics(tokens),
        "CustomConnector" => custom(place, tokens),
        other => Err(PushError::wrong(format!("{other} takes no tokens"))),
    }
}

/// Salesforce with an access token alone.
///
/// Whether AppFlow takes a profile without a refresh token, and what it does when the token ends, is
/// not documented; this function and its like are the place that relies on it.
fn salesforce(place: &Place<'_>, tokens: Tokens<'_>) -> Result<Config, PushError> {
    let instance = place.instance()?;
    let credentials = SalesforceConnectorProfileCredentials::builder()
        .access_token(tokens.access())
        .set_refresh_token(tokens.refresh().map(str::to_owned))
        .build();
    let properties = SalesforceConnectorProfileProperties::builder()
        .instance_url(instance)
        .is_sandbox_environment(instance.contains(".sandbox."))
        .build();
    Ok((
        ConnectorProfileProperties::builder().salesforce(properties),
        ConnectorProfileCredentials::builder().salesforce(credentials),
    ))
}

fn pardot(place: &Place<'_>, tokens: Tokens<'_>) -> Result<Config, PushError> {
    let instance = place.instance()?;
    let credentials = PardotConnectorProfileCredentials::builder()
        .access_token(tokens.access())
        .set_refresh_token(tokens.refresh().map(str::to_owned))
        .build();
    let properties = PardotConnectorProfileProperties::builder()
        .instance_url(instance)
        .is_sandbox_environment(instance.contains(".sandbox."))
        .business_unit_id(place.property("businessUnitId")?)
        .build();
    Ok((
        ConnectorProfileProperties::builder().pardot(properties),
        ConnectorProfileCredentials::builder().pardot(credentials),
    ))
}

fn service_now(place: &Place<'_>, tokens: Tokens<'_>) -> Result<Config, PushError> {
    let credentials = ServiceNowConnectorProfileCredentials::builder()
        .o_auth2_credentials(oauth2(place, tokens))
        .build();
    let properties = ServiceNowConnectorProfileProperties::builder()
        .instance_url(place.instance()?)
        .build()?;
    Ok((
        ConnectorProfileProperties::builder().service_now(properties),
        ConnectorProfileCredentials::builder().service_now(credentials),
    ))
}

fn zendesk(place: &Place<'_>, tokens: Tokens<'_>) -> Result<Config, PushError> {
    let credentials = ZendeskConnectorProfileCredentials::builder()
        .client_id(tokens.client_id().unwrap_or(NO_CLIENT_ID))
        .client_secret(tokens.client_secret().unwrap_or(NO_CLIENT_SECRET))
        .access_token(tokens.access())
        .build()?;
    let properties = ZendeskConnectorProfileProperties::builder()
        .instance_url(place.instance()?)
        .build()?;
    Ok((
        ConnectorProfileProperties::builder().zendesk(properties),
        ConnectorProfileCredentials::builder().zendesk(credentials),
    ))
}

fn slack(place: &Place<'_>, tokens: Tokens<'_>) -> Result<Config, PushError> {
    let credentials = SlackConnectorProfileCredentials::builder()
        .client_id(tokens.client_id().unwrap_or(NO_CLIENT_ID))
        .client_secret(tokens.client_secret().unwrap_or(NO_CLIENT_SECRET))
        .access_token(tokens.access())
        .build()?;
    let properties = SlackConnectorProfileProperties::builder()
        .instance_url(place.instance()?)
        .build()?;
    Ok((
        ConnectorProfileProperties::builder().slack(properties),
        ConnectorProfileCredentials::builder().slack(credentials),
    ))
}

fn google_analytics(tokens: Tokens<'_>) -> Result<Config, PushError> {
    let credentials = GoogleAnalyticsConnectorProfileCredentials::builder()
        .client_id(tokens.client_id().unwrap_or(NO_CLIENT_ID))
        .client_secret(tokens.client_secret().unwrap_or(NO_CLIENT_SECRET))
        .access_token(tokens.access())
        .set_refresh_token(tokens.refresh().map(str::to_owned))
        .build()?;
    let properties = GoogleAnalyticsConnectorProfileProperties::builder().build();
    Ok((
        ConnectorProfileProperties::builder().google_analytics(properties),
        ConnectorProfileCredentials::builder().google_analytics(credentials),
    ))
}

fn custom(place: &Place<'_>, tokens: Tokens<'_>) -> Result<Config, PushError> {
    let credentials = CustomConnectorProfileCredentials::builder()
        .authentication_type(AuthenticationType::Oauth2)
        .oauth2(oauth2(place, tokens))
        .build()?;
    let oauth = OAuth2Properties::builder()
        .token_url(place.token_url()?)
        .o_auth2_grant_type(OAuth2GrantType::AuthorizationCode)
        .build()?;
    let properties = CustomConnectorProfileProperties::builder()
        .set_profile_properties(Some(place.profile_properties()))
        .o_auth2_properties(oauth)
        .build();
    Ok((
        ConnectorProfileProperties::builder().custom_connector(properties),
        ConnectorProfileCredentials::builder().custom_connector(credentials),
    ))
}

/// Some connectors look at members that an access token alone does not need.
fn oauth2(place: &Place<'_>, tokens: Tokens<'_>) -> OAuth2Credentials {
    let or = |value: Option<&str>, placeholder: &str| {
        let demanded = place.row.oauth.demands_client;
        value.or(demanded.then_some(placeholder)).map(str::to_owned)
    };
    OAuth2Credentials::builder()
        .set_client_id(or(tokens.client_id(), NO_CLIENT_ID))
        .set_client_secret(or(tokens.client_secret(), NO_CLIENT_SECRET))
        .access_token(tokens.access())
        .set_refresh_token(or(tokens.refresh(), NO_REFRESH_TOKEN))
        .build()
}
