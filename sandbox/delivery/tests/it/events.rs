//! EventBridge from bus to target.

use std::sync::Arc;

use sandbox_core::{
    AwsService as _, CUSTOMER_ACCOUNT, Clock, Fault, FaultRule, Faults, Journal,
    OTHER_CUSTOMER_ACCOUNT, VENDOR_ACCOUNT,
};
use sandbox_delivery::{EventBridge, Input, Mischief, RuleSpec, TargetSpec};
use serde_json::{Value, json};

use super::support::{MemoryFunctions, MemoryQueues, Sent, call, function, queue, queues};

const BUS: &str = "arn:aws:events:us-east-1:111111111111:event-bus/customers";

struct Fixture {
    bridge: EventBridge,
    queues: Arc<MemoryQueues>,
    functions: Arc<MemoryFunctions>,
    faults: Faults,
}

impl Fixture {
    fn new() -> Self {
        let (queues, faults) = (queues(), Faults::default());
        let functions = Arc::<MemoryFunctions>::default();
        let bridge = EventBridge::new(
            Clock::default(),
            Journal::default(),
            faults.clone(),
            queues.clone(),
        );
        bridge.connect_functions(functions.clone());
        Self {
            bridge,
            queues,
            functions,
            faults,
        }
    }

    async fn call(&self, account: &str, operation: &str, body: Value) -> (u16, Value) {
        let target = format!("AWSEvents.{operation}");
        let call = call("events", account, Some(&target), body.to_string());
        let reply = self.bridge.handle(call).await;
        let body = serde_json::from_slice(&reply.body).unwrap();
        (reply.status.as_u16(), body)
    }

    /// A rule for AppFlow's events that leads to `arn`.
    fn rule(&self, account: &str, bus: &str, arn: &str) {
        let target = TargetSpec {
            id: "target".to_owned(),
            arn: arn.to_owned(),
            role_arn: None,
            dead_letter_arn: Some(queue(account, "dead")),
            input: Input::Event,
        };
        let rule = RuleSpec {
            name: "runs".to_owned(),
            pattern: json!({ "source": ["aws.appflow"],
                "detail": { "flow-name": [{ "prefix": "tributary-" }] } }),
            targets: vec![target],
        };
        self.bridge.put_rule(account, bus, rule).unwrap();
    }

    fn run_event(&self, account: &str, flow: &str) {
        let event = json!({ "source": "aws.appflow", "detail-type": "AppFlow End Flow Run Report",
            "detail": { "flow-name": flow } });
        self.bridge.put_event(account, event);
    }

    fn seen(&self) -> Vec<String> {
        let invoked = self.functions.invoked("RunEvents");
        invoked
            .iter()
            .map(|e| e["detail"]["flow-name"].as_str().unwrap().to_owned())
            .collect()
    }
}

#[tokio::test]
async fn a_rule_hands_matching_events_of_its_account_to_its_target() {
    let fixture = Fixture::new();
    fixture.rule(VENDOR_ACCOUNT, "default", &function("RunEvents"));
    fixture.run_event(VENDOR_ACCOUNT, "tributary-a");
    fixture.run_event(VENDOR_ACCOUNT, "other");
    fixture.run_event(CUSTOMER_ACCOUNT, "tributary-b");
    fixture.bridge.settled().await;
    assert_eq!(fixture.seen(), ["tributary-a"]);
    let event = &fixture.functions.invoked("RunEvents")[0];
    assert_eq!(event["account"], VENDOR_ACCOUNT);
    assert!(event["id"].is_string() && event["time"].is_string() && event["version"] == "0");
}

#[tokio::test]
async fn an_event_crosses_accounts_only_where_the_bus_lets_it_and_keeps_its_origin() {
    let fixture = Fixture::new();
    fixture.bridge.create_bus(VENDOR_ACCOUNT, "customers");
    fixture.rule(VENDOR_ACCOUNT, "customers", &function("RunEvents"));
    fixture.rule(
        VENDOR_ACCOUNT,
        "default",
        &queue(VENDOR_ACCOUNT, "wrong-bus"),
    );
    fixture.rule(CUSTOMER_ACCOUNT, "default", BUS);
    fixture.rule(OTHER_CUSTOMER_ACCOUNT, "default", BUS);
    let policy = json!({ "Statement": { "Effect": "Allow", "Action": "events:PutEvents",
        "Principal": { "AWS": format!("arn:aws:iam::{CUSTOMER_ACCOUNT}:root") } } });
    assert!(
        fixture
            .bridge
            .set_bus_policy(VENDOR_ACCOUNT, "customers", &policy)
    );
    let event = json!({ "id": "event-1", "time": "2026-11-20T08:00:00Z", "source": "aws.appflow",
        "account": VENDOR_ACCOUNT, "detail": { "flow-name": "tributary-c" } });
    fixture.bridge.put_event(CUSTOMER_ACCOUNT, event);
    fixture.run_event(OTHER_CUSTOMER_ACCOUNT, "tributary-d");
    fixture.bridge.settled().await;
    assert_eq!(fixture.seen(), ["tributary-c"]);
    let event = &fixture.functions.invoked("RunEvents")[0];
    assert_eq!(
        event["account"], CUSTOMER_ACCOUNT,
        "a forged account is corrected"
    );
    assert_eq!(
        (&event["id"], &event["time"]),
        (&json!("event-1"), &json!("2026-11-20T08:00:00Z"))
    );
    assert!(
        fixture
            .queues
            .sent(&queue(VENDOR_ACCOUNT, "wrong-bus"))
            .is_empty()
    );
    let dead = fixture.queues.sent(&queue(OTHER_CUSTOMER_ACCOUNT, "dead"));
    assert_eq!(dead[0].attributes["ERROR_CODE"], "NO_PERMISSIONS");

    assert!(
        fixture
            .bridge
            .allow_account(VENDOR_ACCOUNT, "customers", OTHER_CUSTOMER_ACCOUNT)
    );
    fixture.run_event(OTHER_CUSTOMER_ACCOUNT, "tributary-e");
    fixture.bridge.settled().await;
    assert_eq!(fixture.seen(), ["tributary-c", "tributary-e"]);
}

