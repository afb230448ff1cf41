//! The HTTP API over real HTTP, with a real process behind it.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use reqwest::{Client, Response, StatusCode};
use sandbox_core::serve;
use sandbox_gateway::{
    http_api::{HttpApi, HttpApiOptions},
    runtime::Runtime,
    template::{Context, Template},
};
use serde_json::{Value, json};

use crate::{
    issuer::{Issuer, SigningKey},
    support::{MemoryQueues, context, runtime},
};

const TEMPLATE: &str = r"
Parameters: { Issuer: { Type: String } }
Globals: { Function: { Runtime: provided.al2023, Handler: bootstrap, Timeout: 30 } }
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      Auth:
        DefaultAuthorizer: Jwt
        Authorizers: { Jwt: { JwtConfiguration: { issuer: !Ref Issuer, audience: [web] } } }
      CorsConfiguration:
        AllowOrigins: [https://app.example]
        AllowMethods: [GET]
        AllowHeaders: [authorization]
        AllowCredentials: true
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/worker
      Events:
        Open: { Type: HttpApi, Properties: { ApiId: !Ref Api, Method: ANY, Path: '/open/{name}', Auth: { Authorizer: NONE } } }
        Hasty: { Type: HttpApi, Properties: { ApiId: !Ref Api, Method: GET, Path: /hasty, TimeoutInMillis: 50, Auth: { Authorizer: NONE } } }
        Get: { Type: HttpApi, Properties: { ApiId: !Ref Api, Method: GET, Path: '/v1/{proxy+}' } }
        Scoped: { Type: HttpApi, Properties: { ApiId: !Ref Api, Method: GET, Path: /v1/scoped, Auth: { AuthorizationScopes: [a, b] } } }
";

struct Site {
    api: HttpApi,
    runtime: Runtime,
    client: Client,
    issuer: Issuer,
    key: SigningKey,
}

impl Site {
    async fn start() -> Self {
        let key = SigningKey::generate("k1");
        let issuer = Issuer::start(&key).await;
        let context = Context {
            parameters: BTreeMap::from([("Issuer".to_owned(), issuer.url.clone())]),
            ..context()
        };
        let resolved = Template::parse(TEMPLATE)
            .unwrap()
            .resolve(&context)
            .unwrap();
        let runtime = runtime(&resolved, &MemoryQueues::default());
        let (listener, _) = serve::bind(0).await.unwrap();
        let options = HttpApiOptions {
            api: resolved.api().unwrap().clone(),
            account: context.account,
            functions: Arc::new(runtime.clone()),
            logs: runtime.logs().clone(),
        };
        let client = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none());
        Self {
            api: HttpApi::serve(listener, options).unwrap(),
            runtime,
            client: client.build().unwrap(),
            issuer,
            key,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.api.base_url())
    }

    async fn get(&self, path: &str, token: &str) -> Response {
        let request = self.client.get(self.url(path)).bearer_auth(token);
        request.send().await.unwrap()
    }

    /// Good claims, with changes; null removes one.
    fn claims(&self, changes: &Value) -> Value {
        let now = jiff::Timestamp::now().as_second();
        let mut claims = json!({
            "iss": self.issuer.url,
            "aud": "web",
            "sub": "a4f8",
            "exp": now + 600,
            "iat": now,
        });
        for (name, value) in changes.as_object().unwrap() {
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(name);
            } else {
                claims[name] = value.clone();
            }
        }
        claims
    }

    fn token(&self, changes: &Value) -> String {
        self.key.sign(&self.claims(changes))
    }

    fn invocations(&self) -> u64 {
        self.runtime.counters("Worker").invocations
    }
}

async fn message(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let body = response.text().await.unwrap();
    (
        status,
        serde_json::from_str(&body).unwrap_or_else(|_| body.into()),
    )
}

