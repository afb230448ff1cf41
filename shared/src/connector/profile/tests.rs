use std::collections::BTreeMap;

use jiff::Timestamp;

use super::*;
use crate::{
    connection::{AppOwner, ConnectionState},
    connector::{CONNECTORS, Form, Method, PropertyNeed},
    id::{AccountId, ConnectionId, TenantId},
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
        refreshed_at: None,
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

fn bundle() -> TokenBundle {
    TokenBundle {
        access_token: Secret::new("access"),
        refresh_token: Some(Secret::new("refresh")),
    }
}

fn app() -> AppCredentials {
    AppCredentials {
        client_id: "client".to_owned(),
        client_secret: Some(Secret::new("client-secret")),
    }
}

/// A connection of each kind with every field filled from its form.
fn sample(row: &Connector, method: &Method) -> (Connection, Credentials) {
    let value = |field: &PropertyNeed| match field.form {
        Form::Word | Form::Text => "sample".to_owned(),
        Form::Pem => format!(
            "-----BEGIN {0}-----\nAA==\n-----END {0}-----",
            crate::oauth::mint::PEM_LABEL
        ),
        Form::Origin => "https://acme.example.com".to_owned(),
        Form::Address => "https://acme.example.com/token".to_owned(),
        Form::Path => "/sap/opu/odata".to_owned(),
        Form::Port => "443".to_owned(),
        Form::SapClient => "100".to_owned(),
        Form::Language => "EN".to_owned(),
        Form::BusinessUnit => "0Uv000000000001AAA".to_owned(),
        Form::Role => "arn:aws:iam::111111111111:role/sample".to_owned(),
        Form::OneOf(values) => values[0].to_owned(),
    };
    let mut connection = connection(1);
    row.key.clone_into(&mut connection.connector);
    connection.auth = method.kind;
    connection.token_owner = method.token_owners[0];
    connection.instance = Some("acme".to_owned());
    let named = |field: &PropertyNeed| (field.name.to_owned(), value(field));
    connection.properties = method.properties.iter().map(named).collect();
    for field in method.properties.iter().chain(method.credentials) {
        assert_eq!(field.form.fault(&value(field)), None, "{}", field.name);
    }
    let given = method
        .credentials
        .iter()
        .map(|field| (field.name.to_owned(), Secret::new(value(field))))
        .collect();
    (connection, given)
}

fn instance() -> InstanceUrl {
    InstanceUrl::of_base(
        &"https://acme--uat.sandbox.my.salesforce.com"
            .parse()
            .unwrap(),
    )
}

/// Whatever the catalogue offers can be compiled: the SDK's builders know what is required.
#[test]
fn every_way_of_every_connector_compiles_to_a_profile() {
    let instance = instance();
    for row in CONNECTORS {
        for method in row.methods {
            let (mut connection, given) = sample(row, method);
            let ours = method.is_ours();
            for owner in method.token_owners {
                connection.token_owner = *owner;
                let (bundle, app) = (bundle(), app());
                let place = Place::of(&connection, Some(&instance)).unwrap();
                let consent = method.kind == AuthKind::OauthAuthorizationCode;
                let config = match owner {
                    _ if method.kind == AuthKind::None => continue,
                    TokenOwner::Tributary => {
                        assert!(ours);
                        oauth::config(&place, Tokens::Access(AccessToken::from(&bundle)))
                    }
                    TokenOwner::Appflow if consent => {
                        let owned = AppflowOwned::of(&connection, &bundle, &app).unwrap();
                        oauth::config(&place, Tokens::Owned(&owned))
                    }
                    TokenOwner::Appflow | TokenOwner::Nobody => credentials::config(&place, &given),
                };
                let profile = config.map(|config| place.profile(config));
                let profile = profile.unwrap_or_else(|error| panic!("{}: {error:?}", row.key));
                assert_eq!(
                    profile.label.is_some(),
                    row.property_key == "CustomConnector",
                    "{}",
                    row.key
                );
            }
        }
    }
}

/// R9: what AppFlow gets of a connection whose refresh token is ours holds neither that token nor a
/// client secret, whatever the connector is.
#[test]
fn r9_appflow_gets_the_access_token_and_nothing_else() {
    let instance = instance();
    for row in CONNECTORS {
        for method in row.methods.iter().filter(|method| method.is_ours()) {
            let (connection, _) = sample(row, method);
            let bundle = bundle();
            let place = Place::of(&connection, Some(&instance)).unwrap();
            let token = Tokens::Access(AccessToken::from(&bundle));
            let profile = place.profile(oauth::config(&place, token).unwrap());
            let credentials = profile.config.connector_profile_credentials().unwrap();
            // The SDK's `Debug` hides access tokens and shows refresh tokens.
            let shown = format!("{credentials:?}");
            assert!(!shown.contains("\"refresh\""), "{shown}");
            if let Some(salesforce) = credentials.salesforce() {
                assert_eq!(salesforce.access_token(), Some("access"));
                assert_eq!(salesforce.refresh_token(), None);
                assert_eq!(salesforce.client_credentials_arn(), None);
            }
            if let Some(zendesk) = credentials.zendesk() {
                assert_eq!(zendesk.client_secret(), "dummyClientSecret");
            }
            let custom = credentials.custom_connector().and_then(|c| c.oauth2());
            for oauth2 in custom.into_iter().chain(
                credentials
                    .service_now()
                    .and_then(|now| now.o_auth2_credentials()),
            ) {
                assert_eq!(oauth2.access_token(), Some("access"));
                assert_ne!(oauth2.refresh_token(), Some("refresh"));
                assert_ne!(oauth2.client_secret(), Some("client-secret"));
            }
        }
    }
}

/// R9: the type that holds both tokens is made for connections whose refresh token is AppFlow's.
#[test]
fn r9_everything_goes_to_appflow_only_where_appflow_refreshes() {
    let (bundle, app) = (bundle(), app());
    for row in CONNECTORS {
        for method in row.methods {
            let (mut connection, _) = sample(row, method);
            for owner in [
                TokenOwner::Tributary,
                TokenOwner::Nobody,
                TokenOwner::Appflow,
            ] {
                connection.token_owner = owner;
                let made = AppflowOwned::of(&connection, &bundle, &app).is_some();
                let allowed = owner == TokenOwner::Appflow && method.token_owners.contains(&owner);
                assert_eq!(made, allowed, "{} {owner:?}", row.key);
            }
        }
    }
}

#[test]
fn a_push_is_named_by_connection_operation_and_generation() {
    let token = client_token(&connection(3), "update");
    assert_eq!(token, client_token(&connection(3), "update"));
    assert_ne!(token, client_token(&connection(4), "update"));
    assert_ne!(token, client_token(&connection(3), "create"));
}

#[test]
fn redshift_is_reached_through_the_data_api_without_a_password() {
    let row = connector("redshift").unwrap();
    let (connection, given) = sample(row, &row.methods[0]);
    let place = Place::of(&connection, None).unwrap();
    let profile = place.profile(credentials::config(&place, &given).unwrap());
    let properties = profile.config.connector_profile_properties().unwrap();
    let properties = properties.redshift().unwrap();
    assert!(properties.is_redshift_serverless());
    assert_eq!(properties.workgroup_name(), Some("sample"));
    assert_eq!(properties.database_url(), None);
    let credentials = profile.config.connector_profile_credentials().unwrap();
    assert_eq!(credentials.redshift().unwrap().password(), None);
}
