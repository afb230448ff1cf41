use std::collections::BTreeMap;

use jiff::Timestamp;

use super::*;
use crate::{
    connection::{AppOwner, ConnectionState, TokenOwner},
    connector::AuthKind,
    id::{AccountId, ConnectionId, TenantId},
    oauth::provider::provider,
};

fn connection(generation: u64) -> Connection {
    let id = ConnectionId::from_uuid(Uuid::from_u128(7));
    Connection {
        id,
        connection_id: id,
        tenant_id: TenantId::new(),
        account_id: AccountId::new(),
        connector: "salesforce".to_owned(),
        name: "CRM".to_owned(),
        state: ConnectionState::Pending,
        reason: None,
        token_owner: TokenOwner::Tributary,
        created_by: "frank".to_owned(),
        auth: AuthKind::OauthAuthorizationCode,
        app: AppOwner::Vendor,
        credentials: None,
        profile_name: "tributary-x".to_owned(),
        instance: None,
        instance_url: None,
        org_id: None,
        provider_user_id: None,
        scopes: Vec::new(),
        missing_scopes: Vec::new(),
        properties: BTreeMap::new(),
        generation,
        bundle: None,
        access_expires_at: None,
        rotates: false,
        pushed_generation: 0,
        fence: 0,
        lease_until: None,
        intent: None,
        failures: 0,
        failed_at: None,
        reauth_told: false,
        due_shard: None,
        due_at: None,
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
        version: 1,
    }
}

#[test]
fn r9_appflow_gets_the_access_token_and_nothing_else() {
    let bundle = TokenBundle {
        access_token: Secret::new("access"),
        refresh_token: Some(Secret::new("refresh")),
    };
    let login = "https://login.salesforce.com".parse().unwrap();
    let instance = InstanceUrl::parse(
        "https://acme--uat.sandbox.my.salesforce.com",
        provider("salesforce").unwrap(),
        &login,
    )
    .unwrap();
    let profile = super::salesforce(&instance, AccessToken::from(&bundle));
    let credentials = profile.config.connector_profile_credentials().unwrap();
    let credentials = credentials.salesforce().unwrap();
    assert_eq!(credentials.access_token(), Some("access"));
    assert_eq!(credentials.refresh_token(), None);
    assert_eq!(credentials.client_credentials_arn(), None);
    assert!(credentials.o_auth_request().is_none());
    let properties = profile.config.connector_profile_properties().unwrap();
    assert!(properties.salesforce().unwrap().is_sandbox_environment());
}

#[test]
fn a_push_is_named_by_connection_operation_and_generation() {
    let token = client_token(&connection(3), "update");
    assert_eq!(token, client_token(&connection(3), "update"));
    assert_ne!(token, client_token(&connection(4), "update"));
    assert_ne!(token, client_token(&connection(3), "create"));
}

fn redshift() -> BTreeMap<String, String> {
    [
        ("bucketName", "tributary-landing-111111111111-us-east-1"),
        ("roleArn", "arn:aws:iam::111111111111:role/load"),
        ("dataApiRoleArn", "arn:aws:iam::111111111111:role/data-api"),
        ("workgroupName", "analytics"),
        ("databaseName", "sales"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

#[test]
fn redshift_is_reached_through_the_data_api_without_a_password() {
    let profile = RedshiftProperties::read(&redshift())
        .unwrap()
        .profile()
        .unwrap();
    let properties = profile.config.connector_profile_properties().unwrap();
    let properties = properties.redshift().unwrap();
    assert!(properties.is_redshift_serverless());
    assert_eq!(properties.workgroup_name(), Some("analytics"));
    assert_eq!(properties.database_url(), None);
    let credentials = profile.config.connector_profile_credentials().unwrap();
    assert_eq!(credentials.redshift().unwrap().password(), None);
}

#[test]
fn all_faults_of_redshift_properties_are_named_at_once() {
    let mut properties = redshift();
    properties.remove("bucketName");
    let user = "arn:aws:iam::111111111111:user/ana";
    properties.insert("roleArn".to_owned(), user.to_owned());
    properties.insert("workgroupName".to_owned(), "two words".to_owned());
    properties.insert("password".to_owned(), "x".to_owned());
    let faults = RedshiftProperties::read(&properties).unwrap_err();
    let mut pointers: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
    pointers.sort_unstable();
    assert_eq!(
        pointers,
        [
            "/properties/bucketName",
            "/properties/password",
            "/properties/roleArn",
            "/properties/workgroupName"
        ]
    );
}
