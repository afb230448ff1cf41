//! How the statement of a run goes forward: pure, so that every order of answers, crashes and
//! repeats can be tried.
//!
//! `pending -> sending -> running -> finished | failed`, or `skipped`. Before a statement is sent the
//! table says so, and each sending has the same client token, which the Data API keeps for eight
//! hours: a repeat finds the statement instead of making a second one. What is older is not sent
//! again. A crash between any two steps leaves a state from which the next look goes on.

use jiff::{SignedDuration, Timestamp};
use tributary::run::{AfterRunCode, AfterRunState, SkipReason};

/// How long the Data API knows a client token, less the time that one sending may take.
const TOKEN_LIFE: SignedDuration = SignedDuration::from_mins(8 * 60 - 15);
/// How long a statement is tried that the warehouse does not take.
const PATIENCE: SignedDuration = SignedDuration::from_hours(1);
/// How long a statement that was taken is asked about: the longest that Redshift lets one run is a
/// day, and for a day the Data API knows its end.
const LONGEST_STATEMENT: SignedDuration = SignedDuration::from_hours(25);
/// From one attempt to the next, in minutes; the last counts for all that follow.
const BACK_OFF: [i64; 5] = [1, 2, 4, 8, 15];
/// From one look at a statement under way to the next.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_mins(4);

/// What is to be done about a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Nothing: it has ended.
    Nothing,
    /// Send it, once the table says so.
    Send,
    /// Ask how far it is.
    Ask {
        /// The Data API's id of it.
        statement: String,
    },
    /// Whether it ran cannot be found out any more.
    GiveUp,
}

/// How a sending ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// The warehouse took the statement, now or at an earlier sending.
    Taken {
        /// The Data API's id of it.
        statement: String,
    },
    /// The warehouse did not take it and may do so later.
    NotNow {
        /// What it is given up with.
        code: AfterRunCode,
    },
    /// The warehouse will not take it.
    Refused {
        /// Why.
        code: AfterRunCode,
    },
    /// No answer came: the statement may have been taken.
    InDoubt,
}

/// What the Data API says of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// It is under way, or nothing was said.
    Running,
    /// It ended well.
    Finished {
        /// Rows, where they are known.
        rows: Option<u64>,
        /// When.
        at: Timestamp,
    },
    /// It ended badly.
    Failed {
        /// Why.
        code: AfterRunCode,
        /// When.
        at: Timestamp,
    },
    /// The Data API does not know it any more.
    Gone,
}

/// What is to be done about a statement in this state.
pub fn next(state: &AfterRunState, now: Timestamp) -> Next {
    match state {
        AfterRunState::Sending { started_at, .. }
            if now.duration_since(*started_at) >= TOKEN_LIFE =>
        {
            Next::GiveUp
        }
        AfterRunState::Pending { .. } | AfterRunState::Sending { .. } => Next::Send,
        AfterRunState::Running { statement, .. } => Next::Ask {
            statement: statement.clone(),
        },
        AfterRunState::Finished { .. }
        | AfterRunState::Failed { .. }
        | AfterRunState::Skipped { .. } => Next::Nothing,
    }
}

/// The state that the table must show before the statement is sent; none where nothing is to be sent.
pub fn claimed(state: &AfterRunState, now: Timestamp) -> Option<AfterRunState> {
    match state.clone() {
        AfterRunState::Pending { prepared } => Some(AfterRunState::Sending {
            prepared,
            started_at: now,
            attempts: 1,
            refused: 0,
        }),
        AfterRunState::Sending {
            prepared,
            started_at,
            attempts,
            refused,
        } => Some(AfterRunState::Sending {
            prepared,
            started_at,
            attempts: attempts.saturating_add(1),
            refused,
        }),
        _ => None,
    }
}

