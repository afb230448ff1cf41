//! One request from its arrival to its answer.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Instant,
};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request, State, connect_info::IntoMakeServiceWithConnectInfo},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts};
use http_body_util::BodyExt as _;
use sandbox_core::Functions;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    runtime::{LogSink, trace_id},
    template::{Api, Cors, Route},
};

use super::{
    HttpApiOptions, access_log::AccessLine, answer, authorizer::JwtAuthorizer, cors, event, jwks,
    routing,
};

/// Bytes of request line and headers together.
const HEADERS_LIMIT: usize = 10_240;
/// Bytes of a request's body.
const BODY_LIMIT: usize = 10 * 1024 * 1024;
/// Bytes of an event that Lambda takes synchronously.
const EVENT_LIMIT: usize = 6 * 1024 * 1024;
/// An oversized body is read to its end up to here, so that the client gets to see the answer.
const DRAIN_LIMIT: usize = 64 * 1024 * 1024;

/// The API with everything it needs to answer.
pub(crate) struct Gateway {
    api: Api,
    account: String,
    authorizers: BTreeMap<String, JwtAuthorizer>,
    functions: Arc<dyn Functions>,
    logs: LogSink,
    port: u16,
}

/// An answer and, if the gateway itself refused, why.
struct Outcome {
    response: Response,
    reason: Option<String>,
}

impl Gateway {
    pub(crate) fn new(options: HttpApiOptions, port: u16) -> Result<Self, reqwest::Error> {
        let client = jwks::client()?;
        let authorizers = options.api.authorizers.iter().map(|(name, rules)| {
            (
                name.clone(),
                JwtAuthorizer::new(rules.clone(), client.clone()),
            )
        });
        Ok(Self {
            authorizers: authorizers.collect(),
            api: options.api,
            account: options.account,
            functions: options.functions,
            logs: options.logs,
            port,
        })
    }

    fn cors(&self) -> Option<&Cors> {
        self.api.cors.as_ref()
    }

    async fn answer(
        &self,
        request_id: &str,
        source: IpAddr,
        parts: &Parts,
        body: Body,
        path: &str,
    ) -> (Option<&Route>, Outcome) {
        if size_of_head(parts) > HEADERS_LIMIT {
            let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
            return (
                None,
                refused(
                    status,
                    "Request Header Fields Too Large",
                    "headers too large",
                ),
            );
        }
        let found = routing::find(&self.api.routes, &parts.method, path);
        if parts.method == http::Method::OPTIONS
            && let Some(rules) = self.cors()
        {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NO_CONTENT;
            *response.headers_mut() = cors::preflight(rules, &parts.headers);
            return (
                None,
                Outcome {
                    response,
                    reason: None,
                },
            );
        }
        let Some(found) = found else {
            return (
                None,
                refused(StatusCode::NOT_FOUND, "Not Found", "no route"),
            );
        };
        let route = found.route;
        let claims = match self.authorize(route, &parts.headers).await {
            Ok(claims) => claims,
            Err(outcome) => return (Some(route), outcome),
        };
        let Some(body) = read(body).await else {
            let status = StatusCode::PAYLOAD_TOO_LARGE;
            return (
                Some(route),
                refused(status, "Request Entity Too Large", "body too large"),
            );
        };
        let request = event::Request {
            method: &parts.method,
            path,
            query: parts.uri.query().unwrap_or_default(),
            headers: &parts.headers,
            body: &body,
            source_ip: source,
            id: request_id,
            port: self.port,
        };
        let routed = event::Routed {
            account: &self.account,
            api_id: &self.api.api_id,
            stage: &self.api.stage,
            route_key: &route.key(),
            parameters: &found.parameters,
            authorized: claims
                .as_ref()
                .map(|claims| (claims, route.scopes.as_slice())),
            now: jiff::Timestamp::now(),
            trace_id: &trace_id(),
        };
        let event = event::event(&request, &routed);
        (Some(route), self.integrate(route, event).await)
    }

