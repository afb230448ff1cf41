//! Protocol errors, tokens and quotas.

use std::time::Duration;

use serde_json::json;

use super::world::{ACCOUNT, World, flow, scheduled};
use crate::Options;

#[tokio::test]
async fn malformed_requests_are_refused_before_anything_else() {
    let world = World::new().await;
    for (method, path, body, status, exception) in [
        ("POST", "/create-flow", "null", 400, "ValidationException"),
        ("POST", "/list-flows", "", 400, "ValidationException"),
        ("POST", "/create-flow", "{", 400, "SerializationException"),
        ("POST", "/create-flow", "[]", 400, "ValidationException"),
        ("GET", "/list-flows", "", 404, "UnknownOperationException"),
        (
            "POST",
            "/describe-flows",
            "{}",
            404,
            "UnknownOperationException",
        ),
        ("POST", "/describe-flow", "{}", 400, "ValidationException"),
    ] {
        let answer = world.raw(ACCOUNT, method, path, body).await;
        assert_eq!(
            (answer.status, answer.exception.as_str()),
            (status, exception),
            "{path} {body}"
        );
        assert!(answer.body["message"].is_string());
    }
    let null = world.raw(ACCOUNT, "POST", "/list-flows", "null").await;
    assert_eq!(null.message(), "The request object must be non-null");
}

#[tokio::test]
async fn a_repeated_start_with_the_same_token_is_one_run() {
    let world = World::new().await;
    world.connect().await;
    for name in ["one", "two"] {
        world.ok("create-flow", flow(name)).await;
    }
    let start = |name: &str, token: &str| json!({ "flowName": name, "clientToken": token });
    let first = world.ok("start-flow", start("one", "t")).await;
    assert_eq!(world.ok("start-flow", start("one", "t")).await, first);
    // On-demand flows are exempt from the error on other parameters.
    assert_ne!(world.ok("start-flow", start("two", "t")).await, first);
    world.appflow.settled().await;
    assert_eq!(
        (world.runs("one").await.len(), world.runs("two").await.len()),
        (1, 1)
    );
    world.clock.advance(Duration::from_hours(9));
    assert_ne!(world.ok("start-flow", start("one", "u")).await, first);
}

#[tokio::test]
async fn a_token_with_other_parameters_is_refused_and_an_error_is_not_kept() {
    let world = World::new().await;
    let mut body = flow("f1");
    body["clientToken"] = json!("t");
    assert_eq!(world.call("create-flow", body.clone()).await.status, 404);
    world.connect().await;
    let created = world.ok("create-flow", body.clone()).await;
    assert_eq!(world.ok("create-flow", body).await, created);
    let mut other = flow("g1");
    other["clientToken"] = json!("t");
    assert_eq!(
        world.call("create-flow", other).await.exception,
        "ConflictException"
    );
    world.ok("create-flow", scheduled("a1", json!({}))).await;
    world.ok("create-flow", scheduled("b1", json!({}))).await;
    world
        .ok(
            "start-flow",
            json!({ "flowName": "a1", "clientToken": "s" }),
        )
        .await;
    let reused = world
        .call(
            "start-flow",
            json!({ "flowName": "b1", "clientToken": "s" }),
        )
        .await;
    assert_eq!(reused.exception, "ConflictException");
}

#[tokio::test]
async fn a_retry_that_overtakes_its_first_request_gets_the_same_answer() {
    let world = World::new().await;
    let token = world.salesforce.org().access_token.clone();
    let mut body = world.profile("sf", &json!({ "accessToken": token }));
    body["clientToken"] = json!("t");
    let (first, second) = tokio::join!(
        world.ok("create-connector-profile", body.clone()),
        world.ok("create-connector-profile", body),
    );
    assert_eq!(first, second);
    assert_eq!(world.memory.look().secrets.len(), 1);
}

#[tokio::test]
async fn quotas_are_402() {
    let options = Options {
        max_flows: 1,
        max_profiles: 1,
        max_concurrent_runs: 1,
        ..Options::default()
    };
    let world = World::with(options).await;
    world.connect().await;
    let token = world.salesforce.org().access_token.clone();
    let second = world.profile("second", &json!({ "accessToken": token }));
    world.ok("create-flow", flow("f1")).await;
    world.salesforce.gate.forget_permits(usize::MAX);
    world.ok("start-flow", json!({ "flowName": "f1" })).await;
    for (route, body) in [
        ("create-connector-profile", second),
        ("create-flow", flow("g1")),
        ("start-flow", json!({ "flowName": "f1" })),
    ] {
        let answer = world.call(route, body).await;
        assert_eq!(
            (answer.status, answer.exception.as_str()),
            (402, "ServiceQuotaExceededException"),
            "{route}"
        );
    }
}

#[tokio::test]
async fn lists_are_paged() {
    let world = World::new().await;
    world.connect().await;
    for n in 0..23 {
        world.ok("create-flow", flow(&format!("flow-{n:02}"))).await;
    }
    let first = world.ok("list-flows", json!({})).await;
    assert_eq!(first["flows"].as_array().expect("list").len(), 20);
    let second = world
        .ok("list-flows", json!({ "nextToken": first["nextToken"] }))
        .await;
    assert_eq!(second["flows"][0]["flowName"], "flow-20");
    assert!(second["nextToken"].is_null());
    let bad = world
        .call("list-flows", json!({ "nextToken": "bad" }))
        .await;
    assert_eq!(bad.exception, "ValidationException");
}