#[tokio::test]
async fn the_event_is_payload_format_two() {
    let site = Site::start().await;
    let groups = json!({ "cognito:groups": ["amer-sales", "exec-global"], "email_verified": true });
    let request = site
        .client
        .get(site.url("/v1/flows/a%20b?x=1&x=2&name=J%C3%BCrgen"))
        .bearer_auth(site.token(&groups))
        .header("Cookie", "one=1; two=2")
        .header("X-Many", "a")
        .header("X-Many", "b")
        .header("User-Agent", "test/1");
    let mut event: Value = request.send().await.unwrap().json().await.unwrap();
    let claims = event["requestContext"]["authorizer"]["jwt"]["claims"].take();
    assert_eq!(claims["cognito:groups"], "[amer-sales exec-global]");
    assert_eq!(claims["email_verified"], "true");
    assert!(claims["exp"].is_string());
    let headers = event["headers"].take();
    assert_eq!(headers["x-many"], "a,b");
    assert_eq!(headers["x-forwarded-for"], "127.0.0.1");
    assert_eq!(headers["content-length"], "0");
    assert!(
        headers["authorization"]
            .as_str()
            .unwrap()
            .starts_with("Bearer ")
    );
    assert!(headers.get("cookie").is_none());
    let context = &mut event["requestContext"];
    assert!(context["timeEpoch"].take().is_i64());
    assert_eq!(
        context["time"].take().as_str().unwrap().len(),
        "20/Nov/2026:10:15:04 +0000".len()
    );
    assert_eq!(
        context["requestId"].take().as_str().unwrap().len(),
        "VTt3ZgB4IAMEJ9g=".len()
    );
    assert_eq!(context["apiId"].take().as_str().unwrap().len(), 10);
    let expected = json!({
        "version": "2.0",
        "routeKey": "GET /v1/{proxy+}",
        "rawPath": "/v1/flows/a b",
        "rawQueryString": "x=1&x=2&name=J%C3%BCrgen",
        "cookies": ["one=1", "two=2"],
        "headers": null,
        "queryStringParameters": { "x": "1,2", "name": "Jürgen" },
        "pathParameters": { "proxy": "flows/a b" },
        "requestContext": {
            "accountId": "111111111111",
            "apiId": null,
            "authorizer": { "jwt": { "claims": null, "scopes": null } },
            "domainName": "127.0.0.1",
            "domainPrefix": "127",
            "http": {
                "method": "GET",
                "path": "/v1/flows/a b",
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "test/1",
            },
            "requestId": null,
            "routeKey": "GET /v1/{proxy+}",
            "stage": "$default",
            "time": null,
            "timeEpoch": null,
        },
        "isBase64Encoded": false,
    });
    assert_eq!(event, expected);
}

#[tokio::test]
async fn bodies_are_text_or_base64_by_content_type() {
    let site = Site::start().await;
    let cases = [
        (
            Some("application/json; charset=utf-8"),
            &b"{}"[..],
            "{}",
            false,
        ),
        (Some("text/plain"), b"hi", "hi", false),
        (
            Some("application/x-www-form-urlencoded"),
            b"a=b",
            "YT1i",
            true,
        ),
        (None, b"hi", "aGk=", true),
        (Some("application/json"), b"\xff", "/w==", true),
    ];
    for (kind, body, expected, encoded) in cases {
        let mut request = site.client.post(site.url("/open/it")).body(body);
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        let event: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(event["body"], expected, "{kind:?}");
        assert_eq!(event["isBase64Encoded"], encoded, "{kind:?}");
        assert!(event["requestContext"].get("authorizer").is_none());
    }
}

#[tokio::test]
async fn a_structured_answer_becomes_the_response() {
    let site = Site::start().await;
    let told = json!({ "do": "answer", "answer": {
        "statusCode": 302,
        "headers": { "location": "/next" },
        "cookies": ["a=1; HttpOnly", "b=2"],
    } });
    let request = site
        .client
        .get(site.url("/open/it"))
        .header("x-do", told.to_string());
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 302);
    assert_eq!(response.headers()["location"], "/next");
    assert_eq!(response.headers().get_all("set-cookie").iter().count(), 2);
    assert!(response.headers().contains_key("apigw-requestid"));
}

