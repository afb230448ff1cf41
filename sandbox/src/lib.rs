//! The whole system on one machine: the real function binaries behind a local gateway, AWS,
//! Salesforce and an identity provider on loopback. No AWS account, no Docker, no network.
//!
//! [`Sandbox::start`] is what the binary, the tour and every end-to-end test begin with.

pub mod bench;
pub mod binaries;
pub mod browser;
mod changes;
pub mod client;
pub mod console;
pub mod control;
mod customer;
pub mod leaks;
pub mod openapi;
mod provision;
mod services;
mod stack;
mod start;
pub mod tour;
pub mod trail;
pub mod warehouse;

use std::{collections::BTreeMap, sync::Arc};

use sandbox_appflow::AppFlow;
use sandbox_aws::Aws;
use sandbox_core::{Canaries, Clock, Faults, Journal};
use sandbox_delivery::{CloudWatch, EventBridge, Schedules, Sns};
use sandbox_gateway::{
    http_api::HttpApi,
    queues::QueuePollers,
    runtime::{LogSink, Runtime},
};
use sandbox_redshift::Redshift;
use sandbox_saas::{Catcher, Oidc, Providers, Salesforce};
use tokio::task::AbortHandle;
use url::Url;

pub use binaries::Profile;

/// Client id of the single-page application at the identity provider.
pub const APP_CLIENT_ID: &str = "tributary-app";
/// Client id of the vendor's machine client.
pub const OPERATOR_CLIENT_ID: &str = "tributary-operator";
/// Secret of the vendor's machine client; printed for the newcomer, so no canary.
pub const OPERATOR_SECRET: &str = "operator-secret-local";
/// Name of the vendor's stack.
pub const STACK_NAME: &str = "tributary";
/// Name of the queue that the sandbox subscribes to the notifications.
pub const SUBSCRIBER_QUEUE: &str = "notifications-subscriber";

/// How a sandbox is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// First of the seven ports; `None` lets the system choose all of them.
    pub first_port: Option<u16>,
    /// Which build of the functions runs.
    pub profile: Profile,
    /// Variables that differ from the template's, by function (logical id).
    pub environment: BTreeMap<String, BTreeMap<String, String>>,
    /// Timeouts that differ from the template's, by function (logical id).
    pub timeouts: BTreeMap<String, std::time::Duration>,
    /// Whether schedules fire by themselves as the clock moves.
    pub run_schedules: bool,
    /// AppFlow's quota of connector profiles in an account.
    pub connector_profiles: usize,
    /// Whether Identity Center and the warehouse are set up at the start; otherwise there is an empty
    /// instance and an empty database, and `docs/WAREHOUSE.md` says what to do.
    pub set_up_warehouse: bool,
    /// Where the functions' logs are also written to.
    pub log_file: Option<std::path::PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            first_port: None,
            profile: Profile::Debug,
            environment: BTreeMap::new(),
            timeouts: BTreeMap::new(),
            run_schedules: true,
            connector_profiles: 100,
            set_up_warehouse: true,
            log_file: None,
        }
    }
}

/// Why the sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A port is taken.
    #[error(transparent)]
    Port(#[from] sandbox_core::serve::PortTaken),
    /// The functions were not built.
    #[error(transparent)]
    Build(#[from] binaries::BuildError),
    /// A template cannot be read or resolved.
    #[error("{0}: {1}")]
    Template(String, String),
    /// A resource could not be created.
    #[error("resource {0} could not be created: {1}")]
    Resource(String, String),
    /// A stand-in did not come up.
    #[error("{0} did not start: {1}")]
    StandIn(&'static str, String),
}

/// A running system. Dropping it stops everything, the functions' processes included.
pub struct Sandbox {
    /// Base address of the API.
    pub api_url: Url,
    /// The AWS endpoint.
    pub aws_url: Url,
    /// Salesforce.
    pub salesforce_url: Url,
    /// The identity provider.
    pub oidc_url: Url,
    /// The sandbox's own control page.
    pub control_url: Url,
    /// The other OAuth providers.
    pub providers_url: Url,
    /// Origin of the single-page application that the API allows.
    pub app_origin: String,
    /// The movable clock.
    pub clock: Clock,
    /// Faults on demand.
    pub faults: Faults,
    /// Every request that a stand-in saw.
    pub journal: Journal,
    /// Seeded secrets.
    pub canaries: Canaries,
    /// What the functions and the gateway wrote.
    pub logs: LogSink,
    /// AWS.
    pub aws: Arc<Aws>,
    /// AppFlow.
    pub appflow: AppFlow,
    /// The warehouse.
    pub redshift: Redshift,
    /// EventBridge.
    pub events: Arc<EventBridge>,
    /// SNS.
    pub sns: Arc<Sns>,
    /// CloudWatch.
    pub cloudwatch: Arc<CloudWatch>,
    /// EventBridge Scheduler.
    pub schedules: Arc<Schedules>,
    /// The functions.
    pub runtime: Runtime,
    /// Salesforce, for its administrator's acts and counters.
    pub salesforce: Arc<Salesforce>,
    /// ServiceNow, HubSpot, Zendesk and Microsoft, for their administrators' acts and counters.
    pub providers: Arc<Providers>,
    /// Webhook endpoints that may be subscribed.
    pub webhooks: Arc<Catcher>,
    /// The identity provider, for its administrator's acts.
    pub oidc: Arc<Oidc>,
    /// The vendor's stack, as the template was resolved.
    pub stack: Arc<sandbox_gateway::template::Resolved>,
    changes: changes::Changes,
    received: client::Inbox,
    _api: HttpApi,
    pollers: Vec<QueuePollers>,
    tasks: Vec<AbortHandle>,
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox")
            .field("api_url", &self.api_url.as_str())
            .finish_non_exhaustive()
    }
}

impl Sandbox {
    /// Starts everything and answers when it can be used.
    pub async fn start(options: Options) -> Result<Arc<Self>, StartError> {
        start::start(options).await
    }

    /// Notifications that the subscriber got so far, each as its body came.
    pub async fn notifications(&self) -> Vec<serde_json::Value> {
        self.received.all(&*self.aws).await
    }

    /// Lets Lambda take no messages of a queue (its logical id), or take them again.
    pub fn hold_queue(&self, id: &str, hold: bool) {
        let queue = self.stack.resources[id].arn().unwrap_or_default();
        for pollers in &self.pollers {
            if hold {
                pollers.hold(queue);
            } else {
                pollers.go_on(queue);
            }
        }
    }

    fn parts(&self) -> provision::Parts {
        provision::Parts {
            aws: Arc::clone(&self.aws),
            events: Arc::clone(&self.events),
            sns: Arc::clone(&self.sns),
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.runtime.stop();
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Sandbox {
    /// The person who consents at Salesforce unless another is named.
    pub fn salesforce_admin(&self) -> String {
        "olivia@sports.example.crm".to_owned()
    }
}
