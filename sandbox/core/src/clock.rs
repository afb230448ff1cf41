//! The sandbox's movable clock. Providers' token lives, schedules and AppFlow's triggers follow it;
//! cryptographic times (JWT, SigV4, session expiry) stay with the wall clock of the machine.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use jiff::{SignedDuration, Timestamp};

/// A clock that runs with the wall clock and can be moved forward.
#[derive(Debug, Clone, Default)]
pub struct Clock(Arc<AtomicI64>);

impl Clock {
    /// The sandbox's now.
    pub fn now(&self) -> Timestamp {
        let offset = SignedDuration::from_millis(self.0.load(Ordering::SeqCst));
        Timestamp::now()
            .saturating_add(offset)
            .unwrap_or(Timestamp::MAX)
    }

    /// Moves the clock forward. Time never goes back.
    pub fn advance(&self, by: std::time::Duration) {
        let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.0.fetch_add(millis, Ordering::SeqCst);
    }

    /// How far the clock is ahead of the wall clock.
    pub fn ahead(&self) -> SignedDuration {
        SignedDuration::from_millis(self.0.load(Ordering::SeqCst))
    }
}
