//! The pure rules of refreshing: when, how long to wait, what a found intent means.

use jiff::{SignedDuration, Timestamp};
use tributary::connection::{Connection, ConnectionState, TokenOwner};

pub(crate) use found::{Practice, RESCUE, Source};

/// Time that must be left before a call is begun: the call, and two writes.
pub(crate) const NEEDED: SignedDuration = SignedDuration::from_secs(20);
/// How long after an intent its request may still be on the way: the call's deadline, two minutes of
/// travel after that, and two minutes by which the clocks of two workers may differ.
pub(crate) const SETTLING: SignedDuration = SignedDuration::from_secs(10 + 120 + 120);
/// Longest that a refusal may make us wait; what `Retry-After` says is capped before.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(24);
/// A refresh is due no later than this before the access token ends.
const BEFORE_END: SignedDuration = SignedDuration::from_mins(10);
/// A token without a stated life is taken to live this long.
const UNKNOWN_LIFE: SignedDuration = SignedDuration::from_mins(60);
/// Idle refresh tokens end after 30 days at some providers: none stays unused longer than this.
pub(crate) const KEEP_ALIVE: SignedDuration = SignedDuration::from_hours(7 * 24);
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
    Settle,
    /// A predecessor called and never reported, and calling again does no harm.
    Resend,
    /// Nobody can be asked: use the access token, and present nothing before it has ended.
    Hold {
        /// When it ends, epoch milliseconds.
        until: i64,
    },
    /// Nothing is left to lose: present the token once more.
    Gamble,
    /// That was done, and nobody knows what became of it.
    Lost,
    /// Refresh.
    Refresh,
}

/// Decides the next step from the record as it is now; the message only says which generation it saw.
pub(crate) fn next_step(
    connection: &Connection,
    practice: Practice,
    seen_generation: u64,
    now: Timestamp,
) -> Step {
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
    let ended = practice.source != Source::Nothing
        && connection
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
        Some(intent) => found::step(intent, practice, connection.access_expires_at, now),
    }
}

/// Whether a connection that was found due was worked on before the finder's message arrived: two
/// ticks can find the same, and what the first did must not be done again.
pub(crate) fn was_worked_on(due_at: Option<i64>, seen: Option<i64>) -> bool {
    seen.is_some_and(|seen| due_at.is_none_or(|due_at| due_at > seen))
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

/// Whether AppFlow's having the newest token makes a connection work that did not.
pub(crate) fn works_again(connection: &Connection) -> bool {
    matches!(
        state_with_token(connection),
        Some((ConnectionState::Active, _))
    )
}

/// When an access token ends that was answered now. Only a positive, believable life is believed.
pub(crate) fn access_end(now: Timestamp, life: SignedDuration) -> Timestamp {
    let believable = life.is_positive() && life < SignedDuration::from_hours(24 * 3650);
    let life = if believable { life } else { UNKNOWN_LIFE };
    now.saturating_add(life).unwrap_or(Timestamp::MAX)
}

/// When to refresh a token that was issued now and ends then; `chance` is uniform in [0, 1).
pub(crate) fn due_after_success(
    now: Timestamp,
    end: Timestamp,
    idle_limit: Option<SignedDuration>,
    chance: f64,
) -> Timestamp {
    // Well before the provider's idle limit, too: a quarter of it leaves time for retries.
    let keep_alive = idle_limit.map_or(KEEP_ALIVE, |limit| KEEP_ALIVE.min(limit / 4));
    let life = end.duration_since(now).min(keep_alive);
    let share = 0.15f64.mul_add(chance, 0.55);
    let due = now.saturating_add(life.mul_f64(share)).unwrap_or(end);
    let latest = end.saturating_sub(BEFORE_END).unwrap_or(end).max(now);
    due.min(latest).max(
        now.saturating_add(SignedDuration::from_secs(30))
            .unwrap_or(now),
    )
}

/// A failure, as far as the wait after it depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failure {
    /// Failures in a row, this one included.
    pub(crate) number: u32,
    /// Calls to the provider that it took.
    pub(crate) calls: i32,
    /// How long the provider wants us to wait.
    pub(crate) told: Option<SignedDuration>,
}

/// When to try again after a failure; `chance` is uniform in [0, 1).
///
/// Quick at first, then rarely enough that what fails for ever costs at most 20 calls a day, however
/// long its access token lives.
pub(crate) fn due_after_failure(now: Timestamp, failure: Failure, chance: f64) -> Timestamp {
    let base = match failure.number {
        0 | 1 => SignedDuration::from_secs(30),
        2 => SignedDuration::from_mins(2),
        3 => SignedDuration::from_mins(8),
        4 | 5 => SignedDuration::from_mins(15) * failure.calls,
        _ => SignedDuration::from_mins(150) * failure.calls,
    };
    let wait = base.mul_f64(chance.mul_add(0.2, 0.9));
    let wait = failure
        .told
        .map_or(wait, |told| wait.max(told.min(LONGEST_WAIT)));
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

/// A duration in milliseconds.
pub(crate) fn millis(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

mod found;
#[cfg(test)]
mod protocol;
#[cfg(test)]
mod tests;
