//! Requests that cannot be read: each gets a clear problem document, and nothing changes.

use reqwest::RequestBuilder;
use serde_json::json;

use super::wire::{self, Moment, Wire, answer, assert_gateways, assert_problem, header, pointers};
use crate::common;

/// A body that `POST /v1/accounts` would take.
const GOOD: &str = r#"{"awsAccountId":"444444444444","region":"us-east-1"}"#;
const JSON: &str = "application/json";

/// Done-when 3 and A4: unknown routes and methods, bodies, headers, queries and sizes.
#[tokio::test(flavor = "multi_thread")]
async fn a4_what_cannot_be_read_is_a_clear_problem_and_changes_nothing() {
    let sandbox = common::start().await;
    let blue = common::tenant(&sandbox, "Blue", &[("frank", "admin")]).await;
    let edge = Edge {
        wire: Wire::to(&sandbox),
        token: blue.people["frank"].access_token.clone(),
        origin: sandbox.app_origin.clone(),
    };
    let before = Moment::of(&sandbox).await;
    edge.routes_and_methods().await;
    edge.ids().await;
    edge.bodies().await;
    edge.rules().await;
    edge.media_types().await;
    edge.sizes().await;
    edge.queries().await;
    edge.idempotency_keys().await;
    edge.sign_in().await;
    before
        .assert_nothing_changed(&sandbox, "what cannot be read")
        .await;
    // STS is asked for the session in which the tenant's own items are looked up, and for no other.
    let reached = before.asked_since(&sandbox, &["appflow", "salesforce", "sqs"]);
    assert_eq!(reached, Vec::<String>::new());
    wire::assert_no_failures(&sandbox);
    common::no_leaks(&sandbox).await;
}

struct Edge {
    wire: Wire,
    token: String,
    origin: String,
}

