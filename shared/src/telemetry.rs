//! Logs: JSON lines on standard output, one object each.
//!
//! What is never logged: tokens, codes, verifiers, assertions, secrets, AWS credentials, bodies of
//! provider answers, query strings of redirects, `Debug` output of SDK types (several print secrets
//! in clear), e-mail addresses.

use jiff::Timestamp;
use serde_json::json;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

/// Starts logging at the level of `LOG_LEVEL` (default `INFO`).
///
/// The SDK's and HTTP stack's own targets stay at `WARN`: at `DEBUG` they print requests.
pub fn init() {
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
}

/// Counts one of something that an alarm watches, in CloudWatch's embedded metric format on standard
/// output.
pub fn count(stage: &str, name: &str) {
    let line = json!({
        "_aws": {
            "Timestamp": Timestamp::now().as_millisecond(),
            "CloudWatchMetrics": [{
                "Namespace": "Tributary",
                "Dimensions": [["stage"]],
                "Metrics": [{ "Name": name, "Unit": "Count" }],
            }],
        },
        "stage": stage,
        name: 1,
    });
    println!("{line}");
}
