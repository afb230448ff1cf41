//! A function's answer as an HTTP response, in both forms of payload format 2.0.

use axum::{body::Body, response::Response};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE, SET_COOKIE, TRANSFER_ENCODING},
};
use serde_json::{Map, Value, json};

/// An answer of the gateway itself: `{"message": ".."}`.
pub(crate) fn message(status: StatusCode, text: &str) -> Response {
    let body = json!({ "message": text }).to_string();
    let json = HeaderValue::from_static("application/json");
    respond(
        status,
        HeaderMap::from_iter([(CONTENT_TYPE, json)]),
        Bytes::from(body),
    )
}

/// The response that a function's answer stands for; `None` if it stands for none.
pub(crate) fn response(answer: &Value) -> Option<Response> {
    match answer {
        Value::Object(fields) if fields.contains_key("statusCode") => structured(fields),
        // The gateway infers the rest: 200, JSON, the answer as body.
        Value::String(text) => Some(inferred(text.clone())),
        other => Some(inferred(other.to_string())),
    }
}

fn inferred(body: String) -> Response {
    let json = HeaderValue::from_static("application/json");
    respond(
        StatusCode::OK,
        HeaderMap::from_iter([(CONTENT_TYPE, json)]),
        Bytes::from(body),
    )
}

fn structured(fields: &Map<String, Value>) -> Option<Response> {
    let status = match fields.get("statusCode")? {
        Value::Number(number) => u16::try_from(number.as_u64()?).ok()?,
        Value::String(text) => text.parse().ok()?,
        _ => return None,
    };
    let status = StatusCode::from_u16(status).ok()?;
    let mut headers = HeaderMap::new();
    for (name, value) in fields
        .get("headers")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let value = match value {
            Value::Null => continue,
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            Value::Array(_) | Value::Object(_) => return None,
        };
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        headers.append(name, HeaderValue::from_str(&value).ok()?);
    }
    for cookie in fields
        .get("cookies")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        headers.append(SET_COOKIE, HeaderValue::from_str(cookie.as_str()?).ok()?);
    }
    let encoded = fields
        .get("isBase64Encoded")
        .and_then(Value::as_bool)
        .unwrap_or(false);
    let body = match fields.get("body") {
        None | Some(Value::Null) => Bytes::new(),
        Some(Value::String(text)) if encoded => Bytes::from(STANDARD.decode(text).ok()?),
        Some(Value::String(text)) => Bytes::from(text.clone()),
        Some(other) => Bytes::from(other.to_string()),
    };
    if !body.is_empty() && !headers.contains_key(CONTENT_TYPE) {
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        );
    }
    Some(respond(status, headers, body))
}

/// The gateway frames the body itself, whatever the function says about its length.
fn respond(status: StatusCode, mut headers: HeaderMap, body: Bytes) -> Response {
    headers.remove(CONTENT_LENGTH);
    headers.remove(TRANSFER_ENCODING);
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(answer: Value) -> Option<(u16, HeaderMap, String)> {
        let (parts, body) = response(&answer)?.into_parts();
        let body = axum::body::to_bytes(body, 1_024).await.unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        Some((parts.status.as_u16(), parts.headers, body))
    }

    #[tokio::test]
    async fn a_structured_answer_keeps_status_headers_cookies_and_body() {
        let (status, headers, body) = read(json!({
            "statusCode": 303,
            "headers": { "Location": "/next", "x-count": 2, "content-length": "999" },
            "cookies": ["a=1; Secure", "b=2"],
            "body": "aGVsbG8=",
            "isBase64Encoded": true,
        }))
        .await
        .unwrap();
        assert_eq!((status, body.as_str()), (303, "hello"));
        assert_eq!(headers["location"], "/next");
        assert_eq!(headers["x-count"], "2");
        assert!(!headers.contains_key("content-length"));
        let cookies: Vec<_> = headers.get_all("set-cookie").iter().collect();
        assert_eq!(cookies, ["a=1; Secure", "b=2"]);
    }

    #[tokio::test]
    async fn an_answer_without_status_is_the_body() {
        let (status, headers, body) = read(json!({ "hello": 1 })).await.unwrap();
        assert_eq!((status, body.as_str()), (200, r#"{"hello":1}"#));
        assert_eq!(headers["content-type"], "application/json");
        assert_eq!(read(json!("plain")).await.unwrap().2, "plain");
    }

    #[tokio::test]
    async fn an_answer_that_stands_for_no_response_is_none() {
        assert!(read(json!({ "statusCode": "soon" })).await.is_none());
        assert!(read(json!({ "statusCode": 9_000 })).await.is_none());
        assert!(
            read(json!({ "statusCode": 200, "headers": { "a": ["b"] } }))
                .await
                .is_none()
        );
        let broken = json!({ "statusCode": 200, "body": "%%", "isBase64Encoded": true });
        assert!(read(broken).await.is_none());
    }
}
