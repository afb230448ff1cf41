//! What the benchmarks may call of the rules. Not an interface.

use jiff::{SignedDuration, Timestamp};
use tributary::{connection::Connection, oauth::Provider};

use crate::{
    fair,
    rules::{self, Failure, Practice},
};

pub use crate::message::{Message, Reason};

/// The next step of a connection.
pub fn next_step(connection: &Connection, row: &Provider, now: Timestamp) -> impl Sized {
    let practice = Practice::of(connection, row);
    rules::next_step(connection, practice, connection.generation, now)
}

/// When the next refresh is due after a success.
pub fn due_after_success(now: Timestamp, life: SignedDuration, chance: f64) -> Timestamp {
    let end = rules::access_end(now, life);
    rules::due_after_success(now, end, None, chance)
}

/// When to try again after so many failures.
pub fn due_after_failure(now: Timestamp, number: u32, chance: f64) -> Timestamp {
    let failure = Failure {
        number,
        calls: 1,
        told: None,
    };
    rules::due_after_failure(now, failure, chance)
}

/// Due work, in turns of the tenants.
pub fn turns(due: Vec<Message>) -> Vec<Message> {
    fair::turns(due, |message| message.tenant_id)
}
