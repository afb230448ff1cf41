//! One request to one endpoint: signed, short, followed nowhere.

mod resolver;

use std::{error::Error as StdError, time::Duration};

use jiff::Timestamp;
use reqwest::{Client, header, redirect::Policy};
use tributary::{
    oauth::http::{NotPublic, wished_wait},
    subscription::{Endpoint, Reach, SigningSecret},
};

use crate::rules::Answer;
use resolver::{Lookup, PublicOnly, system};

/// Longest that a request may take, its answer's head included.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(15);
/// Longest that reaching the endpoint may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Calls endpoints.
#[derive(Debug, Clone)]
pub(crate) struct Poster {
    /// Reaches public addresses only.
    public: Client,
    /// Reaches what the operator named.
    named: Client,
}

/// What is posted.
#[derive(Debug)]
pub(crate) struct Post<'a> {
    /// The event's id: the same in every attempt.
    pub(crate) id: &'a str,
    /// The event in writing.
    pub(crate) body: Vec<u8>,
    /// The keys that sign, newest first.
    pub(crate) keys: &'a [SigningSecret],
}

impl Poster {
    /// Makes the clients.
    pub(crate) fn new() -> Result<Self, reqwest::Error> {
        Self::with_lookup(system())
    }

    fn with_lookup(lookup: Lookup) -> Result<Self, reqwest::Error> {
        // No redirects: whoever answers one would choose our next address. No pool: each connection
        // asks for the addresses again, and a name that moved inside is found out.
        let builder = || {
            Client::builder()
                .redirect(Policy::none())
                .retry(reqwest::retry::never())
                .no_proxy()
                .http1_only()
                .pool_max_idle_per_host(0)
                .connect_timeout(CONNECT_TIMEOUT)
                .timeout(TIMEOUT)
                .user_agent(concat!("tributary-webhooks/", env!("CARGO_PKG_VERSION")))
        };
        Ok(Self {
            public: builder()
                .https_only(true)
                .dns_resolver(PublicOnly(lookup))
                .build()?,
            named: builder().build()?,
        })
    }

    /// Posts once. The answer's body is not read: nothing in it matters, and it may be large.
    pub(crate) async fn post(&self, endpoint: &Endpoint, post: Post<'_>) -> Answer {
        let client = match endpoint.reach() {
            Reach::Public => &self.public,
            Reach::Named => &self.named,
        };
        // The machine's time, whatever time is worked on: receivers compare it with theirs.
        let at = Timestamp::now();
        let signatures = SigningSecret::header(post.keys, post.id, at, &post.body);
        let sent = client
            .post(endpoint.url().clone())
            .header(header::CONTENT_TYPE, "application/cloudevents+json")
            .header("webhook-id", post.id)
            .header("webhook-timestamp", at.as_second().to_string())
            .header("webhook-signature", signatures)
            .body(post.body)
            .send()
            .await;
        match sent {
            Ok(answer) => Answer::Status {
                code: answer.status().as_u16(),
                retry_after: answer
                    .headers()
                    .get(header::RETRY_AFTER)
                    .and_then(|value| value.to_str().ok())
                    .and_then(|value| wished_wait(value, Timestamp::now())),
            },
            Err(error) => {
                let reason = reason(&error);
                // The address may hold a secret in its path or query.
                let error = error.without_url();
                tracing::debug!(reason, error.chain = ?error, "no answer from an endpoint");
                Answer::None(reason)
            }
        }
    }
}

/// A stable code for having no answer.
fn reason(error: &reqwest::Error) -> &'static str {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(known) = cause {
        if known.is::<NotPublic>() {
            return "address_not_public";
        }
        cause = known.source();
    }
    if error.is_timeout() {
        "timeout"
    } else if error.is_connect() {
        "unreachable"
    } else {
        "no_answer"
    }
}

#[cfg(test)]
mod tests;
