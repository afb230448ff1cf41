//! Profiles from a user's own credentials, and from roles.

use std::collections::HashMap;

use aws_sdk_appflow::types::{
    AmplitudeConnectorProfileCredentials, AmplitudeConnectorProfileProperties, ApiKeyCredentials,
    AuthenticationType, BasicAuthCredentials, ConnectorProfileCredentials,
    ConnectorProfileProperties, CustomAuthCredentials, CustomConnectorProfileCredentials,
    CustomConnectorProfileProperties, DatadogConnectorProfileCredentials,
    DatadogConnectorProfileProperties, DynatraceConnectorProfileCredentials,
    DynatraceConnectorProfileProperties, InforNexusConnectorProfileCredentials,
    InforNexusConnectorProfileProperties, MarketoConnectorProfileCredentials,
    MarketoConnectorProfileProperties, OAuth2Credentials, OAuth2GrantType, OAuth2Properties,
    RedshiftConnectorProfileCredentials, RedshiftConnectorProfileProperties,
    SapoDataConnectorProfileCredentials, SapoDataConnectorProfileProperties,
    ServiceNowConnectorProfileCredentials, ServiceNowConnectorProfileProperties,
    SingularConnectorProfileCredentials, SingularConnectorProfileProperties,
    SnowflakeConnectorProfileCredentials, SnowflakeConnectorProfileProperties,
    TrendmicroConnectorProfileCredentials, TrendmicroConnectorProfileProperties,
    VeevaConnectorProfileCredentials, VeevaConnectorProfileProperties,
};

use super::{Config, Credentials, Place, PushError};
use crate::connector::AuthKind;

/// The profile of an application, by AppFlow's key.
pub(super) fn config(place: &Place<'_>, given: &Credentials) -> Result<Config, PushError> {
    match place.row.property_key {
        "ServiceNow" => service_now(place, given),
        "SAPOData" => sap_odata(place, given),
        "Veeva" => veeva(place, given),
        "Marketo" => marketo(place, given),
        "Datadog" => datadog(place, given),
        "Dynatrace" => dynatrace(place, given),
        "InforNexus" => infor_nexus(place, given),
        "Singular" => singular(given),
        "Trendmicro" => trend_micro(given),
        "Amplitude" => amplitude(given),
        "Snowflake" => snowflake(place, given),
        "Redshift" => redshift(place),
        "CustomConnector" => custom(place, given),
        other => Err(PushError::wrong(format!("{other} takes no credentials"))),
    }
}

fn service_now(place: &Place<'_>, given: &Credentials) -> Result<Config, PushError> {
    let credentials = ServiceNowConnectorProfileCredentials::builder()
        .username(given.expose("username")?)
        .password(given.expose("password")?)
        .build();
    let properties = ServiceNowConnectorProfileProperties::builder()
        .instance_url(place.instance()?)
        .build()?;
    Ok((
        ConnectorProfileProperties::builder().service_now(properties),
        ConnectorProfileCredentials::builder().service_now(credentials),
    ))
}

fn sap_odata(place: &Place<'_>, given: &Credentials) -> Result<Config, PushError> {
    let port = place
        .property("portNumber")?
        .parse()
        .map_err(|_| PushError::wrong("portNumber is no number".to_owned()))?;
    let credentials = SapoDataConnectorProfileCredentials::builder()
        .basic_auth_credentials(basic(given)?)
        .build();
    let properties = SapoDataConnectorProfileProperties::builder()
        .application_host_url(place.property("applicationHostUrl")?)
        .application_service_path(place.property("applicationServicePath")?)
        .port_number(port)
        .client_number(place.property("clientNumber")?)
        .set_logon_language(place.optional("logonLanguage"))
        .build()?;
    Ok((
        ConnectorProfileProperties::builder().sapo_data(properties),
        ConnectorProfileCredentials::builder().sapo_data(credentials),
    ))
}