    async fn authorize(
        &self,
        route: &Route,
        headers: &HeaderMap,
    ) -> Result<Option<Map<String, Value>>, Outcome> {
        let Some(name) = &route.authorizer else {
            return Ok(None);
        };
        let Some(authorizer) = self.authorizers.get(name) else {
            // Templates with such a route do not resolve; refuse all the same.
            return Err(refused(
                StatusCode::INTERNAL_SERVER_ERROR,
                "Internal Server Error",
                "no authorizer",
            ));
        };
        let refusal = match authorizer.authorize(headers, &route.scopes).await {
            Ok(claims) => return Ok(Some(claims)),
            Err(refusal) => refusal,
        };
        let text = match refusal.status() {
            StatusCode::FORBIDDEN => "Forbidden",
            _ => "Unauthorized",
        };
        let mut outcome = refused(refusal.status(), text, &refusal.reason());
        if let Ok(challenge) = HeaderValue::from_str(&refusal.challenge()) {
            outcome
                .response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, challenge);
        }
        Err(outcome)
    }

    async fn integrate(&self, route: &Route, event: Value) -> Outcome {
        if event.to_string().len() > EVENT_LIMIT {
            return refused(
                StatusCode::PAYLOAD_TOO_LARGE,
                "Request Entity Too Large",
                "event too large",
            );
        }
        let functions = Arc::clone(&self.functions);
        let function = route.function.clone();
        // A task of its own: the function goes on after the gateway has given up waiting.
        let invocation = tokio::spawn(async move { functions.invoke(&function, event).await });
        let Ok(finished) = tokio::time::timeout(route.timeout, invocation).await else {
            return refused(
                StatusCode::SERVICE_UNAVAILABLE,
                "Service Unavailable",
                "integration timeout",
            );
        };
        let reason = match finished {
            Ok(Ok(answer)) => match answer::response(&answer) {
                Some(response) => {
                    return Outcome {
                        response,
                        reason: None,
                    };
                }
                None => "the function's answer is not a response".to_owned(),
            },
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the invocation ended early".to_owned(),
        };
        refused(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Internal Server Error",
            &reason,
        )
    }
}

/// The service that answers every method and path.
pub(crate) fn service(gateway: Arc<Gateway>) -> IntoMakeServiceWithConnectInfo<Router, SocketAddr> {
    Router::new()
        .fallback(handle)
        .with_state(gateway)
        .into_make_service_with_connect_info()
}

async fn handle(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(source): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let path = event::decoded_path(parts.uri.path());
    let request_id = URL_SAFE.encode(&Uuid::new_v4().as_bytes()[..11]);
    let (route, outcome) = gateway
        .answer(&request_id, source.ip(), &parts, body, &path)
        .await;
    let Outcome {
        mut response,
        reason,
    } = outcome;
    if let Some(rules) = gateway.cors()
        && parts.method != http::Method::OPTIONS
    {
        cors::apply(rules, &parts.headers, response.headers_mut());
    }
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert("apigw-requestid", id);
    }
    AccessLine {
        request_id: &request_id,
        route_key: route.map(Route::key).as_deref(),
        method: &parts.method,
        path: &path,
        status: response.status(),
        took: started.elapsed(),
        reason: reason.as_deref(),
    }
    .write(&gateway.logs);
    response
}

fn refused(status: StatusCode, text: &str, reason: &str) -> Outcome {
    Outcome {
        response: answer::message(status, text),
        reason: Some(reason.to_owned()),
    }
}

/// Request line and headers as they went over the wire.
fn size_of_head(parts: &Parts) -> usize {
    let target = parts
        .uri
        .path_and_query()
        .map_or(1, |target| target.as_str().len());
    let line = parts.method.as_str().len() + target + " HTTP/1.1\r\n".len() + 1;
    let headers = parts.headers.iter();
    line + headers
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum::<usize>()
}

/// The whole body, or `None` if it is too large or breaks off.
async fn read(mut body: Body) -> Option<Bytes> {
    let mut bytes = BytesMut::new();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.ok()?.into_data() else {
            continue;
        };
        length += data.len();
        if length > DRAIN_LIMIT {
            return None;
        }
        if length <= BODY_LIMIT {
            bytes.extend_from_slice(&data);
        }
    }
    (length <= BODY_LIMIT).then(|| bytes.freeze())
}
