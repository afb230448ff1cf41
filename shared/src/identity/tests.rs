use serde_json::{Value, json};

use super::*;

const TENANT: &str = "ten_019364c0a1b27cc3a4d5e6f708192a3b";

fn context(file: &str) -> Value {
    let path = format!(
        "{}/../events/identity/{file}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let event: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    event["requestContext"].clone()
}

fn config(kind: AuthKind) -> AuthConfig {
    AuthConfig {
        kind,
        issuer: "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_ExAmPlE01".to_owned(),
        audience: vec![
            "1h57kf5cpq17m0eml12EXAMPLE".to_owned(),
            "7m2mEXAMPLEclientid".to_owned(),
        ],
        tenant_claim: if matches!(kind, AuthKind::HttpLambda | AuthKind::RestLambda) {
            "tenantId"
        } else {
            "tenant_id"
        }
        .to_owned(),
        roles_claim: "tenant_roles".to_owned(),
        groups_claim: if matches!(kind, AuthKind::HttpLambda | AuthKind::RestLambda) {
            "groups"
        } else {
            "cognito:groups"
        }
        .to_owned(),
        role_groups: RoleGroups::default(),
        operator_clients: vec!["7m2mEXAMPLEclientid".to_owned()],
        requires_access_token: false,
    }
}

fn read(kind: AuthKind, file: &str) -> Result<Identity, Error> {
    Identity::from_request_context(&config(kind), &context(file))
}

#[test]
fn every_shape_gives_the_same_person_tenant_and_groups() {
    let shapes = [
        (AuthKind::HttpJwt, "http-api-v2-jwt-authorizer-id-token"),
        (AuthKind::HttpV1Jwt, "http-api-v1-payload-jwt-authorizer"),
        (AuthKind::RestCognito, "rest-cognito-authorizer"),
        (AuthKind::RestJwt, "rest-jwt-authorizer"),
        (AuthKind::RestLambda, "rest-lambda-authorizer"),
        (AuthKind::HttpLambda, "http-api-v2-lambda-authorizer"),
    ];
    for (kind, file) in shapes {
        let identity = read(kind, file).unwrap();
        assert_eq!(
            identity.subject, "a4f8c4d8-10e1-7001-9c1f-2f6d0b7a11aa",
            "{file}"
        );
        assert_eq!(identity.tenant.unwrap().to_string(), TENANT, "{file}");
        assert_eq!(identity.groups, ["amer-sales", "exec-global"], "{file}");
        if kind.vouches_by_token() {
            assert_eq!(identity.issued_at, Some(1_795_169_700), "{file}");
        }
    }
}

#[test]
fn an_access_token_has_its_scopes_and_login() {
    let identity = read(AuthKind::HttpJwt, "http-api-v2-jwt-authorizer-access-token").unwrap();
    assert_eq!(
        identity.scopes.last().map(String::as_str),
        Some("api.example.com/reports.read")
    );
    assert_eq!(
        identity.login_id.as_deref(),
        Some("b7f6a1c2-3d4e-4f5a-9b8c-7d6e5f4a3b2c")
    );
    assert!(!identity.operator);
}

#[test]
fn a_machine_client_is_the_operator_only_when_listed() {
    let file = "m2m-client-credentials-access-token";
    assert!(read(AuthKind::HttpJwt, file).unwrap().operator);
    let mut unlisted = config(AuthKind::HttpJwt);
    unlisted.operator_clients.clear();
    let identity = Identity::from_request_context(&unlisted, &context(file)).unwrap();
    assert!(!identity.operator && identity.tenant.is_none());
}

#[test]
fn iam_callers_have_no_tenant() {
    for (kind, file) in [
        (AuthKind::HttpIam, "http-api-v2-iam-cognito-identity"),
        (AuthKind::RestIam, "rest-iam-cognito-identity"),
        (AuthKind::HttpIam, "function-url-iam"),
        (AuthKind::HttpIam, "http-api-v2-iam-assumed-role"),
    ] {
        let identity = read(kind, file).unwrap();
        assert!(identity.tenant.is_none() && !identity.operator, "{file}");
    }
    let person = read(AuthKind::HttpIam, "http-api-v2-iam-cognito-identity").unwrap();
    assert_eq!(person.subject, "a4f8c4d8-10e1-7001-9c1f-2f6d0b7a11aa");
}

#[test]
fn headers_and_missing_authorizers_make_no_identity() {
    for file in ["spoof-headers-no-authorizer", "spoof-authorizer-null"] {
        assert_eq!(
            read(AuthKind::HttpJwt, file).unwrap_err().code(),
            "unauthenticated",
            "{file}"
        );
    }
}

#[test]
fn two_authorizer_shapes_are_refused() {
    assert!(read(AuthKind::HttpJwt, "conflict-two-authorizer-shapes").is_err());
}

#[test]
fn a_user_writable_attribute_never_names_the_tenant() {
    let identity = read(
        AuthKind::HttpJwt,
        "spoof-custom-attribute-disagrees-with-trusted-claim",
    )
    .unwrap();
    assert_eq!(identity.tenant.unwrap().to_string(), TENANT);
}

#[test]
fn a_bracketed_name_is_no_group() {
    assert!(
        read(AuthKind::HttpJwt, "spoof-bracketed-string-claim")
            .unwrap()
            .groups
            .is_empty()
    );
}

#[test]
fn a_token_without_tenant_has_none() {
    assert!(
        read(AuthKind::HttpJwt, "negative-access-token-without-tenant")
            .unwrap()
            .tenant
            .is_none()
    );
}

#[test]
fn every_kind_refuses_the_shapes_of_the_others() {
    let (kinds, file) = (
        [
            AuthKind::HttpLambda,
            AuthKind::HttpIam,
            AuthKind::RestCognito,
            AuthKind::RestLambda,
        ],
        "http-api-v2-jwt-authorizer-id-token",
    );
    for kind in kinds {
        assert!(read(kind, file).is_err(), "{kind}");
    }
}

#[test]
fn q8_wrong_issuer_audience_and_token_use_are_refused() {
    let good = context("http-api-v2-jwt-authorizer-access-token");
    for (claim, value) in [
        ("iss", json!("https://evil.example")),
        ("client_id", json!("another-client")),
        ("iss", json!(null)),
    ] {
        let mut bad = good.clone();
        bad["authorizer"]["jwt"]["claims"][claim] = value;
        assert!(
            Identity::from_request_context(&config(AuthKind::HttpJwt), &bad).is_err(),
            "{claim}"
        );
    }
    let mut strict = config(AuthKind::HttpJwt);
    strict.requires_access_token = true;
    let id_token = context("http-api-v2-jwt-authorizer-id-token");
    assert!(Identity::from_request_context(&strict, &id_token).is_err());
    assert!(Identity::from_request_context(&strict, &good).is_ok());
}

#[test]
fn an_operators_token_that_names_a_tenant_is_refused() {
    let mut both = context("m2m-client-credentials-access-token");
    both["authorizer"]["jwt"]["claims"]["tenant_id"] = json!(TENANT);
    assert!(Identity::from_request_context(&config(AuthKind::HttpJwt), &both).is_err());
}

#[test]
fn roles_are_words_and_unknown_words_are_nothing() {
    assert_eq!(
        Role::parse_words("viewer editor superuser"),
        [Role::Viewer, Role::Editor]
    );
    assert!(Role::Admin.includes(Role::Viewer) && !Role::Viewer.includes(Role::Editor));
}

#[test]
fn another_identity_providers_groups_have_the_roles_that_configuration_gives_them() {
    let okta = AuthConfig {
        issuer: "https://example.okta.com/oauth2/default".to_owned(),
        audience: vec!["0oa1exampleClient".to_owned()],
        groups_claim: "groups".to_owned(),
        role_groups: RoleGroups::parse(&["editor=amer-sales".to_owned()], None).unwrap(),
        ..config(AuthKind::HttpJwt)
    };
    let mut context = context("http-api-v2-jwt-authorizer-okta-id-token");
    let read = |context: &Value| Identity::from_request_context(&okta, context).unwrap();
    let identity = read(&context);
    assert_eq!(identity.groups, ["amer-sales", "exec-global"]);
    assert_eq!(identity.roles, [Role::Editor]);
    assert_eq!(identity.tenant, None, "no group makes a tenant");

    context["authorizer"]["jwt"]["claims"]["groups"] = json!("[exec-global]");
    assert_eq!(read(&context).roles, []);
}
