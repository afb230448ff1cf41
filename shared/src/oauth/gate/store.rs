//! Gates in the table: conditional writes of one small item, and a few slots in memory so that the
//! item is not written for each call.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Admission, Gate, HORIZON, Report, Turn, Users};
use crate::{
    connection::{AppOwner, Connection},
    error::{Error, Result},
    oauth::{Provider, ProviderLink},
    store::{Key, Store, StoreError, Update, from_item},
};

/// How often a write is tried again that another worker's came before.
const ATTEMPTS: u32 = 12;
/// A gate that nobody used for so long is forgotten, in seconds.
const KEPT_FOR: i64 = 30 * 24 * 3600;

/// Which gate.
#[derive(Debug, Clone)]
pub struct Place {
    key: Key,
    /// Key of the provider.
    pub provider: &'static str,
    /// Host and port.
    pub host: String,
    rate: u32,
    users: Users,
}

impl Place {
    /// The gate before the token endpoint of a connection.
    pub fn of(connection: &Connection, link: &ProviderLink) -> Self {
        let provider: &'static Provider = link.provider();
        let host = link.client.endpoints().token.origin().ascii_serialization();
        let (owner, users) = match connection.app {
            AppOwner::Vendor => ("vendor".to_owned(), Users::Many),
            AppOwner::Tenant => (connection.tenant_id.to_string(), Users::One),
        };
        Self {
            key: Key::gate(provider.key, &owner, &host),
            provider: provider.key,
            host,
            rate: provider.calls_per_second,
            users,
        }
    }
}

/// Whether a call may be made, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// At this time, epoch milliseconds.
    At(i64),
    /// Not before this time.
    NotBefore(i64),
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Stored {
    #[serde(default)]
    version: u64,
    #[serde(default)]
    gate: Gate,
}

#[derive(Debug, Default)]
struct Local {
    known: Stored,
    slots: VecDeque<i64>,
    untold: Report,
}

/// All gates that a process has come to.
#[derive(Debug)]
pub struct Gates {
    store: Store,
    local: Mutex<HashMap<Key, Local>>,
    /// One write at a time: a process's own calls would only make each other repeat theirs.
    writing: tokio::sync::Mutex<()>,
}

impl Gates {
    /// Gates in a table.
    pub fn new(store: Store) -> Self {
        Self {
            store,
            local: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
        }
    }

    /// Asks for one call.
    pub async fn enter(&self, place: &Place) -> Result<Pass> {
        let now = Timestamp::now().as_millisecond();
        if let Some(slot) = self.slot_in_hand(place, now) {
            return Ok(Pass::At(slot));
        }
        let _turn = self.writing.lock().await;
        // Whoever wrote meanwhile may have taken enough for two.
        if let Some(slot) = self.slot_in_hand(place, now) {
            return Ok(Pass::At(slot));
        }
        // A tenth of a second's worth: few writes, and little is lost with a process.
        let wanted = (place.rate / 10).max(1);
        let admission = self
            .change(place, |gate, untold| {
                let _ = gate.report(untold, place.users, now);
                gate.admit(now, place.rate, wanted)
            })
            .await?;
        Ok(match admission {
            Admission::Probe => Pass::At(now),
            Admission::Closed { until } => Pass::NotBefore(until.min(now.saturating_add(HORIZON))),
            Admission::Slots(slots) => {
                let mut slots = VecDeque::from(slots);
                let first = slots.pop_front().unwrap_or(now);
                self.with(place, |local| local.slots.extend(slots));
                Pass::At(first)
            }
        })
    }

    /// Says what became of a call. Answers what that changed, to the one who changed it.
    pub async fn report(&self, place: &Place, report: Report) -> Result<Option<Turn>> {
        let is_open = self.with(place, |local| local.known.gate.opened_at.is_some());
        if !report.is_urgent() && !is_open {
            self.with(place, |local| {
                local.untold.answered = local.untold.answered.saturating_add(report.answered);
                local.untold.began = local.untold.began.max(report.began);
                local.untold.secret_version =
                    report.secret_version.or(local.untold.secret_version.take());
            });
            return Ok(None);
        }
        let _turn = self.writing.lock().await;
        self.with(place, |local| local.slots.clear());
        let now = Timestamp::now().as_millisecond();
        self.change(place, |gate, untold| {
            let _ = gate.report(untold, place.users, now);
            gate.report(report.clone(), place.users, now)
        })
        .await
    }

    fn slot_in_hand(&self, place: &Place, now: i64) -> Option<i64> {
        let apart = 1000 / i64::from(place.rate.clamp(1, 1000));
        self.with(place, |local| {
            // One that is late would let two calls begin in the time of one.
            while local.slots.front().is_some_and(|slot| now - slot > apart) {
                local.slots.pop_front();
            }
            local.slots.pop_front()
        })
    }

    fn with<T>(&self, place: &Place, act: impl FnOnce(&mut Local) -> T) -> T {
        let mut local = self.local.lock().unwrap_or_else(PoisonError::into_inner);
        act(local.entry(place.key.clone()).or_default())
    }

    /// Changes a gate by a rule, as often as it takes to be nobody's second.
    async fn change<T>(&self, place: &Place, rule: impl Fn(&mut Gate, Report) -> T) -> Result<T> {
        let (mut known, untold) = self.with(place, |local| {
            (local.known.clone(), std::mem::take(&mut local.untold))
        });
        for attempt in 0..ATTEMPTS {
            let mut gate = known.gate.clone();
            let answer = rule(&mut gate, untold.clone());
            if gate == known.gate {
                // Nothing to write: only what is there now may say so.
                let current: Option<Stored> = self.store.get(&place.key).await?;
                let current = current.unwrap_or_default();
                if current.version == known.version {
                    return Ok(answer);
                }
                known = current;
                continue;
            }
            let next = Stored {
                version: known.version + 1,
                gate,
            };
            match self.store.update::<Stored>(&place.key, write(&next)).await {
                Ok(written) => {
                    self.with(place, |local| local.known = written);
                    return Ok(answer);
                }
                Err(StoreError::Condition { current }) => {
                    known = match current {
                        Some(item) => from_item(*item)?,
                        None => Stored::default(),
                    };
                    let pause = uuid::Uuid::new_v4().as_bytes()[0] % 16;
                    tokio::time::sleep(Duration::from_millis(
                        u64::from(pause) * u64::from(attempt + 1),
                    ))
                    .await;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::unavailable(
            "gate_busy",
            "too many workers write a provider's gate",
        ))
    }
}

fn write(next: &Stored) -> Update {
    let update = Update::new()
        .upsert()
        .set("version", next.version)
        .set("gate", &next.gate)
        .set(
            "expires_at",
            Timestamp::now().as_second().saturating_add(KEPT_FOR),
        );
    match next.version {
        1 => update.when_absent("version"),
        version => update.when_equal("version", version - 1),
    }
}
