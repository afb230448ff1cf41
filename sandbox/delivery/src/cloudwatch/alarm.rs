//! Alarms on single metrics, and how a minute's look at the data decides their state.

use jiff::Timestamp;

use super::{
    CATCH_UP, MINUTE,
    series::{Metric, Series, Statistic},
};

/// How data and threshold compare when the alarm goes off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    GreaterThanOrEqual,
    Greater,
    Less,
    LessThanOrEqual,
}

impl Comparison {
    /// The operators of static thresholds.
    pub(super) const NAMES: [(&'static str, Self); 4] = [
        ("GreaterThanOrEqualToThreshold", Self::GreaterThanOrEqual),
        ("GreaterThanThreshold", Self::Greater),
        ("LessThanThreshold", Self::Less),
        ("LessThanOrEqualToThreshold", Self::LessThanOrEqual),
    ];

    fn breached(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::GreaterThanOrEqual => value >= threshold,
            Self::Greater => value > threshold,
            Self::Less => value < threshold,
            Self::LessThanOrEqual => value <= threshold,
        }
    }
}

/// What a period without data counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gap {
    Breaching,
    NotBreaching,
    Ignore,
    Missing,
}

impl Gap {
    pub(super) const NAMES: [(&'static str, Self); 4] = [
        ("breaching", Self::Breaching),
        ("notBreaching", Self::NotBreaching),
        ("ignore", Self::Ignore),
        ("missing", Self::Missing),
    ];
}

/// The state of an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Ok,
    Alarm,
    InsufficientData,
}

impl State {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Alarm => "ALARM",
            Self::InsufficientData => "INSUFFICIENT_DATA",
        }
    }
}

/// A state, why, and since when.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stand {
    pub(super) state: State,
    pub(super) reason: String,
    pub(super) at: Timestamp,
    /// The values that were looked at, newest last.
    pub(super) recent: Vec<f64>,
}

/// An alarm went from one state to another.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Change {
    pub(super) from: Stand,
    pub(super) to: Stand,
}

/// An alarm.
#[derive(Debug, Clone)]
pub(super) struct Alarm {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) description: Option<String>,
    pub(super) metric: Metric,
    pub(super) statistic: Statistic,
    /// As it was given.
    pub(super) statistic_name: String,
    pub(super) period: i64,
    pub(super) periods: i64,
    pub(super) datapoints: usize,
    pub(super) threshold: f64,
    pub(super) comparison: Comparison,
    pub(super) missing: Gap,
    pub(super) configured_at: Timestamp,
    pub(super) stand: Stand,
    /// Minutes up to here were evaluated.
    pub(super) evaluated: i64,
}

impl Alarm {
    /// Evaluates minute after minute, and answers the changes.
    pub(super) fn catch_up(&mut self, series: Option<&Series>, until: i64) -> Vec<Change> {
        let mut changes = Vec::new();
        self.evaluated = self.evaluated.max(until - CATCH_UP);
        while self.evaluated < until {
            self.evaluated += MINUTE;
            changes.extend(self.look(series, self.evaluated));
        }
        changes
    }

    fn look(&mut self, series: Option<&Series>, end: i64) -> Option<Change> {
        let periods = (0..self.periods).rev().map(|back| {
            let to = end - back * self.period;
            series.and_then(|s| s.between(to - self.period, to, self.statistic))
        });
        let seen: Vec<Option<f64>> = periods.collect();
        let recent: Vec<f64> = seen.iter().copied().flatten().collect();
        let state = self.decide(&seen);
        if state == self.stand.state {
            return None;
        }
        let to = Stand {
            state,
            reason: self.reason(state, &recent),
            at: Timestamp::from_second(end).unwrap_or_default(),
            recent,
        };
        let from = std::mem::replace(&mut self.stand, to.clone());
        Some(Change { from, to })
    }

    /// What the periods that were looked at make of the alarm.
    fn decide(&self, seen: &[Option<f64>]) -> State {
        let breaching = |period: &Option<f64>| match period {
            Some(value) => self.comparison.breached(*value, self.threshold),
            None => self.missing == Gap::Breaching,
        };
        if seen.iter().filter(|period| breaching(period)).count() >= self.datapoints {
            return State::Alarm;
        }
        let nothing = seen.iter().all(Option::is_none);
        match self.missing {
            Gap::Missing if nothing => State::InsufficientData,
            Gap::Ignore if nothing => self.stand.state,
            _ => State::Ok,
        }
    }

    fn reason(&self, state: State, recent: &[f64]) -> String {
        let (threshold, count) = (self.threshold, recent.len());
        match state {
            State::InsufficientData => {
                format!(
                    "Insufficient Data: {} datapoints were unknown.",
                    self.periods
                )
            }
            State::Alarm => format!(
                "Threshold Crossed: {count} datapoints {recent:?} crossed the threshold ({threshold:?})."
            ),
            State::Ok => format!(
                "Threshold Crossed: {count} datapoints {recent:?} did not cross the threshold ({threshold:?})."
            ),
        }
    }
}
