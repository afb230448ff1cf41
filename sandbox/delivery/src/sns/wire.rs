//! AWS's query protocol: form fields in, XML out.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header::CONTENT_TYPE};
use sandbox_core::{AwsCall, AwsReply};

/// Members of a list; no operation takes more.
const MOST_MEMBERS: u32 = 1000;
const NAMESPACE: &str = "http://sns.amazonaws.com/doc/2010-03-31/";

/// An error answer: status, code, message.
#[derive(Debug)]
pub(super) struct ApiError(pub(super) u16, pub(super) &'static str, pub(super) String);

impl ApiError {
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self(
            400,
            "InvalidParameter",
            format!("Invalid parameter: {}", message.into()),
        )
    }

    pub(super) fn not_found(what: &str) -> Self {
        Self(404, "NotFound", format!("{what} does not exist"))
    }
}

/// Fields of a request.
pub(super) struct Form(BTreeMap<String, String>);

impl Form {
    pub(super) fn read(call: &AwsCall) -> Self {
        let query = url::form_urlencoded::parse(call.query.as_bytes());
        let body = url::form_urlencoded::parse(&call.body);
        Self(
            query
                .chain(body)
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect(),
        )
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(super) fn required(&self, name: &str) -> Result<&str, ApiError> {
        self.get(name)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| ApiError::invalid(name))
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    /// Prefixes of a list's members that are there: `<list>.1`, `<list>.2`, ...
    pub(super) fn members(&self, list: &str) -> Vec<String> {
        (1..=MOST_MEMBERS)
            .map(|number| format!("{list}.{number}"))
            .take_while(|prefix| {
                let start = format!("{prefix}.");
                self.0
                    .range(start.clone()..)
                    .next()
                    .is_some_and(|(key, _)| key.starts_with(&start))
            })
            .collect()
    }

    /// A map of `<list>.entry.<n>.key` and `<list>.entry.<n>.value`.
    pub(super) fn map(&self, list: &str) -> BTreeMap<String, String> {
        let entries = self
            .members(&format!("{list}.entry"))
            .into_iter()
            .filter_map(|prefix| {
                let key = self.get(&format!("{prefix}.key"))?;
                let value = self.get(&format!("{prefix}.value")).unwrap_or_default();
                Some((key.to_owned(), value.to_owned()))
            });
        entries.collect()
    }
}

/// An element around text.
pub(super) fn text(name: &str, value: &str) -> String {
    format!("<{name}>{}</{name}>", escape(value))
}

/// An element around elements.
pub(super) fn element(name: &str, inner: &str) -> String {
    format!("<{name}>{inner}</{name}>")
}

/// `<Attributes><entry><key/><value/></entry>...`.
pub(super) fn attributes(map: &BTreeMap<String, String>) -> String {
    let entries: String = map
        .iter()
        .map(|(key, value)| element("entry", &(text("key", key) + &text("value", value))))
        .collect();
    element("Attributes", &entries)
}

fn escape(value: &str) -> String {
    value
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\r', "&#13;")
}

/// The answer to an operation; `None` for those without a result.
pub(super) fn success(operation: &str, result: Option<String>) -> AwsReply {
    let result = result.map_or_else(String::new, |inner| {
        element(&format!("{operation}Result"), &inner)
    });
    let id = uuid::Uuid::new_v4().to_string();
    let metadata = element("ResponseMetadata", &text("RequestId", &id));
    let body = format!(
        "<{operation}Response xmlns=\"{NAMESPACE}\">{result}{metadata}</{operation}Response>"
    );
    reply(StatusCode::OK, body)
}

pub(super) fn failure(error: &ApiError) -> AwsReply {
    let inner = text("Type", "Sender") + &text("Code", error.1) + &text("Message", &error.2);
    let id = text("RequestId", &uuid::Uuid::new_v4().to_string());
    let body = format!(
        "<ErrorResponse xmlns=\"{NAMESPACE}\">{}{id}</ErrorResponse>",
        element("Error", &inner)
    );
    let status = StatusCode::from_u16(error.0).unwrap_or(StatusCode::BAD_REQUEST);
    reply(status, body)
}

fn reply(status: StatusCode, body: String) -> AwsReply {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    AwsReply {
        status,
        headers,
        body: Bytes::from(body),
    }
}
