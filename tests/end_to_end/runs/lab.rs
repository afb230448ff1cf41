//! The function `run-events` in this process, on the sandbox's AWS: for proofs that need more
//! invocations than processes can be started, and deaths at exactly one call.
//!
//! The code that decides, the table, its transactions, the tenant's scope and IAM are the real ones.
//! AppFlow's records and the topic are scripts, so that a history can say what AppFlow knows at each
//! moment and what was published. Time passes when a test says so: claims lapse, ticks come later.

mod records;
mod topic;
mod wire;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use jiff::{SignedDuration, Timestamp};
use run_events::{Config, RunEvents};
use sandbox_core::{CUSTOMER_ACCOUNT, REGION, VENDOR_ACCOUNT};
use serde_json::{Value, json};
use tributary::{
    config::Env,
    id::{FlowId, RunId, TenantId},
    run::ExecutionPointer,
    store::{Key, PageRequest, Store},
};

use self::{records::Records, topic::Topic, wire::Wire};
use crate::flows::world::World;

pub(super) use wire::{Moment, Trouble};

/// Bytes of a deep stack.
const DEEP: usize = 64 * 1024 * 1024;
const FUNCTION: &str = "RunEventsFunction";

/// What became of an invocation.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    /// It answered.
    Answered(Value),
    /// It failed for these reasons.
    Failed(String),
    /// The process died at this call.
    Died(String),
}

/// A flow that the table knows.
#[derive(Debug, Clone)]
pub(super) struct LabFlow {
    pub(super) tenant: TenantId,
    pub(super) id: FlowId,
    pub(super) name: String,
}

pub(super) struct Lab {
    pub(super) world: World,
    pub(super) wire: Wire,
    pub(super) records: Arc<Records>,
    pub(super) topic: Arc<Topic>,
    /// The table, as its owner's administrator.
    table: Store,
    process: Mutex<RunEvents>,
}

impl Lab {
    pub(super) async fn new() -> Self {
        let world = World::without_schedules().await;
        let sandbox = &world.sandbox;
        let (records, topic) = (Arc::new(Records::default()), Arc::new(Topic::default()));
        sandbox.aws.register(Arc::clone(&records) as _);
        sandbox.aws.register(Arc::clone(&topic) as _);
        let wire = Wire::new(&sandbox.aws);
        let admin = sandbox.aws.admin_credentials(VENDOR_ACCOUNT);
        let admin = Credentials::new(
            admin.access_key_id,
            admin.secret_access_key,
            admin.session_token,
            None,
            "tests",
        );
        let table = Store::of_tenant(
            aws_sdk_dynamodb::Client::new(&config(&Wire::new(&sandbox.aws), admin)),
            sandbox.stack.resources["Table"].physical_id().to_owned(),
            world.tenant.id.parse().unwrap(),
        );
        // Refreshes that failed runs ask for are other tests' matter.
        sandbox.hold_queue("RefreshQueue", true);
        let process = Mutex::new(process(&world, &wire));
        Self {
            world,
            wire,
            records,
            topic,
            table,
            process,
        }
    }

    /// A process that has just begun: it holds no session and no tokens.
    pub(super) fn restart(&self) {
        let process = process(&self.world, &self.wire);
        *self.process.lock().unwrap_or_else(PoisonError::into_inner) = process;
    }

    fn tenant(&self) -> TenantId {
        self.world.tenant.id.parse().unwrap()
    }

    /// A flow in the customer's account, with more members of its item.
    pub(super) async fn flow_with(&self, more: Value) -> LabFlow {
        let (tenant, id) = (self.tenant(), FlowId::new());
        let name = format!("tributary-{tenant}-{id}");
        let connection = &self.world.connection;
        let definition =
            json!({ "source": { "connectionId": connection }, "trigger": { "type": "onDemand" } });
        let mut item = json!({
            "id": id, "tenant_id": tenant, "account_id": self.world.account, "aws_account_id": CUSTOMER_ACCOUNT,
            "appflow_name": name, "state": "active", "definition": definition.to_string(), "created_at": Timestamp::now(),
        });
        if let (Some(item), Value::Object(more)) = (item.as_object_mut(), more) {
            item.extend(more);
        }
        self.table.put(&Key::flow(tenant, id), &item).await.unwrap();
        let owner = json!({ "tenant_id": tenant, "flow_id": id, "account_id": self.world.account });
        let named = Key::flow_name(CUSTOMER_ACCOUNT, &name);
        self.table.put(&named, &owner).await.unwrap();
        LabFlow { tenant, id, name }
    }

    pub(super) async fn flow(&self) -> LabFlow {
        self.flow_with(json!({})).await
    }

    /// A flow whose runs begin by themselves, and that is looked at for that.
    pub(super) async fn scheduled_flow(&self) -> LabFlow {
        let definition = json!({ "trigger": { "type": "scheduled" } }).to_string();
        let due = json!({ "definition": definition, "due_shard": "flows", "due_at": 0 });
        self.flow_with(due).await
    }

    /// The next tick comes: everything that waits for one is due.
    pub(super) async fn sweep_is_due(&self, flow: &LabFlow) {
        let due = tributary::store::Update::new().set("due_at", 0);
        let key = Key::flow(flow.tenant, flow.id);
        let _: Value = self.table.update(&key, due).await.unwrap();
    }

