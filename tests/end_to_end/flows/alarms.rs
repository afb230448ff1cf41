//! Alarms of flows: kept by CloudWatch of the account that runs them, told as notifications.

use std::time::Duration;

use http::Method;
use sandbox::client::Answer;
use sandbox_aws::ExpectedDenial;
use sandbox_core::{CUSTOMER_ACCOUNT, Fault, FaultRule, OTHER_CUSTOMER_ACCOUNT};
use sandbox_delivery::Mischief;
use serde_json::{Value, json};

use super::world::{World, items, path};
use crate::common;

mod both {
    use crate::flows::world::in_both_hosting_modes;

    in_both_hosting_modes! {
        /// An alarm goes off when a run fails, is told once, and is told again when it is over.
        an_alarm_goes_off_and_is_told_once;
        /// Alarms are made once under a name, listed with their state, and deleted with their flow.
        alarms_are_made_listed_and_deleted_with_their_flow;
    }
}

/// An alarm on failures, which nothing that is missing sets off.
fn on_failures(name: &str) -> Value {
    json!({
        "name": name, "metric": "runsFailed", "comparison": "greaterThanOrEqual", "threshold": 1.0,
        "period": 60, "evaluationPeriods": 1, "treatMissingData": "notBreaching",
    })
}

async fn make(world: &World, flow: &Value, alarm: &Value) -> Answer {
    let path = format!("{}/alarms", path(flow));
    world.api().post(&path, alarm).await.unwrap()
}

async fn listed(world: &World, flow: &Value) -> Vec<Value> {
    let path = format!("{}/alarms", path(flow));
    items(world.api().get(&path).await.unwrap().expect(200).unwrap())
}

async fn delete(world: &World, flow: &Value, name: &str) -> Answer {
    let path = format!("{}/alarms/{name}", path(flow));
    let deleted = world.api().call(Method::DELETE, &path, None, &[]);
    deleted.await.unwrap()
}

/// Moves on by minutes and waits for what alarms say of them.
async fn minutes(world: &World, minutes: u64) {
    world
        .sandbox
        .clock
        .advance(Duration::from_secs(60 * minutes));
    world.sandbox.cloudwatch.evaluate();
    world.settled().await;
}

/// States that were told of a flow's alarms, in the order in which they came to be.
async fn told(world: &World, flow: &Value) -> Vec<Value> {
    let told = world.sandbox.notifications().await;
    let mut alarms: Vec<Value> = told
        .into_iter()
        .filter(|event| event["type"] == "tributary.flow.alarm")
        .filter(|event| event["data"]["flowId"] == flow["id"])
        .collect();
    alarms.sort_by_key(|event| event["time"].as_str().unwrap().to_owned());
    alarms
}

fn states(events: &[Value]) -> Vec<&str> {
    let states = events
        .iter()
        .map(|event| event["data"]["state"].as_str().unwrap());
    states.collect()
}

async fn an_alarm_goes_off_and_is_told_once(world: World) {
    let flow = world.create(&world.flow()).await;
    make(&world, &flow, &on_failures("failures"))
        .await
        .expect(201)
        .unwrap();
    minutes(&world, 2).await;
    common::eventually("the alarm in order", || async {
        (states(&told(&world, &flow).await) == ["ok"]).then_some(())
    })
    .await;

    let refused = Fault::Status {
        status: 400,
        retry_after: None,
        body: r#"[{"errorCode":"INVALID_FIELD","message":"No such column"}]"#.to_owned(),
    };
    world.sandbox.faults.add(FaultRule {
        service: "salesforce".to_owned(),
        operation: "query".to_owned(),
        fault: refused,
        times: 10,
    });
    let run = world.start(&flow).await;
    let run = world.ended(&flow, &run).await;
    world.sandbox.faults.clear();
    assert_eq!(run["status"], "failed", "{run}");
    minutes(&world, 4).await;
    let told = common::eventually("the alarm off and on again", || async {
        let told = told(&world, &flow).await;
        (told.len() == 3).then_some(told)
    })
    .await;
    assert_eq!(states(&told), ["ok", "alarm", "ok"]);
    let alarm = &told[1]["data"];
    assert_eq!(
        (&alarm["alarm"], &alarm["metric"], &alarm["previousState"]),
        (&json!("failures"), &json!("runsFailed"), &json!("ok"))
    );
    assert!(told[0]["sequence"].as_str() < told[1]["sequence"].as_str());

    // The same news again, as EventBridge may bring it, is no news.
    world
        .sandbox
        .events
        .set_event_mischief(Mischief::Duplicate, 100);
    let run = world.start(&flow).await;
    world.ended(&flow, &run).await;
    make(&world, &flow, &on_failures("more"))
        .await
        .expect(201)
        .unwrap();
    minutes(&world, 2).await;
    let told = common::eventually("the second alarm", || async {
        let told = self::told(&world, &flow).await;
        (told.len() == 4).then_some(told)
    })
    .await;
    world.settled().await;
    assert_eq!(self::told(&world, &flow).await.len(), told.len());

    let incidents = format!("{}/incidents", path(&flow));
    let incidents = items(
        world
            .api()
            .get(&incidents)
            .await
            .unwrap()
            .expect(200)
            .unwrap(),
    );
    let alarms = incidents
        .iter()
        .filter(|incident| incident["kind"] == "alarm");
    assert_eq!(alarms.count(), 4, "{incidents:?}");
    common::no_leaks(&world.sandbox).await;
}

