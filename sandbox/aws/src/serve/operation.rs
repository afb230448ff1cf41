//! The name of the operation that a request asks for, for faults and the journal.

use http::request::Parts;

/// `X-Amz-Target`'s operation, the form's `Action`, or method and path.
pub(super) fn name(service: Option<&str>, parts: &Parts, body: &[u8]) -> String {
    let target = parts
        .headers
        .get("x-amz-target")
        .and_then(|value| value.to_str().ok())
        .and_then(|target| target.rsplit('.').next());
    if let Some(operation) = target {
        return operation.to_owned();
    }
    if service == Some("sso-oauth") && parts.uri.path() == "/token" {
        return "CreateTokenWithIAM".to_owned();
    }
    let form = parts
        .headers
        .get(http::header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let source = if form {
        body
    } else {
        parts.uri.query().unwrap_or_default().as_bytes()
    };
    url::form_urlencoded::parse(source)
        .find(|(name, _)| name == "Action")
        .map_or_else(
            || format!("{} {}", parts.method, parts.uri.path()),
            |(_, action)| action.into_owned(),
        )
}
