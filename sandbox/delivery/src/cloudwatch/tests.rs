use bytes::Bytes;
use http::{HeaderMap, Method};
use sandbox_core::{Faults, Journal, Principal, Queues, Received};
use serde_json::json;

use super::*;
use crate::{Input, RuleSpec, TargetSpec};

const ACCOUNT: &str = "222222222222";

/// Queues that keep what they are sent.
#[derive(Default)]
struct Kept(Mutex<Vec<Value>>);

impl Queues for Kept {
    fn send<'a>(
        &'a self,
        _queue_arn: &'a str,
        body: String,
        _attributes: BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<(), String>> {
        lock(&self.0).push(serde_json::from_str(&body).unwrap());
        Box::pin(async { Ok(()) })
    }

    fn receive<'a>(
        &'a self,
        _queue_arn: &'a str,
        _most: usize,
    ) -> BoxFuture<'a, Result<Vec<Received>, String>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn delete<'a>(
        &'a self,
        _queue_arn: &'a str,
        _receipt_handle: &'a str,
    ) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async { Ok(()) })
    }

    fn release<'a>(
        &'a self,
        _queue_arn: &'a str,
        _receipt_handle: &'a str,
        _after: Duration,
    ) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async { Ok(()) })
    }
}

struct World {
    cloudwatch: CloudWatch,
    clock: Clock,
    events: Arc<EventBridge>,
    kept: Arc<Kept>,
}

impl World {
    fn new() -> Self {
        let (clock, kept) = (Clock::default(), Arc::new(Kept::default()));
        let queues: Arc<dyn Queues> = Arc::clone(&kept) as _;
        let events = EventBridge::new(clock.clone(), Journal::default(), Faults::default(), queues);
        let events = Arc::new(events);
        let target = TargetSpec {
            id: "kept".to_owned(),
            arn: format!("arn:aws:sqs:us-east-1:{ACCOUNT}:kept"),
            role_arn: None,
            dead_letter_arn: None,
            input: Input::Event,
        };
        let rule = RuleSpec {
            name: "alarms".to_owned(),
            pattern: json!({ "source": ["aws.cloudwatch"] }),
            targets: vec![target],
        };
        events.put_rule(ACCOUNT, "default", rule).unwrap();
        Self {
            cloudwatch: CloudWatch::new(clock.clone(), Arc::clone(&events)),
            clock,
            events,
            kept,
        }
    }

    async fn call(&self, account: &str, operation: &str, body: Value) -> Result<Value, String> {
        let mut headers = HeaderMap::new();
        let target = format!("GraniteServiceVersion20100801.{operation}");
        headers.insert("x-amz-target", target.parse().unwrap());
        let reply = self
            .cloudwatch
            .handle(AwsCall {
                principal: Principal {
                    access_key_id: "AKIAEXAMPLE".to_owned(),
                    account: account.to_owned(),
                    arn: format!("arn:aws:iam::{account}:user/a"),
                    role_arn: None,
                    tags: BTreeMap::new(),
                    on_behalf_of: None,
                },
                region: "us-east-1".to_owned(),
                service: "monitoring".to_owned(),
                method: Method::POST,
                path: "/".to_owned(),
                query: String::new(),
                headers,
                body: Bytes::from(body.to_string()),
            })
            .await;
        let answer: Value = serde_json::from_slice(&reply.body).unwrap();
        if reply.status.is_success() {
            Ok(answer)
        } else {
            let kind = answer["__type"].as_str().unwrap();
            Err(kind.rsplit('#').next().unwrap().to_owned())
        }
    }

    fn failed(&self, flow: &str) {
        let by = ("FlowName", flow);
        self.cloudwatch
            .record(ACCOUNT, "AWS/AppFlow", "FlowExecutionsFailed", by, 1.0);
    }