impl Edge {
    fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.wire.request(method, path).bearer_auth(&self.token)
    }

    async fn routes_and_methods(&self) {
        let unknown = [
            ("GET", "/"),
            ("GET", "/nothing"),
            ("POST", "/nothing"),
            ("GET", "/v1"),
            ("GET", "/v1/"),
            ("GET", "/v1/nothing"),
            ("POST", "/v1/nothing"),
            ("GET", "/v2/accounts"),
            ("GET", "/v1/accounts/"),
            ("GET", "/V1/accounts"),
            ("GET", "/v1//accounts"),
            (
                "GET",
                "/v1/accounts/acc_0193d3f0aaaa7bbb8cccdddddddddddd/nothing",
            ),
            ("GET", "/auth/nothing"),
            ("GET", "/connect/callback"),
        ];
        for (method, path) in unknown {
            let answer = answer(self.request(method, path)).await;
            assert_problem(&answer, 404, "not_found", &format!("{method} {path}"));
        }
        let not_offered = [
            ("DELETE", "/v1/me"),
            ("POST", "/v1/me"),
            ("PATCH", "/v1/accounts"),
            ("PUT", "/v1/accounts/acc_0193d3f0aaaa7bbb8cccdddddddddddd"),
            (
                "GET",
                "/v1/flows/flw_0193d3f0aaaa7bbb8cccdddddddddddd/start",
            ),
            ("POST", "/auth/login"),
            ("GET", "/auth/token"),
            ("DELETE", "/auth/token"),
            ("PROPFIND", "/auth/login"),
            ("HEAD", "/auth/login"),
        ];
        for (method, path) in not_offered {
            let answer = answer(self.request(method, path)).await;
            let what = format!("{method} {path}");
            if method == "HEAD" {
                assert_eq!(answer.status, 405, "{what}");
                continue;
            }
            assert_problem(&answer, 405, "method_not_allowed", &what);
        }
        // Methods that no route of the API has.
        for (method, path) in [
            ("PROPFIND", "/v1/accounts"),
            ("HEAD", "/v1/accounts"),
            ("TRACE", "/v1/me"),
        ] {
            let answer = answer(self.request(method, path)).await;
            let status = answer.status.as_u16();
            assert!([404, 405].contains(&status), "{method} {path}: {status}");
            if method != "HEAD" {
                assert_problem(&answer, status, answer.code(), method);
            }
        }
    }

    async fn ids(&self) {
        let long = format!("/v1/accounts/acc_{}", "a".repeat(2_000));
        let unknown = [
            "/v1/accounts/x",
            "/v1/accounts/acc_",
            "/v1/accounts/acc_0193D3F0AAAA7BBB8CCCDDDDDDDDDDDD",
            "/v1/accounts/0193d3f0aaaa7bbb8cccdddddddddddd",
            "/v1/accounts/con_0193d3f0aaaa7bbb8cccdddddddddddd",
            "/v1/accounts/%00",
            "/v1/accounts/%20",
            "/v1/accounts/%C3%A4",
            "/v1/accounts/'%20OR%201=1",
            "/v1/accounts/ACCOUNT%23x",
            "/v1/connections/acc_0193d3f0aaaa7bbb8cccdddddddddddd",
            "/v1/flows/flw_x/runs",
            "/v1/connectors/fax",
            "/v1/queries/qry_",
            "/v1/queries/x",
            "/v1/queries/qry_../results",
            long.as_str(),
        ];
        for path in unknown {
            let answer = answer(self.request("GET", path)).await;
            assert_problem(&answer, 404, "not_found", path);
        }
        // Bytes that are no text cannot name anything.
        for path in [
            "/v1/accounts/%FF",
            "/v1/queries/%FF",
            "/v1/connections/%FF/entities",
            "/v1/%FF",
        ] {
            let answer = answer(self.request("GET", path)).await;
            let status = answer.status.as_u16();
            assert!(
                [400, 404].contains(&status),
                "{path}: {status} {}",
                answer.body
            );
            assert_problem(&answer, status, answer.code(), path);
        }
    }

    async fn bodies(&self) {
        let region = r#""region":"us-east-1""#;
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        let cases: Vec<(&str, Vec<u8>, Option<&str>)> = vec![
            ("nothing", b"".to_vec(), Some("")),
            ("blanks", b"  \n".to_vec(), Some("")),
            ("null", b"null".to_vec(), Some("")),
            ("a text", b"\"x\"".to_vec(), Some("")),
            ("a list", b"[]".to_vec(), Some("")),
            ("no braces", b"awsAccountId=4".to_vec(), Some("")),
            ("truncated", b"{\"awsAccountId\":\"44".to_vec(), None),
            ("truncated after a colon", b"{\"region\":".to_vec(), None),
            (
                "two documents",
                format!("{GOOD}{GOOD}").into_bytes(),
                Some(""),
            ),
            (
                "something behind",
                format!("{GOOD} x").into_bytes(),
                Some(""),
            ),
            (
                "a comma too many",
                format!("{{{region},}}").into_bytes(),
                None,
            ),
            (
                "single quotes",
                b"{'region':'us-east-1'}".to_vec(),
                Some(""),
            ),
            (
                "a byte order mark",
                format!("\u{feff}{GOOD}").into_bytes(),
                Some(""),
            ),
            ("a zero byte", b"\0".to_vec(), Some("")),
            ("no UTF-8", b"{\"region\":\"\xff\xfe\"}".to_vec(), None),
            ("half a surrogate", br#"{"region":"\ud800"}"#.to_vec(), None),
            (
                "a control character",
                b"{\"region\":\"a\nb\"}".to_vec(),
                None,
            ),
            ("a member missing", b"{}".to_vec(), Some("")),
            (
                "a number for a text",
                br#"{"region":7}"#.to_vec(),
                Some("/region"),
            ),
            (
                "null for a text",
                br#"{"region":null}"#.to_vec(),
                Some("/region"),
            ),
            (
                "an object for a text",
                br#"{"region":{"a":1}}"#.to_vec(),
                Some("/region"),
            ),
            (
                "no such variant",
                format!(r#"{{{region},"hosting":"mine"}}"#).into_bytes(),
                Some("/hosting"),
            ),
            ("NaN", br#"{"region":NaN}"#.to_vec(), None),
            (
                "a number beyond numbers",
                br#"{"region":1e999999}"#.to_vec(),
                None,
            ),
            (
                "an unknown member",
                format!(r#"{{{region},"color":"red"}}"#).into_bytes(),
                Some("/color"),
            ),
            (
                "an unknown member with a slash",
                format!(r#"{{{region},"a/b~c":1}}"#).into_bytes(),
                Some("/a~1b~0c"),
            ),
            (
                "another case",
                br#"{"Region":"us-east-1"}"#.to_vec(),
                Some("/Region"),
            ),
            (
                "a member twice",
                format!("{{{region},{region}}}").into_bytes(),
                None,
            ),
            ("a deep list", deep(33).into_bytes(), Some("")),
            ("a very deep list", deep(200_000).into_bytes(), Some("")),
            (
                "a deep member",
                format!(r#"{{"region":{}}}"#, deep(64)).into_bytes(),
                Some(""),
            ),
            (
                "depth without an end",
                "[{\"a\":".repeat(50_000).into_bytes(),
                Some(""),
            ),
        ];
        for (what, body, pointer) in cases {
            let request = self
                .request("POST", "/v1/accounts")
                .header("content-type", JSON);
            let answer = answer(request.body(body)).await;
            assert_problem(&answer, 400, "malformed_body", what);
            let pointers = pointers(&answer);
            assert_eq!(pointers.len(), 1, "{what}: {}", answer.body);
            if let Some(pointer) = pointer {
                assert_eq!(pointers[0], pointer, "{what}: {}", answer.body);
            }
        }
        // The other functions and shapes of bodies: one each is enough, the reader is the same.
        let elsewhere = [
            (
                "POST",
                "/v1/connections",
                r#"{"name":"x","token":"y"}"#,
                "/token",
            ),
            (
                "POST",
                "/v1/flows",
                r#"{"name":"x","accountId":"acc_1"}"#,
                "/accountId",
            ),
            ("POST", "/v1/flows/compile", r#"{"name":7}"#, "/name"),
            ("POST", "/v1/identity", r#"{"idToken":7}"#, "/idToken"),
            ("POST", "/v1/queries", r#"{"sql":["a"]}"#, "/sql"),
            (
                "POST",
                "/v1/queries",
                r#"{"query":"total-sales-by-city","user":"frank"}"#,
                "/user",
            ),
        ];
        for (method, path, body, pointer) in elsewhere {
            let request = self.request(method, path).header("content-type", JSON);
            let answer = answer(request.body(body)).await;
            assert_problem(&answer, 400, "malformed_body", &format!("{path} {body}"));
            assert_eq!(pointers(&answer), [pointer], "{}", answer.body);
        }
    }

    /// What reads well and breaks rules: all faults at once.
    async fn rules(&self) {
        let cases = [
            (
                "/v1/accounts",
                json!({ "region": "mars-1" }),
                "invalid_account",
                vec!["/awsAccountId", "/region"],
            ),
            (
                "/v1/connections",
                json!({ "name": "", "connector": "fax", "accountId": "acc_0193d3f0aaaa7bbb8cccdddddddddddd" }),
                "invalid_connection",
                vec!["/accountId", "/connector", "/name"],
            ),
        ];
        for (path, body, code, expected) in cases {
            let answer = answer(self.request("POST", path).json(&body)).await;
            assert_problem(&answer, 422, code, path);
            let mut told = pointers(&answer);
            told.sort_unstable();
            assert_eq!(told, expected, "{}", answer.body);
        }
    }

    async fn media_types(&self) {
        let wrong = [
            None,
            Some(""),
            Some("text/plain"),
            Some("application/x-www-form-urlencoded"),
            Some("multipart/form-data; boundary=x"),
            Some("application/jsonx"),
            Some("application/json-patch+json"),
            Some("text/json"),
            Some("application"),
        ];
        for media_type in wrong {
            let mut request = self.request("POST", "/v1/accounts").body(GOOD);
            if let Some(media_type) = media_type {
                request = request.header("content-type", media_type);
            }
            let answer = answer(request).await;
            let what = format!("{media_type:?}");
            assert_problem(&answer, 415, "unsupported_media_type", &what);
        }
        // Written otherwise, and the same: what is refused is the account, not the type.
        for media_type in [
            "application/json; charset=utf-8",
            "Application/JSON",
            "application/json ;x=y",
        ] {
            let request = self
                .request("POST", "/v1/accounts")
                .body(r#"{"region":"mars-1"}"#);
            let answer = answer(request.header("content-type", media_type)).await;
            assert_problem(&answer, 422, "invalid_account", media_type);
        }
    }

    async fn sizes(&self) {
        const MIB: usize = 1024 * 1024;
        let padded = |length: usize| {
            let body = r#"{"region":"mars-1"}"#;
            format!("{body}{}", " ".repeat(length - body.len()))
        };
        let post = |path: &str, body: String| {
            let request = self.request("POST", path).header("content-type", JSON);
            answer(request.body(body))
        };
        let taken = post("/v1/accounts", padded(MIB)).await;
        assert_problem(&taken, 422, "invalid_account", "exactly a mebibyte");
        for path in ["/v1/accounts", "/v1/flows", "/v1/queries", "/v1/identity"] {
            let answer = post(path, padded(MIB + 1)).await;
            assert_problem(&answer, 413, "body_too_large", path);
        }
        let verify = "/v1/accounts/acc_0193d3f0aaaa7bbb8cccdddddddddddd/verify";
        let answer = post(verify, padded(3 * MIB)).await;
        assert_problem(
            &answer,
            413,
            "body_too_large",
            "a body that may be left out",
        );
        // Lambda takes six megabytes of event, the gateway ten of body: neither is ours to answer.
        for length in [7 * MIB, 11 * MIB] {
            let answer = post("/v1/accounts", padded(length)).await;
            assert_gateways(&answer, 413, "Request Entity Too Large", "a huge body");
        }
        let header = "a".repeat(11_000);
        let request = self.request("GET", "/v1/accounts").header("x-long", header);
        let answer = wire::answer(request).await;
        assert_gateways(
            &answer,
            431,
            "Request Header Fields Too Large",
            "huge headers",
        );
    }

    async fn queries(&self) {
        let limits = [
            "0",
            "101",
            "-1",
            "1.5",
            "ten",
            "",
            "99999999999999999999",
            "1%00",
        ];
        for limit in limits {
            let path = format!("/v1/accounts?limit={limit}");
            let answer = answer(self.request("GET", &path)).await;
            assert_problem(&answer, 400, "malformed_query", &path);
            assert_eq!(pointers(&answer), ["query:limit"], "{path}");
        }
        let long = "A".repeat(4_000);
        for cursor in ["", "x", "%00", "..%2F..", long.as_str()] {
            let path = format!("/v1/flows?cursor={cursor}");
            let answer = answer(self.request("GET", &path)).await;
            assert_problem(&answer, 400, "malformed_query", &path);
            assert_eq!(pointers(&answer), ["query:cursor"], "{path}");
        }
        let both = answer(self.request("GET", "/v1/connections?limit=0&cursor=x")).await;
        assert_problem(&both, 400, "malformed_query", "two faults");
        assert_eq!(pointers(&both), ["query:limit", "query:cursor"]);
        let others = [
            "/v1/accounts?offset=3",
            "/v1/accounts?limit=1&limit=2",
            "/v1/accounts?LIMIT=1",
            "/v1/accounts?limit=%FF",
            "/v1/queries/qry_x?waitSeconds=ten",
            "/v1/queries/qry_x?wait=1",
            "/v1/queries/qry_x?waitSeconds=21",
            "/v1/queries/qry_x/results?limit=0",
            "/v1/queries/qry_x/results?format=xml",
        ];
        for path in others {
            let answer = answer(self.request("GET", path)).await;
            assert_problem(&answer, 400, "malformed_query", path);
            assert_eq!(pointers(&answer).len(), 1, "{path}: {}", answer.body);
        }
    }

    async fn idempotency_keys(&self) {
        let long = "k".repeat(256);
        let keys: [&[u8]; 5] = [
            b"",
            b"two words",
            b"tab\there",
            long.as_bytes(),
            b"\xe4\xf6",
        ];
        for key in keys {
            let request = self
                .request("POST", "/v1/accounts")
                .header("content-type", JSON);
            let value = reqwest::header::HeaderValue::from_bytes(key).unwrap();
            let answer = answer(request.header("idempotency-key", value).body(GOOD)).await;
            let what = String::from_utf8_lossy(key).into_owned();
            assert_problem(&answer, 400, "malformed_header", &what);
            assert_eq!(pointers(&answer), ["header:idempotency-key"], "{what}");
        }
    }

    /// The routes of browsers answer in the same way, and as pages to who reads pages.
    async fn sign_in(&self) {
        let token = || {
            self.wire
                .request("POST", "/auth/token")
                .header("origin", &self.origin)
        };
        let bodies = [
            ("truncated", "{\"fresh\":", ""),
            ("a text for a boolean", r#"{"fresh":"yes"}"#, "/fresh"),
            ("an unknown member", r#"{"scope":"all"}"#, "/scope"),
        ];
        for (what, body, pointer) in bodies {
            let answer = answer(token().header("content-type", JSON).body(body)).await;
            assert_problem(&answer, 400, "malformed_body", what);
            if !pointer.is_empty() {
                assert_eq!(pointers(&answer), [pointer], "{what}");
            }
        }
        let form = answer(token().form(&[("fresh", "true")])).await;
        assert_problem(&form, 415, "unsupported_media_type", "a form");
        let large = token()
            .header("content-type", JSON)
            .body(" ".repeat(3 * 1024 * 1024));
        let large = answer(large).await;
        assert_problem(&large, 413, "body_too_large", "a large body");
        for path in [
            "/auth/callback",
            "/auth/callback?code=x",
            "/auth/callback?state=x&state=y",
            "/connect/start",
        ] {
            let request = self.wire.request("GET", path);
            let problem = answer(request).await;
            let status = problem.status.as_u16();
            assert!(
                (400..=404).contains(&status),
                "{path}: {status} {}",
                problem.body
            );
            assert_problem(&problem, status, problem.code(), path);
            let page = self
                .wire
                .request("GET", path)
                .header("accept", "text/html")
                .send();
            let page = page.await.unwrap();
            assert_eq!(page.status().as_u16(), status, "{path}");
            let kind = page.headers()["content-type"].to_str().unwrap().to_owned();
            assert!(kind.starts_with("text/html"), "{path}: {kind}");
            assert!(
                page.text().await.unwrap().contains(problem.code()),
                "{path}"
            );
        }
        let ahead = self
            .wire
            .request("GET", "/auth/login")
            .header("sec-purpose", "prefetch");
        let ahead = answer(ahead).await;
        assert_eq!(
            (ahead.status.as_u16(), ahead.code()),
            (409, "prefetch_refused")
        );
        assert_eq!(header(&ahead, "content-type"), "application/problem+json");
    }
}
