//! The event that a function gets for a request: payload format 2.0.

use std::{collections::BTreeMap, net::IpAddr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, header};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::claims;

/// A request as the gateway took it.
pub(crate) struct Request<'a> {
    pub(crate) method: &'a Method,
    /// Decoded.
    pub(crate) path: &'a str,
    /// As sent.
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a Bytes,
    pub(crate) source_ip: IpAddr,
    pub(crate) id: &'a str,
    pub(crate) port: u16,
}

/// What the gateway knows about a request besides the request.
pub(crate) struct Routed<'a> {
    pub(crate) account: &'a str,
    pub(crate) api_id: &'a str,
    pub(crate) stage: &'a str,
    pub(crate) route_key: &'a str,
    pub(crate) parameters: &'a BTreeMap<String, String>,
    /// Claims and the route's scopes, on a route with an authorizer.
    pub(crate) authorized: Option<(&'a Map<String, Value>, &'a [String])>,
    pub(crate) now: jiff::Timestamp,
    pub(crate) trace_id: &'a str,
}

/// Builds the event.
pub(crate) fn event(request: &Request<'_>, routed: &Routed<'_>) -> Value {
    let host = text(request.headers, &header::HOST);
    let domain = host.split(':').next().unwrap_or_default();
    let mut context = json!({
        "accountId": routed.account,
        "apiId": routed.api_id,
        "domainName": domain,
        "domainPrefix": domain.split('.').next().unwrap_or_default(),
        "http": {
            "method": request.method.as_str(),
            "path": request.path,
            "protocol": "HTTP/1.1",
            "sourceIp": request.source_ip.to_string(),
            "userAgent": text(request.headers, &header::USER_AGENT),
        },
        "requestId": request.id,
        "routeKey": routed.route_key,
        "stage": routed.stage,
        "time": routed.now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
        "timeEpoch": routed.now.as_millisecond(),
    });
    if let Some((claims, scopes)) = routed.authorized {
        let scopes = if scopes.is_empty() {
            Value::Null
        } else {
            json!(scopes)
        };
        context["authorizer"] = json!({
            "jwt": { "claims": claims::as_text(claims), "scopes": scopes },
        });
    }
    let mut event = json!({
        "version": "2.0",
        "routeKey": routed.route_key,
        "rawPath": request.path,
        "rawQueryString": request.query,
        "headers": headers(request, routed.trace_id),
        "requestContext": context,
        "isBase64Encoded": false,
    });
    let cookies = cookies(request.headers);
    if !cookies.is_empty() {
        event["cookies"] = json!(cookies);
    }
    let query = query_parameters(request.query);
    if !query.is_empty() {
        event["queryStringParameters"] = json!(query);
    }
    if !routed.parameters.is_empty() {
        event["pathParameters"] = json!(routed.parameters);
    }
    if !request.body.is_empty() {
        match std::str::from_utf8(request.body) {
            Ok(body) if is_text(request.headers) => event["body"] = json!(body),
            _ => {
                event["body"] = json!(STANDARD.encode(request.body));
                event["isBase64Encoded"] = json!(true);
            }
        }
    }
    event
}

fn text(headers: &HeaderMap, name: &HeaderName) -> String {
    let value = headers
        .get(name)
        .map(|value| String::from_utf8_lossy(value.as_bytes()));
    value.unwrap_or_default().into_owned()
}

/// Lower-case names, several values joined by commas; cookies are apart.
fn headers(request: &Request<'_>, trace_id: &str) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    for name in request
        .headers
        .keys()
        .filter(|name| **name != header::COOKIE)
    {
        let values: Vec<_> = request
            .headers
            .get_all(name)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .collect();
        all.insert(name.as_str().to_owned(), values.join(","));
    }
    let source = request.source_ip.to_string();
    let forwarded = match all.get("x-forwarded-for") {
        Some(before) => format!("{before}, {source}"),
        None => source,
    };
    all.entry("content-length".to_owned())
        .or_insert_with(|| request.body.len().to_string());
    all.entry("x-amzn-trace-id".to_owned())
        .or_insert_with(|| trace_id.to_owned());
    all.insert("x-forwarded-for".to_owned(), forwarded);
    all.insert("x-forwarded-port".to_owned(), request.port.to_string());
    all.insert("x-forwarded-proto".to_owned(), "http".to_owned());
    all
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    let mut cookies = Vec::new();
    for value in headers.get_all(header::COOKIE) {
        let value = String::from_utf8_lossy(value.as_bytes());
        let each = value
            .split(';')
            .map(str::trim)
            .filter(|cookie| !cookie.is_empty());
        cookies.extend(each.map(str::to_owned));
    }
    cookies
}

/// Decoded; several values of one name joined by commas.
fn query_parameters(query: &str) -> BTreeMap<String, String> {
    let mut parameters: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        parameters
            .entry(name.into_owned())
            .and_modify(|all| {
                all.push(',');
                all.push_str(&value);
            })
            .or_insert_with(|| value.to_string());
    }
    parameters
}

/// Whether the gateway passes a body as text. Measured on AWS: these types only; everything else,
/// forms and bodies without a type among it, goes as Base64.
fn is_text(headers: &HeaderMap) -> bool {
    let kind = text(headers, &header::CONTENT_TYPE).to_ascii_lowercase();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.starts_with("text/")
        || [
            "application/json",
            "application/xml",
            "application/javascript",
        ]
        .contains(&kind)
}

/// The path as functions see it: HTTP APIs decode it.
pub(crate) fn decoded_path(path: &str) -> String {
    percent_decode_str(path).decode_utf8_lossy().into_owned()
}
