//! How much a party may do: token buckets that all instances of all functions share.
//!
//! A bucket is one item of the table (`LIMIT#...`), and an instance draws several tokens from it at a
//! time ([`lease`]), so that a request costs a small part of a write. The rules are pure
//! ([`bucket`], [`lease`]); [`Limiter`] asks the table. What happens when the table does not answer
//! depends on the class: what issues credentials is refused, all else is let in under a cap per
//! instance.

pub mod bucket;
pub mod lease;
mod limiter;
mod settings;

pub use bucket::Limit;
pub use limiter::{Limited, Limiter, Party};
pub use settings::Limits;

/// What is counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// Requests that read.
    Read,
    /// Requests that change something.
    Write,
    /// Requests that issue credentials or links.
    Token,
    /// Events of runs.
    Event,
    /// Secrets that were presented and are not ours.
    Guess,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 5] = [
        Self::Read,
        Self::Write,
        Self::Token,
        Self::Event,
        Self::Guess,
    ];

    /// Its name, in keys and configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Token => "token",
            Self::Event => "event",
            Self::Guess => "guess",
        }
    }

    /// Whether requests are let in, under a cap per instance, while the table does not answer.
    pub const fn fails_open(self) -> bool {
        !matches!(self, Self::Token)
    }
}
