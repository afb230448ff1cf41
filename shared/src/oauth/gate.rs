//! The gate before a provider's token endpoint: how fast, whether now, and whether at all.
//!
//! One gate stands before each host of each app. It hands out *slots*, times at which one call may
//! begin, as far apart as the provider's row says, over all workers. `Retry-After` moves the next
//! slot for everybody. When the host fails, or refuses our app, the gate is *open* in the words of a
//! circuit breaker: nothing passes but one probe every 30 seconds, and no connection is blamed.
//!
//! Rules are functions of values here; [`store`] keeps them in the table.

pub mod store;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{TokenFailure, TokenOutcome};

/// Time between probes of an open gate.
pub const PROBE_EVERY: i64 = 30_000;
/// Slots are given out no further ahead than this.
pub const HORIZON: i64 = 15 * 60_000;
/// Calls are counted for so long.
const WINDOW: i64 = 60_000;
/// Fewer calls than this in a window prove nothing.
const ENOUGH_CALLS: u32 = 20;
/// So many refusals of our app open the gate.
const REFUSALS: u32 = 3;
/// Refusals are remembered for so long.
const REFUSALS_WITHIN: i64 = 60 * 60_000;
/// A host keeps everybody waiting for no longer than this; who was told more waits alone.
const LONGEST_COOL_DOWN: i64 = 5 * 60_000;
/// Wait after 429 without a time.
const UNTOLD_COOL_DOWN: i64 = 10_000;

/// What the gate knows. Times are epoch milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// The first time that nobody has yet.
    #[serde(default)]
    pub next_slot: i64,
    /// Nobody calls before this.
    #[serde(default)]
    pub cool_until: i64,
    /// When counting began.
    #[serde(default)]
    pub counted_from: i64,
    /// Calls since then.
    #[serde(default)]
    pub calls: u32,
    /// Those that failed for reasons of the host.
    #[serde(default)]
    pub failed: u32,
    /// When our app was refused first.
    #[serde(default)]
    pub refused_from: i64,
    /// How often since then.
    #[serde(default)]
    pub refusals: u32,
    /// For whom, two at most.
    #[serde(default)]
    pub refused_for: Vec<String>,
    /// Since when it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_at: Option<i64>,
    /// When the next probe may pass.
    #[serde(default)]
    pub probe_at: i64,
    /// Version of the app's secret that was accepted last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_version: Option<String>,
}

/// Whether calls may be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// One call at each of these times.
    Slots(Vec<i64>),
    /// One call now, to see whether the host is well again.
    Probe,
    /// None before this time, and nobody is to blame.
    Closed {
        /// When to come back.
        until: i64,
    },
}

/// What is to be reported about calls that were made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// When the call began.
    pub began: i64,
    /// Calls that the host worked off, whatever it said about a token.
    pub answered: u32,
    /// Calls that failed for reasons of the host.
    pub failed: u32,
    /// For how long the host wants to be left alone.
    pub cool_down: Option<i64>,
    /// Our app was refused in a call for this tenant.
    pub refused_for: Option<String>,
    /// Version of the app's secret that was accepted.
    pub secret_version: Option<String>,
}

/// What a report changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// The gate opened: somebody should look.
    Opened(&'static str),
    /// It is closed again.
    Closed,
}

/// Who uses an app: more than one tenant must be refused before a vendor's app is taken to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Users {
    /// Many tenants.
    Many,
    /// One, whose own app it is.
    One,
}

impl Gate {
    /// Asks for calls at `now`, `rate` a second.
    pub fn admit(&mut self, now: i64, rate: u32, wanted: u32) -> Admission {
        if now < self.cool_until {
            return Admission::Closed {
                until: self.cool_until,
            };
        }
        if self.opened_at.is_some() {
            if now < self.probe_at {
                return Admission::Closed {
                    until: self.probe_at,
                };
            }
            self.probe_at = now.saturating_add(PROBE_EVERY);
            return Admission::Probe;
        }
        let first = self.next_slot.max(now);
        if first - now > HORIZON {
            return Admission::Closed { until: first };
        }
        let apart = 1000 / i64::from(rate.clamp(1, 1000));
        let slots: Vec<i64> = (0..i64::from(wanted.max(1)))
            .map(|number| first + number * apart)
            .collect();
        self.next_slot = first + apart * i64::from(wanted.max(1));
        Admission::Slots(slots)
    }

