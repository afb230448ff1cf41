//! The service as the loopback endpoint sees it: routing, protocol, idempotency.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::{Method, StatusCode};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use sandbox_core::{AccountServices, AwsCall, AwsReply, AwsService, BoxFuture, Clock};
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use crate::{
    applications::{Applications, Owner},
    error::{ApiError, Exception},
    gate::Gate,
    idempotency::Once,
    model,
    operations::{self, Operation},
    state::{FlowMetrics, Home, State},
};

/// What can be set differently from the real service's defaults.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether CreateFlow and UpdateFlow refuse a bucket whose policy does not admit AppFlow.
    pub check_bucket_policy: bool,
    /// Flows per account and Region.
    pub max_flows: usize,
    /// Connector profiles per account and Region.
    pub max_profiles: usize,
    /// Runs at the same time per account and Region.
    pub max_concurrent_runs: usize,
    /// Where a Salesforce authorization code is exchanged when the profile names no instance;
    /// `None` for Salesforce's own login hosts.
    pub salesforce_login_url: Option<String>,
    /// Base of applications that check tokens: a profile of ServiceNow, Zendesk, HubSpot or Dynamics 365
    /// whose URL is below it presents its credentials there.
    pub applications_url: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            check_bucket_policy: true,
            max_flows: 1_000,
            max_profiles: 100,
            max_concurrent_runs: 1_000,
            salesforce_login_url: None,
            applications_url: None,
        }
    }
}

/// AppFlow for every account of the sandbox. Clones share the same state.
#[derive(Clone)]
pub struct AppFlow {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) clock: Clock,
    pub(crate) services: Arc<dyn AccountServices>,
    pub(crate) options: Options,
    pub(crate) http: reqwest::Client,
    homes: Mutex<BTreeMap<Home, State>>,
    /// Runs in progress, everywhere.
    pub(crate) running: watch::Sender<usize>,
    pub(crate) gate: Gate,
    pub(crate) applications: Applications,
}

/// Who calls, from where.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) home: Home,
    pub(crate) arn: String,
}

impl AppFlow {
    /// A service without any resource.
    pub fn new(clock: Clock, services: Arc<dyn AccountServices>) -> Self {
        Self::with_options(clock, services, Options::default())
    }

    /// A service with other limits or checks.
    pub fn with_options(
        clock: Clock,
        services: Arc<dyn AccountServices>,
        options: Options,
    ) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(30))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap_or_default();
        Self {
            inner: Arc::new(Inner {
                clock,
                services,
                options,
                http,
                homes: Mutex::default(),
                running: watch::Sender::new(0),
                gate: Gate::default(),
                applications: Applications::default(),
            }),
        }
    }

    /// Starts every scheduled run that is due by the sandbox's clock, and sends the reports that
    /// event flows owe. Runs go on in the background; see [`AppFlow::settled`].
    pub async fn run_due(&self) {
        crate::scheduler::run_due(&self.inner).await;
    }

    /// Looks for due runs every 200 ms of real time, until the task is aborted.
    pub fn spawn(&self) -> tokio::task::JoinHandle<()> {
        let appflow = self.clone();
        tokio::spawn(async move {
            let mut tick = tokio::time::interval(Duration::from_millis(200));
            tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                tick.tick().await;
                appflow.run_due().await;
            }
        })
    }

    /// Waits until no run is in progress in any account.
    pub async fn settled(&self) {
        let mut running = self.inner.running.subscribe();
        // The sender lives as long as `self`, so this ends with the condition met.
        let _ = running.wait_for(|count| *count == 0).await;
    }

    /// Holds every run before its first read, from now on; a held run is `InProgress` and can be
    /// cancelled. [`AppFlow::settled`] does not return while one is held.
    pub fn hold_runs(&self) {
        self.inner.gate.shut(true);
    }

    /// Changes the quota of flows of one account in a Region, as Service Quotas does.
    pub fn set_max_flows(&self, account: &str, region: &str, most: usize) {
        let home = home(account, region);
        self.inner.with(&home, |state| state.max_flows = Some(most));
    }

    /// How many runs are in progress, in all accounts.
    pub fn runs_in_progress(&self) -> usize {
        *self.inner.running.borrow()
    }

    /// Lets held runs go on.
    pub fn release_runs(&self) {
        self.inner.gate.shut(false);
    }

    /// The CloudWatch counters of a flow, if it exists.
    pub fn metrics(&self, account: &str, region: &str, flow: &str) -> Option<FlowMetrics> {
        let home = home(account, region);
        self.inner
            .with(&home, |state| state.flows.get(flow).map(|f| f.metrics))
    }

    /// The records of an entity that a profile of a generic application sees, or without a profile a
    /// destination connector (`CustomerProfiles`): those of the table and what runs wrote.
    pub fn application_records(
        &self,
        account: &str,
        region: &str,
        profile: &str,
        entity: &str,
    ) -> Vec<Map<String, Value>> {
        let owner = owner(account, region, profile);
        self.inner.applications.records(&owner, entity)
    }

    /// Replaces the records of an entity that a profile sees.
    pub fn set_application_records(
        &self,
        account: &str,
        region: &str,
        profile: &str,
        entity: &str,
        records: Vec<Map<String, Value>>,
    ) {
        let owner = owner(account, region, profile);
        self.inner.applications.set(&owner, entity, records);
    }

    /// A change of a record (`AccountChangeEvent`) or a platform event arrives from Salesforce:
    /// active event flows on that object in the account deliver it.
    pub async fn deliver_event(&self, account: &str, region: &str, object: &str, detail: Value) {
        let home = home(account, region);
        crate::streaming::deliver(&self.inner, &home, None, object, &[detail]).await;
    }

    /// Events of one channel arrive from a Salesforce instance: active event flows on it, in every
    /// account whose connection leads to the instance, deliver them before this returns.
    pub async fn deliver_instance_events(&self, instance: &str, channel: &str, details: &[Value]) {
        for home in self.inner.known_homes() {
            crate::streaming::deliver(&self.inner, &home, Some(instance), channel, details).await;
        }
    }
}

