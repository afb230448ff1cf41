//! Delivery for the sandbox: SNS to its subscribers, EventBridge rules to their targets, schedules
//! that fire by the movable clock, CloudWatch's metrics and alarms.
//!
//! Everything is kept per account. Deliveries run as tasks of their own, as they do in AWS;
//! [`Sns::settled`] and [`EventBridge::settled`] wait until none is under way.

mod arn;
mod cloudwatch;
mod events;
mod in_flight;
mod pattern;
mod schedules;
mod sns;

pub use cloudwatch::CloudWatch;
pub use events::{Chances, Dice, EventBridge, Input, Mischief, RuleSpec, TargetSpec};
pub use pattern::{Pattern, PatternError};
pub use schedules::{Schedule, ScheduleError, Schedules};
pub use sns::{Mail, QueueCheck, Sns};

use std::sync::{Mutex, MutexGuard, PoisonError};

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
