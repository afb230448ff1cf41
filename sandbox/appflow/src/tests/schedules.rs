//! Scheduled and event flows by the sandbox's clock.

use std::time::Duration;

use serde_json::{Value, json};

use super::world::{ACCOUNT, World, assert_like, flow, scheduled};

const HOUR: Duration = Duration::from_hours(1);

/// Moves the clock, runs what is due and waits for it.
async fn pass(world: &World, time: Duration) {
    world.clock.advance(time);
    world.appflow.run_due().await;
    world.appflow.settled().await;
}

/// Start and end of a run's window in whole seconds.
fn window(record: &Value) -> (f64, f64) {
    let at = |name: &str| record[name].as_f64().expect("time").round();
    (at("dataPullStartTime"), at("dataPullEndTime"))
}

#[tokio::test]
async fn a_schedule_runs_at_activation_and_each_period_and_reads_what_changed() {
    let world = World::new().await;
    world.connect().await;
    world
        .ok("create-flow", scheduled("hourly", json!({})))
        .await;
    pass(&world, HOUR).await;
    assert!(
        world.runs("hourly").await.is_empty(),
        "a draft does not run"
    );
    world
        .ok("start-flow", json!({ "flowName": "hourly" }))
        .await;
    pass(&world, Duration::ZERO).await;
    pass(&world, HOUR / 2).await;
    assert_eq!(world.runs("hourly").await.len(), 1);
    pass(&world, HOUR / 2).await;
    let runs = world.runs("hourly").await;
    assert_eq!(runs.len(), 2);
    let (first, second) = (window(&runs[1]), window(&runs[0]));
    assert!((first.1 - first.0 - 30.0 * 86_400.0).abs() < 1.0, "30 days");
    assert!((second.0 - first.1).abs() < 1.0, "windows touch");
    let queries = world.salesforce.org().queries.clone();
    assert!(
        queries[0].contains("WHERE LastModifiedDate >= ")
            && queries[0].contains(" AND LastModifiedDate < ")
    );
    let started = world.events("AppFlow Start Flow Run Report");
    assert_like(
        &started[1],
        include_str!("../../tests-data/event-start-flow-run-report-RECONSTRUCTED.json"),
    );
    let start = &started[1]["detail"];
    assert_eq!(start["trigger-type"], "SCHEDULED");
    let range = start["incremental-transfer-time-range"]
        .as_str()
        .expect("range");
    assert_eq!(range.matches("Z[UTC]").count(), 2, "{range}");

    // Three hours slept through are one run.
    pass(&world, 3 * HOUR).await;
    assert_eq!(world.runs("hourly").await.len(), 3);
    world.ok("stop-flow", json!({ "flowName": "hourly" })).await;
    pass(&world, 3 * HOUR).await;
    assert_eq!(world.runs("hourly").await.len(), 3);
}

#[tokio::test]
async fn start_and_end_bound_the_schedule() {
    let world = World::new().await;
    world.connect().await;
    let now = world.clock.now().as_second();
    let bounds = json!({ "scheduleStartTime": now + 7200, "scheduleEndTime": now + 7200 + 5400, "dataPullMode": "Complete" });
    world.ok("create-flow", scheduled("bounded", bounds)).await;
    world
        .ok("start-flow", json!({ "flowName": "bounded" }))
        .await;
    let mut runs = Vec::new();
    for _ in 0..6 {
        pass(&world, HOUR).await;
        runs.push(world.runs("bounded").await.len());
    }
    assert_eq!(runs, [0, 1, 2, 2, 2, 2]);
    assert_eq!(
        world.last_run("bounded").await["dataPullStartTime"],
        Value::Null
    );
}

#[tokio::test]
async fn failures_in_a_row_deactivate_and_a_success_resets_the_count() {
    let world = World::new().await;
    world.connect().await;
    let body = scheduled("fragile", json!({ "flowErrorDeactivationThreshold": 2 }));
    world.ok("create-flow", body).await;
    world
        .ok("start-flow", json!({ "flowName": "fragile" }))
        .await;
    for refuse in [true, false, true, true] {
        world.memory.look().refuse_puts = refuse.then(|| "AccessDenied".to_owned());
        pass(&world, HOUR).await;
    }
    let runs = world.runs("fragile").await;
    let statuses: Vec<&str> = runs
        .iter()
        .rev()
        .filter_map(|r| r["executionStatus"].as_str())
        .collect();
    assert_eq!(statuses, ["Error", "Successful", "Error", "Error"]);
    // The window of failed runs is retried: it still starts at the last success.
    assert!((window(&runs[0]).0 - window(&runs[2]).1).abs() < 1.0);
    let described = world
        .ok("describe-flow", json!({ "flowName": "fragile" }))
        .await;
    assert_eq!(described["flowStatus"], "Suspended");
    assert!(described["flowStatusMessage"].is_string());
    let told = world.events("AppFlow Scheduled Flow Deactivated");
    assert_eq!(told.len(), 1);
    assert_like(
        &told[0],
        include_str!("../../tests-data/event-scheduled-flow-deactivated-RECONSTRUCTED.json"),
    );
    let ends = world.events("AppFlow End Flow Run Report");
    assert_like(
        &ends[0],
        include_str!("../../tests-data/event-end-flow-run-report-failed-RECONSTRUCTED.json"),
    );
    assert!(
        told[0]["detail"]["deactivation-reason"]
            .as_str()
            .expect("reason")
            .contains("repeated failures")
    );
    pass(&world, HOUR).await;
    assert_eq!(world.runs("fragile").await.len(), 4);
    world.memory.look().refuse_puts = None;
    world
        .ok("start-flow", json!({ "flowName": "fragile" }))
        .await;
    pass(&world, HOUR).await;
    assert_eq!(
        world.last_run("fragile").await["executionStatus"],
        "Successful"
    );
}

