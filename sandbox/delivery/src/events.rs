//! EventBridge: buses, rules and targets of every account.

mod api;
mod deliver;
mod input;
mod mischief;
mod policy;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, OnceLock},
};

use sandbox_core::{
    AwsCall, AwsReply, AwsService, BoxFuture, Clock, Faults, Functions, Journal, Queues, REGION,
    RoleCheck,
};
use serde_json::{Value, json};

pub use input::Input;
pub use mischief::{Chances, Dice, Mischief};

use crate::{
    arn::Arn,
    in_flight::InFlight,
    lock,
    pattern::{Pattern, PatternError},
};

/// The bus that every account has.
pub(crate) const DEFAULT_BUS: &str = "default";

/// A rule as a template declares it.
#[derive(Debug, Clone)]
pub struct RuleSpec {
    /// Its name, unique on the bus.
    pub name: String,
    /// The event pattern.
    pub pattern: Value,
    /// Where matching events go.
    pub targets: Vec<TargetSpec>,
}

/// A target of a rule.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetSpec {
    /// Its id, unique in the rule.
    pub id: String,
    /// A function, a queue or a bus.
    pub arn: String,
    /// The role under which events go to a bus of another account; `None` asks nobody.
    pub role_arn: Option<String>,
    /// The queue for events that could not be handed over.
    pub dead_letter_arn: Option<String>,
    /// What the target gets of the event.
    pub input: Input,
}

#[derive(Debug, Clone)]
struct Rule {
    pattern: Pattern,
    pattern_text: String,
    description: Option<String>,
    enabled: bool,
    targets: Vec<TargetSpec>,
}

#[derive(Debug, Default)]
struct Bus {
    policy: Vec<Value>,
    trusted: BTreeSet<String>,
    rules: BTreeMap<String, Rule>,
}

impl Bus {
    /// Whether an account may put this event here.
    fn admits(&self, owner: &str, account: &str, event: &Value) -> bool {
        owner == account
            || self.trusted.contains(account)
            || policy::allows(&self.policy, account, event)
    }
}

/// Buses by account and name.
type Buses = BTreeMap<(String, String), Bus>;

/// Event sources that partners offered, by account and name.
type Sources = BTreeSet<(String, String)>;

/// EventBridge of all accounts.
#[derive(Clone)]
pub struct EventBridge {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Clock,
    journal: Journal,
    faults: Faults,
    queues: Arc<dyn Queues>,
    functions: OnceLock<Arc<dyn Functions>>,
    roles: OnceLock<RoleCheck>,
    buses: Mutex<Buses>,
    sources: Mutex<Sources>,
    mischief: Mutex<mischief::Plan>,
    in_flight: InFlight,
}

impl EventBridge {
    /// EventBridge without rules; every account has its default bus.
    pub fn new(clock: Clock, journal: Journal, faults: Faults, queues: Arc<dyn Queues>) -> Self {
        Self {
            inner: Arc::new(Inner {
                clock,
                journal,
                faults,
                queues,
                functions: OnceLock::new(),
                roles: OnceLock::new(),
                buses: Mutex::default(),
                sources: Mutex::default(),
                mischief: Mutex::default(),
                in_flight: InFlight::default(),
            }),
        }
    }

    /// Where function targets lead. Until then they fail, and their events go to dead-letter
    /// queues. Only the first call has an effect.
    pub fn connect_functions(&self, functions: Arc<dyn Functions>) {
        // The functions of a running sandbox do not change.
        let _ = self.inner.functions.set(functions);
    }

    /// Whom to ask what the roles of targets may do. Only the first call has an effect.
    pub fn connect_roles(&self, roles: RoleCheck) {
        // IAM is there before the first event, and stays.
        let _ = self.inner.roles.set(roles);
    }

    /// Creates a bus; one that exists stays as it is. Answers its ARN.
    pub fn create_bus(&self, account: &str, name: &str) -> String {
        let key = (account.to_owned(), name.to_owned());
        lock(&self.inner.buses).entry(key).or_default();
        bus_arn(account, name)
    }

    /// A partner offers an event source to an account: it is pending until the account creates a bus
    /// for it. An offer that was made before changes nothing.
    pub fn offer_source(&self, account: &str, name: &str) {
        let key = (account.to_owned(), name.to_owned());
        lock(&self.inner.sources).insert(key);
    }

    /// Whether the account has created the bus of a partner's event source.
    pub fn source_is_active(&self, account: &str, name: &str) -> bool {
        let key = (account.to_owned(), name.to_owned());
        lock(&self.inner.buses).contains_key(&key)
    }

