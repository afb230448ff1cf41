//! `PutMetricData` and `GetMetricData`.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Answer, ApiError, Asked, metric};
use crate::cloudwatch::{CloudWatch, series::Statistic};

/// Most queries of one request.
const QUERIES: usize = 500;
/// Most points of one answer, and what is given when none is asked for.
const POINTS: usize = 100_800;
/// The finest period that data of an age is kept at: age in seconds, period.
const KEPT: [(i64, i64); 3] = [
    (15 * 24 * 3_600, 60),
    (63 * 24 * 3_600, 300),
    (455 * 24 * 3_600, 3_600),
];

pub(super) fn put(cloudwatch: &CloudWatch, asked: &Asked) -> Answer {
    let namespace = asked.required("Namespace")?;
    if namespace.starts_with("AWS/") {
        return Err(ApiError::invalid(
            "The value AWS/ for parameter Namespace is invalid.",
        ));
    }
    for datum in asked.list("MetricData") {
        let name = datum["MetricName"].as_str().unwrap_or_default();
        let dimensions = datum["Dimensions"].as_array().cloned().unwrap_or_default();
        let metric = metric(namespace, name, &dimensions)?;
        let at = datum["Timestamp"].as_f64().and_then(seconds);
        let at = at.unwrap_or_else(|| cloudwatch.clock.now());
        let value = datum["Value"]
            .as_f64()
            .ok_or_else(|| ApiError::missing("Value"))?;
        cloudwatch.with(&asked.account, |account| {
            account.metrics.entry(metric).or_default().push(at, value);
        });
    }
    Ok(json!({}))
}

/// One page: points are counted over all queries, and the token says how many went before.
pub(super) fn get(cloudwatch: &CloudWatch, asked: &Asked) -> Answer {
    let span = (time(asked, "StartTime")?, time(asked, "EndTime")?);
    if span.0 >= span.1 {
        return Err(ApiError(
            "ValidationError",
            "ValidationError",
            "The parameter StartTime must be less than the parameter EndTime.".to_owned(),
        ));
    }
    let queries = asked.list("MetricDataQueries");
    if queries.is_empty() {
        return Err(ApiError::missing("MetricDataQueries"));
    }
    if queries.len() > QUERIES {
        return Err(ApiError(
            "ValidationError",
            "ValidationError",
            format!(
                "The collection MetricDataQueries must not have a size greater than {QUERIES}."
            ),
        ));
    }
    let most = match asked.whole("MaxDatapoints") {
        None => POINTS,
        Some(most) => usize::try_from(most)
            .ok()
            .filter(|most| (1..=POINTS).contains(most))
            .ok_or_else(|| ApiError::invalid("MaxDatapoints"))?,
    };
    let skipped: usize = match asked.text("NextToken") {
        None => 0,
        Some(token) => token
            .strip_prefix("after-")
            .and_then(|count| count.parse().ok())
            .ok_or_else(|| {
                ApiError(
                    "InvalidNextToken",
                    "InvalidNextToken",
                    "Invalid token".to_owned(),
                )
            })?,
    };
    let newest_first = asked.text("ScanBy") != Some("TimestampAscending");
    let (mut passed, mut taken, mut more) = (0, 0, false);
    let mut results = Vec::new();
    for query in queries {
        let mut points = points(cloudwatch, asked, query, span)?;
        if newest_first {
            points.reverse();
        }
        let (mut timestamps, mut values) = (Vec::new(), Vec::new());
        let mut complete = true;
        for (at, value) in points {
            passed += 1;
            if passed <= skipped {
                continue;
            }
            if taken == most {
                (more, complete) = (true, false);
                break;
            }
            taken += 1;
            timestamps.push(at);
            values.push(value);
        }
        let id = query["Id"].as_str().unwrap_or_default();
        let name = query["MetricStat"]["Metric"]["MetricName"].as_str();
        results.push(json!({
            "Id": id,
            "Label": name.unwrap_or_default(),
            "Timestamps": timestamps,
            "Values": values,
            "StatusCode": if complete { "Complete" } else { "PartialData" },
        }));
    }
    let mut answer = json!({ "MetricDataResults": results, "Messages": [] });
    if more {
        answer["NextToken"] = json!(format!("after-{}", skipped + taken));
    }
    Ok(answer)
}

fn points(
    cloudwatch: &CloudWatch,
    asked: &Asked,
    query: &Value,
    span: (i64, i64),
) -> Result<Vec<(i64, f64)>, ApiError> {
    let stat = &query["MetricStat"];
    let period = stat["Period"]
        .as_i64()
        .ok_or_else(|| ApiError::missing("Period"))?;
    let age = cloudwatch.clock.now().as_second() - span.0;
    let finest = KEPT.iter().find(|(kept, _)| age <= *kept);
    let finest = finest.map_or(3_600, |(_, period)| *period);
    if period <= 0 || period % 60 != 0 || period % finest != 0 {
        return Err(ApiError::invalid(format!(
            "The period must be a multiple of {finest} for data of this age."
        )));
    }
    let statistic = stat["Stat"].as_str().and_then(Statistic::parse);
    let statistic = statistic.ok_or_else(|| ApiError::invalid("Stat"))?;
    let asked_for = &stat["Metric"];
    let dimensions = asked_for["Dimensions"].as_array().cloned();
    let metric = metric(
        asked_for["Namespace"].as_str().unwrap_or_default(),
        asked_for["MetricName"].as_str().unwrap_or_default(),
        &dimensions.unwrap_or_default(),
    )?;
    Ok(cloudwatch.with(&asked.account, |account| {
        let series = account.metrics.get(&metric);
        series.map_or_else(Vec::new, |series| series.periods(span, period, statistic))
    }))
}

fn time(asked: &Asked, member: &str) -> Result<i64, ApiError> {
    let given = asked
        .body
        .get(member)
        .and_then(Value::as_f64)
        .and_then(seconds);
    given
        .map(Timestamp::as_second)
        .ok_or_else(|| ApiError::missing(member))
}

/// Epoch seconds, as AWS JSON writes times.
fn seconds(given: f64) -> Option<Timestamp> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a time outside of what an integer holds saturates, and is refused then"
    )]
    let millis = (given * 1_000.0) as i64;
    Timestamp::from_millisecond(millis).ok()
}
