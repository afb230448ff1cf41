//! `CloudWatch Alarm State Change`, as CloudWatch documents it.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html>

use serde_json::Value;

use super::{AlarmNews, AlarmState, FlowReference, account, envelope_time, name, timestamp};
use crate::{Rejected, failure::clean};

/// AppFlow's metrics, and the one dimension that they have.
const NAMESPACE: &str = "AWS/AppFlow";
const DIMENSION: &str = "FlowName";

/// AppFlow's metrics and what they are called here.
const METRICS: [(&str, &str); 5] = [
    ("FlowExecutionsStarted", "runsStarted"),
    ("FlowExecutionsFailed", "runsFailed"),
    ("FlowExecutionsSucceeded", "runsSucceeded"),
    ("FlowExecutionTime", "runTime"),
    ("FlowExecutionRecordsProcessed", "recordsProcessed"),
];

pub(super) fn parse(event: &Value) -> Result<AlarmNews, Rejected> {
    if event["detail-type"] != "CloudWatch Alarm State Change" {
        return Err(Rejected::UnknownDetailType);
    }
    let detail = &event["detail"];
    let alarm = name(&detail["alarmName"]).ok_or(Rejected::Malformed("it names no alarm"))?;
    let metrics = detail["configuration"]["metrics"].as_array();
    let metric = metrics
        .into_iter()
        .flatten()
        .map(|one| &one["metricStat"]["metric"])
        .find(|metric| metric["namespace"] == NAMESPACE)
        .ok_or(Rejected::Malformed(
            "its alarm is not on a metric of a flow",
        ))?;
    let unverified_name = name(&metric["dimensions"][DIMENSION]).ok_or(Rejected::Malformed(
        "its alarm is not on a metric of a flow",
    ))?;
    // The flow's name is in the alarm's, and stays the flow's whatever the alarm is called.
    let unverified_alarm = alarm
        .strip_prefix(unverified_name.as_str())
        .and_then(|rest| rest.strip_prefix('-'))
        .filter(|rest| !rest.is_empty())
        .ok_or(Rejected::Malformed("its alarm is not one of the flow"))?
        .to_owned();
    let state = state(&detail["state"]["value"])
        .ok_or(Rejected::Malformed("it does not say how the alarm stands"))?;
    let at = match timestamp(&detail["state"]["timestamp"]) {
        Some(at) => at,
        None => envelope_time(event)?,
    };
    let known = METRICS
        .into_iter()
        .find(|(name, _)| metric["name"] == *name);
    Ok(AlarmNews {
        flow: FlowReference {
            unverified_account: account(event)?,
            unverified_name,
        },
        unverified_alarm,
        metric: known.map(|(_, ours)| ours),
        state,
        was: self::state(&detail["previousState"]["value"]),
        at,
        reason: detail["state"]["reason"].as_str().map(clean),
    })
}

fn state(value: &Value) -> Option<AlarmState> {
    Some(match value.as_str()? {
        "OK" => AlarmState::Ok,
        "ALARM" => AlarmState::Alarm,
        "INSUFFICIENT_DATA" => AlarmState::InsufficientData,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::input::{Input, parse as parse_input};

    fn sample() -> Value {
        serde_json::from_str(include_str!(
            "../../../../events/run-events/alarm-of-unknown-flow.json"
        ))
        .unwrap()
    }

    #[test]
    fn an_alarm_is_read_with_the_members_that_cloudwatch_documents() {
        let Ok(Input::Alarm(news)) = parse_input(&sample()) else {
            panic!("an alarm");
        };
        assert_eq!(news.flow.unverified_account, "222222222222");
        assert!(news.flow.unverified_name.starts_with("tributary-ten_"));
        assert_eq!(news.unverified_alarm, "failures");
        assert_eq!(news.metric, Some("runsFailed"));
        assert_eq!(
            (news.state, news.was),
            (AlarmState::Alarm, Some(AlarmState::Ok))
        );
        assert_eq!(news.at, "2026-11-20T10:05:40.989Z".parse().unwrap());
        assert!(news.reason.unwrap().contains("Threshold Crossed"));
    }

    #[test]
    fn what_is_no_alarm_of_a_flow_is_malformed() {
        for (pointer, value) in [
            ("/detail/alarmName", json!("tributary-other-failures")),
            ("/detail/alarmName", json!(null)),
            ("/detail/state/value", json!("BROKEN")),
            ("/detail/configuration/metrics", json!([])),
            (
                "/detail/configuration/metrics/0/metricStat/metric/namespace",
                json!("AWS/EC2"),
            ),
            (
                "/detail/configuration/metrics/0/metricStat/metric/dimensions",
                json!({ "InstanceId": "i-1" }),
            ),
            ("/account", json!("2")),
        ] {
            let mut event = sample();
            *event.pointer_mut(pointer).unwrap() = value;
            assert!(
                matches!(parse_input(&event), Err(Rejected::Malformed(_))),
                "{pointer}"
            );
        }
        let mut other = sample();
        other["detail-type"] = json!("CloudWatch Alarm Configuration Change");
        assert!(matches!(
            parse_input(&other),
            Err(Rejected::UnknownDetailType)
        ));
    }
}
