//! `CloudWatch Alarm State Change`, with the members that AWS documents.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html>

use sandbox_core::REGION;
use serde_json::{Map, Value, json};

use super::alarm::{Alarm, Change, Stand};

pub(super) fn changed(account: &str, alarm: &Alarm, change: &Change) -> Value {
    let mut configuration = json!({
        "metrics": [{
            "id": uuid::Uuid::new_v4().to_string(),
            "metricStat": {
                "metric": {
                    "dimensions": alarm.metric.dimensions,
                    "name": alarm.metric.name,
                    "namespace": alarm.metric.namespace,
                },
                "period": alarm.period,
                "stat": alarm.statistic_name,
            },
            "returnData": true,
        }],
    });
    if let Some(description) = &alarm.description {
        configuration["description"] = json!(description);
    }
    json!({
        "version": "0",
        "id": uuid::Uuid::new_v4().to_string(),
        "detail-type": "CloudWatch Alarm State Change",
        "source": "aws.cloudwatch",
        "account": account,
        "time": change.to.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "region": REGION,
        "resources": [alarm.arn],
        "detail": {
            "alarmName": alarm.name,
            "configuration": configuration,
            "previousState": stand(alarm, &change.from),
            "state": stand(alarm, &change.to),
        },
    })
}

fn stand(alarm: &Alarm, stand: &Stand) -> Map<String, Value> {
    let data = json!({
        "version": "1.0",
        "queryDate": stand.at.strftime("%Y-%m-%dT%H:%M:%S%.3f+0000").to_string(),
        "statistic": alarm.statistic_name,
        "period": alarm.period,
        "recentDatapoints": stand.recent,
        "threshold": alarm.threshold,
    });
    Map::from_iter([
        ("reason".to_owned(), json!(stand.reason)),
        ("reasonData".to_owned(), json!(data.to_string())),
        (
            "timestamp".to_owned(),
            json!(stand.at.strftime("%Y-%m-%dT%H:%M:%S%.3f+0000").to_string()),
        ),
        ("value".to_owned(), json!(stand.state.as_str())),
    ])
}