async fn alarms_are_made_listed_and_deleted_with_their_flow(world: World) {
    let flow = world.create(&world.flow()).await;
    let other = world.create(&world.flow()).await;
    let made = make(&world, &flow, &on_failures("failures")).await;
    let made = made.expect(201).unwrap();
    assert_eq!(made["state"], "insufficientData");
    let slow = json!({
        "name": "slow", "metric": "runTime", "statistic": "p99", "comparison": "greaterThan",
        "threshold": 60_000, "period": 3_600, "evaluationPeriods": 3, "datapointsToAlarm": 2,
    });
    make(&world, &flow, &slow).await.expect(201).unwrap();
    make(&world, &other, &on_failures("failures"))
        .await
        .expect(201)
        .unwrap();

    let again = make(&world, &flow, &on_failures("failures")).await;
    assert_eq!((again.status.as_u16(), again.code()), (409, "alarm_exists"));
    let mut wrong = slow.clone();
    wrong["period"] = json!(61);
    wrong["datapointsToAlarm"] = json!(4);
    let refused = make(&world, &flow, &wrong).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (422, "invalid_alarm")
    );

    minutes(&world, 1).await;
    let seen = listed(&world, &flow).await;
    let names: Vec<&str> = seen
        .iter()
        .map(|alarm| alarm["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["failures", "slow"]);
    assert_eq!(
        (&seen[0]["state"], &seen[1]["state"]),
        (&json!("ok"), &json!("insufficientData"))
    );
    assert_eq!(
        (&seen[1]["statistic"], &seen[1]["datapointsToAlarm"]),
        (&json!("p99"), &json!(2))
    );

    assert_eq!(delete(&world, &flow, "slow").await.status.as_u16(), 204);
    assert_eq!(delete(&world, &flow, "slow").await.status.as_u16(), 404);
    assert_eq!(
        delete(&world, &flow, "Not A Name").await.status.as_u16(),
        404
    );

    let tag = format!("\"{}\"", world.show(&flow).await["version"]);
    let gone = world
        .api()
        .call(Method::DELETE, &path(&flow), None, &[("if-match", &tag)])
        .await
        .unwrap();
    assert_eq!(gone.status.as_u16(), 200);
    let left = alarms_in(&world, world.aws_account).await;
    let others = other["appflowName"].as_str().unwrap();
    assert_eq!(left, [format!("{others}-failures")]);
    common::no_leaks(&world.sandbox).await;
}

/// Names of all alarms of an AWS account.
async fn alarms_in(world: &World, account: &str) -> Vec<String> {
    let admin = world.sandbox.aws.admin(account);
    let (aws, ask) = (&world.sandbox.aws, json!({}));
    let answer = aws.call(&admin, "monitoring", "DescribeAlarms", &ask).await;
    let answer: Value = serde_json::from_slice(&answer.body).unwrap();
    let alarms = answer["MetricAlarms"].as_array().unwrap();
    let names = alarms
        .iter()
        .map(|alarm| alarm["AlarmName"].as_str().unwrap().to_owned());
    names.collect()
}

/// F7, F1: an alarm whose making was answered by nobody is made once, and a repeat of the request
/// says so; what the customer's own people made is neither shown nor deleted.
#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_makes_one_alarm_and_foreign_alarms_stay() {
    let world = World::without_schedules().await;
    let flow = world.create(&world.flow()).await;
    world.sandbox.faults.add(FaultRule {
        service: "monitoring".to_owned(),
        operation: "PutMetricAlarm".to_owned(),
        fault: Fault::DropAfter,
        times: 100,
    });
    let alarms = format!("{}/alarms", path(&flow));
    let lost = world
        .post_once(&alarms, &on_failures("failures"), "key-1")
        .await;
    assert!(lost.status.is_server_error(), "{}", lost.status);
    world.sandbox.faults.clear();
    let made = world
        .post_once(&alarms, &on_failures("failures"), "key-1")
        .await;
    let made = made.expect(201).unwrap();
    let again = world
        .post_once(&alarms, &on_failures("failures"), "key-1")
        .await;
    assert_eq!(again.expect(201).unwrap(), made);

    let name = format!("{}-theirs", flow["appflowName"].as_str().unwrap());
    let admin = world.sandbox.aws.admin(CUSTOMER_ACCOUNT);
    let theirs = json!({
        "AlarmName": name, "Namespace": "AWS/AppFlow", "MetricName": "FlowExecutionsFailed",
        "Dimensions": [{ "Name": "FlowName", "Value": flow["appflowName"] }], "Statistic": "Sum",
        "Period": 60, "EvaluationPeriods": 1, "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanThreshold",
    });
    let put = world
        .sandbox
        .aws
        .call(&admin, "monitoring", "PutMetricAlarm", &theirs);
    assert_eq!(put.await.status.as_u16(), 200);
    assert_eq!(listed(&world, &flow).await.len(), 1);
    assert_eq!(delete(&world, &flow, "theirs").await.status.as_u16(), 404);
    assert!(alarms_in(&world, CUSTOMER_ACCOUNT).await.contains(&name));
    common::no_leaks(&world.sandbox).await;
}

