//! CloudWatch of every account: metrics, alarms over them, and the events of alarms.
//!
//! Alarms look at whole minutes: each minute that has passed is evaluated once, in order, also when
//! the clock jumps, so that an alarm that came and went is told twice. Of a jump longer than a day
//! the last day is evaluated.

mod alarm;
mod api;
mod event;
mod series;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::Timestamp;
use sandbox_core::{AwsCall, AwsReply, AwsService, BoxFuture, Clock};
use serde_json::Value;

use crate::{EventBridge, lock};
use alarm::Alarm;
use series::{Metric, Series};

/// How often the background loop looks at the clock.
const POLL: Duration = Duration::from_millis(200);
/// Seconds of a minute.
const MINUTE: i64 = 60;
/// Most minutes that a jump of the clock makes up for.
const CATCH_UP: i64 = 24 * 60 * MINUTE;

/// CloudWatch of all accounts.
pub struct CloudWatch {
    clock: Clock,
    events: Arc<EventBridge>,
    accounts: Mutex<BTreeMap<String, Account>>,
}

#[derive(Debug, Default)]
struct Account {
    metrics: BTreeMap<Metric, Series>,
    alarms: BTreeMap<String, Alarm>,
}

impl CloudWatch {
    /// CloudWatch without metrics; what alarms say goes to the accounts' default buses.
    pub fn new(clock: Clock, events: Arc<EventBridge>) -> Self {
        Self {
            clock,
            events,
            accounts: Mutex::default(),
        }
    }

    /// A service counts something in an account, now.
    pub fn record(&self, account: &str, namespace: &str, name: &str, by: (&str, &str), value: f64) {
        let metric = Metric {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            dimensions: BTreeMap::from([(by.0.to_owned(), by.1.to_owned())]),
        };
        let mut accounts = lock(&self.accounts);
        let account = accounts.entry(account.to_owned()).or_default();
        let series = account.metrics.entry(metric).or_default();
        series.push(self.clock.now(), value);
    }

    /// Evaluates every alarm for the minutes that have passed since the last time.
    pub fn evaluate(&self) {
        let until = minute(self.clock.now());
        let mut changes: Vec<(String, Value)> = Vec::new();
        for (id, account) in lock(&self.accounts).iter_mut() {
            for alarm in account.alarms.values_mut() {
                let series = account.metrics.get(&alarm.metric);
                for change in alarm.catch_up(series, until) {
                    changes.push((id.clone(), event::changed(id, alarm, &change)));
                }
            }
        }
        for (account, event) in changes {
            self.events.put_event(&account, event);
        }
    }

    /// Watches the clock from now on. Ends when aborted or dropped by its runtime.
    pub fn spawn(self: Arc<Self>) -> tokio::task::JoinHandle<()> {
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(POLL);
            loop {
                ticks.tick().await;
                self.evaluate();
            }
        })
    }

    fn with<T>(&self, account: &str, work: impl FnOnce(&mut Account) -> T) -> T {
        work(lock(&self.accounts).entry(account.to_owned()).or_default())
    }
}

/// The whole minute that a time is in, in epoch seconds.
fn minute(at: Timestamp) -> i64 {
    at.as_second().div_euclid(MINUTE) * MINUTE
}

impl AwsService for CloudWatch {
    fn signing_names(&self) -> &'static [&'static str] {
        &["monitoring"]
    }

    fn handle(&self, call: AwsCall) -> BoxFuture<'_, AwsReply> {
        Box::pin(async move { api::handle(self, &call) })
    }
}

#[cfg(test)]
mod tests;
