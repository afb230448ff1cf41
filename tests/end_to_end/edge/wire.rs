//! Requests as they go over the wire, what every refusal looks like, and what "nothing changed" means.

use std::collections::BTreeMap;

use reqwest::{Client, Method, RequestBuilder, header, redirect::Policy};
use sandbox::{Sandbox, client::Answer};
use serde_json::Value;
use url::Url;

use super::contract::Request;

mod moment;

pub(crate) use moment::Moment;

/// Everything that the gateway can invoke.
const API_FUNCTIONS: [&str; 3] = ["OauthCallbackFunction", "FlowsFunction", "QueriesFunction"];

/// A client that adds nothing and follows nothing by itself.
#[derive(Debug, Clone)]
pub(crate) struct Wire {
    client: Client,
    base: Url,
}

impl Wire {
    pub(crate) fn to(sandbox: &Sandbox) -> Self {
        let client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Self {
            client,
            base: sandbox.api_url.clone(),
        }
    }

    /// A request that is still to be filled.
    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        self.client.request(method, self.base.join(path).unwrap())
    }

    /// A call with a token and, if there is one, a JSON body.
    pub(crate) async fn call(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Answer {
        let mut request = self.request(method, path).bearer_auth(token);
        if let Some(body) = body {
            request = request.json(body);
        }
        // Changes of flows ask for it, and nothing else looks at it.
        if matches!(method, "PUT" | "PATCH" | "DELETE") || path.contains("/drift/") {
            request = request.header(header::IF_MATCH, "*");
        }
        answer(request).await
    }

    /// A call of an operation, and every byte of its answer.
    pub(crate) async fn exactly(&self, token: &str, request: &Request) -> Exact {
        let mut sent = self.request(&request.method, &request.path);
        sent = sent.bearer_auth(token);
        if let Some(body) = &request.body {
            sent = sent.json(body);
        }
        if matches!(request.method.as_str(), "PUT" | "PATCH" | "DELETE")
            || request.path.contains("/drift/")
        {
            sent = sent.header(header::IF_MATCH, "*");
        }
        let response = sent.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let text_of = |name: &str| {
            let value = headers.get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or("no such header").to_owned()
        };
        // The marks of the request have always the same length, so lengths stay comparable.
        let text = text.replace(&text_of("x-request-id"), "<request>");
        let text = text.replace(&text_of("apigw-requestid"), "<request>");
        Exact {
            status,
            headers: marked(&headers),
            body: text,
        }
    }
}

/// An answer as a caller sees it, byte for byte but for the marks of its request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exact {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Exact {
    /// The answer with a placeholder for what the caller said.
    pub(crate) fn without(mut self, said: &str) -> Self {
        self.body = self.body.replace(said, "<asked>");
        self
    }

    /// The stable code of a problem document.
    pub(crate) fn code(&self) -> String {
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        body["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// Headers, but for those that mark one request.
fn marked(headers: &header::HeaderMap) -> BTreeMap<String, String> {
    headers
        .iter()
        .filter(|(name, _)| {
            ![
                "date",
                "x-request-id",
                "x-correlation-id",
                "apigw-requestid",
            ]
            .contains(&name.as_str())
        })
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect()
}

/// Sends a request and reads the whole answer.
pub(crate) async fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let text = response.text().await.unwrap();
    Answer {
        status,
        headers,
        body: serde_json::from_str(&text).unwrap_or(Value::Null),
        text,
    }
}

/// A header of an answer; empty when it is not there.
pub(crate) fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer
        .headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// The answer is a problem document with everything that one has (RFC 9457, docs/API.md).
#[track_caller]
pub(crate) fn assert_problem(answer: &Answer, status: u16, code: &str, what: &str) {
    let body = &answer.body;
    assert_eq!(answer.status, status, "{what}: {body}");
    assert_eq!(answer.code(), code, "{what}: {body}");
    assert_eq!(
        header(answer, "content-type"),
        "application/problem+json",
        "{what}: {body}"
    );
    assert_eq!(
        body["type"],
        format!("https://tributary.dev/problems/{code}"),
        "{what}"
    );
    assert_eq!(
        body["title"],
        answer.status.canonical_reason().unwrap(),
        "{what}"
    );
    assert_eq!(body["status"], status, "{what}: {body}");
    assert!(
        body["detail"].as_str().is_some_and(|text| !text.is_empty()),
        "{what}: {body}"
    );
    let request_id = body["requestId"].as_str().unwrap_or_default();
    assert!(!request_id.is_empty(), "{what}: {body}");
    assert_eq!(header(answer, "x-request-id"), request_id, "{what}");
    assert_eq!(header(answer, "apigw-requestid"), request_id, "{what}");
    assert_eq!(header(answer, "cache-control"), "no-store", "{what}");
    assert_eq!(
        header(answer, "x-content-type-options"),
        "nosniff",
        "{what}"
    );
}

/// The answer is one of the gateway's own, which no function saw.
#[track_caller]
pub(crate) fn assert_gateways(answer: &Answer, status: u16, message: &str, what: &str) {
    assert_eq!(answer.status, status, "{what}: {}", answer.body);
    assert_eq!(
        answer.body,
        serde_json::json!({ "message": message }),
        "{what}"
    );
    assert!(!header(answer, "apigw-requestid").is_empty(), "{what}");
}

/// The pointers of a problem's faults; each fault has a code and a sentence.
#[track_caller]
pub(crate) fn pointers(answer: &Answer) -> Vec<&str> {
    let faults = answer.body["errors"].as_array().into_iter().flatten();
    faults
        .map(|fault| {
            assert!(
                fault["code"].as_str().is_some_and(|code| !code.is_empty()),
                "{fault}"
            );
            assert!(
                fault["detail"]
                    .as_str()
                    .is_some_and(|text| !text.is_empty()),
                "{fault}"
            );
            fault["pointer"].as_str().unwrap()
        })
        .collect()
}

/// What a caller can tell one answer from another by: everything but the request's own marks.
pub(crate) fn seen(answer: &Answer) -> (u16, Value, BTreeMap<String, String>) {
    let mut body = answer.body.clone();
    if let Some(members) = body.as_object_mut() {
        members.remove("requestId");
    }
    let headers = marked(&answer.headers);
    (answer.status.as_u16(), body, headers)
}

/// No function ended an invocation without a proper answer: nothing panicked.
#[track_caller]
pub(crate) fn assert_no_failures(sandbox: &Sandbox) {
    for id in API_FUNCTIONS {
        assert_eq!(sandbox.runtime.counters(id).failures, 0, "{id} failed");
    }
}
