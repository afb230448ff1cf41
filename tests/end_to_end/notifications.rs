//! What subscribers are told: its schemas, the log of it, and what is too large for a message.

mod large;
mod log;
pub(crate) mod schemas;
mod subscriber;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use jiff::Timestamp;
use sandbox::Sandbox;
use sandbox_core::{REGION, VENDOR_ACCOUNT};
use serde_json::{Value, json};
use tributary::{
    event::{CloudEvent, Fact, Sequence},
    id::{FlowId, RunId, TenantId},
    outbox::Entry,
    store::Store,
    subscription::EventType,
};

/// A failed run that was never run, with this to say about it.
fn failed_run(tenant: TenantId, message: &str) -> Entry {
    let more =
        json!({ "status": "failed", "cause": "internal", "retryable": true, "message": message });
    step(tenant, RunId::new(), EventType::RunFailed, &more)
}

/// The steps of another, in their order.
fn steps_of_a_run(tenant: TenantId) -> [Entry; 2] {
    let run = RunId::new();
    let end = json!({ "status": "failed", "cause": "internal", "retryable": true });
    [
        step(
            tenant,
            run,
            EventType::RunStarted,
            &json!({ "status": "running" }),
        ),
        step(tenant, run, EventType::RunFailed, &end),
    ]
}

fn step(tenant: TenantId, run: RunId, kind: EventType, more: &Value) -> Entry {
    let flow = FlowId::new();
    let mut data = json!({ "runId": run, "flowId": flow, "executionId": "e-1" });
    for (name, value) in more.as_object().unwrap() {
        data[name] = value.clone();
    }
    let rank = if kind == EventType::RunStarted { 1 } else { 2 };
    let fact = Fact {
        kind,
        subject: run.to_string(),
        name: kind.as_str(),
        sequence: Sequence::of_version(rank, 0),
        time: Timestamp::now(),
        data,
    };
    let event = CloudEvent::new("sandbox", tenant, fact);
    Entry::new(event, "test").with_attribute("flowId", &flow)
}

/// Writes a decision to notify, as the functions do it.
async fn decide(sandbox: &Sandbox, entry: Entry) {
    let given = sandbox.aws.admin_credentials(VENDOR_ACCOUNT);
    let credentials = Credentials::new(
        given.access_key_id,
        given.secret_access_key,
        given.session_token,
        None,
        "tests",
    );
    let aws = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(REGION))
        .endpoint_url(sandbox.aws_url.as_str())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build();
    let table = sandbox.stack.resources["Table"].physical_id().to_owned();
    let client = aws_sdk_dynamodb::Client::new(&aws);
    let store = Store::of_tenant(client, table, entry.event.tenantid);
    let items = entry.items(Timestamp::now());
    store.insert_together(&items).await.unwrap();
}

/// Lets the schedule publish what is decided, and answers what was told about a subject.
async fn told_of(sandbox: &Sandbox, subject: &str) -> Vec<Value> {
    sandbox.schedules.fire("tributary-reconcile").await;
    sandbox.runtime.settled().await;
    sandbox.sns.settled().await;
    let mut all = sandbox.notifications().await;
    all.retain(|event| event["subject"] == subject);
    all
}
