//! What an alarm must keep to, so that CloudWatch takes it.

use tributary::{
    error::{Error, Fault},
    id::FlowId,
};

use super::{
    name::AlarmName,
    view::{AlarmInput, MissingData, description},
};
use crate::cloudwatch::{AlarmSpec, DIMENSION, Dimension, NAMESPACE};

const HOUR: u32 = 3_600;
const DAY: u32 = 86_400;
const WEEK: u32 = 7 * DAY;

/// The alarm as CloudWatch is asked for it, or everything that is wrong with it.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html>
pub(super) fn spec(
    alarm: &AlarmInput,
    flow: FlowId,
    appflow_name: &str,
) -> Result<AlarmSpec, Error> {
    let faults = faults(alarm);
    if !faults.is_empty() {
        return Err(Error::unprocessable(
            "invalid_alarm",
            "The alarm breaks rules.",
            faults,
        ));
    }
    let statistic = alarm.statistic.unwrap_or(alarm.metric.usual());
    let missing = alarm.treat_missing_data.unwrap_or(MissingData::Missing);
    Ok(AlarmSpec {
        alarm_name: format!("{appflow_name}-{}", alarm.name),
        alarm_description: description(flow),
        namespace: NAMESPACE,
        metric_name: alarm.metric.appflow_name(),
        dimensions: vec![Dimension {
            name: DIMENSION.to_owned(),
            value: appflow_name.to_owned(),
        }],
        statistic: (!statistic.is_extended()).then(|| statistic.name()),
        extended_statistic: statistic.is_extended().then(|| statistic.name()),
        period: alarm.period,
        evaluation_periods: alarm.evaluation_periods,
        datapoints_to_alarm: alarm
            .datapoints_to_alarm
            .unwrap_or(alarm.evaluation_periods),
        threshold: alarm.threshold,
        comparison_operator: alarm.comparison.word(),
        treat_missing_data: missing.word(),
    })
}

fn faults(alarm: &AlarmInput) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut fault = |pointer: &str, code: &'static str, detail: String| {
        faults.push(Fault::new(pointer, code, detail));
    };
    if let Err(error) = alarm.name.parse::<AlarmName>() {
        fault("/name", "invalid", error.to_string());
    }
    let period = alarm.period;
    if !period.is_multiple_of(60) || !(60..=DAY).contains(&period) {
        let detail = "A multiple of 60 seconds, up to 86400.".to_owned();
        fault("/period", "out_of_range", detail);
    }
    let longest = if period < HOUR { DAY } else { WEEK };
    let looked_at = period.saturating_mul(alarm.evaluation_periods);
    if alarm.evaluation_periods == 0 || looked_at > longest {
        let detail = format!("At least one period, and {longest} seconds together at most.");
        fault("/evaluationPeriods", "out_of_range", detail);
    }
    if let Some(datapoints) = alarm.datapoints_to_alarm
        && !(1..=alarm.evaluation_periods).contains(&datapoints)
    {
        let detail = "At least 1, and no more than evaluationPeriods.".to_owned();
        fault("/datapointsToAlarm", "out_of_range", detail);
    }
    faults
}

/// A sound alarm, for tests.
#[cfg(test)]
pub(super) fn sample() -> AlarmInput {
    use super::view::AlarmComparison;
    use crate::metrics::Metric;

    AlarmInput {
        name: "failures".to_owned(),
        metric: Metric::RunsFailed,
        statistic: None,
        comparison: AlarmComparison::GreaterThanOrEqual,
        threshold: 1.0,
        period: 300,
        evaluation_periods: 3,
        datapoints_to_alarm: Some(2),
        treat_missing_data: Some(MissingData::NotBreaching),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Statistic;

    #[test]
    fn a_sound_alarm_is_put_on_the_flows_metric_under_a_name_that_begins_with_the_flows() {
        let flow = FlowId::new();
        let spec = spec(&sample(), flow, "tributary-t-f").unwrap();
        assert_eq!(spec.alarm_name, "tributary-t-f-failures");
        assert_eq!(spec.metric_name, "FlowExecutionsFailed");
        assert_eq!(spec.dimensions[0].value, "tributary-t-f");
        assert_eq!(
            (spec.statistic, spec.extended_statistic),
            (Some("Sum"), None)
        );
        let slow = AlarmInput {
            statistic: Some(Statistic::P99),
            ..sample()
        };
        let spec = super::spec(&slow, flow, "tributary-t-f").unwrap();
        assert_eq!(
            (spec.statistic, spec.extended_statistic),
            (None, Some("p99"))
        );
    }

    #[test]
    fn each_rule_that_is_broken_is_told() {
        let good = sample();
        for (alarm, pointer) in [
            (
                AlarmInput {
                    name: "A b".to_owned(),
                    ..good.clone()
                },
                "/name",
            ),
            (
                AlarmInput {
                    period: 90,
                    ..good.clone()
                },
                "/period",
            ),
            (
                AlarmInput {
                    period: 0,
                    ..good.clone()
                },
                "/period",
            ),
            (
                AlarmInput {
                    period: 172_800,
                    evaluation_periods: 2,
                    ..good.clone()
                },
                "/period",
            ),
            (
                AlarmInput {
                    evaluation_periods: 289,
                    ..good.clone()
                },
                "/evaluationPeriods",
            ),
            (
                AlarmInput {
                    period: 3_600,
                    evaluation_periods: 169,
                    ..good.clone()
                },
                "/evaluationPeriods",
            ),
            (
                AlarmInput {
                    datapoints_to_alarm: Some(4),
                    ..good.clone()
                },
                "/datapointsToAlarm",
            ),
            (
                AlarmInput {
                    datapoints_to_alarm: Some(0),
                    ..good.clone()
                },
                "/datapointsToAlarm",
            ),
        ] {
            let error = spec(&alarm, FlowId::new(), "tributary-t-f").unwrap_err();
            let told = format!("{:?}", error.faults());
            assert_eq!(error.faults().len(), 1, "{told}");
            assert!(told.contains(pointer), "{told}");
        }
        let week = AlarmInput {
            period: 3_600,
            evaluation_periods: 168,
            ..good
        };
        assert!(spec(&week, FlowId::new(), "tributary-t-f").is_ok());
    }
}
