//! The daily check of accounts, and the call that notices first (O8).

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use sandbox::{Options, Sandbox};
use sandbox_core::{CUSTOMER_ACCOUNT, Fault, FaultRule, Functions as _, OTHER_CUSTOMER_ACCOUNT};
use serde_json::{Value, json};

use super::text;
use crate::common;

async fn start() -> std::sync::Arc<Sandbox> {
    common::start_with(Options {
        run_schedules: false,
        ..Options::default()
    })
    .await
}

/// Fires the schedule of checks as if it were so many hours later, and answers what it did.
async fn tick(sandbox: &Sandbox, hours: i64) -> Value {
    let at = Timestamp::now() + SignedDuration::from_hours(hours);
    let event = json!({ "kind": "account-checks", "scheduledTime": at });
    let done = sandbox.runtime.invoke("FlowsFunction", event).await;
    done.unwrap()
}

/// The notifications about accounts so far, as type and account.
async fn told(sandbox: &Sandbox) -> Vec<(String, String)> {
    let at = Timestamp::now();
    let event = json!({ "kind": "reconcile", "scheduledTime": at });
    sandbox
        .runtime
        .invoke("RunEventsFunction", event)
        .await
        .unwrap();
    sandbox.sns.settled().await;
    let all = sandbox.notifications().await;
    all.iter()
        .filter(|event| text(event, "type").starts_with("tributary.account."))
        .map(|event| {
            (
                text(event, "type").to_owned(),
                text(event, "subject").to_owned(),
            )
        })
        .collect()
}

async fn state(api: &sandbox::client::Api, id: &str) -> String {
    let account = api.get(&format!("/v1/accounts/{id}")).await.unwrap();
    text(&account.expect(200).unwrap(), "state").to_owned()
}

/// O8: the schedule finds out that a role was deleted, tells it once, leaves the tenant's other account
/// alone, and tells when the role is back. What proves nothing changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn o8_the_daily_check_degrades_once_and_recovers() {
    let sandbox = start().await;
    let blue = common::tenant(&sandbox, "Blue", &[("frank", "admin")]).await;
    let frank = blue.api("frank");
    let first = common::customer_account(&sandbox, frank).await;
    let second = common::customer_account_in(&sandbox, frank, OTHER_CUSTOMER_ACCOUNT).await;
    let hosted = json!({ "hosting": "vendor", "region": "us-east-1" });
    let hosted = frank.post("/v1/accounts", &hosted).await.unwrap();
    let hosted = text(&hosted.expect(201).unwrap(), "id").to_owned();
    super::verify(frank, &json!({ "id": hosted })).await;

    // Nothing is due before its day; then everything is.
    assert_eq!(tick(&sandbox, 0).await["accounts"], 0);
    assert_eq!(tick(&sandbox, 27).await["accounts"], 3);
    assert_eq!(
        tick(&sandbox, 0).await["accounts"],
        0,
        "looked at again at once"
    );
    let (degraded, verified) = (
        ("tributary.account.degraded".to_owned(), first.clone()),
        ("tributary.account.verified".to_owned(), first.clone()),
    );
    // Each was told once, when it was proven, and the checks since changed nothing.
    let mut told_first = told(&sandbox).await;
    told_first.sort();
    let mut proven = [&first, &second, &hosted]
        .map(|account| ("tributary.account.verified".to_owned(), account.clone()));
    proven.sort();
    assert_eq!(told_first, proven);
    let told_since = async || told(&sandbox).await.split_off(proven.len());

    // Without an answer that proves something nothing changes, and it is tried again soon.
    let arn = format!("arn:aws:iam::{CUSTOMER_ACCOUNT}:role/TributaryAccess");
    let launched = sandbox.aws.role(&arn).unwrap();
    sandbox.faults.add(FaultRule {
        service: "sts".to_owned(),
        operation: "AssumeRole".to_owned(),
        fault: Fault::Status {
            status: 400,
            retry_after: None,
            body: "<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>"
                .to_owned(),
        },
        // Others ask STS meanwhile.
        times: 100,
    });
    let before = reports(frank, &first).await;
    assert_eq!(
        tick(&sandbox, 27).await,
        json!({ "accounts": 0, "inconclusive": 3, "failed": 0 })
    );
    sandbox.faults.clear();
    assert_eq!(state(frank, &first).await, "verified");
    assert_eq!(reports(frank, &first).await, before);
    assert_eq!(tick(&sandbox, 1).await["accounts"], 3, "ten minutes later");

    // Gone: told once, however often it is looked at.
    assert!(sandbox.aws.delete_role(&arn));
    assert_eq!(tick(&sandbox, 27).await["accounts"], 3);
    assert_eq!(state(frank, &first).await, "degraded");
    assert_eq!(told_since().await, std::slice::from_ref(&degraded));
    tick(&sandbox, 27).await;
    super::verify(frank, &json!({ "id": first })).await;
    assert_eq!(told_since().await, std::slice::from_ref(&degraded));
    assert_eq!(state(frank, &second).await, "verified");
    assert_eq!(state(frank, &hosted).await, "verified");
    let used = frank
        .get(&format!("/v1/connectors?accountId={second}"))
        .await
        .unwrap();
    assert_eq!(used.status, 200, "{}", used.body);

    sandbox.aws.put_role(launched);
    assert_eq!(tick(&sandbox, 27).await["accounts"], 3);
    assert_eq!(state(frank, &first).await, "verified");
    assert_eq!(told_since().await, [degraded, verified]);
    common::no_leaks(&sandbox).await;
}

async fn reports(api: &sandbox::client::Api, id: &str) -> usize {
    let list = api
        .get(&format!("/v1/accounts/{id}/reports?limit=100"))
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    list["items"].as_array().unwrap().len()
}

/// O8: the next call that the role refuses makes its account due at once, so that the next tick
/// degrades it; further calls do not make it due again.
#[tokio::test(flavor = "multi_thread")]
async fn o8_the_next_call_notices_that_a_role_is_gone() {
    let environment = BTreeMap::new();
    let sandbox = common::start_with(Options {
        run_schedules: false,
        environment,
        ..Options::default()
    })
    .await;
    let blue = common::tenant(&sandbox, "Blue", &[("frank", "admin")]).await;
    let frank = blue.api("frank");
    let first = common::customer_account(&sandbox, frank).await;
    let second = common::customer_account_in(&sandbox, frank, OTHER_CUSTOMER_ACCOUNT).await;
    let arn = format!("arn:aws:iam::{CUSTOMER_ACCOUNT}:role/TributaryAccess");
    assert!(sandbox.aws.delete_role(&arn));
    assert_eq!(tick(&sandbox, 0).await["accounts"], 0);
    let call = async |id: &str| {
        let path = format!("/v1/connectors?accountId={id}");
        frank.get(&path).await.unwrap().status.as_u16()
    };
    assert_eq!((call(&first).await, call(&second).await), (409, 200));
    assert_eq!(tick(&sandbox, 0).await["accounts"], 1);
    assert_eq!(state(frank, &first).await, "degraded");
    assert_eq!(state(frank, &second).await, "verified");
    assert_eq!(call(&first).await, 409);
    assert_eq!(tick(&sandbox, 0).await["accounts"], 0, "due again");
    let degraded: Vec<String> = told(&sandbox)
        .await
        .into_iter()
        .filter(|(kind, _)| kind == "tributary.account.degraded")
        .map(|(_, account)| account)
        .collect();
    assert_eq!(degraded, [first]);
    common::no_leaks(&sandbox).await;
}
