//! `scheduleExpression`: `rate(..)` and EventBridge's `cron(..)`, and the instants they name.

use croner::{
    Cron,
    parser::{CronParser, Seconds},
};
use jiff::{SignedDuration, Timestamp, ToSpan, tz::TimeZone};

/// A parsed expression.
#[derive(Debug, Clone)]
pub(crate) enum Schedule {
    /// A fixed period.
    Every(SignedDuration),
    /// Calendar months.
    EveryMonths(i64),
    /// Six EventBridge fields, in UTC.
    Cron(Box<Cron>),
}

/// An expression that is neither form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Invalid schedule expression")]
pub(crate) struct InvalidExpression;

impl Schedule {
    /// Reads `rate(5minutes)`, `rate(5 minutes)`, `rate(1 hour)` or `cron(0 3 ? * MON-FRI *)`.
    pub(crate) fn parse(expression: &str) -> Result<Self, InvalidExpression> {
        let expression = expression.trim();
        if let Some(rate) = inside(expression, "rate") {
            return Self::rate(rate);
        }
        let fields = inside(expression, "cron").ok_or(InvalidExpression)?;
        if fields.split_whitespace().count() != 6 {
            return Err(InvalidExpression);
        }
        // EventBridge has no seconds, counts Sunday as 1 and allows `0/15`.
        CronParser::builder()
            .seconds(Seconds::Optional)
            .alternative_weekdays(true)
            .sloppy_ranges(true)
            .build()
            .parse(&format!("0 {fields}"))
            .map(|cron| Self::Cron(Box::new(cron)))
            .map_err(|_| InvalidExpression)
    }

    fn rate(rate: &str) -> Result<Self, InvalidExpression> {
        let rate = rate.trim();
        let digits = rate.find(|c: char| !c.is_ascii_digit()).unwrap_or(0);
        let count: i64 = rate[..digits].parse().map_err(|_| InvalidExpression)?;
        if count < 1 {
            return Err(InvalidExpression);
        }
        let unit = rate[digits..].trim_start();
        let hours = match unit.strip_suffix('s').unwrap_or(unit) {
            "minute" => {
                let seconds = count.checked_mul(60).ok_or(InvalidExpression)?;
                return Ok(Self::Every(SignedDuration::from_secs(seconds)));
            }
            "hour" => 1,
            "day" => 24,
            "week" => 7 * 24,
            "month" => return Ok(Self::EveryMonths(count)),
            _ => return Err(InvalidExpression),
        };
        let seconds = count.checked_mul(hours * 3600).ok_or(InvalidExpression)?;
        Ok(Self::Every(SignedDuration::from_secs(seconds)))
    }

    /// The period in seconds, if it is the same every time.
    pub(crate) fn period_seconds(&self) -> Option<i64> {
        match self {
            Self::Every(period) => Some(period.as_secs()),
            Self::EveryMonths(months) => Some(months * 28 * 24 * 3600),
            Self::Cron(_) => None,
        }
    }

    /// The first instant of a schedule that starts at `origin`: a rate runs at its start, a cron
    /// expression at its own next instant.
    pub(crate) fn first(&self, origin: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Every(_) | Self::EveryMonths(_) => Some(origin),
            Self::Cron(cron) => cron_next(cron, origin, true),
        }
    }

    /// The next instant after `now`, in phase with `origin`: origin + k periods, smallest k.
    pub(crate) fn next_after(&self, origin: Timestamp, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Every(period) => {
                if origin > now {
                    return Some(origin);
                }
                let passed = now.duration_since(origin).as_millis();
                let k = passed / period.as_millis() + 1;
                let ahead = i64::try_from(k * period.as_millis()).ok()?;
                origin.checked_add(SignedDuration::from_millis(ahead)).ok()
            }
            Self::EveryMonths(months) => {
                let start = origin.to_zoned(TimeZone::UTC);
                (0..)
                    .map_while(|k: i64| start.checked_add((k * months).months()).ok())
                    .map(|at| at.timestamp())
                    .find(|at| *at > now)
            }
            Self::Cron(cron) => cron_next(cron, now.max(origin), origin > now),
        }
    }
}

fn inside<'a>(expression: &'a str, word: &str) -> Option<&'a str> {
    expression
        .strip_prefix(word)?
        .strip_prefix('(')?
        .strip_suffix(')')
}

fn cron_next(cron: &Cron, from: Timestamp, inclusive: bool) -> Option<Timestamp> {
    let from = TimeZone::UTC.to_datetime(from);
    let next = cron.find_next_occurrence(&from, inclusive).ok()?;
    TimeZone::UTC.to_timestamp(next).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("timestamp")
    }

    #[test]
    fn expressions_of_both_forms_are_read() {
        for (expression, seconds) in [
            ("rate(5minutes)", Some(300)),
            ("rate(1minutes)", Some(60)),
            ("rate(5 minutes)", Some(300)),
            ("rate( 1 hour )", Some(3600)),
            ("rate(1days)", Some(86_400)),
            ("rate(2weeks)", Some(14 * 86_400)),
            ("cron(0 3 ? * MON-FRI *)", None),
            ("cron(0/15 * * * ? 2030)", None),
        ] {
            let schedule = Schedule::parse(expression).unwrap_or_else(|_| panic!("{expression}"));
            assert_eq!(schedule.period_seconds(), seconds, "{expression}");
        }
        for expression in [
            "",
            "rate()",
            "rate(0minutes)",
            "rate(5)",
            "rate(5 fortnights)",
            "rate(-1 hour)",
            "rate(99999999999999999999 days)",
            "cron(0 3 * *)",
            "cron(61 3 ? * * *)",
            "every hour",
        ] {
            assert!(Schedule::parse(expression).is_err(), "{expression}");
        }
    }

    #[test]
    fn cron_counts_weekdays_as_eventbridge_does() {
        let saturday = at("2026-11-21T10:00:00Z");
        for expression in ["cron(0 3 ? * MON-FRI *)", "cron(0 3 ? * 2-6 *)"] {
            let schedule = Schedule::parse(expression).expect("cron");
            assert_eq!(
                schedule.next_after(saturday, saturday),
                Some(at("2026-11-23T03:00:00Z")),
                "{expression}"
            );
        }
    }

    #[test]
    fn months_follow_the_calendar() {
        let schedule = Schedule::parse("rate(1months)").expect("rate");
        let origin = at("2026-01-31T00:00:00Z");
        assert_eq!(
            schedule.next_after(origin, at("2026-02-28T00:00:00Z")),
            Some(at("2026-03-31T00:00:00Z"))
        );
    }

    proptest! {
        #[test]
        fn a_rate_keeps_its_phase(period in 1_i64..100_000, origin in 0_i64..2_000_000_000, passed in -1_000_000_i64..1_000_000_000) {
            let schedule = Schedule::Every(SignedDuration::from_secs(period));
            let start = Timestamp::from_second(origin).expect("time");
            let now = Timestamp::from_second(origin + passed).expect("time");
            let next = schedule.next_after(start, now).expect("next");
            prop_assert!(next > now);
            prop_assert_eq!((next.as_second() - origin) % period, 0);
            prop_assert!(next == start || next.as_second() - period <= now.as_second());
        }
    }
}