/// The state after a sending; unchanged where there was none.
pub fn sent(state: AfterRunState, sent: &Sent, now: Timestamp) -> AfterRunState {
    let AfterRunState::Sending {
        prepared,
        started_at,
        attempts,
        refused,
    } = state
    else {
        return state;
    };
    let failed = |code| {
        // An attempt of which nothing is known may have had its effect, whatever this one says.
        let is_certain = attempts == refused.saturating_add(1);
        let known = if is_certain {
            code
        } else {
            AfterRunCode::OutcomeUnknown
        };
        AfterRunState::Failed {
            code: known,
            statement: None,
            started_at: Some(started_at),
            ended_at: now,
        }
    };
    let is_over = now.duration_since(started_at) >= PATIENCE;
    match sent {
        Sent::Taken { statement } => AfterRunState::Running {
            statement: statement.clone(),
            started_at,
        },
        Sent::Refused { code } => failed(*code),
        Sent::NotNow { code } if is_over => failed(*code),
        Sent::NotNow { .. } => AfterRunState::Sending {
            prepared,
            started_at,
            attempts,
            refused: refused.saturating_add(1),
        },
        Sent::InDoubt if is_over => failed(AfterRunCode::OutcomeUnknown),
        Sent::InDoubt => AfterRunState::Sending {
            prepared,
            started_at,
            attempts,
            refused,
        },
    }
}

/// The state after a look at the statement; unchanged where it was not under way.
pub fn looked(state: AfterRunState, seen: Seen, now: Timestamp) -> AfterRunState {
    let AfterRunState::Running {
        statement,
        started_at,
    } = state
    else {
        return state;
    };
    let failed = |statement, code, ended_at| AfterRunState::Failed {
        code,
        statement: Some(statement),
        started_at: Some(started_at),
        ended_at,
    };
    match seen {
        Seen::Finished { rows, at } => AfterRunState::Finished {
            statement,
            rows,
            started_at,
            ended_at: at,
        },
        Seen::Failed { code, at } => failed(statement, code, at),
        Seen::Gone => failed(statement, AfterRunCode::OutcomeUnknown, now),
        Seen::Running if now.duration_since(started_at) >= LONGEST_STATEMENT => {
            failed(statement, AfterRunCode::OutcomeUnknown, now)
        }
        Seen::Running => AfterRunState::Running {
            statement,
            started_at,
        },
    }
}

/// The state of a statement of which nothing can be found out any more.
pub fn given_up(state: AfterRunState, now: Timestamp) -> AfterRunState {
    match state {
        AfterRunState::Sending { started_at, .. } => AfterRunState::Failed {
            code: AfterRunCode::OutcomeUnknown,
            statement: None,
            started_at: Some(started_at),
            ended_at: now,
        },
        other => other,
    }
}

/// The state of a statement that must not be sent any more, because nothing runs for its tenant.
pub fn stopped(state: AfterRunState, now: Timestamp) -> AfterRunState {
    match state {
        AfterRunState::Pending { .. } => AfterRunState::Skipped {
            reason: SkipReason::TenantSuspended,
            ended_at: now,
        },
        AfterRunState::Sending {
            attempts, refused, ..
        } if attempts == refused => AfterRunState::Skipped {
            reason: SkipReason::TenantSuspended,
            ended_at: now,
        },
        other => given_up(other, now),
    }
}

/// When to look at the run again, should nothing be heard, epoch milliseconds; none after an end.
pub fn due_at(state: &AfterRunState, now: Timestamp) -> Option<i64> {
    let wait = match state {
        // The process that decided it goes on with it at once; this is for the case that it dies.
        AfterRunState::Pending { .. } => SignedDuration::from_mins(1),
        AfterRunState::Sending { attempts, .. } => {
            let last = BACK_OFF.len() - 1;
            let row = usize::try_from(attempts.saturating_sub(1)).unwrap_or(last);
            SignedDuration::from_mins(BACK_OFF[row.min(last)])
        }
        AfterRunState::Running { .. } => LOOK_AGAIN,
        AfterRunState::Finished { .. }
        | AfterRunState::Failed { .. }
        | AfterRunState::Skipped { .. } => return None,
    };
    let at = now.saturating_add(wait).unwrap_or(Timestamp::MAX);
    Some(at.as_millisecond())
}

#[cfg(test)]
mod tests;
