//! The figures.

use std::{fmt, time::Duration};

use serde::Serialize;

use super::load::Answer;
use crate::bench::{Machine, percentile::Times};

/// What was measured, where.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The machine.
    pub machine: Machine,
    /// How long each part took.
    pub seconds: u64,
    /// Tenants that behave.
    pub others: usize,
    /// Requests of each of them in a second.
    pub others_rate: u64,
    /// What the noisy one may ask in a second.
    pub quota: u64,
    /// How many times that it was to send.
    pub factor: u64,
    /// The others without the noise.
    pub alone: Figures,
    /// The others beside the noise.
    pub beside: Figures,
    /// The noisy one.
    pub noise: Noise,
}

/// What the others saw.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    /// Requests.
    pub requests: usize,
    /// Those that were not answered with 200.
    pub errors: usize,
    /// Median of times since requests were due.
    pub p50_ms: f64,
    /// 99th percentile of them.
    pub p99_ms: f64,
}

impl Figures {
    pub(super) fn of(seen: &[Answer]) -> Self {
        let times = Times::new(seen.iter().map(|answer| answer.took).collect());
        Self {
            requests: seen.len(),
            errors: seen.iter().filter(|answer| answer.status != 200).count(),
            p50_ms: millis(times.median()),
            p99_ms: millis(times.percentile(99)),
        }
    }
}

/// What the noisy tenant saw.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Noise {
    /// Requests that could be sent.
    pub requests: usize,
    /// The same in a second.
    pub per_second: u64,
    /// Answered with 200.
    pub served: usize,
    /// Answered with 429 and `Retry-After`.
    pub refused: usize,
    /// Anything else: none is expected.
    pub other: usize,
    /// Shortest `Retry-After` in seconds.
    pub retry_after_min: u64,
    /// Longest `Retry-After` in seconds.
    pub retry_after_max: u64,
}

impl Noise {
    pub(super) fn of(seen: &[Answer], seconds: u64) -> Self {
        let count = |wanted: fn(&&Answer) -> bool| seen.iter().filter(wanted).count();
        let served = count(|answer| answer.status == 200);
        let refused = count(|answer| answer.status == 429 && answer.retry_after.is_some());
        let waits = || seen.iter().filter_map(|answer| answer.retry_after);
        Self {
            requests: seen.len(),
            per_second: seen.len() as u64 / seconds.max(1),
            served,
            refused,
            other: seen.len() - served - refused,
            retry_after_min: waits().min().unwrap_or_default(),
            retry_after_max: waits().max().unwrap_or_default(),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            machine,
            seconds,
            others,
            others_rate,
            quota,
            factor,
            alone,
            beside,
            noise,
        } = self;
        writeln!(
            f,
            "{} {}, {} cores; {seconds} s each; {others} tenants at {others_rate}/s; one with a quota of {quota}/s sends {factor} times that",
            machine.os, machine.architecture, machine.cores,
        )?;
        writeln!(
            f,
            "\n{:<16}{:>10}{:>8}{:>10}{:>10}",
            "the others", "requests", "errors", "p50 ms", "p99 ms"
        )?;
        for (what, row) in [("alone", alone), ("beside the noise", beside)] {
            let Figures {
                requests,
                errors,
                p50_ms,
                p99_ms,
            } = row;
            writeln!(
                f,
                "{what:<16}{requests:>10}{errors:>8}{p50_ms:>10.2}{p99_ms:>10.2}"
            )?;
        }
        let Noise {
            requests,
            per_second,
            served,
            refused,
            other,
            retry_after_min,
            retry_after_max,
        } = noise;
        write!(
            f,
            "\nthe noisy one: {requests} requests ({per_second}/s), {served} served, {refused} refused with 429 and Retry-After {retry_after_min} to {retry_after_max} s, {other} otherwise"
        )
    }
}

fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1_000_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_neither_served_nor_refused_properly_is_counted_apart() {
        let answer = |status, retry_after| Answer {
            status,
            took: Duration::from_millis(u64::from(status)),
            retry_after,
        };
        let seen = [
            answer(200, None),
            answer(429, Some(3)),
            answer(429, Some(1)),
            answer(429, None),
            answer(503, None),
        ];
        let noise = Noise::of(&seen, 5);
        assert_eq!((noise.requests, noise.per_second), (5, 1));
        assert_eq!((noise.served, noise.refused, noise.other), (1, 2, 2));
        assert_eq!((noise.retry_after_min, noise.retry_after_max), (1, 3));
        let others = Figures::of(&seen[..1]);
        assert_eq!((others.requests, others.errors), (1, 0));
        assert!((others.p99_ms - 200.0).abs() < 1e-9);
        assert_eq!(Figures::of(&seen).errors, 4);
    }
}
