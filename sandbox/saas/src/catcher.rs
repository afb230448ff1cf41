//! Somebody's webhook endpoints: `POST /{name}` and below. What came is kept, and each name answers as
//! it was told to; until then it says 204.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::State as Shared,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use jiff::Timestamp;
use sandbox_core::{Clock, Faults, Journal};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use crate::server::{Cut, Server, annotated};

/// Largest body that is kept.
const BODY_CAP: usize = 1024 * 1024;
/// Requests that are kept of all names.
const KEPT: usize = 20_000;

/// How a name answers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Reply {
    /// The status; 0 closes the connection without an answer.
    pub status: u16,
    /// How long it takes.
    pub delay_seconds: u64,
    /// `Retry-After`, in seconds.
    pub retry_after: Option<u32>,
    /// Where a redirect leads.
    pub location: Option<String>,
    /// Bytes of the answer's body.
    pub body_bytes: usize,
}

impl Default for Reply {
    fn default() -> Self {
        Self::status(204)
    }
}

impl Reply {
    /// An empty answer with this status, at once.
    pub const fn status(status: u16) -> Self {
        Self {
            status,
            delay_seconds: 0,
            retry_after: None,
            location: None,
            body_bytes: 0,
        }
    }
}

/// A request that came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Caught {
    /// First segment of the path.
    pub name: String,
    /// When, by the sandbox's clock.
    pub at: Timestamp,
    /// Its headers; of repeated ones the last.
    pub headers: BTreeMap<String, String>,
    /// Its body.
    pub body: String,
    /// What it is answered with.
    pub status: u16,
}

impl Caught {
    /// A header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// The endpoints.
#[derive(Debug, Default)]
pub struct Catcher {
    clock: Clock,
    faults: Faults,
    journal: Journal,
    origin: OnceLock<String>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    caught: Vec<Caught>,
    replies: BTreeMap<String, Reply>,
    /// By name: requests under way, and the most that were at the same time.
    under_way: BTreeMap<String, (usize, usize)>,
}

impl Catcher {
    /// Endpoints that nobody called yet.
    pub fn new(clock: Clock, faults: Faults, journal: Journal) -> Self {
        Self {
            clock,
            faults,
            journal,
            ..Self::default()
        }
    }

    /// Serves on the listener until the future is dropped. The origin is known as soon as this returns.
    pub fn serve(self: Arc<Self>, listener: TcpListener) -> impl Future<Output = ()> + Send {
        if let Ok(address) = listener.local_addr() {
            // A second listener keeps the first one's address.
            let _ = self.origin.set(format!("http://{address}"));
        }
        Server {
            service: "webhooks",
            faults: self.faults.clone(),
            journal: self.journal.clone(),
            router: Router::new().fallback(catch).with_state(self),
        }
        .run(listener)
    }

    /// The address of a name.
    pub fn url(&self, name: &str) -> String {
        format!("{}/{name}", self.origin.get().map_or("", String::as_str))
    }

    /// Lets a name answer like this from now on.
    pub fn answer(&self, name: &str, reply: Reply) {
        self.state().replies.insert(name.to_owned(), reply);
    }

    /// What a name was sent, oldest first.
    pub fn caught(&self, name: &str) -> Vec<Caught> {
        let state = self.state();
        let caught = state.caught.iter();
        caught.filter(|it| it.name == name).cloned().collect()
    }

    /// What all names were sent, oldest first.
    pub fn all(&self) -> Vec<Caught> {
        self.state().caught.clone()
    }

    /// How many requests a name has now.
    pub fn under_way(&self, name: &str) -> usize {
        self.state().under_way.get(name).map_or(0, |(now, _)| *now)
    }

