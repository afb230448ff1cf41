//! CloudWatch: data know no resource, alarms do.

use serde_json::Value;

use super::{Ask, Need, Unmapped};

pub(super) fn needs(ask: &Ask<'_>) -> Result<Vec<Need>, Unmapped> {
    let action = format!("cloudwatch:{}", ask.operation);
    let on = |alarm: &str| Need::new(&action, &ask.arn("cloudwatch", &format!("alarm:{alarm}")));
    let names = || {
        let names = ask.body["AlarmNames"].as_array();
        names.into_iter().flatten().filter_map(Value::as_str)
    };
    match ask.operation {
        "GetMetricData" => Ok(vec![Need::new(&action, "*")]),
        "PutMetricAlarm" => Ok(vec![on(ask.text("AlarmName"))]),
        "DeleteAlarms" => Ok(names().map(on).collect()),
        // A list by prefix is asked for as a list of all alarms.
        "DescribeAlarms" => Ok(vec![on("*")]),
        _ => Err(Unmapped::Operation),
    }
}