fn home(account: &str, region: &str) -> Home {
    Home {
        account: account.to_owned(),
        region: region.to_owned(),
    }
}

fn owner(account: &str, region: &str, profile: &str) -> Owner {
    Owner {
        home: home(account, region),
        name: profile.to_owned(),
    }
}

impl std::fmt::Debug for AppFlow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AppFlow").finish_non_exhaustive()
    }
}

impl Inner {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn homes(&self) -> MutexGuard<'_, BTreeMap<Home, State>> {
        self.homes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the state of a home, under its lock.
    pub(crate) fn with<T>(&self, home: &Home, work: impl FnOnce(&mut State) -> T) -> T {
        work(self.homes().entry(home.clone()).or_default())
    }

    /// The homes that have anything.
    pub(crate) fn known_homes(&self) -> Vec<Home> {
        self.homes().keys().cloned().collect()
    }
}

impl AwsService for AppFlow {
    fn signing_names(&self) -> &'static [&'static str] {
        &["appflow"]
    }

    fn handle(&self, call: AwsCall) -> BoxFuture<'_, AwsReply> {
        Box::pin(async move {
            match answer(&self.inner, &call).await {
                Ok(value) => AwsReply::json(StatusCode::OK, "application/json", &value),
                Err(error) => error.reply(),
            }
        })
    }
}

async fn answer(inner: &Arc<Inner>, call: &AwsCall) -> Result<Value, ApiError> {
    let (operation, request) = route(call)?;
    let request = model::accept(operation.shape(), &request)?;
    let caller = Caller {
        home: Home {
            account: call.principal.account.clone(),
            region: call.region.clone(),
        },
        arn: call.principal.arn.clone(),
    };
    let Some(once) = Once::of(operation.name(), &request) else {
        return operations::perform(operation, inner, &caller, &request).await;
    };
    let turn = inner.with(&caller.home, |s| s.tokens.turn(&once));
    let _turn = turn.lock().await;
    let lenient = operation.is_lenient(inner, &caller, &request);
    let now = inner.now();
    let stored = inner.with(&caller.home, |s| s.tokens.replay(&once, lenient, now))?;
    if let Some(answer) = stored {
        return Ok(answer);
    }
    let answer = operations::perform(operation, inner, &caller, &request).await?;
    let now = inner.now();
    inner.with(&caller.home, |s| s.tokens.keep(once, &answer, now));
    Ok(answer)
}

/// Finds the operation and puts path, query and body together as one request.
fn route(call: &AwsCall) -> Result<(Operation, Value), ApiError> {
    if let Some(encoded) = call.path.strip_prefix("/tags/") {
        return tag_route(call, encoded);
    }
    let operation = call
        .path
        .strip_prefix('/')
        .filter(|_| call.method == Method::POST)
        .and_then(Operation::of_route)
        .ok_or_else(|| {
            ApiError::new(
                Exception::UnknownOperation,
                format!("No operation at {} {}", call.method, call.path),
            )
        })?;
    Ok((operation, body(call)?))
}

fn tag_route(call: &AwsCall, encoded: &str) -> Result<(Operation, Value), ApiError> {
    let arn = percent_decode_str(encoded).decode_utf8_lossy();
    let (operation, mut request) = match call.method {
        Method::GET => (Operation::ListTagsForResource, json!({})),
        Method::POST => (Operation::TagResource, body(call)?),
        Method::DELETE => {
            let keys: Vec<String> = url::form_urlencoded::parse(call.query.as_bytes())
                .filter(|(name, _)| name == "tagKeys")
                .map(|(_, key)| key.into_owned())
                .collect();
            (Operation::UntagResource, json!({ "tagKeys": keys }))
        }
        _ => {
            return Err(ApiError::new(
                Exception::UnknownOperation,
                format!("No operation at {} /tags", call.method),
            ));
        }
    };
    if let Some(object) = request.as_object_mut() {
        object.insert("resourceArn".to_owned(), Value::from(arn.as_ref()));
    }
    Ok((operation, request))
}

/// The body as JSON. No body is a null request, which the service refuses.
fn body(call: &AwsCall) -> Result<Value, ApiError> {
    if call.body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&call.body)
        .map_err(|_| ApiError::new(Exception::Serialization, "The request body is not JSON"))
}
