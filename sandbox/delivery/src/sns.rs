//! SNS: topics, subscriptions with filter policies, and delivery to queues, functions, mailboxes and
//! HTTP endpoints on loopback.
//!
//! Messages have a signature's members, but nobody signed them: there is no certificate of AWS to
//! sign with. Endpoints elsewhere than on this machine are refused; a mailbox is a list that
//! [`Sns::mailbox`] shows.

mod api;
mod confirmation;
mod deliver;
mod envelope;
mod function;
mod policy;
mod publish;
mod subscription;
mod topic;
mod wire;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use sandbox_core::{
    AwsCall, AwsReply, AwsService, BoxFuture, Clock, Functions, Journal, Queues, REGION,
};
use serde_json::Value;

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
    /// Functions in accounts that have none of this machine's, by ARN.
    offered: BTreeMap<String, Offered>,
    /// Mail by address.
    mailboxes: BTreeMap<String, Vec<Mail>>,
}

/// A customer's function: what it was invoked with.
#[derive(Debug, Default)]
struct Offered {
    refuses: bool,
    invocations: Vec<Value>,
}

/// A mail that somebody got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The subject.
    pub subject: String,
    /// The text.
    pub text: String,
    /// What is clicked to confirm; in confirmations only.
    pub confirm_url: Option<String>,
    /// The token in that link.
    pub token: Option<String>,
    /// What is clicked to get no more.
    pub unsubscribe_url: Option<String>,
}

/// Asks whether a queue's own policy lets a topic send to it: topic, then queue. `Err` carries what
/// SQS says.
pub type QueueCheck =
    Arc<dyn Fn(String, String) -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// How long an endpoint may take to confirm.
const CONFIRMATION_LIFE: SignedDuration = SignedDuration::from_hours(48);

impl State {
    /// SNS forgets what was not confirmed in time.
    fn forget_unconfirmed(&mut self, now: Timestamp) {
        self.subscriptions.retain(|_, subscription| {
            subscription.confirmed || now < subscription.made + CONFIRMATION_LIFE
        });
    }
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
    queue_check: OnceLock<QueueCheck>,
    functions: OnceLock<Arc<dyn Functions>>,
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
                queue_check: OnceLock::new(),
                functions: OnceLock::new(),
                http,
                public_url: OnceLock::new(),
                state: Mutex::default(),
                in_flight: InFlight::default(),
            }),
        })
    }

    /// Whom to ask what queues' policies say. Until then every queue takes every topic's messages.
    /// Only the first call has an effect.
    pub fn connect_queue_policies(&self, check: QueueCheck) {
        // Queues are there before the first message, and stay.
        let _ = self.inner.queue_check.set(check);
    }

    /// Where functions of the topic's own account lead. Only the first call has an effect.
    pub fn connect_functions(&self, functions: Arc<dyn Functions>) {
        // The functions of a running sandbox do not change.
        let _ = self.inner.functions.set(functions);
    }

    /// A function that is in some account, with a policy that lets topics invoke it. What it is
    /// invoked with is kept for [`Sns::invocations`].
    pub fn offer_function(&self, arn: &str) {
        lock(&self.inner.state)
            .offered
            .entry(arn.to_owned())
            .or_default()
            .refuses = false;
    }

    /// Takes back the policy of an offered function: SNS may no longer invoke it.
    pub fn refuse_function(&self, arn: &str) {
        if let Some(function) = lock(&self.inner.state).offered.get_mut(arn) {
            function.refuses = true;
        }
    }

    /// What an offered function was invoked with, oldest first.
    pub fn invocations(&self, arn: &str) -> Vec<Value> {
        let state = lock(&self.inner.state);
        let function = state.offered.get(arn);
        function.map_or_else(Vec::new, |function| function.invocations.clone())
    }

    /// What an address got, oldest first.
    pub fn mailbox(&self, address: &str) -> Vec<Mail> {
        let state = lock(&self.inner.state);
        state.mailboxes.get(address).cloned().unwrap_or_default()
    }

    /// Every mailbox.
    pub fn mailboxes(&self) -> BTreeMap<String, Vec<Mail>> {
        lock(&self.inner.state).mailboxes.clone()
    }

    /// Somebody clicks the link in a message that ends a subscription.
    pub fn unsubscribe(&self, subscription_arn: &str) -> bool {
        let mut state = lock(&self.inner.state);
        state.subscriptions.remove(subscription_arn).is_some()
    }

    /// The base of the links in mails. Whoever serves it hands the query's `TopicArn` and `Token` to
    /// [`Sns::confirm`], and `SubscriptionArn` to [`Sns::unsubscribe`]. Only the first call has an
    /// effect.
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
        state.forget_unconfirmed(self.inner.clock.now());
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

impl Inner {
    /// The base of links that people click.
    fn links(&self) -> String {
        let served = self.public_url.get().cloned();
        served.unwrap_or_else(envelope::service)
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
