//! Schedule expressions: `rate(5 minutes)`, `cron(0 8 ? * MON-FRI *)`, `at(2026-11-20T08:00:00)`.

use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};
use jiff::{SignedDuration, Timestamp, Zoned, tz::TimeZone};

/// An expression that EventBridge Scheduler would refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Invalid Schedule Expression {0}.")]
pub struct ScheduleError(String);

/// A read expression.
#[derive(Debug, Clone)]
pub(super) enum Expression {
    Rate {
        start: Timestamp,
        every: SignedDuration,
    },
    Cron(Box<Cron>),
    At(Timestamp),
}

impl Expression {
    /// Reads an expression; a rate counts from `start`.
    pub(super) fn parse(text: &str, start: Timestamp) -> Result<Self, ScheduleError> {
        let invalid = || ScheduleError(text.to_owned());
        let (kind, inside) = text
            .trim()
            .strip_suffix(')')
            .and_then(|text| text.split_once('('))
            .ok_or_else(invalid)?;
        let read = match kind {
            "rate" => rate(inside).map(|every| Self::Rate {
                start: whole_seconds(start),
                every,
            }),
            "cron" => cron(inside).map(|cron| Self::Cron(Box::new(cron))),
            "at" => inside
                .parse::<jiff::civil::DateTime>()
                .ok()
                .and_then(|at| at.to_zoned(TimeZone::UTC).ok())
                .map(|at| Self::At(at.timestamp())),
            _ => None,
        };
        read.ok_or_else(invalid)
    }

    /// The latest due time after `seen` and up to `now`.
    pub(super) fn latest_due(&self, seen: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let latest = match self {
            Self::At(at) => Some(*at).filter(|at| *at <= now),
            Self::Rate { start, every } => {
                let periods = now.duration_since(*start).as_secs() / every.as_secs();
                let offset = SignedDuration::from_secs(periods.checked_mul(every.as_secs())?);
                start.saturating_add(offset).ok().filter(|_| periods > 0)
            }
            Self::Cron(cron) => {
                let now: Zoned = whole_seconds(now).to_zoned(TimeZone::UTC);
                cron.find_previous_occurrence(&now, true)
                    .ok()
                    .map(|at| at.timestamp())
            }
        };
        latest.filter(|latest| *latest > seen)
    }
}

fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// `1 minute`, `5 minutes`, `1 hour`, `7 days`.
fn rate(inside: &str) -> Option<SignedDuration> {
    let (value, unit) = inside.trim().split_once(' ')?;
    let value: i64 = value.parse().ok().filter(|value| *value > 0)?;
    let seconds = match unit.trim() {
        "minute" | "minutes" => 60,
        "hour" | "hours" => 3600,
        "day" | "days" => 86_400,
        _ => return None,
    };
    Some(SignedDuration::from_secs(value.checked_mul(seconds)?))
}

/// Six fields: minute, hour, day of month, month, day of week (1 is Sunday), year. One of the two
/// day fields is `?`.
fn cron(inside: &str) -> Option<Cron> {
    let fields: Vec<&str> = inside.split_whitespace().collect();
    let [minute, hour, day, month, weekday, year] = fields.as_slice() else {
        return None;
    };
    if (*day == "?") == (*weekday == "?") {
        return None;
    }
    let star = |field: &str| {
        if field == "?" {
            "*".to_owned()
        } else {
            field.to_owned()
        }
    };
    let pattern = format!(
        "0 {minute} {hour} {} {month} {} {year}",
        star(day),
        star(weekday),
    );
    CronParser::builder()
        .seconds(Seconds::Required)
        .year(Year::Required)
        .alternative_weekdays(true)
        .sloppy_ranges(true)
        .build()
        .parse(&pattern)
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_latest_due_time_is_found_and_only_after_what_was_seen() {
        let start = at("2026-11-20T10:00:30.250Z");
        let table = [
            ("rate(1 minute)", "2026-11-20T10:01:29Z", None),
            (
                "rate(1 minute)",
                "2026-11-20T10:01:30Z",
                Some("2026-11-20T10:01:30Z"),
            ),
            (
                "rate(1 minute)",
                "2026-11-20T12:34:56Z",
                Some("2026-11-20T12:34:30Z"),
            ),
            (
                "rate(2 hours)",
                "2026-11-20T15:00:00Z",
                Some("2026-11-20T14:00:30Z"),
            ),
            ("cron(* * * * ? *)", "2026-11-20T10:00:59Z", None),
            (
                "cron(* * * * ? *)",
                "2026-11-20T10:05:59Z",
                Some("2026-11-20T10:05:00Z"),
            ),
            (
                "cron(0/15 * * * ? *)",
                "2026-11-20T10:44:59Z",
                Some("2026-11-20T10:30:00Z"),
            ),
            ("cron(0 8 ? * 2-6 *)", "2026-11-22T12:00:00Z", None),
            (
                "cron(0 8 ? * MON-FRI *)",
                "2026-11-23T12:00:00Z",
                Some("2026-11-23T08:00:00Z"),
            ),
            (
                "cron(0 8 ? * 2-6 *)",
                "2026-11-23T12:00:00Z",
                Some("2026-11-23T08:00:00Z"),
            ),
            (
                "cron(0 0 L * ? *)",
                "2026-12-05T00:00:00Z",
                Some("2026-11-30T00:00:00Z"),
            ),
            ("at(2026-11-20T11:00:00)", "2026-11-20T10:59:59Z", None),
            (
                "at(2026-11-20T11:00:00)",
                "2026-11-20T11:00:01Z",
                Some("2026-11-20T11:00:00Z"),
            ),
            ("at(2026-11-20T09:00:00)", "2026-11-20T11:00:01Z", None),
        ];
        for (text, now, due) in table {
            let expression = Expression::parse(text, start).unwrap();
            let found = expression.latest_due(start, at(now));
            assert_eq!(found, due.map(at), "{text} at {now}");
            if let Some(found) = found {
                assert_eq!(expression.latest_due(found, at(now)), None, "{text} twice");
            }
        }
    }

    #[test]
    fn what_the_scheduler_refuses_is_refused() {
        for text in [
            "rate(0 minutes)",
            "rate(5 seconds)",
            "rate(minute)",
            "cron(* * * * * *)",
            "cron(0 8 * * ?)",
            "cron(61 * * * ? *)",
            "at(tomorrow)",
            "every minute",
        ] {
            assert!(
                Expression::parse(text, Timestamp::UNIX_EPOCH).is_err(),
                "{text}"
            );
        }
    }
}
