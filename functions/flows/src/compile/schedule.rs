//! Schedules: what people may write, and what AppFlow wants.

use jiff::{SignedDuration, Timestamp};

/// Longest expression that AppFlow takes.
const EXPRESSION_LIMIT: usize = 256;

/// A schedule that AppFlow runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// Every so often.
    Rate {
        /// How many units.
        count: u32,
        /// Of what.
        unit: Unit,
    },
    /// At the times of a cron expression, passed on unchanged.
    Cron(String),
}

/// Unit of a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words say it")]
pub enum Unit {
    Minute,
    Hour,
    Day,
    Week,
    Month,
}

impl Unit {
    const TABLE: [(&'static str, Self, Option<SignedDuration>); 5] = [
        ("minute", Self::Minute, Some(SignedDuration::from_mins(1))),
        ("hour", Self::Hour, Some(SignedDuration::from_hours(1))),
        ("day", Self::Day, Some(SignedDuration::from_hours(24))),
        ("week", Self::Week, Some(SignedDuration::from_hours(168))),
        ("month", Self::Month, None),
    ];

    fn parse(word: &str) -> Option<Self> {
        let singular = word.strip_suffix('s').unwrap_or(word);
        Self::TABLE
            .iter()
            .find(|(name, ..)| *name == singular)
            .map(|(_, unit, _)| *unit)
    }

    fn row(self) -> &'static (&'static str, Self, Option<SignedDuration>) {
        // Every unit has its row: the table's test walks them.
        Self::TABLE
            .iter()
            .find(|(_, unit, _)| *unit == self)
            .unwrap_or(&Self::TABLE[0])
    }
}

/// Why a text is not a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write rate(<n> minutes|hours|days|weeks|months) with n at least 1, or cron(<six fields>)")]
pub struct NotASchedule;

impl Expression {
    /// Reads `rate(1 hour)`, `rate(1hours)` or `cron(0 3 ? * MON-FRI *)`.
    pub fn parse(text: &str) -> Result<Self, NotASchedule> {
        if text.len() > EXPRESSION_LIMIT {
            return Err(NotASchedule);
        }
        if let Some(inner) = inside(text, "cron") {
            let plain = inner.bytes().all(|byte| (b' '..=b'~').contains(&byte));
            return match inner.split(' ').filter(|field| !field.is_empty()).count() {
                6 if plain => Ok(Self::Cron(text.to_owned())),
                _ => Err(NotASchedule),
            };
        }
        let inner = inside(text, "rate").ok_or(NotASchedule)?.trim();
        let digits = inner.bytes().take_while(u8::is_ascii_digit).count();
        let (count, unit) = inner.split_at(digits);
        let count = count.parse().map_err(|_| NotASchedule)?;
        let unit = Unit::parse(unit.trim_start()).ok_or(NotASchedule)?;
        if count == 0 {
            return Err(NotASchedule);
        }
        Ok(Self::Rate { count, unit })
    }

    /// The expression as AppFlow and its console want it: no blank, always the plural.
    pub fn normalised(&self) -> String {
        match self {
            Self::Rate { count, unit } => format!("rate({count}{}s)", unit.row().0),
            Self::Cron(text) => text.clone(),
        }
    }

    /// The time between two runs, where it is always the same.
    pub fn period(&self) -> Option<SignedDuration> {
        match self {
            Self::Rate { count, unit } => {
                let seconds = unit.row().2?.as_secs();
                Some(SignedDuration::from_secs(
                    seconds.saturating_mul(i64::from(*count)),
                ))
            }
            Self::Cron(_) => None,
        }
    }
}

fn inside<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    text.strip_prefix(word)?
        .strip_prefix('(')?
        .strip_suffix(')')
}

/// The first point of the grid `start + k × period` that is not before `now`.
pub fn moved_start(start: Timestamp, period: SignedDuration, now: Timestamp) -> Option<Timestamp> {
    if start >= now {
        return Some(start);
    }
    let (behind, period) = (
        now.as_millisecond() - start.as_millisecond(),
        i64::try_from(period.as_millis()).ok()?,
    );
    let steps = behind.checked_add(period - 1)? / period;
    Timestamp::from_millisecond(
        start
            .as_millisecond()
            .checked_add(steps.checked_mul(period)?)?,
    )
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_lose_their_blank_and_become_plural() {
        for (text, expected) in [
            ("rate(1 day)", "rate(1days)"),
            ("rate(1days)", "rate(1days)"),
            ("rate(5 minutes)", "rate(5minutes)"),
            ("rate( 2  hours )", "rate(2hours)"),
            ("rate(3 week)", "rate(3weeks)"),
            ("rate(1 month)", "rate(1months)"),
            ("cron(0 3 ? * MON-FRI *)", "cron(0 3 ? * MON-FRI *)"),
        ] {
            assert_eq!(
                Expression::parse(text).map(|e| e.normalised()).as_deref(),
                Ok(expected),
                "{text}"
            );
        }
    }

    #[test]
    fn f8_anything_else_is_refused() {
        for text in [
            "",
            "rate()",
            "rate(0 hours)",
            "rate(-1 hours)",
            "rate(1.5 hours)",
            "rate(1 fortnight)",
            "rate(99999999999 hours)",
            "cron(0 3 * * *)",
            "cron(0 3 ? * MON-FRI * *)",
            "cron(0 3 ? * MON\u{e9} *)",
            "every hour",
            "rate(1 hour",
            "at(2026-01-01T00:00:00)",
        ] {
            assert_eq!(Expression::parse(text), Err(NotASchedule), "{text}");
        }
        assert!(Expression::parse(&format!("cron(0 3 ? * {} *)", "M".repeat(300))).is_err());
    }

    #[test]
    fn every_unit_has_its_row() {
        for (_, unit, _) in Unit::TABLE {
            assert_eq!(unit.row().1, unit);
        }
    }

    #[test]
    fn a_start_in_the_past_moves_to_the_next_point_of_its_own_grid() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let hour = SignedDuration::from_hours(1);
        let start = at("2026-01-01T00:30:00Z");
        for (now, expected) in [
            ("2026-01-01T00:00:00Z", "2026-01-01T00:30:00Z"),
            ("2026-01-01T00:30:00Z", "2026-01-01T00:30:00Z"),
            ("2026-01-01T00:30:00.001Z", "2026-01-01T01:30:00Z"),
            ("2026-01-02T05:30:00Z", "2026-01-02T05:30:00Z"),
            ("2026-01-02T05:31:00Z", "2026-01-02T06:30:00Z"),
        ] {
            assert_eq!(
                moved_start(start, hour, at(now)),
                Some(at(expected)),
                "{now}"
            );
        }
    }
}
