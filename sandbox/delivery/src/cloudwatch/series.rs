//! The data of one metric, and what statistics make of it.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// What a metric is known by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Metric {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) dimensions: BTreeMap<String, String>,
}

/// What is made of the values of a period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Statistic {
    SampleCount,
    Sum,
    Average,
    Minimum,
    Maximum,
    Percentile(f64),
}

impl Statistic {
    /// Reads `Sum` or `p99.9`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "SampleCount" => Self::SampleCount,
            "Sum" => Self::Sum,
            "Average" => Self::Average,
            "Minimum" => Self::Minimum,
            "Maximum" => Self::Maximum,
            _ => {
                let percent: f64 = text.strip_prefix('p')?.parse().ok()?;
                (0.0..=100.0).contains(&percent).then_some(())?;
                Self::Percentile(percent)
            }
        })
    }

    /// Of no values there is no statistic.
    fn of(self, values: &[f64]) -> Option<f64> {
        if values.is_empty() {
            return None;
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "no period has so many values that a double cannot count them"
        )]
        let count = values.len() as f64;
        let sum = values.iter().sum::<f64>();
        Some(match self {
            Self::SampleCount => count,
            Self::Sum => sum,
            Self::Average => sum / count,
            Self::Minimum => values.iter().copied().fold(f64::INFINITY, f64::min),
            Self::Maximum => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            Self::Percentile(percent) => {
                let mut sorted = values.to_vec();
                sorted.sort_by(f64::total_cmp);
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a rank lies between one and the number of values"
                )]
                let rank = (percent / 100.0 * count).ceil().max(1.0) as usize;
                sorted[rank.min(sorted.len()) - 1]
            }
        })
    }
}

/// The values of a metric, each with its time.
#[derive(Debug, Default)]
pub(super) struct Series(Vec<(Timestamp, f64)>);

impl Series {
    pub(super) fn push(&mut self, at: Timestamp, value: f64) {
        self.0.push((at, value));
    }

    /// The statistic of the values from a second up to another, which is left out.
    pub(super) fn between(&self, from: i64, to: i64, statistic: Statistic) -> Option<f64> {
        let within = |at: &Timestamp| (from..to).contains(&at.as_second());
        let values = self.0.iter().filter(|(at, _)| within(at));
        statistic.of(&values.map(|(_, value)| *value).collect::<Vec<_>>())
    }

    /// The periods that have values, oldest first: when each begins, and its statistic.
    pub(super) fn periods(
        &self,
        (from, to): (i64, i64),
        period: i64,
        statistic: Statistic,
    ) -> Vec<(i64, f64)> {
        let mut buckets: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
        for (at, value) in &self.0 {
            let begins = at.as_second().div_euclid(period) * period;
            if (from..to).contains(&begins) {
                buckets.entry(begins).or_default().push(*value);
            }
        }
        buckets
            .into_iter()
            .filter_map(|(begins, values)| Some((begins, statistic.of(&values)?)))
            .collect()
    }
}
