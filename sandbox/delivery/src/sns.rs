//! SNS: topics, subscriptions with filter policies, and delivery to queues and to HTTP endpoints on
//! loopback.
//!
//! Messages carry no signature: there is no certificate of AWS to sign them with. Endpoints other
//! than queues and loopback addresses are refused.

mod api;
mod deliver;
mod publish;
mod subscription;
mod topic;
mod wire;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use sandbox_core::{AwsCall, AwsReply, AwsService, BoxFuture, Clock, Journal, Queues, REGION};

use crate::{in_flight::InFlight, lock};
use subscription::Subscription;

/// How long an HTTP endpoint may take.
const HTTP_TIMEOUT: Duration = Duration::from_secs(15);

#[derive(Debug, Default)]
struct Topic {
    attributes: BTreeMap<String, String>,
}

/// Topics and subscriptions by ARN.
#[derive(Debug, Default)]
struct State {
    topics: BTreeMap<String, Topic>,
    subscriptions: BTreeMap<String, Subscription>,
}

/// SNS of all accounts.
#[derive(Clone)]
pub struct Sns {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Clock,
    journal: Journal,
    queues: Arc<dyn Queues>,
    http: reqwest::Client,
    public_url: OnceLock<String>,
    state: Mutex<State>,
    in_flight: InFlight,
}

impl Sns {
    /// SNS without topics.
    pub fn new(
        clock: Clock,
        journal: Journal,
        queues: Arc<dyn Queues>,
    ) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .timeout(HTTP_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self {
            inner: Arc::new(Inner {
                clock,
                journal,
                queues,
                http,
                public_url: OnceLock::new(),
                state: Mutex::default(),
                in_flight: InFlight::default(),
            }),
        })
    }

    /// The base of the links in messages (`SubscribeURL`). Whoever serves it hands the query's
    /// `TopicArn` and `Token` to [`Sns::confirm`]. Only the first call has an effect.
    pub fn set_public_url(&self, url: &str) {
        // Links that were sent already must stay as they are.
        let _ = self
            .inner
            .public_url
            .set(url.trim_end_matches('/').to_owned());
    }

    /// Creates a topic, or finds it; answers its ARN.
    pub fn create_topic(&self, account: &str, name: &str) -> String {
        let arn = format!("arn:aws:sns:{REGION}:{account}:{name}");
        lock(&self.inner.state)
            .topics
            .entry(arn.clone())
            .or_default();
        arn
    }

    /// Confirms a subscription with the token that its endpoint was sent; answers its ARN.
    pub fn confirm(&self, topic_arn: &str, token: &str) -> Option<String> {
        let mut state = lock(&self.inner.state);
        let mut all = state.subscriptions.values_mut();
        let found = all.find(|s| s.topic_arn == topic_arn && s.token == token)?;
        found.confirmed = true;
        Some(found.arn.clone())
    }

    /// Waits until no delivery is under way.
    pub async fn settled(&self) {
        self.inner.in_flight.settled().await;
    }
}

impl AwsService for Sns {
    fn signing_names(&self) -> &'static [&'static str] {
        &["sns"]
    }

    fn handle(&self, call: AwsCall) -> BoxFuture<'_, AwsReply> {
        Box::pin(async move { api::handle(self, &call) })
    }
}
