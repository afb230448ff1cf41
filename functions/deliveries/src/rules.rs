//! The pure rules of deliveries: what an answer means, when to try again, when to give up.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Waits between attempts; after the last attempt a delivery is given up. More than 27 hours in all.
pub(crate) const SCHEDULE: [SignedDuration; 7] = [
    SignedDuration::from_secs(5),
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(30),
    SignedDuration::from_hours(2),
    SignedDuration::from_hours(5),
    SignedDuration::from_hours(10),
    SignedDuration::from_hours(10),
];
/// An endpoint that took nothing for longer is switched off when a delivery is given up.
pub(crate) const PATIENCE: SignedDuration = SignedDuration::from_hours(24);
/// How much of a wait is added at random, so that what failed together does not come together.
const JITTER: f64 = 0.1;
/// Shortest and longest time for which deliveries to a failing endpoint make way for the one that
/// finds out whether it is back.
const ASIDE: (SignedDuration, SignedDuration) =
    (SignedDuration::from_mins(1), SignedDuration::from_hours(1));

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// An answer with this status.
    Status {
        /// The status.
        code: u16,
        /// When the endpoint wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// None, for this reason (a stable code).
    None(&'static str),
}

impl Answer {
    /// The status, if there is one.
    pub(crate) const fn status(self) -> Option<u16> {
        match self {
            Self::Status { code, .. } => Some(code),
            Self::None(_) => None,
        }
    }

    /// Why it is no success, a stable code; nothing if it is one.
    pub(crate) const fn failure(self) -> Option<&'static str> {
        match self {
            Self::Status {
                code: 200..=299, ..
            } => None,
            // Followed, a redirect would lead where nobody has checked.
            Self::Status {
                code: 300..=399, ..
            } => Some("redirected"),
            Self::Status { code: 410, .. } => Some("gone"),
            Self::Status { code: 429, .. } => Some("throttled"),
            Self::Status {
                code: 400..=499, ..
            } => Some("refused"),
            Self::Status { .. } => Some("server_error"),
            Self::None(reason) => Some(reason),
        }
    }
}

/// What an attempt makes of its delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The endpoint took it.
    Delivered,
    /// It is tried again.
    Again {
        /// When.
        at: Timestamp,
    },
    /// It is given up.
    Dead,
    /// It is given up, and so is the endpoint: it took nothing for too long.
    Failing,
    /// It is given up, and so is the endpoint: it says that it is gone.
    Gone,
}

/// Judges the answer to the `number`-th attempt (from one) of a delivery. `failing_since` is since
/// when the endpoint takes nothing, if that was known before; `chance` is uniform in [0, 1).
pub(crate) fn judge(
    answer: Answer,
    number: u32,
    failing_since: Option<Timestamp>,
    now: Timestamp,
    chance: f64,
) -> Verdict {
    match answer.failure() {
        None => return Verdict::Delivered,
        Some("gone") => return Verdict::Gone,
        Some(_) => {}
    }
    let step = usize::try_from(number.max(1) - 1).unwrap_or(usize::MAX);
    let Some(wait) = SCHEDULE.get(step) else {
        let too_long = failing_since.is_some_and(|since| now.duration_since(since) > PATIENCE);
        return if too_long {
            Verdict::Failing
        } else {
            Verdict::Dead
        };
    };
    // What the endpoint wishes holds up to the wait after this one.
    let longest = SCHEDULE.get(step + 1).unwrap_or(wait);
    let wished = match answer {
        Answer::Status {
            retry_after: Some(wished),
            ..
        } => SignedDuration::try_from(wished).unwrap_or(*longest),
        _ => SignedDuration::ZERO,
    };
    let wait = wait.mul_f64(chance.mul_add(JITTER, 1.0));
    Verdict::Again {
        at: later(now, wait.max(wished.min(*longest))),
    }
}

/// When a delivery comes back that makes way because another finds out whether the endpoint works:
/// the later, the longer it does not.
pub(crate) fn aside(failing_since: Timestamp, now: Timestamp, chance: f64) -> Timestamp {
    let (shortest, longest) = ASIDE;
    let failing = now.duration_since(failing_since) / 4;
    let wait = failing.clamp(shortest, longest);
    later(now, wait.mul_f64(chance.mul_add(0.5, 0.75)))
}

/// A time later, or the end of time.
pub(crate) fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.saturating_add(by).unwrap_or(Timestamp::MAX)
}

/// A number in [0, 1) that nobody has to be unable to guess.
pub(crate) fn chance() -> f64 {
    // 32 random bits; exact in a double.
    let (random, ..) = uuid::Uuid::new_v4().as_fields();
    f64::from(random) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests;
