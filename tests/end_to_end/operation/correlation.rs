//! One id from the API call through AppFlow's run to the notification.

use http::Method;
use serde_json::{Value, json};

use crate::{
    common,
    flows::world::{World, path},
};

/// The id that a caller gives is in the answer, on the run, in what subscribers are told of it, and in
/// the log.
#[tokio::test(flavor = "multi_thread")]
async fn an_id_goes_from_the_call_through_the_run_to_the_notification() {
    let world = World::without_schedules().await;
    let flow = world.create(&world.flow()).await;
    let start = format!("{}/start", path(&flow));
    let headers = [("x-correlation-id", "order-4711")];
    let body = Some(json!({}).to_string());
    let started = world.api().call(Method::POST, &start, body, &headers);
    let started = started.await.unwrap();
    assert_eq!(started.headers["x-correlation-id"], "order-4711");
    let run = started.expect(202).unwrap();
    let run = world.ended(&flow, run["runId"].as_str().unwrap()).await;
    assert_eq!(run["correlationId"], "order-4711", "{run}");
    let told = common::eventually("the run's notifications", || async {
        let told = world.told_of(&run["id"]).await;
        told.iter()
            .any(|event| event["type"] == "tributary.run.completed")
            .then_some(told)
    })
    .await;
    for event in &told {
        assert_eq!(event["correlationid"], "order-4711", "{event}");
    }
    let lines = world.sandbox.logs.lines();
    let mut lines = lines
        .iter()
        .filter_map(|line| serde_json::from_str::<Value>(&line.text).ok());
    let handled = lines.find(|line| {
        line["message"] == "request handled" && line["span"]["correlation_id"] == "order-4711"
    });
    let handled = handled.unwrap();
    assert!(handled["span"]["function_request_id"].is_string());
    common::no_leaks(&world.sandbox).await;
}

/// Without an id of its own, or with one that could not stand in a log line, a request goes by the
/// gateway's id.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_a_sound_id_goes_by_its_own() {
    let world = World::without_schedules().await;
    let long = "a".repeat(65);
    for given in [None, Some("a b"), Some("x\"y"), Some(long.as_str())] {
        let headers: Vec<(&str, &str)> = given.iter().map(|id| ("x-correlation-id", *id)).collect();
        let answer = world
            .api()
            .call(Method::GET, "/v1/flows", None, &headers)
            .await
            .unwrap();
        assert_eq!(
            answer.headers["x-correlation-id"], answer.headers["x-request-id"],
            "{given:?}"
        );
    }
    common::no_leaks(&world.sandbox).await;
}
