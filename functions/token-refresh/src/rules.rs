//! The pure rules of refreshing: when, how long to wait, what a found intent means.

use jiff::{SignedDuration, Timestamp};
use tributary::connection::{Connection, ConnectionState, Intent, TokenOwner};

/// Time that must be left before a call is begun: the call, and two writes.
pub(crate) const NEEDED: SignedDuration = SignedDuration::from_secs(20);
/// How long after an intent its request may still be on the way: as long as its caller can live (the
/// function's timeout, 60 s) and the request travel after that.
pub(crate) const SETTLING: SignedDuration = SignedDuration::from_secs(10 + 120);
/// Longest that providers may tell us to wait.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(1);
/// A refresh is due no later than this before the access token ends.
const BEFORE_END: SignedDuration = SignedDuration::from_mins(10);
/// A token without a stated life is taken to live this long.
const UNKNOWN_LIFE: SignedDuration = SignedDuration::from_mins(60);
/// Idle refresh tokens end after 30 days at some providers: none stays unused longer than this.
const KEEP_ALIVE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// When somebody else goes on if a worker dies between storing new tokens and pushing them.
pub(crate) const RECOVERY: SignedDuration = SignedDuration::from_secs(60);

/// What to do with a connection whose lease was just acquired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing: somebody did it, or nothing may be done.
    Leave(&'static str),
    /// The tokens are fresh and AppFlow does not have them yet.
    Push,
    /// A predecessor's request may still be travelling; come back later.
    Wait {
        /// When to come back, epoch milliseconds.
        until: i64,
    },
    /// A predecessor called and never reported: ask the provider before anything else.
    Settle(Intent),
    /// Refresh.
    Refresh,
}

/// Decides the next step from the record as it is now; the message only says which generation it saw.
pub(crate) fn next_step(connection: &Connection, seen_generation: u64, now: Timestamp) -> Step {
    if connection.token_owner != TokenOwner::Tributary {
        return Step::Leave("another party owns the refresh token");
    }
    if !matches!(
        connection.state,
        ConnectionState::Active | ConnectionState::Limited
    ) {
        return Step::Leave("the connection is not in use");
    }
    if connection.bundle.is_none() {
        return Step::Leave("there are no tokens");
    }
    // An access token that has ended is not worth a push: refreshing comes first then, or a profile
    // that cannot be written would keep the refresh token unused until it dies of idleness.
    let ended = connection
        .access_expires_at
        .is_some_and(|end| end <= now.as_millisecond());
    if connection.pushed_generation < connection.generation && connection.intent.is_none() && !ended
    {
        return Step::Push;
    }
    if connection.generation != seen_generation {
        return Step::Leave("a newer generation is there");
    }
    match &connection.intent {
        None => Step::Refresh,
        Some(intent) => {
            let settled = intent.at.saturating_add(millis(SETTLING));
            if now.as_millisecond() < settled {
                Step::Wait { until: settled }
            } else {
                Step::Settle(intent.clone())
            }
        }
    }
}

/// What a connection is once AppFlow has its newest token, if that is a change: whatever limited it
/// for want of a token no longer does.
pub(crate) fn state_with_token(
    connection: &Connection,
) -> Option<(ConnectionState, Option<&'static str>)> {
    let was_waiting = connection.state == ConnectionState::Limited
        && matches!(
            connection.reason.as_deref(),
            Some("push_pending" | "push_failed" | "refresh_unanswered")
        );
    match (was_waiting, connection.missing_scopes.is_empty()) {
        (false, _) => None,
        (true, true) => Some((ConnectionState::Active, None)),
        (true, false) => Some((ConnectionState::Limited, Some("missing_scopes"))),
    }
}

/// When an access token ends that was answered now. Only a positive, believable life is believed.
pub(crate) fn access_end(now: Timestamp, life: SignedDuration) -> Timestamp {
    let believable = life.is_positive() && life < SignedDuration::from_hours(24 * 3650);
    let life = if believable { life } else { UNKNOWN_LIFE };
    now.saturating_add(life).unwrap_or(Timestamp::MAX)
}

/// When to refresh a token that was issued now and ends then; `chance` is uniform in [0, 1).
pub(crate) fn due_after_success(now: Timestamp, end: Timestamp, chance: f64) -> Timestamp {
    let life = end.duration_since(now).min(KEEP_ALIVE);
    let share = 0.15f64.mul_add(chance, 0.55);
    let due = now.saturating_add(life.mul_f64(share)).unwrap_or(end);
    let latest = end.saturating_sub(BEFORE_END).unwrap_or(end).max(now);
    due.min(latest).max(
        now.saturating_add(SignedDuration::from_secs(30))
            .unwrap_or(now),
    )
}

/// When to try again after a failure that leaves the tokens as they are.
///
/// Quick at first, then every quarter of an hour while the access token lives, then some 15 times a
/// day: what fails for ever costs little.
pub(crate) fn due_after_failure(
    now: Timestamp,
    failures: u32,
    access_end: Option<Timestamp>,
    retry_after: Option<SignedDuration>,
    chance: f64,
) -> Timestamp {
    let token_lives = access_end.is_some_and(|end| end > now);
    let base = match failures {
        0 | 1 => SignedDuration::from_secs(30),
        2 => SignedDuration::from_mins(2),
        3 => SignedDuration::from_mins(8),
        _ if token_lives => SignedDuration::from_mins(15),
        _ => SignedDuration::from_mins(100),
    };
    let wait = base.mul_f64(chance.mul_add(0.2, 0.9));
    let wait = retry_after.map_or(wait, |told| wait.max(told.min(LONGEST_WAIT)));
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

/// A duration in milliseconds.
pub(crate) fn millis(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod protocol;
#[cfg(test)]
mod tests;
