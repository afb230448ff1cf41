//! What holds for every route, whatever it does. Nothing here reaches further than the table, and
//! there nothing but the standing of the caller: who may not act is turned away before anything is
//! read.

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig};
use aws_sdk_sts::config::{Credentials, SharedCredentialsProvider};
use axum::body::{Body, to_bytes};
use http::{Request, StatusCode, header};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use tributary::{config::Env, seal::Sealer, secret::Secret};

use crate::{App, Config, openapi, router};

const EVENT: &str =
    include_str!("../../../events/identity/http-api-v2-jwt-authorizer-access-token.json");

fn app() -> App {
    let variables = [
        ("STAGE", "test"),
        ("TABLE_NAME", "tributary"),
        ("AUTH_KIND", "http-jwt"),
        (
            "AUTH_ISSUER",
            "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_ExAmPlE01",
        ),
        ("AUTH_AUDIENCE", "1h57kf5cpq17m0eml12EXAMPLE,operator"),
        ("AUTH_TENANT_CLAIM", "tenant_id"),
        ("AUTH_ROLES_CLAIM", "tenant_roles"),
        ("AUTH_GROUPS_CLAIM", "cognito:groups"),
        ("AUTH_OPERATOR_CLIENTS", "operator"),
        (
            "SEALING_KEY_SECRET_ARN",
            "arn:aws:secretsmanager:us-east-1:111111111111:secret:seal",
        ),
        (
            "REFRESH_QUEUE_URL",
            "https://sqs.us-east-1.amazonaws.com/111111111111/refresh",
        ),
        (
            "DATA_KEY_ARN",
            "arn:aws:kms:us-east-1:111111111111:key/data",
        ),
        ("AUDIT_BUCKET", "audit"),
        (
            "REPORT_KEY_ARN",
            "arn:aws:kms:us-east-1:111111111111:key/report",
        ),
        ("OAUTH_PROVIDERS", "salesforce"),
        (
            "TENANT_DATA_ROLE_ARN",
            "arn:aws:iam::111111111111:role/tributary/prod-tenant-data",
        ),
        ("OAUTH_APP_SECRET_PREFIX", "tributary/oauth-apps/"),
        ("PUBLIC_BASE_URL", "https://api.example"),
        ("APP_ORIGINS", "https://app.example"),
        (
            "CUSTOMER_TEMPLATE_URL",
            "https://b.s3.amazonaws.com/customer-account.yaml",
        ),
        ("VENDOR_ACCOUNT_ID", "111111111111"),
        (
            "VENDOR_ROLE_ARN",
            "arn:aws:iam::111111111111:role/tributary/prod-vendor-flows",
        ),
        ("VENDOR_EXTERNAL_ID", "vendor-external-id"),
        (
            "EVENT_BUS_ARN",
            "arn:aws:events:us-east-1:111111111111:event-bus/prod-appflow",
        ),
        ("AWS_REGION", "us-east-1"),
        (
            "NOTIFICATIONS_TOPIC_ARN",
            "arn:aws:sns:us-east-1:111111111111:notifications",
        ),
        (
            "SUBSCRIPTIONS_DEAD_LETTER_QUEUE_ARN",
            "arn:aws:sqs:us-east-1:111111111111:dead",
        ),
        (
            "DELIVERY_QUEUE_URL",
            "https://sqs.us-east-1.amazonaws.com/111111111111/delivery",
        ),
        ("WAREHOUSE_WORKGROUP", "analytics"),
        ("WAREHOUSE_DATABASE", "dev"),
        (
            "WAREHOUSE_LOAD_ROLE_ARN",
            "arn:aws:iam::111111111111:role/tributary/prod-warehouse-load",
        ),
        (
            "WAREHOUSE_DATA_API_ROLE_ARN",
            "arn:aws:iam::111111111111:role/tributary/prod-warehouse-data-api",
        ),
        ("STAGING_BUCKET", "tributary-landing-111111111111-us-east-1"),
    ];
    let pairs = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let config = Config::from_env(Env::from_pairs(pairs)).unwrap();
    let sealer = Sealer::new(&Secret::new("0123456789abcdef0123456789abcdef")).unwrap();
    let credentials = Credentials::new("AKIDTEST", "secret", None, None, "test");
    let aws = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(table())
        .retry_config(RetryConfig::disabled())
        .build();
    App::new(config, aws, sealer).unwrap()
}

