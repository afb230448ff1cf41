//! The router without anything behind it: what is refused before a table or a provider is asked.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use tower::ServiceExt;
use tributary::config::Env;

use super::*;

fn environment() -> Vec<(String, String)> {
    [
        ("STAGE", "test"),
        ("AUDIT_BUCKET", "audit"),
        (
            "SEALING_KEY_SECRET_ARN",
            "arn:aws:secretsmanager:us-east-1:111111111111:secret:seal",
        ),
        ("TABLE_NAME", "table"),
        (
            "TENANT_DATA_ROLE_ARN",
            "arn:aws:iam::111111111111:role/tributary/prod-tenant-data",
        ),
        ("DATA_KEY_ARN", "arn:aws:kms:us-east-1:111111111111:key/k"),
        ("PUBLIC_BASE_URL", "https://api.example"),
        ("APP_ORIGINS", "https://app.example"),
        ("OIDC_ISSUER", "https://idp.example/pool"),
        ("OIDC_CLIENT_ID", "client"),
        ("OAUTH_PROVIDERS", "salesforce"),
        ("OAUTH_APP_SECRET_PREFIX", "tributary/oauth-apps/"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

fn app() -> App {
    let config = Config::from_env(Env::from_pairs(environment())).unwrap();
    let aws = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .build();
    App::new(config, &aws).unwrap()
}

async fn send(
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
) -> (StatusCode, HeaderMap, String) {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).unwrap();
    let response = router(app()).oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    (parts.status, parts.headers, text)
}

#[tokio::test]
async fn unknown_routes_and_methods_get_a_problem_document() {
    for (method, path, status, code) in [
        (Method::GET, "/v2/none", 404, "not_found"),
        (Method::POST, "/", 404, "not_found"),
        (Method::DELETE, "/%00", 404, "not_found"),
        (Method::GET, "/auth/token", 405, "method_not_allowed"),
        (Method::PUT, "/connect/start", 405, "method_not_allowed"),
        (
            Method::DELETE,
            "/connect/invitation",
            405,
            "method_not_allowed",
        ),
        (
            Method::GET,
            "/connect/callback/none?state=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa&code=c",
            404,
            "not_found",
        ),
    ] {
        let (got, headers, body) = send(method, path, &[]).await;
        assert_eq!(got.as_u16(), status, "{path}: {body}");
        assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json");
        assert!(
            body.contains(&format!("\"code\":\"{code}\"")),
            "{path}: {body}"
        );
    }
}

/// Rules C11 and C12 of the checklist.
#[tokio::test]
async fn every_answer_has_the_strict_headers() {
    for (method, path) in [
        (Method::GET, "/auth/callback"),
        (Method::GET, "/connect/callback/salesforce"),
        (Method::GET, "/connect/start"),
        (Method::POST, "/connect/start"),
        (Method::GET, "/connect/invitation"),
        (Method::POST, "/connect/invitation"),
        (Method::HEAD, "/connect/invitation"),
        (Method::GET, "/nowhere"),
    ] {
        let (_, headers, _) = send(method, path, &[]).await;
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
        assert_eq!(headers[header::REFERRER_POLICY], "no-referrer");
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        assert!(headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
    }
}

/// Rule C14 of the checklist.
#[tokio::test]
async fn looking_ahead_opens_nothing() {
    for path in [
        "/connect/start?token=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "/connect/invitation?token=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "/connect/callback/salesforce?code=a&state=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ] {
        let (status, _, _) = send(Method::HEAD, path, &[]).await;
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
        for (name, value) in [
            ("sec-purpose", "prefetch;prerender"),
            ("purpose", "prefetch"),
            ("x-moz", "prefetch"),
        ] {
            let (status, _, body) = send(Method::GET, path, &[(name, value)]).await;
            assert_eq!(status, StatusCode::CONFLICT);
            assert!(body.contains("prefetch_refused"), "{body}");
        }
    }
}

#[tokio::test]
async fn c3_posts_need_an_origin_of_ours() {
    for path in ["/auth/token", "/auth/logout", "/connect/start"] {
        for origins in [
            &[][..],
            &[("origin", "null")],
            &[("origin", "https://app.example.evil.com")],
            &[
                ("origin", "https://app.example"),
                ("origin", "https://evil.example"),
            ],
        ] {
            let (status, _, body) = send(Method::POST, path, origins).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{path} {origins:?}");
            assert!(body.contains("origin_refused"), "{body}");
        }
    }
    for origin in ["https://app.example", "https://api.example"] {
        let (status, _, body) = send(Method::POST, "/auth/token", &[("origin", origin)]).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert!(body.contains("session_ended"), "{body}");
        let (status, headers, _) = send(Method::POST, "/auth/logout", &[("origin", origin)]).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
        assert!(
            headers[header::SET_COOKIE]
                .to_str()
                .unwrap()
                .contains("Max-Age=0")
        );
    }
}

/// Rule L2: the page's form is taken from the page itself, in the browser that was shown it.
#[tokio::test]
async fn an_invitation_is_answered_from_our_own_page_only() {
    for headers in [
        &[][..],
        &[("origin", "https://app.example")],
        &[("origin", "null")],
        &[("origin", "https://api.example")],
        &[
            ("origin", "https://api.example"),
            ("sec-fetch-site", "same-site"),
        ],
    ] {
        let kind = ("content-type", "application/x-www-form-urlencoded");
        let headers: Vec<_> = headers.iter().copied().chain([kind]).collect();
        let (status, _, body) = send(Method::POST, "/connect/invitation", &headers).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{headers:?}");
        assert!(body.contains("invitation_refused"), "{body}");
    }
}

#[tokio::test]
async fn callbacks_without_a_cookie_or_with_doubled_parameters_reach_nothing() {
    let state = "s".repeat(43);
    for base in ["/auth/callback", "/connect/callback/salesforce"] {
        for (query, status, code) in [
            (format!("code=a&state={state}"), 403, "_refused"),
            (
                format!("code=a&code=b&state={state}"),
                400,
                "malformed_query",
            ),
            (
                format!("code=a&state={state}&state={state}"),
                400,
                "malformed_query",
            ),
            ("code=a".to_owned(), 400, "malformed_query"),
        ] {
            let (got, _, body) = send(Method::GET, &format!("{base}?{query}"), &[]).await;
            assert_eq!(got.as_u16(), status, "{base} {query}: {body}");
            assert!(body.contains(code), "{body}");
            assert!(!body.contains(&state), "{body}");
        }
    }
}

#[tokio::test]
async fn c8_browsers_see_a_page_that_repeats_nothing() {
    let path =
        "/connect/callback/salesforce?error=x&error_description=%3Cscript%3Ealert(1)%3C/script%3E";
    let (status, headers, body) = send(Method::GET, path, &[("accept", "text/html,*/*")]).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(
        headers[header::CONTENT_TYPE]
            .to_str()
            .unwrap()
            .starts_with("text/html")
    );
    assert!(
        !body.contains("script") && body.contains("malformed_query"),
        "{body}"
    );
}

#[tokio::test]
async fn sign_in_returns_to_our_applications_only() {
    for to in [
        "//evil.example",
        "https%3A%2F%2Fapp.example.evil.com",
        "javascript:x",
        "",
    ] {
        let (status, _, body) =
            send(Method::GET, &format!("/auth/login?return_to={to}"), &[]).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{to}");
        assert!(body.contains("return_to_refused"), "{body}");
    }
}

#[test]
fn all_faults_of_the_environment_are_named_at_once() {
    let error = Config::from_env(Env::from_pairs([
        (
            "PUBLIC_BASE_URL".to_owned(),
            "http://api.example".to_owned(),
        ),
        ("APP_ORIGINS".to_owned(), "https://app.example/".to_owned()),
    ]))
    .unwrap_err()
    .to_string();
    for name in [
        "TABLE_NAME",
        "PUBLIC_BASE_URL",
        "APP_ORIGINS",
        "OIDC_ISSUER",
        "OAUTH_PROVIDERS",
    ] {
        assert!(error.contains(name), "{error}");
    }
}

#[test]
fn the_document_names_every_route() {
    let document = openapi();
    let paths: Vec<&str> = document.paths.paths.keys().map(String::as_str).collect();
    assert_eq!(
        paths,
        [
            "/auth/callback",
            "/auth/login",
            "/auth/logout",
            "/auth/token",
            "/connect/callback/{provider}",
            "/connect/invitation",
            "/connect/start"
        ]
    );
}