#[tokio::test]
async fn a_token_that_is_not_good_is_refused_and_nothing_is_invoked() {
    let site = Site::start().await;
    let now = jiff::Timestamp::now().as_second();
    let stranger = SigningKey::generate("k1");
    let unsigned = "eyJhbGciOiJub25lIiwia2lkIjoiazEifQ.e30.";
    let cases = [
        ("other signature", stranger.sign(&site.claims(&json!({})))),
        ("expired", site.token(&json!({ "exp": now - 1 }))),
        ("no exp", site.token(&json!({ "exp": null }))),
        (
            "exp as text",
            site.token(&json!({ "exp": (now + 600).to_string() })),
        ),
        ("not yet valid", site.token(&json!({ "nbf": now + 600 }))),
        (
            "issued in the future",
            site.token(&json!({ "iat": now + 600 })),
        ),
        ("other audience", site.token(&json!({ "aud": "other" }))),
        (
            "other audience in spite of client_id",
            site.token(&json!({ "aud": "other", "client_id": "web" })),
        ),
        (
            "neither aud nor client_id",
            site.token(&json!({ "aud": null })),
        ),
        (
            "other issuer",
            site.token(&json!({ "iss": "http://evil.example" })),
        ),
        (
            "several issuers",
            site.token(&json!({ "iss": [site.issuer.url, "x"] })),
        ),
        ("no issuer", site.token(&json!({ "iss": null }))),
        ("no algorithm", unsigned.to_owned()),
        ("rubbish", "rubbish".to_owned()),
    ];
    for (name, token) in cases {
        let response = site.get("/v1/flows", &token).await;
        let challenge = response.headers()["www-authenticate"]
            .to_str()
            .unwrap()
            .to_owned();
        assert!(
            challenge.contains("error=\"invalid_token\""),
            "{name}: {challenge}"
        );
        let expected = (
            StatusCode::UNAUTHORIZED,
            json!({ "message": "Unauthorized" }),
        );
        assert_eq!(message(response).await, expected, "{name}");
    }
    let response = site.client.get(site.url("/v1/flows")).send().await.unwrap();
    assert_eq!(response.headers()["www-authenticate"], "Bearer");
    assert_eq!(response.status(), 401);
    assert_eq!(site.invocations(), 0);
}

#[tokio::test]
async fn without_audience_the_client_id_counts() {
    let site = Site::start().await;
    let token = site.token(&json!({ "aud": null, "client_id": "web" }));
    assert_eq!(site.get("/v1/flows", &token).await.status(), 200);
    let token = site.token(&json!({ "aud": ["other", "web"] }));
    assert_eq!(site.get("/v1/flows", &token).await.status(), 200);
    assert_eq!(site.issuer.fetches(), 1);
}

#[tokio::test]
async fn a_new_key_is_fetched_and_an_unknown_one_does_not_flood_the_issuer() {
    let site = Site::start().await;
    assert_eq!(
        site.get("/v1/flows", &site.token(&json!({})))
            .await
            .status(),
        200
    );
    let started = Instant::now();
    let unknown = SigningKey::generate("k0");
    for _ in 0..20 {
        assert_eq!(
            site.get("/v1/flows", &unknown.sign(&site.claims(&json!({}))))
                .await
                .status(),
            401
        );
    }
    let most = 2 + usize::try_from(started.elapsed().as_secs()).unwrap();
    assert!(
        site.issuer.fetches() <= most,
        "{} fetches",
        site.issuer.fetches()
    );
    let next = SigningKey::generate("k2");
    site.issuer.publish(&next.public());
    let token = next.sign(&site.claims(&json!({})));
    while site.get("/v1/flows", &token).await.status() != 200 {
        tokio::task::yield_now().await; // until the pause between two fetches is over
    }
}

#[tokio::test]
async fn a_key_for_something_else_verifies_no_token() {
    for (property, value) in [("use", "enc"), ("alg", "PS256")] {
        let site = Site::start().await;
        let mut key = site.key.public();
        key[property] = value.into();
        site.issuer.publish(&key);
        let response = site.get("/v1/flows", &site.token(&json!({}))).await;
        let challenge = response.headers()["www-authenticate"].to_str().unwrap();
        assert!(
            challenge.contains("not for RS256"),
            "{property}: {challenge}"
        );
    }
}

