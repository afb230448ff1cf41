//! What every request and answer passes: strict headers, no prefetching, pages for browsers.

use axum::{
    body::to_bytes,
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde::Deserialize;
use tributary::error::{Error, Kind, Result};

use crate::{app::App, page};

/// Headers of every answer (RFC 9700 sections 4.2.4 and 4.16).
const STRICT: [(HeaderName, &str); 7] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        header::STRICT_TRANSPORT_SECURITY,
        "max-age=63072000; includeSubDomains",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-site",
    ),
];

/// The outermost layer.
pub(crate) async fn guard(request: Request, next: Next) -> Response {
    let wants_page = wants_page(&request);
    let mut response = match refusal(&request) {
        Some(error) => problem(&error),
        None => next.run(request).await,
    };
    if wants_page && is_problem(&response) {
        response = as_page(response).await;
    }
    // The one page with a form brings a policy of its own, which is as strict but for the form.
    let own_policy = response
        .headers_mut()
        .remove(header::CONTENT_SECURITY_POLICY);
    for (name, value) in STRICT {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    if let Some(policy) = own_policy {
        response
            .headers_mut()
            .insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// Links here are used up when they are opened: whoever only looks ahead must not open them.
fn refusal(request: &Request) -> Option<Error> {
    if request.method() == Method::HEAD {
        return Some(Error::new(
            Kind::MethodNotAllowed,
            "method_not_allowed",
            "This address does not offer that method.",
        ));
    }
    let looks_ahead = ["sec-purpose", "purpose", "x-moz"].iter().any(|name| {
        request
            .headers()
            .get_all(*name)
            .iter()
            .any(|value| value.to_str().is_ok_and(|text| text.contains("prefetch")))
    });
    looks_ahead.then(|| {
        Error::new(
            Kind::Conflict,
            "prefetch_refused",
            "This address cannot be fetched ahead.",
        )
    })
}

fn wants_page(request: &Request) -> bool {
    let path = request.uri().path();
    let navigates = match *request.method() {
        Method::GET => path.starts_with("/auth/") || path.starts_with("/connect/"),
        // Forms that pages post as a navigation; the others are called by scripts.
        Method::POST => path.starts_with("/connect/"),
        _ => false,
    };
    navigates
        && request
            .headers()
            .get(header::ACCEPT)
            .and_then(|accept| accept.to_str().ok())
            .is_some_and(|accept| accept.contains("text/html"))
}

/// An error as a problem document, for requests that never reach the shared layers.
fn problem(error: &Error) -> Response {
    tracing::info!(error.code = error.code(), "request refused");
    let problem = tributary::http::Problem::of(error);
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::BAD_REQUEST);
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, PROBLEM)], body).into_response()
}

const PROBLEM: &str = "application/problem+json";

fn is_problem(response: &Response) -> bool {
    response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind == PROBLEM)
}

/// The same refusal for eyes: title, sentence and code are ours and nothing else is shown.
async fn as_page(response: Response) -> Response {
    #[derive(Deserialize, Default)]
    struct Shown {
        title: String,
        detail: String,
        code: String,
    }
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let shown: Shown = serde_json::from_slice(&bytes).unwrap_or_default();
    let mut page = page::page(parts.status, &shown.title, &shown.detail, &shown.code);
    for (name, value) in &parts.headers {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            page.headers_mut().append(name, value.clone());
        }
    }
    page
}

/// Sends a browser on. 303, so that nothing that was posted is ever posted again elsewhere.
pub(crate) fn see_other(
    to: &str,
    cookies: impl IntoIterator<Item = HeaderValue>,
) -> Result<Response> {
    let location = HeaderValue::from_str(to).map_err(|error| {
        Error::internal("location", "a redirect has bad bytes").with_source(error)
    })?;
    let mut response = StatusCode::SEE_OTHER.into_response();
    response.headers_mut().insert(header::LOCATION, location);
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// The `Origin` of a request, if there is exactly one.
pub(crate) fn only_origin(headers: &HeaderMap) -> Option<&str> {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (Some(origin), None) => origin.to_str().ok(),
        _ => None,
    }
}

/// Refuses a request that acts on a cookie and does not come from one of our origins (CSRF).
///
/// A missing `Origin` is refused too: browsers send it with every POST.
pub(crate) fn require_origin(app: &App, headers: &HeaderMap) -> Result<()> {
    let is_ours = only_origin(headers).is_some_and(|origin| {
        app.config.app_origins.contains(origin) || origin == app.config.public_base_url.origin()
    });
    if is_ours {
        return Ok(());
    }
    Err(Error::new(
        Kind::Forbidden,
        "origin_refused",
        "This needs an Origin header that names one of the applications.",
    ))
}
