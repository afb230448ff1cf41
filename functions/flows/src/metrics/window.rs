//! Which times are asked for, and how finely: what CloudWatch keeps, and what fits into an answer.

use jiff::Timestamp;
use tributary::error::{Error, Fault};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// How old data may be for which period, in seconds: finer data is put together when it gets older.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html>
const KEPT: [(i64, i64); 3] = [
    (15 * DAY, MINUTE),
    (63 * DAY, 5 * MINUTE),
    (455 * DAY, HOUR),
];
/// Most points of one metric.
pub(super) const MOST_POINTS: i64 = 1_440;
/// What is tried, in turn, when no period is given.
const USUAL: [i64; 5] = [5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, DAY];

/// Whole periods between two times, in epoch seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) period: u32,
}

impl Window {
    /// The window that is asked for: of the last day when nothing is said.
    pub(super) fn of(
        (from, to): (Option<Timestamp>, Option<Timestamp>),
        period: Option<u32>,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let to = to.unwrap_or(now).as_second();
        let from = from.map_or(to - DAY, Timestamp::as_second);
        if from >= to {
            return Err(refused(
                "query:from",
                "not_before_to",
                "from must be before to.",
            ));
        }
        let age = now.as_second() - from;
        let Some((_, finest)) = KEPT.iter().find(|(kept, _)| age <= *kept) else {
            return Err(refused(
                "query:from",
                "too_old",
                "Metrics are kept for 455 days.",
            ));
        };
        let span = to - from;
        let fits =
            |period: i64| period % finest == 0 && (span + period - 1) / period <= MOST_POINTS;
        let period = match period {
            // A day's period fits whatever is kept.
            None => USUAL
                .into_iter()
                .find(|period| fits(*period))
                .unwrap_or(DAY),
            Some(given) => given_period(i64::from(given), *finest, span)?,
        };
        Ok(Self {
            from: from.div_euclid(period) * period,
            to: (to + period - 1).div_euclid(period) * period,
            period: u32::try_from(period).unwrap_or(u32::MAX),
        })
    }
}

fn given_period(period: i64, finest: i64, span: i64) -> Result<i64, Error> {
    if period % MINUTE != 0 || !(MINUTE..=DAY).contains(&period) {
        return Err(refused(
            "query:period",
            "out_of_range",
            "A multiple of 60 seconds, up to 86400.",
        ));
    }
    if period % finest != 0 {
        return Err(refused(
            "query:period",
            "too_fine",
            format!("Data of this age is kept in multiples of {finest} seconds."),
        ));
    }
    let points = (span + period - 1) / period;
    if points > MOST_POINTS {
        return Err(refused(
            "query:period",
            "too_many_points",
            format!(
                "That would be {points} points; {MOST_POINTS} at most. Ask for a longer period or a shorter time."
            ),
        ));
    }
    Ok(period)
}

fn refused(pointer: &str, code: &'static str, detail: impl Into<String>) -> Error {
    Error::malformed(
        "invalid_metrics_query",
        "These metrics cannot be asked for.",
        vec![Fault::new(pointer, code, detail.into())],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-21T15:00:30Z".parse().unwrap()
    }

    fn days_ago(days: i64) -> Option<Timestamp> {
        Timestamp::from_second(now().as_second() - days * DAY).ok()
    }

    fn fault(from: Option<Timestamp>, to: Option<Timestamp>, period: Option<u32>) -> String {
        let error = Window::of((from, to), period, now()).unwrap_err();
        format!("{:?}", error.faults()[0])
    }

    #[test]
    fn without_words_it_is_the_last_day_in_whole_periods() {
        let window = Window::of((None, None), None, now()).unwrap();
        assert_eq!(window.period, 300);
        assert_eq!(window.to - window.from, DAY + 300);
        assert_eq!((window.from % 300, window.to % 300), (0, 0));
    }

    #[test]
    fn the_period_grows_with_the_time_that_is_asked_for() {
        for (days, period) in [
            (1, 300),
            (10, 900),
            (30, 3_600),
            (100, 21_600),
            (400, 86_400),
        ] {
            let window = Window::of((days_ago(days), None), None, now()).unwrap();
            assert_eq!(window.period, period, "{days} days");
        }
    }

    #[test]
    fn a_period_that_cloudwatch_does_not_take_is_refused_with_what_it_takes() {
        for (from, period, code) in [
            (days_ago(1), 59, "out_of_range"),
            (days_ago(1), 90, "out_of_range"),
            (days_ago(1), 172_800, "out_of_range"),
            (days_ago(2), 60, "too_many_points"),
            (days_ago(20), 60, "too_fine"),
            (days_ago(70), 300, "too_fine"),
            (days_ago(456), 86_400, "too_old"),
        ] {
            let fault = fault(from, None, Some(period));
            assert!(fault.contains(code), "{period}: {fault}");
        }
        assert!(fault(days_ago(1), days_ago(1), None).contains("not_before_to"));
    }

    #[test]
    fn the_most_points_are_allowed_and_one_more_is_not() {
        assert!(Window::of((days_ago(1), Some(now())), Some(60), now()).is_ok());
        let later = Timestamp::from_second(now().as_second() + 1).ok();
        assert!(fault(days_ago(1), later, Some(60)).contains("too_many_points"));
    }
}