#[tokio::test]
async fn what_cannot_be_handed_over_goes_to_the_targets_dead_letter_queue() {
    let fixture = Fixture::new();
    fixture.rule(VENDOR_ACCOUNT, "default", &queue(VENDOR_ACCOUNT, "missing"));
    fixture.run_event(VENDOR_ACCOUNT, "tributary-a");
    fixture.bridge.settled().await;
    let dead = fixture.queues.sent(&queue(VENDOR_ACCOUNT, "dead"));
    let [dead] = dead.as_slice() else {
        panic!("{dead:?}")
    };
    assert_eq!(dead.json()["detail"]["flow-name"], "tributary-a");
    assert_eq!(
        dead.attributes["RULE_ARN"],
        "arn:aws:events:us-east-1:111111111111:rule/runs"
    );
    assert_eq!(
        dead.attributes["ERROR_CODE"],
        "AWS.SimpleQueueService.NonExistentQueue"
    );
}

/// U1, U2, U3: events that come late, never, or twice.
#[tokio::test]
async fn events_can_be_lost_doubled_and_reordered() {
    let fixture = Fixture::new();
    fixture.rule(VENDOR_ACCOUNT, "default", &function("RunEvents"));
    let steps = [
        (Some(Mischief::Lose), "tributary-1"),
        (Some(Mischief::Duplicate), "tributary-2"),
        (Some(Mischief::Reorder), "tributary-3"),
        (None, "tributary-4"),
    ];
    for (mischief, flow) in steps {
        if let Some(mischief) = mischief {
            fixture.bridge.set_event_mischief(mischief, 1);
        }
        fixture.run_event(VENDOR_ACCOUNT, flow);
        if mischief != Some(Mischief::Reorder) {
            fixture.bridge.settled().await;
        }
    }
    let expected = ["tributary-2", "tributary-2", "tributary-4", "tributary-3"];
    assert_eq!(fixture.seen(), expected);

    fixture.faults.add(FaultRule {
        service: "events".to_owned(),
        operation: "deliver".to_owned(),
        fault: Fault::DropBefore,
        times: 1,
    });
    fixture.run_event(VENDOR_ACCOUNT, "tributary-5");
    fixture.bridge.set_event_mischief(Mischief::Reorder, 1);
    fixture.run_event(VENDOR_ACCOUNT, "tributary-6");
    fixture.bridge.settled().await;
    assert_eq!(
        fixture.seen()[4..],
        ["tributary-6"],
        "a held event is let go in the end"
    );
}

#[tokio::test]
async fn rules_and_targets_are_managed_through_the_api() {
    let fixture = Fixture::new();
    let account = VENDOR_ACCOUNT;
    let (status, _) = fixture
        .call(account, "CreateEventBus", json!({ "Name": "own" }))
        .await;
    assert_eq!(status, 200);
    let rule =
        json!({ "Name": "r", "EventBusName": "own", "EventPattern": "{\"source\":[\"shop\"]}" });
    assert_eq!(fixture.call(account, "PutRule", rule).await.0, 200);
    let target = json!({ "Id": "t", "Arn": queue(account, "orders"), "InputPath": "$.detail" });
    let targets = json!({ "Rule": "r", "EventBusName": "own", "Targets": [target] });
    assert_eq!(
        fixture.call(account, "PutTargets", targets).await.1["FailedEntryCount"],
        0
    );
    let entries = json!({ "Entries": [
        { "Source": "shop", "DetailType": "Order", "Detail": "{\"n\":1}", "EventBusName": "own" },
        { "Source": "shop", "DetailType": "Order", "Detail": "not json", "EventBusName": "own" },
        { "Source": "aws.appflow", "DetailType": "Forged", "Detail": "{}" },
    ] });
    let (_, answer) = fixture.call(account, "PutEvents", entries).await;
    assert_eq!(answer["FailedEntryCount"], 2);
    assert_eq!(answer["Entries"][1]["ErrorCode"], "MalformedDetail");
    assert_eq!(
        answer["Entries"][2]["ErrorCode"],
        "NotAuthorizedForSourceException"
    );
    fixture.bridge.settled().await;
    let orders = fixture.queues.sent(&queue(account, "orders"));
    assert_eq!(
        orders.iter().map(Sent::json).collect::<Vec<_>>(),
        [json!({ "n": 1 })]
    );

    let list = json!({ "Rule": "r", "EventBusName": "own" });
    let (_, listed) = fixture.call(account, "ListTargetsByRule", list).await;
    assert_eq!(listed["Targets"], json!([target]));
    let delete = json!({ "Name": "r", "EventBusName": "own" });
    assert_eq!(
        fixture.call(account, "DeleteRule", delete.clone()).await.0,
        400
    );
    let remove = json!({ "Rule": "r", "EventBusName": "own", "Ids": ["t"] });
    assert_eq!(fixture.call(account, "RemoveTargets", remove).await.0, 200);
    assert_eq!(fixture.call(account, "DeleteRule", delete).await.0, 200);
    let bad = json!({ "Name": "r", "EventPattern": "{\"source\":\"shop\"}" });
    let (_, refused) = fixture.call(account, "PutRule", bad).await;
    assert_eq!(refused["__type"], "InvalidEventPatternException");
}

