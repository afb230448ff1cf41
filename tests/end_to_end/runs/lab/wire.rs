//! The function's way to AWS: calls are counted, and at any of them something can happen.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aws_smithy_runtime_api::client::{
    http::{
        HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
    },
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use sandbox_aws::Aws;
use tokio::sync::Notify;

/// When, at a call, something happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::runs) enum Moment {
    /// Before it has any effect.
    Before,
    /// When its effect is there and the answer is not.
    After,
}

/// What happens at one call of an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::runs) struct Trouble {
    /// Which call, from zero.
    pub(in crate::runs) call: usize,
    pub(in crate::runs) moment: Moment,
    /// Whether the process dies; otherwise it only gets no answer.
    pub(in crate::runs) is_death: bool,
}

#[derive(Debug, Default)]
struct State {
    trouble: Option<Trouble>,
    calls: Vec<String>,
    hit: Option<String>,
}

struct Inner {
    aws: Arc<Aws>,
    state: Mutex<State>,
    died: Notify,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").finish_non_exhaustive()
    }
}

#[derive(Debug, Clone)]
pub(in crate::runs) struct Wire(Arc<Inner>);

impl Wire {
    pub(super) fn new(aws: &Arc<Aws>) -> Self {
        Self(Arc::new(Inner {
            aws: Arc::clone(aws),
            state: Mutex::default(),
            died: Notify::new(),
        }))
    }

    pub(super) fn client(&self) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(self.clone());
        http_client_fn(move |_, _| connector.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An invocation begins, or ends; what its calls were is kept until the next begins.
    pub(super) fn begin(&self, trouble: Option<Trouble>) {
        let mut state = self.state();
        if trouble.is_some() {
            state.hit = None;
        }
        state.trouble = trouble;
        state.calls.clear();
    }

    /// The call that the last trouble hit.
    pub(in crate::runs) fn hit(&self) -> Option<String> {
        self.state().hit.clone()
    }

    /// When the process has died, at which call.
    pub(super) async fn died(&self) -> String {
        self.0.died.notified().await;
        self.hit().unwrap_or_default()
    }

    /// What happens at this call.
    fn next(&self, name: &str) -> Option<Trouble> {
        let mut state = self.state();
        let number = state.calls.len();
        state.calls.push(name.to_owned());
        let trouble = state.trouble.filter(|trouble| trouble.call == number)?;
        state.hit = Some(name.to_owned());
        Some(trouble)
    }

    async fn strike(&self, trouble: Option<Trouble>, now: Moment) -> Result<(), ConnectorError> {
        match trouble.filter(|trouble| trouble.moment == now) {
            None => Ok(()),
            Some(Trouble { is_death: true, .. }) => {
                self.0.died.notify_one();
                std::future::pending().await
            }
            Some(_) => Err(ConnectorError::io("the connection was closed".into())),
        }
    }

    async fn exchange(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let trouble = self.next(&name(&request));
        self.strike(trouble, Moment::Before).await?;
        let mut read = http::Request::builder()
            .method(request.method())
            .uri(request.uri());
        for (name, value) in request.headers() {
            read = read.header(name, value);
        }
        let body = Bytes::copy_from_slice(request.body().bytes().unwrap_or_default());
        let read = read
            .body(body)
            .map_err(|e| ConnectorError::user(e.into()))?;
        let answer = self.0.aws.exchange(read).await;
        self.strike(trouble, Moment::After).await?;
        let closed = || ConnectorError::io("the connection was closed".into());
        let (parts, body) = answer.ok_or_else(closed)?.into_parts();
        let mut response = HttpResponse::new(parts.status.into(), SdkBody::from(body));
        for (name, value) in &parts.headers {
            let value = value.to_str().unwrap_or_default().to_owned();
            response
                .headers_mut()
                .append(name.as_str().to_owned(), value);
        }
        Ok(response)
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(self.clone().exchange(request))
    }
}

/// The operation that a request asks for.
fn name(request: &HttpRequest) -> String {
    if let Some(target) = request.headers().get("x-amz-target") {
        return target.rsplit('.').next().unwrap_or_default().to_owned();
    }
    let body = request.body().bytes().unwrap_or_default();
    url::form_urlencoded::parse(body)
        .find(|(name, _)| name == "Action")
        .map_or_else(
            || {
                request
                    .uri()
                    .rsplit('/')
                    .next()
                    .unwrap_or_default()
                    .to_owned()
            },
            |(_, action)| action.into_owned(),
        )
}
