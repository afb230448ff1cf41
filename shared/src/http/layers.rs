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
use lambda_http::request::RequestContext;

use super::{Audit, problem::FailedWith};
use crate::error::{Error, Kind};

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

async fn observe(State(audit): State<Audit>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let request_id = request_id(&request);
    let method = request.method().clone();
    // Paths hold ids only; query strings may hold codes and states and are never logged.
    let path = request.uri().path().to_owned();
    let (call, trail) = audit.begin(&request, &request_id);
    request.extensions_mut().insert(trail.clone());
    let mut response = next.run(request).await;
    let failed = response.extensions_mut().remove::<FailedWith>();
    let code = failed.as_ref().map(|failed| failed.problem.code.as_str());
    audit
        .end(call, &trail, response.status().as_u16(), code)
        .await;
    let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let status = response.status().as_u16();
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
