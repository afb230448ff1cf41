use super::*;
use crate::connector::OauthUse;

fn providers(hosts: &[(&str, &str)]) -> Providers {
    let config = ProviderConfig {
        providers: PROVIDERS.iter().map(|row| row.key.to_owned()).collect(),
        secret_prefix: "tributary/oauth-apps/".to_owned(),
        hosts: hosts
            .iter()
            .map(|(key, base)| ((*key).to_owned(), (*base).to_owned()))
            .collect(),
    };
    let aws = aws_sdk_secretsmanager::Config::builder()
        .behavior_version(aws_config::BehaviorVersion::v2026_01_12())
        .build();
    Providers::new(config, Client::from_conf(aws)).unwrap()
}

fn place(hosts: &[(&str, &str)], key: &str, label: Option<&str>) -> Result<Place, Error> {
    let label = label.map(|label| label.parse().unwrap());
    providers(hosts).place(provider(key).unwrap(), label.as_ref())
}

#[test]
fn hosts_are_the_tables_and_labels_fill_them() {
    for (key, label, base, authorize, foreign) in [
        (
            "salesforce",
            None,
            "https://login.salesforce.com",
            "https://login.salesforce.com",
            false,
        ),
        (
            "hubspot",
            None,
            "https://api.hubapi.com",
            "https://app.hubspot.com",
            false,
        ),
        (
            "zendesk",
            Some("acme"),
            "https://acme.zendesk.com",
            "https://acme.zendesk.com",
            true,
        ),
        // Entra ID's host is its own; the label is Dynamics'.
        (
            "microsoft",
            Some("acme"),
            "https://login.microsoftonline.com/common",
            "https://login.microsoftonline.com/common",
            false,
        ),
    ] {
        let place = place(&[], key, label).unwrap();
        assert_eq!(place.base.as_str(), base);
        assert_eq!(place.authorize.as_str(), authorize);
        assert_eq!(place.foreign, foreign, "{key}");
    }
}

#[test]
fn a_configured_base_stands_in_for_both_hosts_and_may_hold_the_label() {
    let hosts = [
        ("zendesk", "http://127.0.0.1:9/zendesk/{instance}"),
        ("hubspot", "https://eu.example"),
    ];
    let zendesk = place(&hosts, "zendesk", Some("acme")).unwrap();
    assert_eq!(zendesk.base.as_str(), "http://127.0.0.1:9/zendesk/acme");
    assert!(!zendesk.foreign, "the operator chose the host");
    let hubspot = place(&hosts, "hubspot", None).unwrap();
    assert_eq!(hubspot.authorize.as_str(), "https://eu.example");
}

#[test]
fn a_label_that_is_needed_must_be_there() {
    let error = place(&[], "zendesk", None).err().unwrap();
    assert_eq!(error.code(), "invalid_instance");
}

#[test]
fn c14_a_label_is_one_label_and_nothing_else() {
    for text in [
        "",
        "-a",
        "a-",
        "a.b",
        "A",
        "a_b",
        "a/b",
        "a@b",
        "a:443",
        "127.0.0.1",
        "a%2eb",
        "a b",
        "ä",
        "https://a",
        "a\\b",
        "a#",
        "a?",
        "localhost.",
    ] {
        assert!(text.parse::<InstanceLabel>().is_err(), "{text:?}");
    }
    assert!("a".repeat(64).parse::<InstanceLabel>().is_err());
    for text in ["acme", "dev12345", "a", "a-b", "0"] {
        assert!(text.parse::<InstanceLabel>().is_ok(), "{text:?}");
    }
}

#[test]
fn scopes_can_name_the_instance() {
    let row = Connector {
        oauth: OauthUse {
            scopes: &["{instance}/user_impersonation", "offline_access"],
            ..OauthUse::PLAIN
        },
        ..*connector("salesforce").unwrap()
    };
    let instance = InstanceUrl::of_base(&"https://acme.api.crm.dynamics.com".parse().unwrap());
    assert_eq!(
        scopes(&row, provider("microsoft").unwrap(), Some(&instance)),
        [
            "https://acme.api.crm.dynamics.com/user_impersonation",
            "offline_access"
        ]
    );
}

/// C12: the tenant's app is another secret than the vendor's, and another tenant's is another again.
#[test]
fn c12_apps_of_tenants_and_of_the_vendor_are_different_secrets() {
    let providers = providers(&[]);
    let row = provider("salesforce").unwrap();
    let (one, other) = (TenantId::new(), TenantId::new());
    let named = |tenant, owner| format!("{:?}", providers.app(row, tenant, owner));
    assert_eq!(named(one, AppOwner::Vendor), named(other, AppOwner::Vendor));
    assert_ne!(named(one, AppOwner::Tenant), named(other, AppOwner::Tenant));
    assert_ne!(named(one, AppOwner::Tenant), named(one, AppOwner::Vendor));
}

#[test]
fn faults_of_the_configuration_are_reported_together() {
    let mut env = Env::from_pairs(
        [
            ("OAUTH_PROVIDERS", "salesforce,netscape"),
            (
                "OAUTH_HOSTS",
                "salesforce,zendesk=http://evil.example,netscape=https://x",
            ),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    let config = ProviderConfig::from_env(&mut env);
    let error = env.finish(Some(config)).unwrap_err();
    assert_eq!(error.faults.len(), 5, "{error}");
}
