//! The HTTP server: recognises the signer, asks whether they may, plays faults, writes the journal.

mod answer;
mod operation;

use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header, request::Parts};
use http_body_util::{BodyExt, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use sandbox_core::{AwsCall, AwsReply, Entry, Fault};
use tokio::net::TcpListener;

use self::answer::Body;
use crate::{
    Aws,
    refusal::Protocol,
    signature::{self, Claimed},
};

/// Larger requests than this are refused; S3's single upload would take 5 GB.
const BODY_LIMIT: usize = 64 * 1024 * 1024;

/// The connection is closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is dropped on demand")]
struct Dropped;

impl Aws {
    /// Serves until the listener fails or the future is dropped.
    pub async fn serve(self: Arc<Self>, listener: TcpListener) -> std::io::Result<Infallible> {
        self.announce(listener.local_addr()?);
        // Dropped together with this future, and the connections with it.
        let mut connections = tokio::task::JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    let (stream, _) = accepted?;
                    let aws = Arc::clone(&self);
                    connections.spawn(async move {
                        let service = service_fn(|request| Arc::clone(&aws).receive(request));
                        let served = http1::Builder::new()
                            .serve_connection(TokioIo::new(stream), service)
                            .await;
                        if let Err(error) = served {
                            tracing::debug!(%error, "an AWS connection ended early");
                        }
                    });
                }
                Some(_) = connections.join_next() => {}
            }
        }
    }

    /// Answers a request of a caller in this process, as if it had come over a connection; nothing if
    /// the connection would have been dropped on demand.
    pub async fn exchange(&self, request: Request<Bytes>) -> Option<Response<Bytes>> {
        let (parts, body) = request.into_parts();
        let (parts, body) = self.answer(parts, body).await.ok()?.into_parts();
        let body = body.collect().await.ok()?.to_bytes();
        Some(Response::from_parts(parts, body))
    }

    async fn receive(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, Dropped> {
        let (parts, body) = request.into_parts();
        let Ok(body) = Limited::new(body, BODY_LIMIT).collect().await else {
            let protocol = Protocol::of(None, &parts.headers);
            let refused = protocol.error(
                StatusCode::PAYLOAD_TOO_LARGE,
                "RequestEntityTooLargeException",
                "the request is larger than the endpoint takes",
            );
            return Ok(answer::whole(refused));
        };
        let protocol = Protocol::of(None, &parts.headers);
        // A caller that hangs up does not undo what it asked for, so the work goes on without it.
        let working = tokio::spawn(async move { self.answer(parts, body.to_bytes()).await });
        working.await.unwrap_or_else(|error| {
            tracing::error!(%error, "an AWS service failed");
            Ok(answer::whole(protocol.error(
                StatusCode::INTERNAL_SERVER_ERROR,
                "InternalFailure",
                "the service failed",
            )))
        })
    }

    async fn answer(&self, parts: Parts, body: Bytes) -> Result<Response<Body>, Dropped> {
        let query = parts.uri.query().unwrap_or_default().to_owned();
        let claimed = signature::read(&parts.headers, &query);
        let service = claimed.as_ref().ok().map(|claimed| claimed.service.clone());
        let protocol = Protocol::of(service.as_deref(), &parts.headers);
        let operation = operation::name(service.as_deref(), &parts, &body);
        let recognised = claimed.and_then(|claimed| {
            let session = self
                .credentials
                .recognise(&claimed.access_key_id, claimed.session_token.as_deref())?;
            Ok((claimed, session))
        });
        let (claimed, session) = match recognised {
            Ok(recognised) => recognised,
            Err(why) => {
                let refused = protocol.unrecognised(why);
                self.record(
                    service.as_deref(),
                    &operation,
                    None,
                    &refused,
                    why.to_string(),
                );
                return Ok(answer::whole(refused));
            }
        };
        let call = call(claimed, session.principal.clone(), &parts, query, body);
        if let Err(refused) = self.authorize(&session, &call, &operation).await {
            self.record(
                service.as_deref(),
                &operation,
                Some(&session.principal),
                &refused,
                "not authorized".to_owned(),
            );
            return Ok(answer::whole(refused));
        }
        self.with_faults(call, &operation).await
    }

    /// Answers a call as the fault that is due for it says.
    async fn with_faults(&self, call: AwsCall, operation: &str) -> Result<Response<Body>, Dropped> {
        let service = call.service.clone();
        let principal = call.principal.clone();
        let fault = self.options.faults.take(&service, operation);
        let note = fault.as_ref().map(answer::note).unwrap_or_default();
        let reply = match &fault {
            Some(Fault::DropBefore) => answer::on_demand(502, None, ""),
            Some(Fault::Status {
                status,
                retry_after,
                body,
            }) => answer::on_demand(*status, *retry_after, body),
            _ => self.dispatch(call).await,
        };
        self.record(Some(&service), operation, Some(&principal), &reply, note);
        match fault {
            Some(Fault::DropBefore | Fault::DropAfter) => Err(Dropped),
            Some(Fault::Truncate) => Ok(answer::truncated(reply)),
            Some(Fault::Delay(millis)) => {
                tokio::time::sleep(Duration::from_millis(millis)).await;
                Ok(answer::whole(reply))
            }
            Some(Fault::Status { .. }) | None => Ok(answer::whole(reply)),
        }
    }

    fn record(
        &self,
        service: Option<&str>,
        operation: &str,
        principal: Option<&sandbox_core::Principal>,
        reply: &AwsReply,
        note: String,
    ) {
        self.options.journal.record(Entry {
            service: service.unwrap_or("unsigned").to_owned(),
            operation: operation.to_owned(),
            account: principal.map(|principal| principal.account.clone()),
            principal: principal.map(|principal| principal.arn.clone()),
            on_behalf_of: principal
                .and_then(|principal| principal.on_behalf_of.as_ref())
                .map(|user| user.user_id.clone()),
            status: reply.status.as_u16(),
            note,
        });
    }
}

fn call(
    claimed: Claimed,
    principal: sandbox_core::Principal,
    parts: &Parts,
    query: String,
    body: Bytes,
) -> AwsCall {
    let mut headers = parts.headers.clone();
    // What follows works on the whole body; the framing of the connection is of no use there.
    headers.remove(header::TRANSFER_ENCODING);
    AwsCall {
        principal,
        region: claimed.region,
        service: claimed.service,
        method: parts.method.clone(),
        path: parts.uri.path().to_owned(),
        query,
        headers,
        body,
    }
}
