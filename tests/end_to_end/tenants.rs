//! Tenants: suspended and resumed, signed out, removed, and never confused with another.

mod offboarding;
mod ownership;
mod signed_out;
mod standing;

use std::{
    future::Future,
    time::{Duration, Instant},
};

use reqwest::Method;
use sandbox::{
    Sandbox,
    client::{Answer, Api},
};
use serde_json::{Value, json};

use crate::flows::world::World;

/// A call of an API that must be answered.
async fn call(api: &Api, method: Method, path: &str, body: Option<Value>) -> Answer {
    let body = body.map(|body| body.to_string());
    api.call(method, path, body, &[]).await.unwrap()
}

async fn suspend(operator: &Api, tenant: &str) -> Value {
    let path = format!("/v1/tenants/{tenant}/suspend");
    let reason = json!({ "reason": "Invoice 2026-113 is unpaid." });
    let answer = operator.post(&path, &reason).await.unwrap();
    answer.expect(200).unwrap()
}

async fn resume(operator: &Api, tenant: &str) -> Value {
    let path = format!("/v1/tenants/{tenant}/resume");
    let answer = operator.post(&path, &json!({})).await.unwrap();
    answer.expect(200).unwrap()
}

/// Where AppFlow has a flow.
async fn appflow_status(world: &World, flow: &Value) -> String {
    let described = world.console("/describe-flow", flow, json!({})).await;
    described["flowStatus"].as_str().unwrap().to_owned()
}

/// Lets time pass, and the watch, the refresh of tokens and the outbox do what is due then.
async fn time_passes(sandbox: &Sandbox, by: Duration) {
    sandbox.clock.advance(by);
    for schedule in ["watch", "refresh-0", "refresh-1", "refresh-2", "refresh-3"] {
        let name = format!("tributary-{schedule}");
        assert!(sandbox.schedules.fire(&name).await, "{schedule}");
    }
    sandbox.runtime.settled().await;
    assert!(sandbox.schedules.fire("tributary-reconcile").await);
    sandbox.runtime.settled().await;
    sandbox.sns.settled().await;
}

/// Looks until it is so, for a minute: so long may something that was taken back still work.
async fn within_a_minute<F, Fut>(what: &str, mut look: F)
where
    F: FnMut() -> Fut,
    Fut: Future<Output = bool>,
{
    let begun = Instant::now();
    while !look().await {
        assert!(
            begun.elapsed() < Duration::from_mins(1),
            "{what} did not happen within a minute"
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Events about a tenant, by type, in the order in which they came.
async fn told_of(sandbox: &Sandbox, tenant: &str) -> Vec<String> {
    let mut all = sandbox.notifications().await;
    all.retain(|event| event["subject"] == tenant);
    all.iter()
        .map(|event| event["type"].as_str().unwrap().to_owned())
        .collect()
}
