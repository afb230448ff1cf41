//! The whole function, fed from `events/queries`, as far as it goes without AWS: whatever reaches
//! further than the caller's standing here ends in 503, so every other answer was given before.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_redshiftdata::config::{Credentials, SharedCredentialsProvider};
use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;
use tributary::{config::Env, seal::Sealer, secret::Secret};

use super::*;
use crate::session::User;

const ISSUER: &str = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_ExAmPlE01";
const ROLE: &str = "arn:aws:iam::111111111111:role/tributary/warehouse-user";
const SEALING_KEY: &str = "0123456789abcdef0123456789abcdef";

fn app() -> App {
    app_at(&table())
}

fn app_at(aws: &str) -> App {
    let variables = [
        ("AUTH_KIND", "http-jwt"),
        ("AUTH_ISSUER", ISSUER),
        ("AUTH_AUDIENCE", "1h57kf5cpq17m0eml12EXAMPLE"),
        ("AUTH_TENANT_CLAIM", "tenant_id"),
        ("AUTH_ROLES_CLAIM", "tenant_roles"),
        ("AUTH_GROUPS_CLAIM", "cognito:groups"),
        ("STAGE", "test"),
        ("AUDIT_BUCKET", "audit"),
        ("TABLE_NAME", "table"),
        (
            "TENANT_DATA_ROLE_ARN",
            "arn:aws:iam::111111111111:role/tributary/prod-tenant-data",
        ),
        ("DATA_KEY_ARN", "arn:aws:kms:us-east-1:111111111111:key/k"),
        (
            "SEALING_KEY_SECRET_ARN",
            "arn:aws:secretsmanager:us-east-1:111111111111:secret:s",
        ),
        ("OIDC_ISSUER", ISSUER),
        ("OIDC_CLIENT_ID", "1h57kf5cpq17m0eml12EXAMPLE"),
        ("IDENTITY_CENTER_REGION", "eu-west-1"),
        (
            "IDENTITY_CENTER_APPLICATION_ARN",
            "arn:aws:sso::111111111111:application/i/a",
        ),
        ("WAREHOUSE_ROLE_ARN", ROLE),
        ("WAREHOUSE_WORKGROUP", "analytics"),
        ("WAREHOUSE_DATABASE", "dev"),
    ];
    let env = Env::from_pairs(variables.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let credentials = Credentials::new("AKIDTEST", "secret", None, None, "test");
    let aws = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(aws)
        .retry_config(RetryConfig::disabled())
        .timeout_config(
            TimeoutConfig::builder()
                .operation_timeout(Duration::from_millis(500))
                .build(),
        )
        .build();
    let sealer = Sealer::new(&Secret::new(SEALING_KEY)).unwrap();
    App::new(Config::from_env(env).unwrap(), aws, sealer).unwrap()
}

/// A table in which every tenant is active and far from its limits, and nobody's sign-in has ended;
/// whatever else is asked of it fails.
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

macro_rules! event {
    ($name:literal) => {
        serde_json::from_str::<Value>(include_str!(concat!(
            "../../../events/queries/",
            $name,
            ".json"
        )))
        .unwrap()
    };
}

/// What the router answers to an event of the gateway.
async fn answer(event: &Value) -> (StatusCode, Value) {
    answer_of(app(), event).await
}

async fn answer_of(app: App, event: &Value) -> (StatusCode, Value) {
    let (parts, body) = lambda_http::request::from_str(&event.to_string())
        .unwrap()
        .into_parts();
    let request = Request::from_parts(parts, Body::from(body.to_vec()));
    let response = router(app).oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap())
}

async fn refused(event: &Value) -> (u16, String) {
    let (status, problem) = answer(event).await;
    (
        status.as_u16(),
        problem["code"].as_str().unwrap().to_owned(),
    )
}