    /// Moves on by minutes, and answers the states that were told since.
    async fn forward(&self, minutes: u64) -> Vec<String> {
        self.clock.advance(Duration::from_secs(minutes * 60));
        self.cloudwatch.evaluate();
        self.events.settled().await;
        let told = std::mem::take(&mut *lock(&self.kept.0));
        told.iter()
            .map(|event| {
                event["detail"]["state"]["value"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .collect()
    }

    fn query(&self, period: i64, statistic: &str) -> Value {
        let now = self.clock.now().as_second();
        json!({
            "StartTime": now - 3_600, "EndTime": now + 60, "ScanBy": "TimestampAscending",
            "MetricDataQueries": [{ "Id": "m", "MetricStat": { "Period": period, "Stat": statistic,
                "Metric": { "Namespace": "AWS/AppFlow", "MetricName": "FlowExecutionsFailed",
                    "Dimensions": [{ "Name": "FlowName", "Value": "orders" }] } } }],
        })
    }
}

fn alarm(missing: &str) -> Value {
    json!({
        "AlarmName": "failed", "Namespace": "AWS/AppFlow", "MetricName": "FlowExecutionsFailed",
        "Dimensions": [{ "Name": "FlowName", "Value": "orders" }], "Statistic": "Sum", "Period": 60,
        "EvaluationPeriods": 1, "Threshold": 1.0, "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": missing,
    })
}

#[tokio::test]
async fn data_is_given_by_period_and_account_and_pages() {
    let world = World::new();
    world.failed("orders");
    world.failed("orders");
    world.failed("other");
    world.clock.advance(Duration::from_mins(2));
    world.failed("orders");
    let answer = world
        .call(ACCOUNT, "GetMetricData", world.query(60, "Sum"))
        .await
        .unwrap();
    assert_eq!(answer["MetricDataResults"][0]["Values"], json!([2.0, 1.0]));
    let mut page = world.query(60, "SampleCount");
    page["MaxDatapoints"] = json!(1);
    let first = world
        .call(ACCOUNT, "GetMetricData", page.clone())
        .await
        .unwrap();
    assert_eq!(first["MetricDataResults"][0]["Values"], json!([2.0]));
    page["NextToken"] = first["NextToken"].clone();
    let second = world.call(ACCOUNT, "GetMetricData", page).await.unwrap();
    assert_eq!(second["MetricDataResults"][0]["Values"], json!([1.0]));
    assert_eq!(second.get("NextToken"), None);
    let other = world
        .call("333333333333", "GetMetricData", world.query(60, "Sum"))
        .await;
    assert_eq!(other.unwrap()["MetricDataResults"][0]["Values"], json!([]));
}

#[tokio::test]
async fn a_query_that_cloudwatch_refuses_is_refused() {
    let world = World::new();
    let code = |body| world.call(ACCOUNT, "GetMetricData", body);
    assert_eq!(
        code(world.query(61, "Sum")).await.unwrap_err(),
        "InvalidParameterValueException"
    );
    assert_eq!(
        code(world.query(60, "Mode")).await.unwrap_err(),
        "InvalidParameterValueException"
    );
    let mut old = world.query(60, "Sum");
    old["StartTime"] = json!(world.clock.now().as_second() - 20 * 86_400);
    assert_eq!(
        code(old).await.unwrap_err(),
        "InvalidParameterValueException"
    );
    let mut many = world.query(60, "Sum");
    many["MetricDataQueries"] = json!(vec![many["MetricDataQueries"][0].clone(); 501]);
    assert_eq!(code(many).await.unwrap_err(), "ValidationError");
}

#[tokio::test]
async fn an_alarm_goes_off_and_returns_and_each_change_is_told_once() {
    let world = World::new();
    world
        .call(ACCOUNT, "PutMetricAlarm", alarm("notBreaching"))
        .await
        .unwrap();
    assert_eq!(world.forward(1).await, ["OK"]);
    assert_eq!(world.forward(3).await, Vec::<String>::new());
    world.failed("orders");
    assert_eq!(world.forward(5).await, ["ALARM", "OK"]);
    world
        .call(ACCOUNT, "DeleteAlarms", json!({ "AlarmNames": ["failed"] }))
        .await
        .unwrap();
    world.failed("orders");
    assert_eq!(world.forward(5).await, Vec::<String>::new());
}

#[tokio::test]
async fn missing_data_is_treated_as_the_alarm_says() {
    for (treatment, told) in [
        ("missing", vec!["ALARM", "INSUFFICIENT_DATA"]),
        ("notBreaching", vec!["ALARM", "OK"]),
        ("breaching", vec!["ALARM"]),
        ("ignore", vec!["ALARM"]),
    ] {
        let world = World::new();
        world
            .call(ACCOUNT, "PutMetricAlarm", alarm(treatment))
            .await
            .unwrap();
        world.failed("orders");
        assert_eq!(world.forward(4).await, told, "{treatment}");
    }
}

#[tokio::test]
async fn alarms_are_listed_by_prefix_and_checked() {
    let world = World::new();
    for name in ["a-1", "a-2", "b-1"] {
        let mut put = alarm("ignore");
        put["AlarmName"] = json!(name);
        world.call(ACCOUNT, "PutMetricAlarm", put).await.unwrap();
    }
    let ask = json!({ "AlarmNamePrefix": "a-", "MaxRecords": 1 });
    let page = world.call(ACCOUNT, "DescribeAlarms", ask).await.unwrap();
    assert_eq!(page["MetricAlarms"][0]["AlarmName"], "a-1");
    let ask = json!({ "AlarmNamePrefix": "a-", "NextToken": page["NextToken"] });
    let page = world.call(ACCOUNT, "DescribeAlarms", ask).await.unwrap();
    assert_eq!(page["MetricAlarms"].as_array().unwrap().len(), 1);
    let mut long = alarm("ignore");
    long["EvaluationPeriods"] = json!(1_441);
    let refused = world
        .call(ACCOUNT, "PutMetricAlarm", long)
        .await
        .unwrap_err();
    assert_eq!(refused, "InvalidParameterValueException");
    let gone = json!({ "AlarmNames": ["a-1", "none"] });
    let refused = world.call(ACCOUNT, "DeleteAlarms", gone).await.unwrap_err();
    assert_eq!(refused, "ResourceNotFound");
}
