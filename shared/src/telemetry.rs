//! Logs and metrics: JSON lines on standard output, one object each.
//!
//! What is never logged: tokens, codes, verifiers, assertions, secrets, AWS credentials, bodies of
//! provider answers, query strings of redirects, `Debug` output of SDK types (several print secrets
//! in clear), e-mail addresses.

mod invocation;
mod metric;

use std::sync::OnceLock;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

pub use invocation::{Correlation, correlation, invocation, within};
pub use metric::{Metric, Unit};

/// CloudWatch's namespace of our own metrics.
const NAMESPACE: &str = "Tributary";

/// Which function of which stage writes.
static PLACE: OnceLock<Place> = OnceLock::new();

#[derive(Debug, Default)]
struct Place {
    service: &'static str,
    stage: String,
}

/// Starts logging at the level of `LOG_LEVEL` (default `INFO`), and says which function writes. The
/// stage is that of `STAGE`.
///
/// The SDK's and HTTP stack's own targets stay at `WARN`: at `DEBUG` they print requests.
pub fn init(service: &'static str) {
    let stage = std::env::var("STAGE").unwrap_or_default();
    // Nothing was written before, so nobody else can have said it.
    let _ = PLACE.set(Place { service, stage });
    let level = std::env::var("LOG_LEVEL")
        .ok()
        .and_then(|level| level.parse::<LevelFilter>().ok())
        .unwrap_or(LevelFilter::INFO);
    let quiet = LevelFilter::WARN.min(level);
    let mut targets = Targets::new().with_default(level);
    for target in [
        "aws_config",
        "aws_runtime",
        "aws_smithy_runtime",
        "aws_smithy_http_client",
        "aws_sigv4",
        "aws_sdk_sts",
        "hyper",
        "hyper_util",
        "h2",
        "reqwest",
        "rustls",
        "lambda_runtime",
        "lambda_http",
    ] {
        targets = targets.with_target(target, quiet);
    }
    let layer = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_target(true)
        .without_time();
    tracing_subscriber::registry()
        .with(targets)
        .with(layer)
        .init();
    count(Metric::ColdStart);
}

/// Counts one of something.
pub fn count(metric: Metric) {
    emit(metric, 1.0, &[]);
}

/// Writes a value of a metric, in CloudWatch's embedded metric format on standard output.
///
/// The properties are in the log line and, but for what the metric names as its one further dimension,
/// in no dimension: no tenant has a metric of its own.
pub fn emit(metric: Metric, value: f64, properties: &[(&str, Value)]) {
    let nowhere = Place::default();
    let place = PLACE.get().unwrap_or(&nowhere);
    println!(
        "{}",
        line(place, metric, value, properties, Timestamp::now())
    );
}

fn line(
    place: &Place,
    metric: Metric,
    value: f64,
    properties: &[(&str, Value)],
    at: Timestamp,
) -> Value {
    let name = metric.name();
    let mut line = Map::new();
    for (property, value) in properties {
        line.insert((*property).to_owned(), value.clone());
    }
    if let Some(correlation) = correlation() {
        line.insert("correlation_id".to_owned(), json!(correlation.as_str()));
    }
    line.insert("service".to_owned(), json!(place.service));
    line.insert("stage".to_owned(), json!(place.stage));
    line.insert(name.to_owned(), json!(value));
    line.insert(
        "_aws".to_owned(),
        json!({
            "Timestamp": at.as_millisecond(),
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [metric.dimensions()],
                "Metrics": [{ "Name": name, "Unit": metric.unit().as_str() }],
            }],
        }),
    );
    Value::Object(line)
}

/// Seconds from one time to another, for metrics; none if it is later.
pub fn seconds_since(then: Timestamp, now: Timestamp) -> f64 {
    now.duration_since(then).as_secs_f64().max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place {
            service: "flows",
            stage: "prod".to_owned(),
        }
    }

    #[test]
    fn a_metric_is_a_line_that_cloudwatch_takes_apart() {
        let properties = [("duration_ms", json!(12))];
        let written = line(
            &place(),
            Metric::RequestHandled,
            1.0,
            &properties,
            Timestamp::UNIX_EPOCH,
        );
        assert_eq!(
            written,
            json!({
                "_aws": { "Timestamp": 0, "CloudWatchMetrics": [{
                    "Namespace": "Tributary", "Dimensions": [["service", "stage"]],
                    "Metrics": [{ "Name": "RequestHandled", "Unit": "Count" }] }] },
                "service": "flows", "stage": "prod", "RequestHandled": 1.0, "duration_ms": 12,
            })
        );
    }

    #[test]
    fn each_metric_has_its_dimensions_among_its_members_and_no_tenant() {
        for metric in Metric::ALL {
            let properties = [("provider", json!("salesforce"))];
            let written = line(&place(), *metric, 2.0, &properties, Timestamp::UNIX_EPOCH);
            let metrics = &written["_aws"]["CloudWatchMetrics"][0];
            for dimension in metrics["Dimensions"][0].as_array().unwrap() {
                let dimension = dimension.as_str().unwrap();
                assert!(written.get(dimension).is_some(), "{metric:?}");
                assert!(!dimension.to_lowercase().contains("tenant"), "{metric:?}");
            }
            assert_eq!(written[metric.name()], 2.0);
        }
    }
}
