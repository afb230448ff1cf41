//! `GET /v1/flows/{id}/metrics`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tributary::{error::Error, http::Problem, id::FlowId};
use utoipa::{IntoParams, ToSchema};

use super::{Metric, Statistic, Unit, window::Window};
use crate::{
    App, accounts,
    cloudwatch::{self, Series, Wanted},
    edge::{Typed, Viewer, id_in_path, json},
    flows,
};

/// Which metrics, and of when.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct MetricsQuery {
    /// The metric; all five if absent.
    #[param(inline)]
    metric: Option<Metric>,
    /// What is made of each period's values; the sum if absent, and for `runTime` the average.
    #[param(inline)]
    statistic: Option<Statistic>,
    /// Seconds of a period: a multiple of 60 up to 86400; of 300 for data older than 15 days and of 3600 for
    /// data older than 63 days. If absent, the finest of 5 and 15 minutes, 1 and 6 hours and a day that fits.
    #[param(minimum = 60, maximum = 86400, example = 300)]
    period: Option<u32>,
    /// From when; a day before `to` if absent, and 455 days ago at most. Rounded down to a whole period.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Up to when; now if absent. Rounded up to a whole period.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
}

/// Metrics of a flow.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FlowMetrics {
    /// The flow.
    flow_id: FlowId,
    /// Seconds of a period.
    #[schema(example = 300)]
    period: u32,
    /// When the first period begins.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T09:00:00Z")]
    from: Timestamp,
    /// When the last period ends.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:00:00Z")]
    to: Timestamp,
    /// The metrics that were asked for.
    metrics: Vec<MetricView>,
}

/// A metric with its points.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MetricView {
    metric: Metric,
    statistic: Statistic,
    unit: Unit,
    /// Its points, oldest first. Periods in which nothing was counted have none.
    points: Vec<Point>,
}

/// The value of one period.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Point {
    /// When the period begins.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T09:05:00Z")]
    at: Timestamp,
    /// The value.
    #[schema(example = 3.0)]
    value: f64,
}

/// Reads a flow's metrics from CloudWatch in the account that runs it.
#[utoipa::path(get, path = "/v1/flows/{id}/metrics", tag = "flows", params(
    ("id" = FlowId, Path, description = "The flow"),
    MetricsQuery,
), responses(
    (status = 200, body = FlowMetrics),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get_metrics(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    Typed(query): Typed<MetricsQuery>,
) -> Result<Response, Error> {
    let app = app.within(&viewer.scope);
    let flow = flows::find(&app, viewer.tenant, id_in_path(&id)?).await?;
    let window = Window::of((query.from, query.to), query.period, Timestamp::now())?;
    let wanted = wanted(&query);
    let names: Vec<Wanted> = wanted
        .iter()
        .map(|(metric, statistic)| Wanted {
            metric: metric.appflow_name(),
            statistic: statistic.name(),
        })
        .collect();
    let account = accounts::find(&app, viewer.tenant, flow.account_id).await?;
    let (name, _) = flow.place();
    let series = cloudwatch::of(&app, &account)
        .await?
        .data(name, &names, (window.from, window.to), window.period)
        .await?;
    let metrics = wanted.into_iter().zip(series).map(view).collect();
    let metrics = FlowMetrics {
        flow_id: flow.id(),
        period: window.period,
        from: Timestamp::from_second(window.from).unwrap_or_default(),
        to: Timestamp::from_second(window.to).unwrap_or_default(),
        metrics,
    };
    json(StatusCode::OK, &metrics)
}

fn wanted(query: &MetricsQuery) -> Vec<(Metric, Statistic)> {
    let metrics = match query.metric {
        Some(metric) => vec![metric],
        None => Metric::ALL.iter().map(|(metric, ..)| *metric).collect(),
    };
    let statistic = |metric: Metric| query.statistic.unwrap_or(metric.usual());
    metrics
        .into_iter()
        .map(|metric| (metric, statistic(metric)))
        .collect()
}

fn view(((metric, statistic), Series(points)): ((Metric, Statistic), Series)) -> MetricView {
    MetricView {
        metric,
        statistic,
        unit: match statistic {
            Statistic::SampleCount => Unit::Count,
            _ => metric.unit(),
        },
        points: points
            .into_iter()
            .map(|(at, value)| Point { at, value })
            .collect(),
    }
}
