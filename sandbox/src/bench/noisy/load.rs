//! Requests at a constant rate, whatever becomes of them.

use std::time::{Duration, Instant};

use reqwest::{Client, Url};
use tokio::task::JoinSet;

use super::due;

/// What is asked in turn: all of it reads.
const PATHS: [&str; 3] = ["/v1/connections", "/v1/flows", "/v1/accounts"];
/// Requests of one tenant that may be under way; who has more waits, and its time runs on.
const UNDER_WAY: usize = 8;

/// One answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer {
    /// Status; 0 if there was none.
    pub(super) status: u16,
    /// Since the request was due.
    pub(super) took: Duration,
    /// Seconds that a refused caller is to wait.
    pub(super) retry_after: Option<u64>,
}

pub(super) type Seen = Vec<Answer>;

/// Where requests go, and for how long.
#[derive(Debug)]
pub(super) struct Load {
    client: Client,
    urls: Vec<Url>,
    seconds: u64,
}

impl Load {
    pub(super) fn new(api: &Url, seconds: u64) -> Self {
        Self {
            client: Client::builder().no_proxy().build().unwrap_or_default(),
            urls: PATHS
                .iter()
                .filter_map(|path| api.join(path).ok())
                .collect(),
            seconds,
        }
    }

    /// Some requests that are not counted.
    pub(super) async fn warm_up(&self, tokens: &[String]) {
        for token in tokens {
            for number in 0..5 {
                self.ask(token, number, Instant::now()).await;
            }
        }
    }

    /// Asks so often in a second until the time is over.
    pub(super) async fn constant(&self, token: &str, per_second: u64) -> Seen {
        let begun = Instant::now();
        let (mut under_way, mut seen) = (JoinSet::new(), Seen::new());
        for number in 0..per_second * self.seconds {
            let at = begun + due(number, per_second);
            tokio::time::sleep_until(at.into()).await;
            if under_way.len() >= UNDER_WAY {
                seen.extend(under_way.join_next().await.and_then(Result::ok));
            }
            // The whole is over although there is more to send: it cannot be sent faster.
            if begun.elapsed() > Duration::from_secs(self.seconds) {
                break;
            }
            let asker = self.asker(token, number);
            under_way.spawn(async move { asker.ask(at).await });
        }
        seen.extend(under_way.join_all().await);
        seen
    }

    async fn ask(&self, token: &str, number: u64, at: Instant) -> Answer {
        self.asker(token, number).ask(at).await
    }

    fn asker(&self, token: &str, number: u64) -> Asker {
        let which = usize::try_from(number).unwrap_or_default() % self.urls.len();
        Asker {
            client: self.client.clone(),
            url: self.urls[which].clone(),
            token: token.to_owned(),
        }
    }
}

struct Asker {
    client: Client,
    url: Url,
    token: String,
}

impl Asker {
    async fn ask(self, at: Instant) -> Answer {
        let sent = self.client.get(self.url).bearer_auth(self.token).send();
        let Ok(response) = sent.await else {
            return Answer {
                status: 0,
                took: at.elapsed(),
                retry_after: None,
            };
        };
        let status = response.status().as_u16();
        let retry_after = response
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok()?.parse().ok());
        let read = response.bytes().await;
        Answer {
            status: if read.is_ok() { status } else { 0 },
            took: at.elapsed(),
            retry_after,
        }
    }
}
