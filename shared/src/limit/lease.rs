//! What an instance holds of a bucket: tokens that it drew, and what it last saw of the bucket.
//!
//! Tokens that were drawn are gone from the bucket, so however many instances draw, no more is let in
//! than the bucket gave. A lease is lost with its instance and ends by itself.

use super::bucket::{Limit, SECOND};

/// How long drawn tokens may be used.
const LEASE: i64 = 60 * SECOND;
/// For how long a table that did not answer is not asked again.
const SILENCE: i64 = SECOND;

/// What an instance holds of one bucket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Held {
    tokens: i64,
    ends: i64,
    /// As last seen. It only grows, so that a bucket that was seen empty is not fuller than this.
    full_at: i64,
    /// The party's own limit, if it has one.
    own: Option<Limit>,
    silent_until: i64,
    /// The bucket of this instance alone, for when the table does not answer.
    alone_full_at: i64,
}

/// What to do about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Let it in.
    Admit,
    /// Refuse it; there is nothing to be had before this moment.
    Refuse {
        /// Microseconds since the epoch.
        until: i64,
    },
    /// Ask the table for tokens.
    Ask(Draw),
    /// The table did not answer just now.
    Silence,
}

/// Tokens to ask for. The bucket is either idle (full, and set anew) or busy (added to).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Draw {
    /// The bucket is taken to be full: nobody drew lately.
    Idle {
        /// Tokens.
        tokens: i64,
        /// The bucket must be full since before this moment.
        before: i64,
        /// When it is full again then.
        full_at: i64,
    },
    /// Somebody drew lately.
    Busy {
        /// Tokens.
        tokens: i64,
        /// How much later it is full then.
        by: i64,
        /// It must not be full yet,
        from: i64,
        /// and hold enough.
        to: i64,
    },
}

/// A bucket as the table has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    /// When it is full.
    pub full_at: i64,
    /// The party's own limit.
    pub own: Option<Limit>,
}

impl Draw {
    fn of(limit: Limit, full_at: i64, now: i64, tokens: i64) -> Self {
        if full_at < now {
            return Self::Idle {
                tokens,
                before: now,
                full_at: limit.after(full_at, now, tokens),
            };
        }
        let by = tokens * limit.interval();
        Self::Busy {
            tokens,
            by,
            from: now,
            to: now + limit.depth() - by,
        }
    }

    const fn tokens(self) -> i64 {
        match self {
            Self::Idle { tokens, .. } | Self::Busy { tokens, .. } => tokens,
        }
    }
}

impl Held {
    /// The limit that holds for the party, where this is the usual one.
    pub fn limit(&self, usual: Limit) -> Limit {
        self.own.unwrap_or(usual)
    }

    /// The party's own limit, as last seen.
    pub const fn own(&self) -> Option<Limit> {
        self.own
    }

    /// What to do about a request.
    pub fn step(&mut self, usual: Limit, now: i64) -> Step {
        if now >= self.ends {
            self.tokens = 0;
        }
        if self.tokens > 0 {
            self.tokens -= 1;
            return Step::Admit;
        }
        let limit = self.limit(usual);
        let free = limit.free(self.full_at, now);
        if free == 0 {
            return Step::Refuse {
                until: limit.next_at(self.full_at),
            };
        }
        if now < self.silent_until {
            return Step::Silence;
        }
        Step::Ask(Draw::of(limit, self.full_at, now, free.min(limit.batch())))
    }

    /// Until when there is nothing to be had, if there is nothing now.
    pub fn empty_until(&self, usual: Limit, now: i64) -> Option<i64> {
        let limit = self.limit(usual);
        let holds = self.tokens > 0 && now < self.ends;
        (!holds && limit.free(self.full_at, now) == 0).then(|| limit.next_at(self.full_at))
    }

    /// The table gave what was asked for: the request is let in with one of the tokens.
    pub fn drew(&mut self, draw: Draw, seen: Seen, now: i64) {
        self.saw(seen);
        self.tokens = draw.tokens() - 1;
        self.ends = now + LEASE;
    }

    /// The bucket was not as expected; it is like this.
    pub fn saw(&mut self, seen: Seen) {
        self.full_at = seen.full_at;
        self.own = seen.own;
    }

    /// The table did not answer.
    pub const fn heard_nothing(&mut self, now: i64) {
        self.silent_until = now + SILENCE;
    }

    /// What to do about a request without the table: a part of the limit, counted here alone.
    pub fn step_alone(&mut self, usual: Limit, now: i64) -> Step {
        let limit = self.limit(usual).local();
        if limit.free(self.alone_full_at, now) == 0 {
            return Step::Refuse {
                until: limit.next_at(self.alone_full_at),
            };
        }
        self.alone_full_at = limit.after(self.alone_full_at, now, 1);
        Step::Admit
    }

    /// Whether forgetting it would give nothing away that a new instance would not get as well.
    pub const fn is_idle(&self, now: i64) -> bool {
        now >= self.ends && self.full_at < now && self.alone_full_at < now
    }
}

#[cfg(test)]
mod tests;