#[tokio::test]
async fn another_accounts_bus_is_neither_seen_nor_changed() {
    let fixture = Fixture::new();
    fixture.bridge.create_bus(VENDOR_ACCOUNT, "customers");
    let stranger = CUSTOMER_ACCOUNT;
    let (status, _) = fixture
        .call(stranger, "DescribeEventBus", json!({ "Name": BUS }))
        .await;
    assert_eq!(status, 400);
    let rule = json!({ "Name": "r", "EventBusName": BUS, "EventPattern": "{\"source\":[\"x\"]}" });
    assert_eq!(fixture.call(stranger, "PutRule", rule).await.0, 400);
    let entry = json!({ "Entries": [
        { "Source": "x", "DetailType": "y", "Detail": "{}", "EventBusName": BUS }] });
    let (_, answer) = fixture.call(stranger, "PutEvents", entry.clone()).await;
    assert_eq!(answer["Entries"][0]["ErrorCode"], "AccessDeniedException");
    let permission = json!({ "EventBusName": "customers", "StatementId": "c", "Principal": stranger,
        "Action": "events:PutEvents" });
    assert_eq!(
        fixture
            .call(VENDOR_ACCOUNT, "PutPermission", permission)
            .await
            .0,
        200
    );
    let (_, answer) = fixture.call(stranger, "PutEvents", entry).await;
    assert_eq!(answer["FailedEntryCount"], 0);
}

#[tokio::test]
async fn a_partners_source_is_pending_until_its_bus_is_created_and_then_has_rules() {
    let fixture = Fixture::new();
    let source = "aws.partner/appflow/salesforce.com/222222222222/crm";
    let create = json!({ "Name": source, "EventSourceName": source });
    let make = async |body: &Value| {
        let answer = fixture.call(CUSTOMER_ACCOUNT, "CreateEventBus", body.clone());
        answer.await.1["__type"].clone()
    };
    assert_eq!(make(&create).await, "ResourceNotFoundException");
    fixture.bridge.offer_source(CUSTOMER_ACCOUNT, source);
    let state = async || {
        let describe = json!({ "Name": source });
        let answer = fixture.call(CUSTOMER_ACCOUNT, "DescribeEventSource", describe);
        answer.await.1["State"].clone()
    };
    assert_eq!(state().await, "PENDING");
    let other_name = json!({ "Name": "crm", "EventSourceName": source });
    assert_eq!(make(&other_name).await, "ValidationException");
    assert_eq!(
        make(&json!({ "Name": source })).await,
        "ValidationException"
    );
    assert_eq!(make(&create).await, Value::Null);
    assert_eq!(state().await, "ACTIVE");
    let (_, list) = fixture
        .call(OTHER_CUSTOMER_ACCOUNT, "ListEventSources", json!({}))
        .await;
    assert_eq!(list["EventSources"], json!([]));

    let rule = RuleSpec {
        name: "changes".to_owned(),
        pattern: json!({ "source": [{ "prefix": "aws.partner/appflow" }] }),
        targets: vec![TargetSpec {
            id: "queue".to_owned(),
            arn: queue(CUSTOMER_ACCOUNT, "changes"),
            role_arn: None,
            dead_letter_arn: None,
            input: Input::Event,
        }],
    };
    let bus = format!("arn:aws:events:us-east-1:{CUSTOMER_ACCOUNT}:event-bus/{source}");
    fixture
        .bridge
        .put_rule(CUSTOMER_ACCOUNT, &bus, rule)
        .unwrap();
    let event = json!({ "source": source, "detail-type": "AccountChangeEvent", "detail": {} });
    fixture.bridge.put_event_on(CUSTOMER_ACCOUNT, source, event);
    fixture.bridge.settled().await;
    let sent = fixture.queues.sent(&queue(CUSTOMER_ACCOUNT, "changes"));
    assert_eq!(sent.len(), 1);
}
