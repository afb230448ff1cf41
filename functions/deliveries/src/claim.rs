//! The claim on a delivery: one worker tries it, and what it writes holds only while it is the last
//! who claimed it.

use jiff::{SignedDuration, Timestamp};
use serde::de::IgnoredAny;
use tributary::{
    error::Result,
    store::{Key, Store, StoreError, Update},
    subscription::{Delivery, DeliveryState},
};

use crate::rules::later;

/// How long a claim lasts: longer than an invocation. Then the delivery is due, and somebody else
/// tries it once more.
pub(crate) const CLAIM: SignedDuration = SignedDuration::from_secs(90);

/// The right to try a delivery.
#[derive(Debug)]
pub(crate) struct Claim<'a> {
    store: &'a Store,
    key: Key,
    /// The delivery, this attempt counted.
    pub(crate) delivery: Delivery,
}

/// What a claimed delivery comes to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum End {
    /// The endpoint took it.
    Delivered,
    /// It is due again.
    Again {
        /// When.
        at: Timestamp,
    },
    /// It is given up.
    Dead,
}

/// A pending delivery that is due when the sender of a message saw it due.
fn when_due_at(due_at: i64) -> Update {
    Update::new()
        .when_equal("state", DeliveryState::Pending)
        .when_equal("due_at", due_at)
}

impl<'a> Claim<'a> {
    /// Claims a delivery; nothing if it was worked on since the message was sent.
    pub(crate) async fn acquire(
        store: &'a Store,
        key: Key,
        due_at: i64,
        now: Timestamp,
    ) -> Result<Option<Self>> {
        let until = later(now, CLAIM).as_millisecond();
        let update = when_due_at(due_at)
            .add("attempts", 1)
            .set("attempted_at", now)
            .set("claimed_until", until)
            .set("due_at", until);
        match store.update::<Delivery>(&key, update).await {
            Ok(delivery) => Ok(Some(Self {
                store,
                key,
                delivery,
            })),
            Err(StoreError::Condition { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes what came of it. A claim that somebody else holds by now decides nothing any more.
    pub(crate) async fn end(
        self,
        end: End,
        status: Option<u16>,
        failure: Option<&str>,
    ) -> Result<bool> {
        let update = Update::new()
            .when_equal("state", DeliveryState::Pending)
            .when_equal("attempts", self.delivery.attempts)
            .remove("claimed_until")
            .set_or_remove("status_code", status)
            .set_or_remove("failure", failure);
        let update = match end {
            End::Delivered => over(update, DeliveryState::Delivered),
            End::Dead => over(update, DeliveryState::Dead),
            End::Again { at } => update.set("due_at", at.as_millisecond()),
        };
        held(self.store.update::<IgnoredAny>(&self.key, update).await)
    }
}

fn over(update: Update, state: DeliveryState) -> Update {
    update
        .set("state", state)
        .remove("due_shard")
        .remove("due_at")
}

/// Puts a delivery off that nobody has claimed, uncounted.
pub(crate) async fn put_off(store: &Store, key: &Key, due_at: i64, to: Timestamp) -> Result<bool> {
    let update = when_due_at(due_at).set("due_at", to.as_millisecond());
    held(store.update::<IgnoredAny>(key, update).await)
}

/// Gives a delivery up that nobody has claimed.
pub(crate) async fn give_up(store: &Store, key: &Key, due_at: i64, why: &str) -> Result<bool> {
    let update = over(when_due_at(due_at), DeliveryState::Dead)
        .remove("claimed_until")
        .set("failure", why);
    held(store.update::<IgnoredAny>(key, update).await)
}

fn held(written: std::result::Result<IgnoredAny, StoreError>) -> Result<bool> {
    match written {
        Ok(_) => Ok(true),
        Err(StoreError::Condition { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
