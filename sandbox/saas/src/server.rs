//! Serving a stand-in: faults on demand, the journal, and connections that can die without an answer.

use std::{convert::Infallible, time::Duration};

use axum::{Router, body::Body, response::Response};
use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use sandbox_core::{Entry, Fault, Faults, Journal};
use tokio::{net::TcpListener, task::JoinSet};
use tower::ServiceExt;

/// What a handler adds to the journal entry of its request. Never holds a secret.
#[derive(Debug, Clone, Default)]
pub(crate) struct Annotation {
    /// Who asked.
    pub(crate) principal: Option<String>,
    /// What was asked and how it ended (`grant_type=refresh_token outcome=granted`).
    pub(crate) note: String,
}

/// Adds an annotation for the journal to an answer.
pub(crate) fn annotated(mut response: Response, principal: Option<&str>, note: String) -> Response {
    response.extensions_mut().insert(Annotation {
        principal: principal.map(str::to_owned),
        note,
    });
    response
}

/// What a handler asks to be lost of its own answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Everything: the connection closes without an answer.
    All,
    /// The second half of the body.
    Half,
}

/// The connection closes without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection was dropped on purpose")]
struct Dropped;

/// A stand-in behind a listener.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) service: &'static str,
    pub(crate) router: Router,
    pub(crate) faults: Faults,
    pub(crate) journal: Journal,
}

impl Server {
    /// Serves until the future is dropped, which ends the open connections too.
    pub(crate) async fn run(self, listener: TcpListener) {
        let mut connections = JoinSet::new();
        loop {
            let stream = tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => stream,
                    Err(error) => {
                        tracing::warn!(service = self.service, %error, "a connection could not be accepted");
                        // Out of file descriptors, most likely: give the open connections time to end.
                        tokio::time::sleep(Duration::from_millis(20)).await;
                        continue;
                    }
                },
                Some(_) = connections.join_next() => continue,
            };
            let server = self.clone();
            connections.spawn(async move {
                let service = hyper::service::service_fn(move |request| {
                    let server = server.clone();
                    async move { server.answer(request).await }
                });
                // A connection that ends badly is the client's affair, or a fault that was asked for.
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response, Dropped> {
        let operation = format!("{} {}", request.method(), request.uri().path());
        let fault = self.faults.take(self.service, &operation);
        match &fault {
            Some(Fault::DropBefore) => {
                self.record(&operation, 0, Annotation::default(), "fault=drop_before");
                return Err(Dropped);
            }
            Some(Fault::Status {
                status,
                retry_after,
                body,
            }) => {
                self.record(&operation, *status, Annotation::default(), "fault=status");
                return Ok(out_of_order(*status, *retry_after, body));
            }
            _ => {}
        }
        let Ok(mut response) = self.router.clone().oneshot(request.map(Body::new)).await;
        let annotation = response
            .extensions_mut()
            .remove::<Annotation>()
            .unwrap_or_default();
        let status = response.status().as_u16();
        match response.extensions_mut().remove::<Cut>() {
            Some(Cut::All) => {
                self.record(&operation, status, annotation, "cut=all");
                return Err(Dropped);
            }
            Some(Cut::Half) => {
                self.record(&operation, status, annotation, "cut=half");
                return Ok(truncated(response).await);
            }
            None => {}
        }
        match fault {
            Some(Fault::DropAfter) => {
                self.record(&operation, status, annotation, "fault=drop_after");
                Err(Dropped)
            }
            Some(Fault::Truncate) => {
                self.record(&operation, status, annotation, "fault=truncate");
                Ok(truncated(response).await)
            }
            Some(Fault::Delay(millis)) => {
                self.record(&operation, status, annotation, "fault=delay");
                tokio::time::sleep(Duration::from_millis(millis)).await;
                Ok(response)
            }
            Some(Fault::DropBefore | Fault::Status { .. }) | None => {
                self.record(&operation, status, annotation, "");
                Ok(response)
            }
        }
    }

    fn record(&self, operation: &str, status: u16, annotation: Annotation, fault: &str) {
        self.journal.record(Entry {
            service: self.service.to_owned(),
            operation: operation.to_owned(),
            account: None,
            principal: annotation.principal,
            on_behalf_of: None,
            status,
            note: [annotation.note.as_str(), fault]
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join(" "),
        });
    }
}

/// The answer of an outage, before any effect.
fn out_of_order(status: u16, retry_after: Option<u32>, body: &str) -> Response {
    let mut response = Response::new(Body::from(body.to_owned()));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let kind = if body.trim_start().starts_with(['{', '[']) {
        "application/json"
    } else {
        "text/html;charset=utf-8"
    };
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Some(seconds) = retry_after {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The answer with the length it should have and half of its body; hyper closes the connection then.
async fn truncated(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let whole = body
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    parts
        .headers
        .insert(header::CONTENT_LENGTH, HeaderValue::from(whole.len()));
    let half: Bytes = whole.slice(..whole.len() / 2);
    // A stream has no known length, so that the header above stands.
    let stream = futures::stream::iter([Ok::<_, Infallible>(hyper::body::Frame::data(half))]);
    Response::from_parts(parts, Body::new(http_body_util::StreamBody::new(stream)))
}