fn is(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[test]
fn the_document_has_every_route() {
    let document = openapi();
    let paths: Vec<&str> = document.paths.paths.keys().map(String::as_str).collect();
    assert_eq!(
        paths,
        [
            "/v1/identity",
            "/v1/queries",
            "/v1/queries/{id}",
            "/v1/queries/{id}/cancel",
            "/v1/queries/{id}/results",
            "/v1/registered-queries",
            "/v1/registered-queries/{name}",
            "/v1/warehouse/schemas",
            "/v1/warehouse/schemas/{schema}/tables",
            "/v1/warehouse/schemas/{schema}/tables/{table}",
            "/v1/warehouse/whoami",
        ]
    );
}

#[tokio::test]
async fn nobody_without_the_gateways_word_is_served() {
    let event = event!("create-without-authorizer");
    assert_eq!(refused(&event).await, is(401, "unauthenticated"));
}

#[tokio::test]
async fn viewers_run_registered_queries_and_no_sql_of_their_own() {
    assert_eq!(
        refused(&event!("create-sql-as-viewer")).await,
        is(403, "role_required")
    );
    // Everything before AWS passed: the table that holds sessions is what does not answer.
    assert_eq!(
        refused(&event!("create-registered")).await,
        is(503, "store_unavailable")
    );
    assert_eq!(
        refused(&event!("create-sql")).await,
        is(503, "store_unavailable")
    );
}

#[tokio::test]
async fn q4_a_second_statement_is_refused_with_all_other_faults_before_any_call() {
    let (status, problem) = answer(&event!("create-two-statements")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let pointers: Vec<&str> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(pointers, ["/sql", "/parameters/b"]);
}

#[tokio::test]
async fn a_query_to_register_is_refused_with_every_fault_before_any_call() {
    let (status, problem) = answer(&event!("create-registered-query-broken")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let told: Vec<(&str, &str)> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| {
            (
                fault["pointer"].as_str().unwrap(),
                fault["code"].as_str().unwrap(),
            )
        })
        .collect();
    let expected = [
        ("/name", "invalid_name"),
        ("/sql", "wrong_statement"),
        ("/sql", "undeclared_parameter"),
        ("/parameters/0", "unused_parameter"),
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn only_admins_register_and_nobody_changes_what_every_tenant_has() {
    let cases = [
        (
            event!("create-registered-query-as-viewer"),
            is(403, "role_required"),
        ),
        (
            event!("update-registered-query-without-if-match"),
            is(428, "if_match_required"),
        ),
        (event!("delete-built-in-query"), is(409, "built_in")),
        // Everything before the table passed.
        (
            event!("create-registered-query"),
            is(503, "store_unavailable"),
        ),
    ];
    for (event, expected) in cases {
        assert_eq!(refused(&event).await, expected, "{}", event["routeKey"]);
    }
}

#[tokio::test]
async fn a_viewer_sees_what_a_query_takes_and_an_editor_its_sql() {
    let mut event = event!("get-registered-query");
    let (status, seen) = answer(&event).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(seen["parameters"][0]["name"], "minimum");
    assert_eq!(seen["sql"], Value::Null);
    event["requestContext"]["authorizer"]["jwt"]["claims"]["tenant_roles"] = json!("editor");
    let (_, seen) = answer(&event).await;
    assert!(seen["sql"].as_str().unwrap().contains(":minimum"), "{seen}");
}

#[tokio::test]
async fn a_name_that_nobody_can_have_is_unknown_before_any_call() {
    let (status, problem) = answer(&event!("create-unknown-query")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(problem["errors"][0]["code"], "unknown_query");
    let mut event = event!("create-unknown-query");
    event["body"] = json!(r#"{"query":"not-ours"}"#);
    assert_eq!(refused(&event).await, is(503, "store_unavailable"));
}

#[tokio::test]
async fn a_state_that_is_none_is_refused_and_the_list_is_read_from_the_table() {
    let event = event!("list-queries-of-unknown-state");
    assert_eq!(refused(&event).await, is(400, "malformed_query"));
    for event in [event!("list-queries"), event!("list-registered-queries")] {
        assert_eq!(refused(&event).await, is(503, "store_unavailable"));
    }
}

#[tokio::test]
async fn a_body_cannot_choose_a_database_user() {
    let (status, problem) = answer(&event!("create-unknown-field")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(problem["errors"][0]["pointer"], "/dbUser");
}

#[tokio::test]
async fn a_wait_beyond_the_gateways_time_is_refused() {
    let mut event = event!("create-registered");
    event["body"] = json!(json!({ "query": "total-sales-by-city", "waitSeconds": 21 }).to_string());
    assert_eq!(refused(&event).await, is(422, "invalid_query"));
    let mut event = event!("get-foreign-id");
    event["queryStringParameters"] = json!({ "waitSeconds": "soon" });
    event["rawQueryString"] = json!("waitSeconds=soon");
    assert_eq!(refused(&event).await, is(400, "malformed_query"));
}

#[tokio::test]
async fn q2_a_foreign_id_is_not_found_before_any_call() {
    for event in [
        event!("get-foreign-id"),
        event!("results-foreign-id"),
        event!("results-as-csv-foreign-id"),
        event!("table-that-is-no-name"),
        event!("cancel-foreign-id"),
    ] {
        assert_eq!(
            refused(&event).await,
            is(404, "not_found"),
            "{}",
            event["rawPath"]
        );
    }
}

#[tokio::test]
async fn q2_the_id_of_another_user_is_not_found_and_ones_own_is_asked_for() {
    let sealer = Sealer::new(&Secret::new(SEALING_KEY)).unwrap();
    let user = |subject: &str| User {
        tenant: "ten_019364c0a1b27cc3a4d5e6f708192a3b".parse().unwrap(),
        issuer: ISSUER.to_owned(),
        subject: subject.to_owned(),
        login: String::new(),
    };
    let asked = query_id::Asked {
        statement: "statement-1".to_owned(),
        at: jiff::Timestamp::now(),
    };
    for (subject, expected) in [
        (
            "a4f8c4d8-10e1-7001-9c1f-2f6d0b7a11aa",
            is(503, "store_unavailable"),
        ),
        ("b4f8c4d8-10e1-7001-9c1f-2f6d0b7a11bb", is(404, "not_found")),
    ] {
        let id = query_id::seal(&sealer, &user(subject), ROLE, &asked).unwrap();
        let path = format!("/v1/queries/{id}/results");
        let mut event = event!("results-foreign-id");
        event["rawPath"] = json!(path);
        event["requestContext"]["http"]["path"] = json!(path);
        event["pathParameters"]["id"] = json!(id);
        assert_eq!(refused(&event).await, expected, "{subject}");
    }
}

#[tokio::test]
async fn the_session_and_the_warehouse_are_asked_for_as_the_caller() {
    // The table that holds sessions does not answer, and nothing was asked before it.
    for event in [
        event!("show-identity"),
        event!("forget-identity"),
        event!("whoami"),
    ] {
        let path = &event["rawPath"];
        assert_eq!(
            refused(&event).await,
            is(503, "store_unavailable"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn q8_a_token_that_is_not_genuine_is_refused_before_anything_else_is_asked_of_aws() {
    let (status, problem) = answer(&event!("establish-identity")).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(problem["code"], "token_not_accepted");
    assert!(!problem.to_string().contains("c2lnbmF0dXJl"), "{problem}");
}

#[tokio::test]
async fn a5_no_identity_is_exchanged_while_the_limits_are_unknown() {
    let app = app_at("http://aws.invalid");
    let (status, problem) = answer_of(app, &event!("establish-identity")).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(problem["code"], "limits_unavailable");
}
