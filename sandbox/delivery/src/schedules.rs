//! EventBridge Scheduler, driven by the sandbox's movable clock.
//!
//! When the clock jumps over several due times, a schedule fires once, for the latest of them: a
//! catch-up, as after an outage. A test that needs every tick moves the clock from tick to tick.

mod expression;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use jiff::Timestamp;
use sandbox_core::{Clock, Entry, Functions, Journal, REGION, RoleCheck};
use serde_json::Value;

use expression::Expression;
pub use expression::ScheduleError;

use crate::lock;

/// How often the background loop looks at the clock.
const POLL: Duration = Duration::from_millis(200);

/// A schedule as a template declares it.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// Its name, unique in the account.
    pub name: String,
    /// The account it belongs to.
    pub account: String,
    /// `rate(..)`, `cron(..)` or `at(..)`; times are UTC.
    pub expression: String,
    /// Logical id of the function it invokes.
    pub function: String,
    /// The role that it invokes the function under, and the function's ARN; `None` asks nobody.
    pub role: Option<(String, String)>,
    /// The input, with `<aws.scheduler.scheduled-time>` and the like where values go.
    pub input: Value,
}

struct Entered {
    schedule: Schedule,
    expression: Expression,
    /// Due times up to here have been seen to.
    seen: Timestamp,
}

/// One invocation that is due.
struct Firing {
    schedule: Schedule,
    scheduled: Timestamp,
}

/// All schedules.
pub struct Schedules {
    clock: Clock,
    journal: Journal,
    functions: OnceLock<Arc<dyn Functions>>,
    roles: OnceLock<RoleCheck>,
    entered: Mutex<BTreeMap<String, Entered>>,
}

impl Schedules {
    /// A scheduler without schedules.
    pub fn new(clock: Clock, journal: Journal) -> Self {
        Self {
            clock,
            journal,
            functions: OnceLock::new(),
            roles: OnceLock::new(),
            entered: Mutex::default(),
        }
    }

    /// Whom schedules invoke. Nothing fires before. Only the first call has an effect.
    pub fn connect_functions(&self, functions: Arc<dyn Functions>) {
        // The functions of a running sandbox do not change.
        let _ = self.functions.set(functions);
    }

    /// Whom to ask what the schedules' roles may do. Only the first call has an effect.
    pub fn connect_roles(&self, roles: RoleCheck) {
        // IAM is there before the first schedule fires, and stays.
        let _ = self.roles.set(roles);
    }

    /// Adds or replaces a schedule; its first due time is after now.
    pub fn add(&self, schedule: Schedule) -> Result<(), ScheduleError> {
        let now = self.clock.now();
        let expression = Expression::parse(&schedule.expression, now)?;
        let entered = Entered {
            expression,
            seen: now,
            schedule,
        };
        lock(&self.entered).insert(entered.schedule.name.clone(), entered);
        Ok(())
    }

    /// Removes a schedule; `false` if there is none of this name.
    pub fn remove(&self, name: &str) -> bool {
        lock(&self.entered).remove(name).is_some()
    }

    /// Fires everything that is due and waits for the functions. Answers how many fired.
    pub async fn run_due(&self) -> usize {
        let due = self.claim();
        let count = due.len();
        futures::future::join_all(due.into_iter().map(|firing| self.invoke(firing))).await;
        count
    }

    /// Fires one schedule now, whenever it is due; `false` if there is none of this name. The
    /// scheduled time is now, to the second.
    pub async fn fire(&self, name: &str) -> bool {
        let Some(schedule) = lock(&self.entered).get(name).map(|e| e.schedule.clone()) else {
            return false;
        };
        let scheduled = self.clock.now();
        self.invoke(Firing {
            schedule,
            scheduled,
        })
        .await;
        true
    }

    /// Watches the clock from now on. Each firing is a task of its own, so that a slow function
    /// does not delay the next tick. Ends when aborted or dropped by its runtime.
    pub fn spawn(self: Arc<Self>) -> tokio::task::JoinHandle<()> {
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(POLL);
            loop {
                ticks.tick().await;
                for firing in self.claim() {
                    let this = Arc::clone(&self);
                    tokio::spawn(async move { this.invoke(firing).await });
                }
            }
        })
    }

    /// Takes what is due, so that nobody else fires it.
    fn claim(&self) -> Vec<Firing> {
        if self.functions.get().is_none() {
            return Vec::new();
        }
        let now = self.clock.now();
        let mut due = Vec::new();
        for entered in lock(&self.entered).values_mut() {
            if let Some(scheduled) = entered.expression.latest_due(entered.seen, now) {
                due.push(Firing {
                    schedule: entered.schedule.clone(),
                    scheduled,
                });
            }
            entered.seen = now;
        }
        due
    }

    async fn invoke(&self, firing: Firing) {
        let Some(functions) = self.functions.get() else {
            return;
        };
        let schedule = &firing.schedule;
        let time = firing.scheduled.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let execution = uuid::Uuid::new_v4().to_string();
        let values = [
            ("scheduled-time", time.as_str()),
            ("schedule-arn", &arn(schedule)),
            ("execution-id", &execution),
            ("attempt-number", "1"),
        ];
        let input = fill(&schedule.input, &values);
        let refused = self.refused(schedule);
        self.journal.record(Entry {
            service: "scheduler".to_owned(),
            operation: schedule.name.clone(),
            account: Some(schedule.account.clone()),
            principal: schedule.role.as_ref().map(|(role, _)| role.clone()),
            on_behalf_of: None,
            status: if refused.is_some() { 403 } else { 200 },
            note: refused
                .clone()
                .unwrap_or_else(|| format!("scheduled-time={time}")),
        });
        if refused.is_some() {
            return;
        }
        functions.invoke_async(&schedule.function, input).await;
    }

    /// What IAM says against the invocation, if it does.
    fn refused(&self, schedule: &Schedule) -> Option<String> {
        let (role, function) = schedule.role.as_ref()?;
        self.roles.get()?(role, "lambda:InvokeFunction", function).err()
    }
}

fn arn(schedule: &Schedule) -> String {
    let (account, name) = (&schedule.account, &schedule.name);
    format!("arn:aws:scheduler:{REGION}:{account}:schedule/default/{name}")
}

/// Puts the scheduler's values into every text of the input.
fn fill(input: &Value, values: &[(&str, &str)]) -> Value {
    match input {
        Value::String(text) => {
            let filled = values.iter().fold(text.clone(), |text, (name, value)| {
                text.replace(&format!("<aws.scheduler.{name}>"), value)
            });
            Value::String(filled)
        }
        Value::Array(items) => items.iter().map(|item| fill(item, values)).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| (key.clone(), fill(value, values)))
            .collect(),
        other => other.clone(),
    }
}