fn veeva(place: &Place<'_>, given: &Credentials) -> Result<Config, PushError> {
    let credentials = VeevaConnectorProfileCredentials::builder()
        .username(given.expose("username")?)
        .password(given.expose("password")?)
        .build()?;
    let properties = VeevaConnectorProfileProperties::builder()
        .instance_url(place.instance()?)
        .build()?;
    Ok((
        ConnectorProfileProperties::builder().veeva(properties),
        ConnectorProfileCredentials::builder().veeva(credentials),
    ))
}

fn marketo(place: &Place<'_>, given: &Credentials) -> Result<Config, PushError> {
    let credentials = MarketoConnectorProfileCredentials::builder()
        .client_id(given.expose("clientId")?)
        .client_secret(given.expose("clientSecret")?)
        .build()?;
    let properties = MarketoConnectorProfileProperties::builder()
        .instance_url(place.instance()?)
        .build()?;
    Ok((
        ConnectorProfileProperties::builder().marketo(properties),
        ConnectorProfileCredentials::builder().marketo(credentials),
    ))
}

fn datadog(place: &Place<'_>, given: &Credentials) -> Result<Config, PushError> {
    let credentials = DatadogConnectorProfileCredentials::builder()
        .api_key(given.expose("apiKey")?)
        .application_key(given.expose("applicationKey")?)
        .build()?;
    let properties = DatadogConnectorProfileProperties::builder()
        .instance_url(place.property("instanceUrl")?)
        .build()?;
    Ok((
        ConnectorProfileProperties::builder().datadog(properties),
        ConnectorProfileCredentials::builder().datadog(credentials),
    ))
}

fn dynatrace(place: &Place<'_>, given: &Credentials) -> Result<Config, PushError> {
    let credentials = DynatraceConnectorProfileCredentials::builder()
        .api_token(given.expose("apiToken")?)
        .build()?;
    let properties = DynatraceConnectorProfileProperties::builder()
        .instance_url(place.property("instanceUrl")?)
        .build()?;
    Ok((
        ConnectorProfileProperties::builder().dynatrace(properties),
        ConnectorProfileCredentials::builder().dynatrace(credentials),
    ))
}

fn infor_nexus(place: &Place<'_>, given: &Credentials) -> Result<Config, PushError> {
    let credentials = InforNexusConnectorProfileCredentials::builder()
        .access_key_id(given.expose("accessKeyId")?)
        .user_id(given.expose("userId")?)
        .secret_access_key(given.expose("secretAccessKey")?)
        .datakey(given.expose("datakey")?)
        .build()?;
    let properties = InforNexusConnectorProfileProperties::builder()
        .instance_url(place.property("instanceUrl")?)
        .build()?;
    Ok((
        ConnectorProfileProperties::builder().infor_nexus(properties),
        ConnectorProfileCredentials::builder().infor_nexus(credentials),
    ))
}

fn singular(given: &Credentials) -> Result<Config, PushError> {
    let credentials = SingularConnectorProfileCredentials::builder()
        .api_key(given.expose("apiKey")?)
        .build()?;
    let properties = SingularConnectorProfileProperties::builder().build();
    Ok((
        ConnectorProfileProperties::builder().singular(properties),
        ConnectorProfileCredentials::builder().singular(credentials),
    ))
}

fn trend_micro(given: &Credentials) -> Result<Config, PushError> {
    let credentials = TrendmicroConnectorProfileCredentials::builder()
        .api_secret_key(given.expose("apiSecretKey")?)
        .build()?;
    let properties = TrendmicroConnectorProfileProperties::builder().build();
    Ok((
        ConnectorProfileProperties::builder().trendmicro(properties),
        ConnectorProfileCredentials::builder().trendmicro(credentials),
    ))
}

fn amplitude(given: &Credentials) -> Result<Config, PushError> {
    let credentials = AmplitudeConnectorProfileCredentials::builder()
        .api_key(given.expose("apiKey")?)
        .secret_key(given.expose("secretKey")?)
        .build()?;
    let properties = AmplitudeConnectorProfileProperties::builder().build();
    Ok((
        ConnectorProfileProperties::builder().amplitude(properties),
        ConnectorProfileCredentials::builder().amplitude(credentials),
    ))
}