    /// Replaces the resource policy of a bus (a name or an ARN) by a document, a statement or a list
    /// of statements; `false` if there is no such bus.
    pub fn set_bus_policy(&self, account: &str, bus: &str, policy: &Value) -> bool {
        let statements = policy::statements(policy.clone());
        let (_, name) = bus_of(account, Some(bus));
        self.inner
            .with_bus(account, &name, |bus| bus.policy = statements)
            .is_some()
    }

    /// Lets another account put events on a bus, beside what its policy says; `false` if there is
    /// no such bus.
    pub fn allow_account(&self, account: &str, bus: &str, source_account: &str) -> bool {
        self.inner
            .with_bus(account, bus, |bus| {
                bus.trusted.insert(source_account.to_owned())
            })
            .is_some()
    }

    /// Creates or replaces a rule on a bus (a name or an ARN), which is created if need be.
    pub fn put_rule(&self, account: &str, bus: &str, rule: RuleSpec) -> Result<(), PatternError> {
        let pattern = Pattern::parse(&rule.pattern)?;
        let (_, bus) = bus_of(account, Some(bus));
        self.create_bus(account, &bus);
        let made = Rule {
            pattern,
            pattern_text: rule.pattern.to_string(),
            description: None,
            enabled: true,
            targets: rule.targets,
        };
        self.inner
            .with_bus(account, &bus, |bus| bus.rules.insert(rule.name, made));
        Ok(())
    }

    /// Puts an event of a service on the account's default bus. Missing parts of the envelope are
    /// filled in; `account` is always the given one. Delivery goes on by itself: needs a Tokio runtime.
    pub fn put_event(&self, account: &str, event: Value) {
        self.put_event_on(account, DEFAULT_BUS, event);
    }

    /// Puts an event on a bus of the account.
    pub fn put_event_on(&self, account: &str, bus: &str, event: Value) {
        let event = self.inner.envelope(account, event);
        deliver::accept(&self.inner, account, bus, event);
    }

    /// Does something to each of the next events that are put, before rules see them.
    pub fn set_event_mischief(&self, mischief: Mischief, times: u32) {
        lock(&self.inner.mischief).set(mischief, times);
    }

    /// Lets chance decide what happens to AppFlow's events from now on; the same seed decides the same.
    /// No chances at all end this.
    pub fn set_event_chances(&self, chances: Chances, seed: u64) {
        lock(&self.inner.mischief).set_chances(chances, seed);
    }

    /// Waits until no delivery is under way. An event held back to be reordered is let go.
    pub async fn settled(&self) {
        deliver::release(&self.inner);
        self.inner.in_flight.settled().await;
    }
}

impl Inner {
    /// Works on a bus; the default bus is there as soon as it is asked for.
    fn with_bus<T>(&self, account: &str, bus: &str, work: impl FnOnce(&mut Bus) -> T) -> Option<T> {
        let key = (account.to_owned(), bus.to_owned());
        let mut buses = lock(&self.buses);
        if bus == DEFAULT_BUS {
            return Some(work(buses.entry(key).or_default()));
        }
        buses.get_mut(&key).map(work)
    }

    fn envelope(&self, account: &str, event: Value) -> Value {
        let mut envelope = json!({
            "version": "0",
            "id": uuid::Uuid::new_v4().to_string(),
            "time": self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "region": REGION,
            "resources": [],
        });
        if let (Some(envelope), Value::Object(given)) = (envelope.as_object_mut(), event) {
            envelope.extend(given);
            envelope.insert("account".to_owned(), account.into());
        }
        envelope
    }
}

fn bus_arn(account: &str, name: &str) -> String {
    format!("arn:aws:events:{REGION}:{account}:event-bus/{name}")
}

fn rule_arn(account: &str, bus: &str, rule: &str) -> String {
    if bus == DEFAULT_BUS {
        format!("arn:aws:events:{REGION}:{account}:rule/{rule}")
    } else {
        format!("arn:aws:events:{REGION}:{account}:rule/{bus}/{rule}")
    }
}

/// Account and bus that `EventBusName` (a name or an ARN) means for a caller.
fn bus_of(account: &str, name: Option<&str>) -> (String, String) {
    let name = name.unwrap_or(DEFAULT_BUS);
    match Arn::parse(name).and_then(|arn| Some((arn.account, arn.bus()?))) {
        Some((owner, bus)) => (owner.to_owned(), bus.to_owned()),
        None => (account.to_owned(), name.to_owned()),
    }
}

impl AwsService for EventBridge {
    fn signing_names(&self) -> &'static [&'static str] {
        &["events"]
    }

    fn handle(&self, call: AwsCall) -> BoxFuture<'_, AwsReply> {
        Box::pin(async move { api::handle(self, &call) })
    }
}
