//! Asks the table for tokens, within a short time.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use serde::Deserialize;

use super::{
    Class, Limits,
    bucket::{Limit, SECOND, seconds_until},
    lease::{Draw, Held, Seen, Step},
};
use crate::{
    id::TenantId,
    store::{Key, Store, StoreError, Update, from_item},
};

/// Longest that the table is waited for. A connection that must be made first fits in.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often it is asked for one request: again only if another instance was there first.
const ASKED: u32 = 10;
/// Longest pause before another attempt, in milliseconds for each attempt before it: many instances
/// that begin at once must not meet again and again.
const APART: u64 = 10;
/// Parties that are remembered; who comes after that many takes the place of idle ones.
const REMEMBERED: usize = 10_000;
/// How long buckets are kept that belong to no tenant and no operator.
const KEPT: i64 = 24 * 60 * 60;

/// Whose bucket it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Party {
    /// A tenant.
    Tenant(TenantId),
    /// The vendor's own clients, together.
    Operator,
    /// Where unknown callers come from, as a keyed hash.
    Source(String),
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tenant(tenant) => tenant.fmt(f),
            Self::Operator => f.write_str("OPERATOR"),
            Self::Source(hash) => write!(f, "SOURCE#{hash}"),
        }
    }
}

/// Not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Limited {
    /// The bucket is empty.
    #[error("the limit is reached, for {seconds} s")]
    Reached {
        /// Whole seconds until there is a token again.
        seconds: u32,
    },
    /// The table does not answer, and this class is not let in without it.
    #[error("the table of limits does not answer")]
    Unknown,
}

/// The bucket's item.
#[derive(Debug, Default, Deserialize)]
struct Bucket {
    #[serde(default)]
    full_at: i64,
    /// Set by the operator for this party alone.
    #[serde(default)]
    own_limit: Option<Limit>,
}

impl From<Bucket> for Seen {
    fn from(bucket: Bucket) -> Self {
        Self {
            full_at: bucket.full_at,
            own: bucket.own_limit,
        }
    }
}

/// Lets parties do as much as they may. Clones share what the instance holds.
#[derive(Debug, Clone)]
pub struct Limiter {
    store: Store,
    limits: Limits,
    held: Arc<Mutex<HashMap<(Party, Class), Held>>>,
}

impl Limiter {
    /// Limits over the function's own access to the table.
    pub fn new(store: Store, limits: Limits) -> Self {
        Self {
            store,
            limits,
            held: Arc::default(),
        }
    }

    /// Takes one token.
    pub async fn take(&self, party: Party, class: Class) -> Result<(), Limited> {
        let usual = self.limits.of(class);
        let key = Key::limit(&party, class);
        let place = (party, class);
        for attempt in 0..ASKED {
            if attempt > 1 {
                let most = APART * u64::from(attempt);
                let chance = u64::from(uuid::Uuid::new_v4().into_bytes()[0]);
                tokio::time::sleep(Duration::from_millis(most * chance / 255)).await;
            }
            let now = Timestamp::now().as_microsecond();
            let (step, own) = self.with(&place, now, |held| (held.step(usual, now), held.own()));
            let draw = match step {
                Step::Admit => return Ok(()),
                Step::Refuse { until } => return Err(reached(until, now)),
                Step::Silence => return self.alone(&place, usual, now),
                Step::Ask(draw) => draw,
            };
            match self.draw(&key, &place.0, draw, own, now).await {
                Ok(Ok(seen)) => {
                    self.with(&place, now, |held| held.drew(draw, seen, now));
                    return Ok(());
                }
                Ok(Err(seen)) => self.with(&place, now, |held| held.saw(seen)),
                Err(cause) => {
                    tracing::warn!(
                        limit.class = class.name(),
                        limits_unanswered = 1,
                        error.chain = cause,
                        "the table of limits does not answer"
                    );
                    self.with(&place, now, |held| held.heard_nothing(now));
                    return self.alone(&place, usual, now);
                }
            }
        }
        // There was something each time, and somebody else was quicker each time: that is no reason to
        // call the limit reached.
        self.alone(&place, usual, Timestamp::now().as_microsecond())
    }

    /// Whole seconds until a party has a token again, if this instance knows that it has none.
    pub fn wait(&self, party: &Party, class: Class) -> Option<u32> {
        let now = Timestamp::now().as_microsecond();
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let until = held
            .get(&(party.clone(), class))?
            .empty_until(self.limits.of(class), now)?;
        Some(seconds_until(until, now))
    }

    /// What holds while the table does not answer.
    fn alone(&self, place: &(Party, Class), usual: Limit, now: i64) -> Result<(), Limited> {
        if !place.1.fails_open() {
            return Err(Limited::Unknown);
        }
        match self.with(place, now, |held| held.step_alone(usual, now)) {
            Step::Refuse { until } => Err(reached(until, now)),
            Step::Admit | Step::Ask(_) | Step::Silence => Ok(()),
        }
    }

    /// Draws tokens; answers the bucket afterwards, or as it is if it was not as expected.
    async fn draw(
        &self,
        key: &Key,
        party: &Party,
        draw: Draw,
        own: Option<Limit>,
        now: i64,
    ) -> Result<Result<Seen, Seen>, String> {
        let mut update = match draw {
            Draw::Idle {
                before, full_at, ..
            } => Update::new()
                .upsert()
                .set("full_at", full_at)
                .when_absent_or_less("full_at", before),
            Draw::Busy { by, from, to, .. } => Update::new()
                .add("full_at", by)
                .when_between("full_at", from, to),
        };
        update = match own {
            Some(own) => update.when_equal("own_limit", own),
            None => update.when_absent("own_limit"),
        };
        if matches!(party, Party::Source(_)) {
            update = update.set("expires_at", now / SECOND + KEPT);
        }
        let answer = self.store.update::<Bucket>(key, update);
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(bucket)) => Ok(Ok(bucket.into())),
            Ok(Err(StoreError::Condition { current })) => {
                let item = current.map(|item| *item).unwrap_or_default();
                from_item::<Bucket>(item)
                    .map(|bucket| Err(bucket.into()))
                    .map_err(|error| crate::error::Error::from(error).chain())
            }
            Ok(Err(error)) => Err(crate::error::Error::from(error).chain()),
            Err(_) => Err("no answer in time".to_owned()),
        }
    }

    fn with<T>(&self, place: &(Party, Class), now: i64, work: impl FnOnce(&mut Held) -> T) -> T {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= REMEMBERED && !held.contains_key(place) {
            held.retain(|_, held| !held.is_idle(now));
        }
        work(held.entry(place.clone()).or_default())
    }
}

fn reached(until: i64, now: i64) -> Limited {
    Limited::Reached {
        seconds: seconds_until(until, now),
    }
}