fn snowflake(place: &Place<'_>, given: &Credentials) -> Result<Config, PushError> {
    let credentials = SnowflakeConnectorProfileCredentials::builder()
        .username(given.expose("username")?)
        .password(given.expose("password")?)
        .build()?;
    let properties = SnowflakeConnectorProfileProperties::builder()
        .warehouse(place.property("warehouse")?)
        .stage(place.property("stage")?)
        .bucket_name(place.property("bucketName")?)
        .set_bucket_prefix(place.optional("bucketPrefix"))
        .account_name(place.property("accountName")?)
        .set_region(place.optional("region"))
        .build()?;
    Ok((
        ConnectorProfileProperties::builder().snowflake(properties),
        ConnectorProfileCredentials::builder().snowflake(credentials),
    ))
}

/// The Data API on Redshift Serverless: roles, and on purpose no user and no password.
fn redshift(place: &Place<'_>) -> Result<Config, PushError> {
    let credentials = RedshiftConnectorProfileCredentials::builder().build();
    let properties = RedshiftConnectorProfileProperties::builder()
        .bucket_name(place.property("bucketName")?)
        .set_bucket_prefix(place.optional("bucketPrefix"))
        .role_arn(place.property("roleArn")?)
        .data_api_role_arn(place.property("dataApiRoleArn")?)
        .is_redshift_serverless(true)
        .workgroup_name(place.property("workgroupName")?)
        .database_name(place.property("databaseName")?)
        .build()?;
    Ok((
        ConnectorProfileProperties::builder().redshift(properties),
        ConnectorProfileCredentials::builder().redshift(credentials),
    ))
}

fn custom(place: &Place<'_>, given: &Credentials) -> Result<Config, PushError> {
    let credentials = CustomConnectorProfileCredentials::builder();
    let properties = CustomConnectorProfileProperties::builder()
        .set_profile_properties(Some(place.profile_properties()));
    let (credentials, properties) = match place.kind {
        AuthKind::Basic => (
            credentials
                .authentication_type(AuthenticationType::Basic)
                .basic(basic(given)?),
            properties,
        ),
        AuthKind::ApiKey => {
            let keys = ApiKeyCredentials::builder()
                .api_key(given.expose("apiKey")?)
                .set_api_secret_key(given.expose("apiSecretKey").ok().map(str::to_owned))
                .build()?;
            (
                credentials
                    .authentication_type(AuthenticationType::Apikey)
                    .api_key(keys),
                properties,
            )
        }
        AuthKind::OauthClientCredentials => {
            let client = OAuth2Credentials::builder()
                .client_id(given.expose("clientId")?)
                .client_secret(given.expose("clientSecret")?)
                .build();
            let oauth = OAuth2Properties::builder()
                .token_url(place.token_url()?)
                .o_auth2_grant_type(OAuth2GrantType::ClientCredentials)
                .build()?;
            (
                credentials
                    .authentication_type(AuthenticationType::Oauth2)
                    .oauth2(client),
                properties.o_auth2_properties(oauth),
            )
        }
        _ => {
            let method = place.row.method(AuthKind::Custom);
            let kind = match method.and_then(|method| method.custom_type) {
                Some(kind) => kind,
                None => place.property("customAuthenticationType")?,
            };
            let map: HashMap<String, String> = given
                .iter()
                .map(|(name, value)| (name.to_owned(), value.expose().to_owned()))
                .collect();
            let custom = CustomAuthCredentials::builder()
                .custom_authentication_type(kind)
                .set_credentials_map(Some(map))
                .build()?;
            (
                credentials
                    .authentication_type(AuthenticationType::Custom)
                    .custom(custom),
                properties,
            )
        }
    };
    Ok((
        ConnectorProfileProperties::builder().custom_connector(properties.build()),
        ConnectorProfileCredentials::builder().custom_connector(credentials.build()?),
    ))
}

fn basic(given: &Credentials) -> Result<BasicAuthCredentials, PushError> {
    let built = BasicAuthCredentials::builder()
        .username(given.expose("username")?)
        .password(given.expose("password")?)
        .build()?;
    Ok(built)
}
