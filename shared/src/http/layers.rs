//! What wraps every API function: request ids, one log line per request, problem documents.

use std::time::Instant;

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header};
use lambda_http::{RequestExt as _, request::RequestContext};
use serde_json::json;

use super::{Audit, problem::FailedWith};
use crate::{
    error::{Error, Kind},
    telemetry::{self, Correlation, Metric},
};

/// The header in which callers say what a request belongs to, and are told.
const CORRELATION_HEADER: &str = "x-correlation-id";
/// Largest body that the API reads.
pub const BODY_LIMIT: usize = 1024 * 1024;

/// Puts the shared layers around a router, and gives unknown routes and methods their answers.
pub fn wrap(router: Router, audit: Audit) -> Router {
    router
        .fallback(|| async { Error::not_found().into_response() })
        .method_not_allowed_fallback(|| async {
            Error::new(
                Kind::MethodNotAllowed,
                "method_not_allowed",
                "This address does not offer that method.",
            )
            .into_response()
        })
        .layer(middleware::from_fn_with_state(audit, observe))
}

/// The gateway's id of the request, or of nothing.
fn request_id(request: &Request) -> String {
    match request.extensions().get::<RequestContext>() {
        Some(RequestContext::ApiGatewayV2(context)) => {
            context.request_id.clone().unwrap_or_default()
        }
        Some(RequestContext::ApiGatewayV1(context)) => {
            context.request_id.clone().unwrap_or_default()
        }
        _ => String::new(),
    }
}

/// The caller's id of what this belongs to, if it is one; else the request's own.
fn correlation_of(request: &Request, request_id: &str) -> Correlation {
    let given = request.headers().get(CORRELATION_HEADER);
    given
        .and_then(|value| Correlation::given(value.to_str().ok()?))
        .unwrap_or_else(|| Correlation::of_aws(request_id))
}

/// Answers within the request's correlation, so that whatever is logged says what it belongs to.
async fn observe(State(audit): State<Audit>, request: Request, next: Next) -> Response {
    let request_id = request_id(&request);
    let correlation = correlation_of(&request, &request_id);
    let context = request.lambda_context_ref().cloned();
    let answer = answer(audit, request, request_id, next);
    let mut response = telemetry::within(correlation.clone(), context.as_ref(), answer).await;
    if let Ok(id) = HeaderValue::from_str(correlation.as_str())
        && !id.is_empty()
    {
        response.headers_mut().insert(CORRELATION_HEADER, id);
    }
    response
}

async fn answer(audit: Audit, mut request: Request, request_id: String, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    // Paths hold ids only; query strings may hold codes and states and are never logged.
    let path = request.uri().path().to_owned();
    let (call, trail) = audit.begin(&request, &request_id);
    request.extensions_mut().insert(trail.clone());
    let mut response = next.run(request).await;
    let failed = response.extensions_mut().remove::<FailedWith>();
    let code = failed.as_ref().map(|failed| failed.problem.code.clone());
    audit
        .end(call, &trail, response.status().as_u16(), code.as_deref())
        .await;
    let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let status = response.status().as_u16();
    measure(status, duration_ms, code.as_deref());
    if let Some(failed) = failed {
        log_failure(&failed, &request_id, &method, &path, status, duration_ms);
        let mut problem = failed.problem;
        problem.request_id = (!request_id.is_empty()).then(|| request_id.clone());
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        *response.body_mut() = Body::from(body);
    } else {
        tracing::info!(request.id = request_id, http.method = %method, http.path = path, http.status = status, duration_ms, "request handled");
    }
    let headers = response.headers_mut();
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    headers.insert(
        "x-content-type-options",
        HeaderValue::from_static("nosniff"),
    );
    if let Ok(id) = HeaderValue::from_str(&request_id)
        && !request_id.is_empty()
    {
        headers.insert("x-request-id", id);
    }
    response
}

/// Counts the request, and that it failed for a reason that is not the caller's.
fn measure(status: u16, duration_ms: u64, code: Option<&str>) {
    let properties = [
        ("http_status", json!(status)),
        ("duration_ms", json!(duration_ms)),
        ("error_code", json!(code)),
    ];
    telemetry::emit(Metric::RequestHandled, 1.0, &properties);
    if status >= 500 {
        telemetry::emit(Metric::RequestFailed, 1.0, &properties);
    }
}

fn log_failure(
    failed: &FailedWith,
    request_id: &str,
    method: &http::Method,
    path: &str,
    status: u16,
    duration_ms: u64,
) {
    let code = failed.problem.code.as_str();
    match failed.kind {
        Kind::Internal => {
            tracing::error!(request.id = request_id, http.method = %method, http.path = path, http.status = status, duration_ms, error.code = code, error.chain = failed.log, "request failed");
        }
        Kind::Unavailable
        | Kind::TimedOut
        | Kind::Upstream
        | Kind::Throttled
        | Kind::QuotaExhausted => {
            tracing::warn!(request.id = request_id, http.method = %method, http.path = path, http.status = status, duration_ms, error.code = code, error.chain = failed.log, "request failed");
        }
        Kind::Malformed
        | Kind::Unprocessable
        | Kind::Unauthenticated
        | Kind::Forbidden
        | Kind::NotFound
        | Kind::Conflict
        | Kind::PreconditionFailed
        | Kind::PreconditionRequired
        | Kind::TooLarge
        | Kind::MethodNotAllowed
        | Kind::UnsupportedMediaType => {
            tracing::info!(request.id = request_id, http.method = %method, http.path = path, http.status = status, duration_ms, error.code = code, error.chain = failed.log, "request refused");
        }
    }
}
