//! `/v1/flows/{id}/metrics`: what AppFlow counts of a flow in CloudWatch, in the account that runs it.
//!
//! AppFlow keeps its metrics by the flow's name and nothing else
//! (<https://docs.aws.amazon.com/appflow/latest/userguide/monitoring-cloudwatch.html>), so they end with it.

mod get;
mod statistic;
mod window;

use serde::{Deserialize, Serialize};
pub(crate) use statistic::Statistic;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::App;

/// Routes of metrics.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get::get_metrics))
}

/// A metric of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Metric {
    /// Runs that started.
    RunsStarted,
    /// Runs that ended with an error.
    RunsFailed,
    /// Runs that ended well.
    RunsSucceeded,
    /// How long runs took, in milliseconds.
    RunTime,
    /// Records that runs tried to move, those that failed included.
    RecordsProcessed,
}

/// What a metric counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Unit {
    /// Runs or records.
    Count,
    /// Milliseconds.
    Milliseconds,
}

impl Metric {
    /// Every metric, with AppFlow's name of it, its unit, and what it is asked for when nothing is said.
    pub(crate) const ALL: [(Self, &'static str, Unit, Statistic); 5] = [
        (
            Self::RunsStarted,
            "FlowExecutionsStarted",
            Unit::Count,
            Statistic::Sum,
        ),
        (
            Self::RunsFailed,
            "FlowExecutionsFailed",
            Unit::Count,
            Statistic::Sum,
        ),
        (
            Self::RunsSucceeded,
            "FlowExecutionsSucceeded",
            Unit::Count,
            Statistic::Sum,
        ),
        (
            Self::RunTime,
            "FlowExecutionTime",
            Unit::Milliseconds,
            Statistic::Average,
        ),
        (
            Self::RecordsProcessed,
            "FlowExecutionRecordsProcessed",
            Unit::Count,
            Statistic::Sum,
        ),
    ];

    fn row(self) -> (&'static str, Unit, Statistic) {
        let row = Self::ALL.iter().find(|(metric, ..)| *metric == self);
        // Each metric has a row: the test below walks them.
        row.map_or(
            ("", Unit::Count, Statistic::Sum),
            |(_, name, unit, usual)| (*name, *unit, *usual),
        )
    }

    /// AppFlow's name of it.
    pub(crate) fn appflow_name(self) -> &'static str {
        self.row().0
    }

    /// What it counts.
    pub(crate) fn unit(self) -> Unit {
        self.row().1
    }

    /// The statistic that is meant when none is given.
    pub(crate) fn usual(self) -> Statistic {
        self.row().2
    }

    /// The metric that AppFlow calls so.
    pub(crate) fn of_appflow(name: &str) -> Option<Self> {
        let mut rows = Self::ALL.iter();
        let (metric, ..) = rows.find(|(_, known, ..)| *known == name)?;
        Some(*metric)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_metric_has_its_name_at_appflow() {
        use Metric::{RecordsProcessed, RunTime, RunsFailed, RunsStarted, RunsSucceeded};
        for metric in [
            RunsStarted,
            RunsFailed,
            RunsSucceeded,
            RunTime,
            RecordsProcessed,
        ] {
            let name = metric.appflow_name();
            assert!(name.starts_with("FlowExecution"), "{metric:?}");
            assert_eq!(Metric::of_appflow(name), Some(metric));
        }
        assert_eq!(Metric::of_appflow("CPUUtilization"), None);
    }
}