#[tokio::test]
async fn a_route_with_scopes_needs_one_of_them() {
    let site = Site::start().await;
    let response = site
        .get("/v1/scoped", &site.token(&json!({ "scope": "c d" })))
        .await;
    let challenge = response.headers()["www-authenticate"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(challenge.contains("insufficient_scope"), "{challenge}");
    let expected = (StatusCode::FORBIDDEN, json!({ "message": "Forbidden" }));
    assert_eq!(message(response).await, expected);
    assert_eq!(site.invocations(), 0);
    let response = site
        .get("/v1/scoped", &site.token(&json!({ "scope": "c a" })))
        .await;
    let event: Value = response.json().await.unwrap();
    assert_eq!(
        event["requestContext"]["authorizer"]["jwt"]["scopes"],
        json!(["a", "b"])
    );
}

#[tokio::test]
async fn what_the_gateway_refuses_itself() {
    let site = Site::start().await;
    let not_found = (StatusCode::NOT_FOUND, json!({ "message": "Not Found" }));
    for path in ["/nowhere", "/open", "/open/a/b", "/v1/"] {
        let response = site.client.get(site.url(path)).send().await.unwrap();
        assert_eq!(message(response).await, not_found, "{path}");
    }
    let large = (
        StatusCode::PAYLOAD_TOO_LARGE,
        json!({ "message": "Request Entity Too Large" }),
    );
    for megabytes in [7, 11] {
        let body = vec![b'x'; megabytes * 1024 * 1024];
        let request = site
            .client
            .post(site.url("/open/it"))
            .header("content-type", "text/plain");
        let response = request.body(body).send().await.unwrap();
        assert_eq!(message(response).await, large, "{megabytes} MB");
    }
    let request = site
        .client
        .get(site.url("/open/it"))
        .header("x-long", "x".repeat(10_240));
    assert_eq!(request.send().await.unwrap().status(), 431);
    assert_eq!(site.invocations(), 0);
}

#[tokio::test]
async fn a_failing_or_late_function_is_answered_blandly() {
    let site = Site::start().await;
    let broken = (
        StatusCode::INTERNAL_SERVER_ERROR,
        json!({ "message": "Internal Server Error" }),
    );
    let tellings = [
        json!({ "do": "error" }),
        json!({ "do": "exit" }),
        json!({ "do": "answer", "answer": { "statusCode": "soon" } }),
    ];
    for told in tellings {
        let request = site
            .client
            .get(site.url("/open/it"))
            .header("x-do", told.to_string());
        assert_eq!(
            message(request.send().await.unwrap()).await,
            broken,
            "{told}"
        );
    }
    let told = json!({ "do": "sleep" }).to_string();
    let request = site.client.get(site.url("/hasty")).header("x-do", told);
    let late = (
        StatusCode::SERVICE_UNAVAILABLE,
        json!({ "message": "Service Unavailable" }),
    );
    assert_eq!(message(request.send().await.unwrap()).await, late);
    site.runtime.stop();
}

#[tokio::test]
async fn preflights_are_answered_by_the_gateway() {
    let site = Site::start().await;
    let ask = |origin: &str| {
        site.client
            .request(reqwest::Method::OPTIONS, site.url("/v1/flows"))
            .header("Origin", origin)
            .header("Access-Control-Request-Method", "GET")
    };
    let response = ask("https://app.example").send().await.unwrap();
    assert_eq!(response.status(), 204);
    assert_eq!(
        response.headers()["access-control-allow-origin"],
        "https://app.example"
    );
    assert_eq!(response.headers()["access-control-allow-methods"], "GET");
    let response = ask("https://evil.example").send().await.unwrap();
    assert!(
        !response
            .headers()
            .contains_key("access-control-allow-origin")
    );
    assert_eq!(site.invocations(), 0);
    // A script of the application may read why it was refused.
    let request = site
        .client
        .get(site.url("/v1/flows"))
        .header("Origin", "https://app.example");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!(
        response.headers()["access-control-allow-credentials"],
        "true"
    );
}

#[tokio::test]
async fn the_access_log_has_a_line_per_request_without_query_values_and_headers() {
    let site = Site::start().await;
    let token = site.token(&json!({}));
    site.get("/v1/flows?code=secret-code", &token).await;
    let line = site
        .runtime
        .logs()
        .wait_for(|line| line.source == "gateway")
        .await;
    let line: Value = serde_json::from_str(&line.text).unwrap();
    assert_eq!(line["status"], 200);
    assert_eq!(line["path"], "/v1/flows");
    assert_eq!(line["routeKey"], "GET /v1/{proxy+}");
    let everything = site.runtime.logs().text();
    assert!(
        !everything.contains("secret-code") && !everything.contains(&token),
        "{everything}"
    );
}