    /// How many requests a name had at the same time, at most.
    pub fn most_at_once(&self, name: &str) -> usize {
        self.state()
            .under_way
            .get(name)
            .map_or(0, |(_, most)| *most)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a request and answers how it is to be answered.
    fn keep(&self, name: &str, headers: &HeaderMap, body: &[u8]) -> Reply {
        let mut state = self.state();
        let reply = state.replies.get(name).cloned().unwrap_or_default();
        let headers = headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        });
        let caught = Caught {
            name: name.to_owned(),
            at: self.clock.now(),
            headers: headers.collect(),
            body: String::from_utf8_lossy(body).into_owned(),
            status: reply.status,
        };
        if state.caught.len() >= KEPT {
            state.caught.remove(0);
        }
        state.caught.push(caught);
        let (now, most) = state.under_way.entry(name.to_owned()).or_default();
        *now += 1;
        *most = (*most).max(*now);
        reply
    }
}

/// Counts a request as over, also when its client went away.
struct UnderWay<'a> {
    catcher: &'a Catcher,
    name: &'a str,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if let Some((now, _)) = self.catcher.state().under_way.get_mut(self.name) {
            *now = now.saturating_sub(1);
        }
    }
}

async fn catch(Shared(catcher): Shared<Arc<Catcher>>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().trim_start_matches('/');
    let name = path.split('/').next().unwrap_or_default();
    let Ok(body) = axum::body::to_bytes(body, BODY_CAP).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let reply = catcher.keep(name, &parts.headers, &body);
    let _under_way = UnderWay {
        catcher: &catcher,
        name,
    };
    if reply.delay_seconds > 0 {
        tokio::time::sleep(Duration::from_secs(reply.delay_seconds)).await;
    }
    let id = parts.headers.get("webhook-id");
    let id = id.and_then(|id| id.to_str().ok()).unwrap_or_default();
    answer(&reply, format!("webhook-id={id}"))
}

fn answer(reply: &Reply, note: String) -> Response {
    let status = StatusCode::from_u16(reply.status);
    let mut response = (
        status.unwrap_or(StatusCode::NO_CONTENT),
        "x".repeat(reply.body_bytes),
    )
        .into_response();
    let headers = response.headers_mut();
    if let Some(seconds) = reply.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Some(Ok(location)) = reply.location.as_deref().map(HeaderValue::from_str) {
        headers.insert(header::LOCATION, location);
    }
    if reply.status == 0 {
        response.extensions_mut().insert(Cut::All);
    }
    annotated(response, None, note)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn post(catcher: &Catcher, name: &str) -> Result<reqwest::Response, reqwest::Error> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let call = client.post(catcher.url(name)).header("webhook-id", "e-1");
        call.body("{}").send().await
    }

    #[tokio::test]
    async fn names_answer_as_they_were_told_and_keep_what_came() {
        let catcher = Arc::new(Catcher::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let serving = tokio::spawn(Arc::clone(&catcher).serve(listener));
        // Serving begins with the task; the address is known when it ran once.
        while catcher.url("").len() < 2 {
            tokio::task::yield_now().await;
        }
        assert_eq!(post(&catcher, "one").await.unwrap().status(), 204);
        let busy = Reply {
            retry_after: Some(7),
            body_bytes: 10,
            ..Reply::status(503)
        };
        catcher.answer("one", busy);
        let answer = post(&catcher, "one").await.unwrap();
        assert_eq!(answer.status(), 503);
        assert_eq!(answer.headers()[header::RETRY_AFTER], "7");
        assert_eq!(answer.text().await.unwrap().len(), 10);
        let away = Reply {
            location: Some("http://127.0.0.1:1/".to_owned()),
            ..Reply::status(307)
        };
        catcher.answer("one", away);
        let answer = post(&catcher, "one").await.unwrap();
        assert_eq!(answer.headers()[header::LOCATION], "http://127.0.0.1:1/");
        catcher.answer("one", Reply::status(0));
        assert!(post(&catcher, "one").await.is_err());
        assert_eq!(post(&catcher, "two").await.unwrap().status(), 204);

        let caught = catcher.caught("one");
        let answered: Vec<u16> = caught.iter().map(|it| it.status).collect();
        assert_eq!(answered, [204, 503, 307, 0]);
        assert_eq!(
            (caught[0].header("webhook-id"), caught[0].body.as_str()),
            ("e-1", "{}")
        );
        assert_eq!(catcher.all().len(), 5);
        assert_eq!(catcher.most_at_once("one"), 1);
        serving.abort();
    }
}
