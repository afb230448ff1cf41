//! Requests and answers, as far as they are used. Times are epoch seconds, as AWS JSON writes them.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::{Value, json};

use super::{DIMENSION, NAMESPACE};

/// A metric that is wanted, in CloudWatch's words.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    /// Name of the metric.
    pub(crate) metric: &'static str,
    /// `Sum`, `p99`, ...
    pub(crate) statistic: &'static str,
}

impl Wanted {
    pub(super) fn query(self, at: usize, flow: &str, period: u32) -> Value {
        json!({
            "Id": id(at),
            "MetricStat": {
                "Metric": {
                    "Namespace": NAMESPACE,
                    "MetricName": self.metric,
                    "Dimensions": [{ "Name": DIMENSION, "Value": flow }],
                },
                "Period": period,
                "Stat": self.statistic,
            },
        })
    }
}

fn id(at: usize) -> String {
    format!("m{at}")
}

/// The points of a metric: when a period begins, and its value.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Series(pub(crate) Vec<(Timestamp, f64)>);

/// A page of data.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Data {
    #[serde(default)]
    metric_data_results: Vec<OneResult>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OneResult {
    id: String,
    #[serde(default)]
    timestamps: Vec<Instant>,
    #[serde(default)]
    values: Vec<f64>,
}

impl Data {
    pub(super) fn next(&self) -> Option<String> {
        self.next_token.clone().filter(|token| !token.is_empty())
    }

    /// Adds a page's points to those of the pages before it.
    pub(super) fn add_to(self, series: &mut [Series]) {
        for result in self.metric_data_results {
            let mut wanted = series.iter_mut().enumerate();
            if let Some((_, series)) = wanted.find(|(at, _)| id(*at) == result.id) {
                let times = result.timestamps.into_iter().map(|Instant(at)| at);
                series.0.extend(times.zip(result.values));
            }
        }
    }
}

/// An alarm on one metric, as it is put.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AlarmSpec {
    pub(crate) alarm_name: String,
    pub(crate) alarm_description: String,
    pub(crate) namespace: &'static str,
    pub(crate) metric_name: &'static str,
    pub(crate) dimensions: Vec<Dimension>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) statistic: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) extended_statistic: Option<&'static str>,
    pub(crate) period: u32,
    pub(crate) evaluation_periods: u32,
    pub(crate) datapoints_to_alarm: u32,
    pub(crate) threshold: f64,
    pub(crate) comparison_operator: &'static str,
    pub(crate) treat_missing_data: &'static str,
}

/// A dimension of a metric.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Dimension {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// A page of alarms.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Alarms {
    #[serde(default)]
    pub(super) metric_alarms: Vec<KeptAlarm>,
    pub(super) next_token: Option<String>,
}

/// An alarm, as CloudWatch has it. Alarms on expressions have no metric of their own.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct KeptAlarm {
    pub(crate) alarm_name: String,
    pub(crate) alarm_description: Option<String>,
    pub(crate) namespace: Option<String>,
    pub(crate) metric_name: Option<String>,
    pub(crate) dimensions: Vec<Dimension>,
    pub(crate) statistic: Option<String>,
    pub(crate) extended_statistic: Option<String>,
    pub(crate) period: Option<u32>,
    pub(crate) evaluation_periods: u32,
    pub(crate) datapoints_to_alarm: Option<u32>,
    pub(crate) threshold: Option<f64>,
    pub(crate) comparison_operator: String,
    pub(crate) treat_missing_data: Option<String>,
    pub(crate) state_value: String,
    pub(crate) state_reason: Option<String>,
    #[serde(deserialize_with = "instant")]
    pub(crate) state_updated_timestamp: Option<Timestamp>,
    #[serde(deserialize_with = "instant")]
    pub(crate) alarm_configuration_updated_timestamp: Option<Timestamp>,
}

/// A refusal, in either spelling.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Refused {
    #[serde(rename = "__type")]
    pub(super) kind: Option<String>,
    #[serde(alias = "Message")]
    pub(super) message: Option<String>,
}

/// A time.
#[derive(Debug, Clone, Copy)]
struct Instant(Timestamp);

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "what an integer does not hold saturates, and is no time"
        )]
        let millis = (seconds * 1_000.0).round() as i64;
        Timestamp::from_millisecond(millis)
            .map(Self)
            .map_err(de::Error::custom)
    }
}

fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    Ok(Option::<Instant>::deserialize(deserializer)?.map(|Instant(at)| at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_points_are_put_together_by_metric() {
        let page = |value: Value| serde_json::from_value::<Data>(value).unwrap();
        let mut series = vec![Series::default(); 2];
        page(json!({ "MetricDataResults": [
            { "Id": "m0", "Label": "a", "Timestamps": [1_790_000_000], "Values": [2.0], "StatusCode": "PartialData" },
            { "Id": "m1", "Timestamps": [], "Values": [] },
            { "Id": "m7", "Timestamps": [1_790_000_000], "Values": [9.0] }], "NextToken": "n" }))
        .add_to(&mut series);
        page(json!({ "MetricDataResults": [{ "Id": "m0", "Timestamps": [1_790_000_300.0], "Values": [1] }] }))
            .add_to(&mut series);
        let values: Vec<f64> = series[0].0.iter().map(|(_, value)| *value).collect();
        assert_eq!(values, [2.0, 1.0]);
        assert_eq!(series[0].0[1].0.as_second(), 1_790_000_300);
        assert_eq!(series[1], Series::default());
        assert_eq!(page(json!({ "NextToken": "" })).next(), None);
    }

    #[test]
    fn an_alarm_of_somebody_else_is_read_too() {
        let alarms: Alarms = serde_json::from_value(json!({ "MetricAlarms": [
            { "AlarmName": "math", "EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanUpperThreshold",
              "Metrics": [{ "Id": "e1", "Expression": "m1/m2" }], "StateValue": "OK",
              "StateUpdatedTimestamp": 1.790_000_000_5e9 }] }))
        .unwrap();
        let alarm = &alarms.metric_alarms[0];
        assert_eq!(alarm.metric_name, None);
        let at = alarm.state_updated_timestamp.unwrap();
        assert_eq!(at.as_millisecond(), 1_790_000_000_500);
    }
}
