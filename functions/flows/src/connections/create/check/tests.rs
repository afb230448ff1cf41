use serde_json::{Value, json};
use tributary::oauth::mint::PEM_LABEL;

use super::*;

fn account(hosting: HostingMode) -> Account {
    serde_json::from_value(json!({
        "id": tributary::id::AccountId::new(), "tenant_id": tributary::id::TenantId::new(),
        "aws_account_id": "111111111111", "region": "us-east-1", "hosting": hosting,
        "role_arn": "arn:aws:iam::111111111111:role/x", "external_id": "x", "state": "verified",
        "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "version": 1,
    }))
    .unwrap()
}

fn asked(members: Value) -> ConnectionInput {
    let mut body = json!({"name": "CRM", "accountId": tributary::id::AccountId::new()});
    let all = body.as_object_mut().unwrap();
    let Value::Object(members) = members else {
        panic!("members of an object")
    };
    all.extend(members);
    serde_json::from_value(body).unwrap()
}

fn checked(members: Value, hosting: HostingMode, has_own_app: bool) -> Result<Plan, Error> {
    let browser = BrowserConfig {
        public_base_url: "https://api.example".to_owned(),
        app_origins: vec!["https://app.example".to_owned()],
    };
    let known = Known {
        account: Some(account(hosting)),
        has_own_app,
    };
    check(&browser, &vendors::sample(), &asked(members), known)
}

fn faults(members: Value) -> Vec<(String, String)> {
    let error = checked(members, HostingMode::Customer, false).unwrap_err();
    let mut faults: Vec<(String, String)> = error
        .faults()
        .iter()
        .map(|fault| (fault.pointer.clone(), fault.code.clone()))
        .collect();
    faults.sort();
    faults
}

fn named(faults: &[(&str, &str)]) -> Vec<(String, String)> {
    faults
        .iter()
        .map(|(at, code)| ((*at).to_owned(), (*code).to_owned()))
        .collect()
}

#[test]
fn every_fault_is_named_at_once_and_no_secret_is_repeated() {
    let body = json!({
        "connector": "serviceNow", "auth": "basic", "instance": "https://evil.example",
        "tokenOwner": "appflow", "app": "vendor", "returnTo": "https://app.example/",
        "properties": {"region": "x"},
        "credentials": {"username": "canary\nuser", "pass": "canary-secret"},
    });
    assert_eq!(
        faults(body.clone()),
        named(&[
            ("/app", "no_consent"),
            ("/credentials/pass", "unknown"),
            ("/credentials/password", "required"),
            ("/credentials/username", "invalid"),
            ("/instance", "invalid"),
            ("/properties/region", "unknown"),
            ("/returnTo", "no_consent"),
            ("/tokenOwner", "not_offered"),
        ])
    );
    let error = checked(body, HostingMode::Customer, false).unwrap_err();
    assert!(!format!("{error:?} {:?}", error.faults()).contains("canary"));
}

#[test]
fn the_input_prints_no_credentials() {
    let input = asked(json!({"connector": "veeva", "credentials": {"password": "canary"}}));
    assert!(!format!("{input:?}").contains("canary"));
}

#[test]
fn the_first_way_of_a_connector_is_the_default() {
    let salesforce = json!({"connector": "salesforce"});
    let plan = checked(salesforce, HostingMode::Customer, false).unwrap();
    assert_eq!(plan.method.kind, AuthKind::OauthAuthorizationCode);
    assert!(matches!(
        plan.way,
        Way::Consent {
            provider: "salesforce",
            ..
        }
    ));
    assert_eq!(plan.token_owner, TokenOwner::Tributary);
    assert_eq!(
        faults(json!({"connector": "zendesk", "auth": "basic", "instance": "acme"})),
        named(&[("/auth", "not_offered")])
    );
    assert_eq!(
        faults(json!({"connector": "s3"})),
        named(&[("/connector", "not_connectable")])
    );
}

/// C14: what a user says of an instance is one label; where none is needed, none is taken.
#[test]
fn c14_the_instance_is_one_label_where_the_application_has_one() {
    for bad in [
        "https://acme.zendesk.com",
        "a.b",
        "169.254.169.254",
        "a@b",
        "",
        "ACME",
    ] {
        let body = json!({"connector": "zendesk", "instance": bad});
        assert_eq!(faults(body), named(&[("/instance", "invalid")]), "{bad}");
    }
    assert_eq!(
        faults(json!({"connector": "zendesk"})),
        named(&[("/instance", "required")])
    );
    assert_eq!(
        faults(json!({"connector": "hubSpot", "instance": "acme"})),
        named(&[("/instance", "unknown")])
    );
}

/// C12: the tenant's own app is taken where there is one, and asked for in vain where there is none.
#[test]
fn c12_the_own_app_is_the_default_and_never_invented() {
    let body = || json!({"connector": "salesforce"});
    let app = |has| checked(body(), HostingMode::Customer, has).unwrap().app;
    assert_eq!(
        (app(false), app(true)),
        (AppOwner::Vendor, AppOwner::Tenant)
    );
    let vendor = json!({"connector": "salesforce", "app": "vendor"});
    let plan = checked(vendor, HostingMode::Customer, true).unwrap();
    assert_eq!(plan.app, AppOwner::Vendor);
    assert_eq!(
        faults(json!({"connector": "salesforce", "app": "tenant"})),
        named(&[("/app", "no_own_app")])
    );
}

/// R9: the vendor's client secret does not go into a customer's account, and rotating tokens go nowhere.
#[test]
fn r9_appflow_refreshes_with_an_app_that_its_account_may_know() {
    let hubspot = || json!({"connector": "hubSpot", "tokenOwner": "appflow"});
    let refused = checked(hubspot(), HostingMode::Customer, false).unwrap_err();
    assert_eq!(refused.faults()[0].code, "needs_own_app");
    for (hosting, own) in [(HostingMode::Customer, true), (HostingMode::Vendor, false)] {
        let plan = checked(hubspot(), hosting, own).unwrap();
        assert_eq!(plan.token_owner, TokenOwner::Appflow);
    }
    assert_eq!(
        faults(json!({"connector": "salesforce", "tokenOwner": "appflow"})),
        named(&[
            ("/tokenOwner", "needs_own_app"),
            ("/tokenOwner", "not_offered")
        ])
    );
}

#[test]
fn a_private_key_must_be_one() {
    let body = json!({
        "connector": "salesforce", "auth": "oauth_jwt_bearer",
        "credentials": {"clientId": "c", "username": "u@example.com",
            "privateKey": format!("-----BEGIN {PEM_LABEL}-----\nAAAA\n-----END {PEM_LABEL}-----")},
    });
    assert_eq!(
        faults(body),
        named(&[("/credentials/privateKey", "invalid")])
    );
}

#[test]
fn connectors_that_say_themselves_what_they_need_take_further_names() {
    let body = json!({
        "connector": "custom", "auth": "custom",
        "properties": {"connectorLabel": "acme-crm", "customAuthenticationType": "PAT", "site": "x"},
        "credentials": {"token": "t"},
    });
    let plan = checked(body, HostingMode::Customer, false).unwrap();
    assert_eq!(plan.way, Way::Given);
}