/// What another account says of an alarm of a flow, and what is said of an alarm of no flow, ends in
/// the dead-letter queue and is told to nobody.
#[tokio::test(flavor = "multi_thread")]
async fn forged_and_unknown_alarms_are_told_to_nobody() {
    let world = World::without_schedules().await;
    let other = common::tenant(&world.sandbox, "Others", &[("ming", "admin")]).await;
    common::customer_account_in(&world.sandbox, other.api("ming"), OTHER_CUSTOMER_ACCOUNT).await;
    let flow = world.create(&world.flow()).await;
    let text = include_str!("../../../events/run-events/alarm-of-unknown-flow.json");
    let unknown: Value = serde_json::from_str(text).unwrap();
    let sample = unknown["detail"]["configuration"]["metrics"][0]["metricStat"]["metric"]["dimensions"]
        ["FlowName"]
        .as_str()
        .unwrap();
    let forged = text.replace(sample, flow["appflowName"].as_str().unwrap());
    let forged: Value = serde_json::from_str(&forged).unwrap();
    world
        .sandbox
        .events
        .put_event(OTHER_CUSTOMER_ACCOUNT, forged.clone());
    world.sandbox.events.put_event(CUSTOMER_ACCOUNT, unknown);
    world.settled().await;
    let dead = crate::runs::events::dead_letters(&world).await;
    assert_eq!(dead.len(), 2, "{dead:?}");
    assert!(
        dead.iter()
            .all(|message| message.contains("RunEvents.UnknownFlow"))
    );
    assert!(told(&world, &flow).await.is_empty());
    // The same event is good when it comes from where the flow is.
    world.sandbox.events.put_event(CUSTOMER_ACCOUNT, forged);
    common::eventually("the alarm", || async {
        (states(&told(&world, &flow).await) == ["alarm"]).then_some(())
    })
    .await;
    common::no_leaks(&world.sandbox).await;
}

/// In an account whose stack is older than alarms, metrics and alarms say what is to be done, and
/// flows can be deleted all the same.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_stack_is_told_to_be_updated_and_flows_can_be_deleted() {
    let world = World::without_schedules().await;
    let flow = world.create(&world.flow()).await;
    let arn = format!("arn:aws:iam::{CUSTOMER_ACCOUNT}:role/TributaryAccess");
    let mut role = world.sandbox.aws.role(&arn).unwrap();
    for policy in &mut role.identity_policies {
        let statements = policy["Statement"].as_array_mut().unwrap();
        statements.retain(|statement| !statement["Action"].to_string().contains("cloudwatch:"));
    }
    world.sandbox.aws.put_role(role);
    for action in ["cloudwatch:GetMetricData", "cloudwatch:DescribeAlarms"] {
        world.sandbox.aws.expect_denial(ExpectedDenial {
            role: "AccessRole".to_owned(),
            action: action.to_owned(),
        });
    }
    for what in ["metrics", "alarms"] {
        let refused = world
            .api()
            .get(&format!("{}/{what}", path(&flow)))
            .await
            .unwrap();
        assert_eq!(
            (refused.status.as_u16(), refused.code()),
            (409, "monitoring_not_allowed")
        );
    }
    let tag = format!("\"{}\"", world.show(&flow).await["version"]);
    let gone = world
        .api()
        .call(Method::DELETE, &path(&flow), None, &[("if-match", &tag)])
        .await
        .unwrap();
    assert_eq!(gone.status.as_u16(), 200);
    common::no_leaks(&world.sandbox).await;
}