#[tokio::test]
async fn a_revoked_refresh_token_deactivates_at_once_and_an_expired_access_token_does_not() {
    let world = World::new().await;
    let arn = world.app_secret().await;
    let token = world.salesforce.org().access_token.clone();
    let owned = json!({ "accessToken": token, "refreshToken": "5Aep-refresh-token-1", "clientCredentialsArn": arn });
    world
        .ok("create-connector-profile", world.profile("owned", &owned))
        .await;
    world.connect().await;
    let mut body = scheduled("by-appflow", json!({}));
    body["sourceFlowConfig"]["connectorProfileName"] = json!("owned");
    world.ok("create-flow", body).await;
    world
        .ok("create-flow", scheduled("by-tributary", json!({})))
        .await;
    for name in ["by-appflow", "by-tributary"] {
        world.ok("start-flow", json!({ "flowName": name })).await;
    }
    world.salesforce.org().access_token = "00D-revoked".to_owned();
    world.salesforce.org().refresh_token = None;
    pass(&world, HOUR).await;
    for (name, status) in [("by-appflow", "Suspended"), ("by-tributary", "Active")] {
        assert_eq!(world.last_run(name).await["executionStatus"], "Error");
        let described = world.ok("describe-flow", json!({ "flowName": name })).await;
        assert_eq!(described["flowStatus"], status, "{name}");
    }
    assert_eq!(world.events("AppFlow Scheduled Flow Deactivated").len(), 1);
    let healed = world.profile("owned", &json!({ "accessToken": "00D-revoked" }));
    world.ok("update-connector-profile", healed).await;
    pass(&world, HOUR).await;
    assert_eq!(
        world.runs("by-appflow").await.len(),
        1,
        "nothing is re-activated by itself"
    );
}

#[tokio::test]
async fn an_event_flow_hands_events_on_and_reports_every_five_minutes() {
    let world = World::new().await;
    world.connect().await;
    let source = "aws.partner/appflow/salesforce.com/222222222222/acme";
    let mut body = flow("changes");
    body["triggerConfig"] = json!({ "triggerType": "Event" });
    body["sourceFlowConfig"]["sourceConnectorProperties"]["Salesforce"]["object"] =
        json!("CityChangeEvent");
    body["destinationFlowConfigList"] = json!([{ "connectorType": "EventBridge",
        "destinationConnectorProperties": { "EventBridge": { "object": source } } }]);
    world.ok("create-flow", body).await;
    let change = json!({ "ChangeEventHeader": { "changeType": "UPDATE" } });
    let deliver = || {
        world
            .appflow
            .deliver_event(ACCOUNT, "us-east-1", "CityChangeEvent", change.clone())
    };
    deliver().await;
    assert!(
        world.events("CityChangeEvent").is_empty(),
        "a draft hears nothing"
    );
    let pending = world
        .call("start-flow", json!({ "flowName": "changes" }))
        .await;
    assert_eq!(pending.exception, "ConflictException");
    let key = (ACCOUNT.to_owned(), source.to_owned());
    assert_eq!(world.memory.look().sources.insert(key, true), Some(false));
    world
        .ok("start-flow", json!({ "flowName": "changes" }))
        .await;
    deliver().await;
    deliver().await;
    let events = world.events("CityChangeEvent");
    assert_eq!(events.len(), 2);
    assert_eq!(
        (&events[0]["source"], &events[0]["detail"]),
        (&json!(source), &change)
    );
    pass(&world, Duration::from_mins(6)).await;
    pass(&world, Duration::from_mins(1)).await;
    let reports = world.events("AppFlow Event Flow Report");
    assert_eq!(reports.len(), 1);
    assert_like(
        &reports[0],
        include_str!("../../tests-data/event-event-flow-report-RECONSTRUCTED.json"),
    );
    let text = reports[0]["detail"]["status-report"]
        .as_str()
        .expect("text");
    assert!(text.starts_with("2 events received between "), "{text}");
    assert!(world.runs("changes").await.is_empty());
}

#[tokio::test]
async fn the_background_task_starts_what_is_due() {
    let world = World::new().await;
    world.connect().await;
    world
        .ok("create-flow", scheduled("watched", json!({})))
        .await;
    let task = world.appflow.spawn();
    world
        .ok("start-flow", json!({ "flowName": "watched" }))
        .await;
    let mut running = world.appflow.inner.running.subscribe();
    let started = running.wait_for(|count| *count > 0);
    tokio::time::timeout(Duration::from_secs(20), started)
        .await
        .expect("in time")
        .expect("sender");
    world.appflow.settled().await;
    task.abort();
    assert_eq!(
        world.last_run("watched").await["executionStatus"],
        "Successful"
    );
}