    /// Takes in what became of calls.
    pub fn report(&mut self, report: Report, users: Users, now: i64) -> Option<Turn> {
        if let Some(wait) = report.cool_down {
            let until = now.saturating_add(wait.clamp(0, LONGEST_COOL_DOWN));
            self.cool_until = self.cool_until.max(until);
        }
        if report.secret_version.is_some() {
            self.secret_version = report.secret_version;
        }
        if let Some(opened) = self.opened_at {
            let is_well = report.answered > 0 && report.refused_for.is_none();
            // A call that began before says nothing about now.
            if is_well && report.began >= opened {
                *self = Self {
                    next_slot: self.next_slot,
                    cool_until: self.cool_until,
                    secret_version: self.secret_version.take(),
                    ..Self::default()
                };
                return Some(Turn::Closed);
            }
            return None;
        }
        if now - self.counted_from >= WINDOW {
            (self.counted_from, self.calls, self.failed) = (now, 0, 0);
        }
        self.calls = self
            .calls
            .saturating_add(report.answered)
            .saturating_add(report.failed);
        self.failed = self.failed.saturating_add(report.failed);
        let is_well = report.answered > 0 && report.began >= self.refused_from;
        self.count_refusal(report.refused_for, is_well, now);
        let cause = self.cause(users)?;
        self.opened_at = Some(now);
        self.probe_at = now.saturating_add(PROBE_EVERY);
        Some(Turn::Opened(cause))
    }

    fn count_refusal(&mut self, refused_for: Option<String>, is_well: bool, now: i64) {
        match refused_for {
            Some(tenant) => {
                if now - self.refused_from >= REFUSALS_WITHIN {
                    (self.refused_from, self.refusals) = (now, 0);
                    self.refused_for.clear();
                }
                self.refusals = self.refusals.saturating_add(1);
                if self.refused_for.len() < 2 && !self.refused_for.contains(&tenant) {
                    self.refused_for.push(tenant);
                }
            }
            // The app is accepted: whoever is refused has an organisation that blocks it. What a
            // process tells late, of a call before the first refusal, says nothing.
            None if is_well => {
                self.refusals = 0;
                self.refused_for.clear();
            }
            None => {}
        }
    }

    fn cause(&self, users: Users) -> Option<&'static str> {
        let tenants = match users {
            Users::Many => 2,
            Users::One => 1,
        };
        if self.refusals >= REFUSALS && self.refused_for.len() >= tenants {
            return Some("app_refused");
        }
        let failing = self.calls >= ENOUGH_CALLS && self.failed.saturating_mul(2) >= self.calls;
        failing.then_some("host_failing")
    }
}

impl Report {
    /// What a call that began then tells about the host.
    pub fn of(outcome: &TokenOutcome, began: i64, tenant: &str) -> Self {
        let base = Self {
            began,
            ..Self::default()
        };
        let failed = Self {
            failed: 1,
            ..base.clone()
        };
        match outcome {
            TokenOutcome::NotSent { .. } | TokenOutcome::Unknown { .. } => failed,
            TokenOutcome::Refused(TokenFailure::Retryable { reason, after }) => {
                let told = after
                    .and_then(|after| SignedDuration::try_from(after).ok())
                    .and_then(|after| i64::try_from(after.as_millis()).ok());
                match *reason {
                    "rate_limited" => Self {
                        cool_down: Some(told.unwrap_or(UNTOLD_COOL_DOWN)),
                        ..failed
                    },
                    "provider_busy" => Self {
                        cool_down: told,
                        ..failed
                    },
                    "temporarily_unavailable" | "slow_down" => failed,
                    // About one user or organisation.
                    _ => Self {
                        answered: 1,
                        ..base
                    },
                }
            }
            TokenOutcome::Refused(TokenFailure::OurCredentials(_)) => Self {
                refused_for: Some(tenant.to_owned()),
                answered: 1,
                ..base
            },
            TokenOutcome::Answered(_) | TokenOutcome::Refused(_) => Self {
                answered: 1,
                ..base
            },
        }
    }

    /// Whether everybody should hear of it at once; what is not urgent waits for the next claim.
    pub const fn is_urgent(&self) -> bool {
        self.failed > 0 || self.cool_down.is_some() || self.refused_for.is_some()
    }
}

#[cfg(test)]
mod tests;