    /// Writes the run that the API asked AppFlow for, unless an event was faster.
    pub(super) async fn ask_for(&self, flow: &LabFlow, execution: &str) {
        let pointer_key = Key::execution(flow.tenant, flow.id, execution);
        let known: Option<ExecutionPointer> = self.table.get(&pointer_key).await.unwrap();
        if known.is_some() {
            return;
        }
        let (run, now) = (RunId::new(), Timestamp::now());
        let item = json!({
            "id": run, "tenant_id": flow.tenant, "flow_id": flow.id, "execution_id": execution,
            "status": "queued", "trigger": "on_demand", "due_shard": "runs",
            "due_at": tributary::run::Run::next_check(now), "created_at": now, "updated_at": now,
        });
        let key = Key::run(flow.tenant, flow.id, run);
        self.table.put(&key, &item).await.unwrap();
        let pointer = json!({ "run_id": run });
        self.table.put(&pointer_key, &pointer).await.unwrap();
    }

    /// One invocation. A process that dies is followed by a new one.
    pub(super) async fn invoke(&self, event: &Value, trouble: Option<Trouble>) -> Outcome {
        self.wire.begin(trouble);
        let process = self
            .process
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let died = tokio::select! {
            answer = process.handle(event.clone()) => {
                self.wire.begin(None);
                return match answer {
                    Ok(answer) => Outcome::Answered(answer),
                    Err(rejected) => Outcome::Failed(rejected.chain()),
                };
            }
            died = self.wire.died() => died,
        };
        self.wire.begin(None);
        self.restart();
        Outcome::Died(died)
    }

    /// The next tick of the reconciliation, so late that everything under way is due.
    pub(super) fn tick() -> Value {
        let later = Timestamp::now() + SignedDuration::from_mins(6);
        json!({ "kind": "reconcile", "scheduledTime": later })
    }

    /// Claims lapse: half a minute has passed.
    pub(super) async fn time_passes(&self) {
        for (key, _) in self.outbox().await {
            let update = tributary::store::Update::new().set("claimed_until", 0);
            let _: Value = self.table.update(&key, update).await.unwrap();
        }
    }

    /// What is in the outbox.
    pub(super) async fn outbox(&self) -> Vec<(Key, Value)> {
        let (partition, page) = (Key::outbox_partition(), PageRequest::first(1_000));
        let page = self.table.query::<Value>(&partition, "", &page).await;
        let entries = page.unwrap().items;
        let key = |entry: &Value| Key::outbox(entry["event"]["id"].as_str().unwrap_or_default());
        entries
            .into_iter()
            .map(|entry| (key(&entry), entry))
            .collect()
    }

    /// Puts an entry into the outbox.
    pub(super) async fn put_out(&self, id: &str, entry: &Value) {
        self.table.put(&Key::outbox(id), entry).await.unwrap();
    }

    /// Runs of a flow by AppFlow's ids; two of one execution are a failure.
    pub(super) async fn runs(&self, flow: &LabFlow) -> BTreeMap<String, Value> {
        let partition = Key::runs_partition(flow.tenant, flow.id);
        let page = PageRequest::first(1_000);
        let page = self.table.query::<Value>(&partition, "RUN#", &page);
        let mut runs = BTreeMap::new();
        for run in page.await.unwrap().items {
            let execution = run["execution_id"].as_str().unwrap().to_owned();
            let other = runs.insert(execution, run);
            assert!(other.is_none(), "an execution has two runs: {other:?}");
        }
        runs
    }

    /// Forgets a flow and what is about it, so that the next proof finds an empty table.
    pub(super) async fn forget(&self, flow: &LabFlow) {
        self.table
            .delete(&Key::flow(flow.tenant, flow.id))
            .await
            .unwrap();
        let named = Key::flow_name(CUSTOMER_ACCOUNT, &flow.name);
        self.table.delete(&named).await.unwrap();
        for (execution, run) in self.runs(flow).await {
            let run = run["id"].as_str().unwrap().parse().unwrap();
            for key in [
                Key::run(flow.tenant, flow.id, run),
                Key::execution(flow.tenant, flow.id, &execution),
            ] {
                self.table.delete(&key).await.unwrap();
            }
        }
        self.records.forget(&flow.name);
        self.topic.take();
    }
}

/// Runs a proof on a thread with a deep stack: the function's futures and those of AWS are nested here,
/// and an unoptimised build makes each of them large.
pub(super) fn prove<F: Future<Output = ()>>(proof: impl FnOnce() -> F + Send + 'static) {
    let run = || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_all().build().unwrap().block_on(proof());
    };
    let thread = std::thread::Builder::new().stack_size(DEEP).spawn(run);
    if let Err(panic) = thread.unwrap().join() {
        std::panic::resume_unwind(panic);
    }
}

/// The function over the wire, under its role and with the template's environment.
fn process(world: &World, wire: &Wire) -> RunEvents {
    let sandbox = &world.sandbox;
    let function = sandbox.stack.function(FUNCTION).unwrap();
    let mut environment = function.environment.clone();
    // Fairness has proofs of its own.
    environment.insert("LIMIT_EVENT".to_owned(), "100000/100000".to_owned());
    let role = function.role.as_deref().unwrap();
    let given = sandbox.aws.assume_for_function(role, "tests").unwrap();
    let credentials = Credentials::new(
        given.access_key_id,
        given.secret_access_key,
        given.session_token,
        None,
        "tests",
    );
    let read = Config::from_env(Env::from_pairs(environment)).unwrap();
    RunEvents::new(config(wire, credentials), read)
}

/// Without the SDK's own attempts: a fault is the function's to survive.
fn config(wire: &Wire, credentials: Credentials) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(REGION))
        .endpoint_url("http://aws.local")
        .retry_config(RetryConfig::disabled())
        .http_client(wire.client())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}
