//! A token bucket, kept as one moment: when it will be full again if nobody takes anything.
//!
//! This is the generic cell rate algorithm (ITU-T I.371): adding to a number is all that a writer
//! does, so writers at the same time do not stand in each other's way.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Microseconds of a second.
pub const SECOND: i64 = 1_000_000;
/// Most tokens per second and most tokens at once: far above anything useful, and far below what
/// would overflow.
const MOST: i64 = 100_000;

/// How fast a bucket fills, and how much it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Limit {
    /// Thousandths of a token per second.
    thousandths: i64,
    /// Tokens of a full bucket.
    burst: i64,
}

/// Not a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a limit is <tokens per second>/<burst>, such as 50/200 or 0.5/10: a rate from 0.001, a burst from 1, at most 100000 each"
)]
pub struct NotALimit;

impl Limit {
    /// So many whole tokens per second, and so many at once.
    pub(super) const fn whole(per_second: i64, burst: i64) -> Self {
        Self::thousandths(per_second * 1000, burst)
    }

    /// So many thousandths of a token per second, and so many tokens at once.
    pub(super) const fn thousandths(thousandths: i64, burst: i64) -> Self {
        Self { thousandths, burst }
    }

    /// Microseconds in which a token is made.
    pub const fn interval(self) -> i64 {
        1000 * SECOND / self.thousandths
    }

    /// Microseconds in which an empty bucket is filled.
    pub const fn depth(self) -> i64 {
        self.burst * self.interval()
    }

    /// Tokens in the bucket.
    pub fn free(self, full_at: i64, now: i64) -> i64 {
        let missing = (full_at - now).max(0);
        (self.depth() - missing).max(0) / self.interval()
    }

    /// When the bucket is full again after so many tokens are taken.
    pub fn after(self, full_at: i64, now: i64, tokens: i64) -> i64 {
        full_at.max(now) + tokens * self.interval()
    }

    /// When an empty bucket has its next token.
    pub const fn next_at(self, full_at: i64) -> i64 {
        full_at - self.depth() + self.interval()
    }

    /// How many tokens an instance draws at a time: enough to ask seldom, and few enough that what
    /// is lost with an instance does not matter.
    pub fn batch(self) -> i64 {
        (self.burst / 10).clamp(1, 20)
    }

    /// What one instance lets in by itself while the table does not answer: a quarter.
    #[must_use]
    pub fn local(self) -> Self {
        Self {
            thousandths: (self.thousandths / 4).max(1),
            burst: (self.burst / 4).max(1),
        }
    }
}

/// Whole seconds from now until then, rounded up; at least one.
pub fn seconds_until(then: i64, now: i64) -> u32 {
    let micros = (then - now).max(1);
    u32::try_from((micros + SECOND - 1) / SECOND).unwrap_or(u32::MAX)
}

impl FromStr for Limit {
    type Err = NotALimit;

    fn from_str(text: &str) -> Result<Self, NotALimit> {
        let (rate, burst) = text.split_once('/').ok_or(NotALimit)?;
        let (whole, part) = rate.split_once('.').unwrap_or((rate, "0"));
        let digits =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if ![whole, part, burst].into_iter().all(digits) || part.len() > 3 {
            return Err(NotALimit);
        }
        let number = |text: &str| text.parse::<i64>().map_err(|_| NotALimit);
        let (whole, burst) = (number(whole)?, number(burst)?);
        let part = number(&format!("{part:0<3}"))?;
        if whole > MOST || !(1..=MOST).contains(&burst) || whole + part == 0 {
            return Err(NotALimit);
        }
        Ok(Self {
            thousandths: whole * 1000 + part,
            burst,
        })
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.thousandths / 1000, self.thousandths % 1000);
        let part = format!("{part:03}");
        match part.trim_end_matches('0') {
            "" => write!(f, "{whole}/{}", self.burst),
            part => write!(f, "{whole}.{part}/{}", self.burst),
        }
    }
}

impl TryFrom<String> for Limit {
    type Error = NotALimit;

    fn try_from(text: String) -> Result<Self, NotALimit> {
        text.parse()
    }
}

impl From<Limit> for String {
    fn from(limit: Limit) -> Self {
        limit.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_read_as_they_are_written() {
        for text in ["50/200", "0.5/10", "0.001/1", "12.25/7", "100000/100000"] {
            assert_eq!(text.parse::<Limit>().unwrap().to_string(), text);
        }
        for text in [
            "", "5", "5/", "/5", "0/5", "5/0", "-1/5", "1.2345/5", "1/1e3", "100001/1", "1/100001",
            " 1/1", "0.0/1",
        ] {
            assert_eq!(text.parse::<Limit>(), Err(NotALimit), "{text}");
        }
    }

    #[test]
    fn a_bucket_starts_full_empties_and_fills() {
        let limit = Limit::whole(2, 4);
        let now = 1_000 * SECOND;
        assert_eq!(limit.free(0, now), 4);
        let empty = limit.after(0, now, 4);
        assert_eq!(limit.free(empty, now), 0);
        assert_eq!(limit.next_at(empty), now + SECOND / 2);
        assert_eq!(limit.free(empty, now + SECOND / 2 - 1), 0);
        assert_eq!(limit.free(empty, now + SECOND / 2), 1);
        assert_eq!(
            limit.free(empty, now + 60 * SECOND),
            4,
            "never more than it holds"
        );
    }

    #[test]
    fn waits_are_whole_seconds_and_never_none() {
        assert_eq!(seconds_until(10, 10), 1);
        assert_eq!(seconds_until(SECOND, 0), 1);
        assert_eq!(seconds_until(SECOND + 1, 0), 2);
        assert_eq!(seconds_until(0, SECOND), 1);
    }

    #[test]
    fn an_instance_alone_has_a_quarter_and_never_nothing() {
        assert_eq!(Limit::whole(50, 200).local().to_string(), "12.5/50");
        let least = "0.001/1".parse::<Limit>().unwrap();
        assert_eq!(least.local(), least);
    }
}
