//! What is made of the values of a period.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is made of the values of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Statistic {
    /// All values together.
    Sum,
    /// The sum through the number of values.
    Average,
    /// The smallest value.
    Minimum,
    /// The largest value.
    Maximum,
    /// How many values there are.
    SampleCount,
    /// Half of the values are at most this.
    P50,
    /// Nine of ten values are at most this.
    P90,
    /// 95 of a hundred values are at most this.
    P95,
    /// 99 of a hundred values are at most this.
    P99,
}

/// Each statistic, CloudWatch's name of it, and whether alarms take it as an extended one.
const NAMES: [(Statistic, &str, bool); 9] = [
    (Statistic::Sum, "Sum", false),
    (Statistic::Average, "Average", false),
    (Statistic::Minimum, "Minimum", false),
    (Statistic::Maximum, "Maximum", false),
    (Statistic::SampleCount, "SampleCount", false),
    (Statistic::P50, "p50", true),
    (Statistic::P90, "p90", true),
    (Statistic::P95, "p95", true),
    (Statistic::P99, "p99", true),
];

impl Statistic {
    /// CloudWatch's name of it.
    pub(crate) fn name(self) -> &'static str {
        let row = NAMES.iter().find(|(statistic, ..)| *statistic == self);
        row.map_or("", |(_, name, _)| *name)
    }

    /// Whether alarms take it as an extended one.
    pub(crate) fn is_extended(self) -> bool {
        NAMES.iter().any(|(s, _, extended)| *s == self && *extended)
    }

    /// The statistic that CloudWatch calls so.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let row = NAMES.iter().find(|(_, known, _)| *known == name);
        row.map(|(statistic, ..)| *statistic)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_statistic_has_its_name_at_cloudwatch() {
        use Statistic::{Average, Maximum, Minimum, P50, P90, P95, P99, SampleCount, Sum};
        for statistic in [
            Sum,
            Average,
            Minimum,
            Maximum,
            SampleCount,
            P50,
            P90,
            P95,
            P99,
        ] {
            assert_eq!(Statistic::named(statistic.name()), Some(statistic));
        }
        assert!(P99.is_extended() && !Sum.is_extended());
    }
}