/// A table in which every tenant is active and nobody's sign-in has ended; whatever else is asked of
/// it fails.
fn table() -> String {
    async fn answer(body: String) -> (StatusCode, String) {
        let asked: Value = serde_json::from_str(&body).unwrap();
        if asked["requestId"].is_string() {
            // A record of the audit trail.
            return (StatusCode::OK, String::new());
        }
        let found = match asked["Key"]["pk"]["S"].as_str() {
            Some("OPERATOR") => json!({ "Item": { "state": { "S": "active" } } }),
            Some(pk) if pk.starts_with("ENDED#") => json!({}),
            Some(pk) if pk.starts_with("LIMIT#") => json!({ "Attributes": {} }),
            _ => {
                let refusal = json!({ "__type": "InternalServerError", "message": "nothing here" });
                return (StatusCode::INTERNAL_SERVER_ERROR, refusal.to_string());
            }
        };
        (StatusCode::OK, found.to_string())
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    let router = axum::Router::new().fallback(answer);
    tokio::spawn(async { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// Who calls.
#[derive(Debug, Clone, Copy)]
enum Who {
    Member(&'static str),
    Operator,
    Nobody,
}

fn claims(who: Who) -> Value {
    let mut event: Value = serde_json::from_str(EVENT).unwrap();
    let claims = event
        .pointer_mut("/requestContext/authorizer/jwt/claims")
        .unwrap();
    match who {
        Who::Member(roles) => claims["tenant_roles"] = roles.into(),
        Who::Operator => {
            let claims = claims.as_object_mut().unwrap();
            claims.retain(|name, _| !["tenant_id", "username"].contains(&name.as_str()));
            claims.insert("sub".to_owned(), "operator".into());
            claims.insert("client_id".to_owned(), "operator".into());
        }
        Who::Nobody => {
            event["requestContext"]
                .as_object_mut()
                .unwrap()
                .remove("authorizer");
        }
    }
    event
}

async fn call(
    who: Who,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> (StatusCode, Value) {
    let event = lambda_http::request::from_str(&claims(who).to_string()).unwrap();
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(body.into()).unwrap();
    *request.extensions_mut() = event.extensions().clone();
    let response = router(app()).oneshot(request).await.unwrap();
    let status = response.status();
    let is_problem = response.headers()[header::CONTENT_TYPE] == "application/problem+json";
    assert_eq!(is_problem, !status.is_success(), "{method} {path}");
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap())
}

/// Every route of the OpenAPI document, with its path parameters filled in.
fn every_route() -> Vec<(String, String)> {
    let document = serde_json::to_value(openapi()).unwrap();
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let path: String = path
            .split('/')
            .map(|part| if part.starts_with('{') { "x" } else { part })
            .collect::<Vec<_>>()
            .join("/");
        for method in item.as_object().unwrap().keys() {
            if ["get", "post", "put", "patch", "delete"].contains(&method.as_str()) {
                all.push((method.to_uppercase(), path.clone()));
            }
        }
    }
    all
}

fn is_operators(path: &str) -> bool {
    path.starts_with("/v1/tenants") || path == "/v1/vault"
}

#[test]
fn the_document_has_every_route_once() {
    let routes = every_route();
    assert_eq!(routes.len(), 91, "{routes:#?}");
    assert!(routes.contains(&("POST".to_owned(), "/v1/flows/x/start".to_owned())));
}

#[tokio::test]
async fn a6_who_may_not_act_is_turned_away_before_the_body_is_read() {
    let json = [("content-type", "application/json"), ("if-match", "\"1\"")];
    for (method, path) in every_route() {
        let asking = ["compile", "import", "permissions"].map(|what| format!("/v1/flows/{what}"));
        let compiling = asking.contains(&path);
        let changes = method != "GET" && !compiling;
        let admins = [
            "/v1/accounts",
            "/v1/buckets",
            "/v1/oauth-apps",
            "/v1/subscriptions",
        ]
        .iter()
        .any(|begin| path.starts_with(begin));
        let cases = [
            (Who::Nobody, StatusCode::UNAUTHORIZED, true),
            (Who::Member(""), StatusCode::FORBIDDEN, path != "/v1/me"),
            (
                Who::Member("viewer"),
                StatusCode::FORBIDDEN,
                changes || is_operators(&path),
            ),
            (
                Who::Member("editor"),
                StatusCode::FORBIDDEN,
                changes && admins,
            ),
            (
                Who::Member("admin"),
                StatusCode::FORBIDDEN,
                is_operators(&path),
            ),
            (
                Who::Operator,
                StatusCode::FORBIDDEN,
                path != "/v1/me" && !is_operators(&path),
            ),
        ];
        for (who, expected, applies) in cases {
            if applies {
                let (status, _) = call(who, &method, &path, &json, "{").await;
                assert_eq!(status, expected, "{who:?} {method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn an_unknown_route_and_an_unknown_id_are_the_same_answer() {
    let admin = Who::Member("admin");
    let (status, unknown_route) = call(admin, "GET", "/v1/nothing", &[], "").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    for path in [
        "/v1/flows/x",
        "/v1/accounts/con_1",
        "/v1/connections/x/entities",
    ] {
        let (status, unknown_id) = call(admin, "GET", path, &[], "").await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(unknown_id, unknown_route, "{path}");
    }
}

#[tokio::test]
async fn a4_bodies_that_are_too_large_malformed_or_of_another_type_are_refused() {
    let (admin, path) = (Who::Member("admin"), "/v1/accounts");
    let json = [("content-type", "application/json")];
    let large = "x".repeat(1024 * 1024 + 1);
    let cases = [
        (
            &json[..],
            large,
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
        ),
        (
            &json[..],
            "{".to_owned(),
            StatusCode::BAD_REQUEST,
            "malformed_body",
        ),
        (
            &json[..],
            r#"{"region":"us-east-1","externalId":"mine"}"#.to_owned(),
            StatusCode::BAD_REQUEST,
            "malformed_body",
        ),
        (
            &[],
            "{}".to_owned(),
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
        ),
    ];
    for (headers, body, status, code) in cases {
        let (found, problem) = call(admin, "POST", path, headers, body).await;
        assert_eq!((found, problem["code"].as_str()), (status, Some(code)));
    }
}

#[tokio::test]
async fn changing_a_flow_needs_the_version_that_is_meant() {
    let (status, problem) = call(Who::Member("editor"), "DELETE", "/v1/flows/x", &[], "").await;
    assert_eq!(status, StatusCode::PRECONDITION_REQUIRED);
    assert_eq!(problem["code"], "if_match_required");
}

#[tokio::test]
async fn the_caller_is_shown_as_the_gateway_vouched_for_it() {
    let (status, me) = call(Who::Member("editor root"), "GET", "/v1/me", &[], "").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(me["tenantId"], "ten_019364c0a1b27cc3a4d5e6f708192a3b");
    assert_eq!(me["roles"], json!(["editor"]));
    assert_eq!(me["operator"], false);
}

#[test]
fn every_missing_variable_is_named_at_once() {
    let error = Config::from_env(Env::from_pairs([])).unwrap_err();
    for name in [
        "TABLE_NAME",
        "AUTH_KIND",
        "VENDOR_ROLE_ARN",
        "PUBLIC_BASE_URL",
        "WAREHOUSE_WORKGROUP",
    ] {
        assert!(error.to_string().contains(name), "{error}");
    }
}
