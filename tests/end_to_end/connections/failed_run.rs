//! A run that fails on its credentials brings a refresh forward.

use serde_json::Value;

use super::world::World;
use crate::common;

impl World {
    /// Makes a flow over a connection; answers its address.
    async fn flow(&self, connection: &str) -> String {
        let flow = common::s3_flow(&self.account, connection);
        let made = self.frank().api.post("/v1/flows", &flow).await.unwrap();
        let made = made.expect(201).unwrap();
        format!("/v1/flows/{}", made["id"].as_str().unwrap())
    }

    /// Runs a flow to its end.
    async fn run(&self, flow: &str) -> Value {
        let api = &self.frank().api;
        let path = format!("{flow}/start");
        let started = api.post(&path, &serde_json::json!({})).await.unwrap();
        let started = started.expect(202).unwrap();
        let run = started["runId"].as_str().or(started["id"].as_str());
        let path = format!("{flow}/runs/{}", run.unwrap());
        let ended = || async {
            let run = api.get(&path).await.unwrap().body;
            let status = run["status"].as_str().unwrap_or_default();
            (status != "queued" && status != "running").then_some(run.clone())
        };
        common::eventually("the run's end", ended).await
    }
}

/// Item 5 of the issue, R1: runs that fail because the application ended the session ask for one
/// refresh between them, and the next run works.
#[tokio::test(flavor = "multi_thread")]
async fn r1_runs_that_fail_on_their_credentials_bring_one_refresh_forward() {
    let (world, connection) = World::connected().await;
    let (first, second) = (world.flow(&connection).await, world.flow(&connection).await);
    world.sandbox.salesforce.expire_access_tokens();
    for flow in [&first, &second] {
        let run = world.run(flow).await;
        assert_eq!(
            (run["status"].as_str(), run["cause"].as_str()),
            (Some("failed"), Some("credentials")),
            "{run}"
        );
    }
    world.sandbox.runtime.settled().await;
    let refreshed = || async {
        let record = world.record(&connection).await;
        (record.generations() == (2, 2)).then_some(())
    };
    common::eventually("the refresh", refreshed).await;
    world.queue_is_empty().await;
    let counters = world.sandbox.salesforce.token_counters();
    assert_eq!(counters.refreshes, 1, "{counters:?}");
    let run = world.run(&first).await;
    assert_eq!(run["status"], "completed", "{run}");
    assert_eq!(world.waiting("RefreshDeadLetterQueue").await, 0);
    world.end().await;
}
