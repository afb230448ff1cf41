//! Suspension: nobody comes in, schedules stand still, tokens stay fresh, and all of it comes back.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{appflow_status, call, resume, suspend, time_passes, told_of, within_a_minute};
use crate::{
    common,
    edge::wire::{self, assert_problem},
    flows::world::{World, in_both_hosting_modes, path},
};

mod o11_hosted {
    use super::in_both_hosting_modes;

    in_both_hosting_modes! {
        a_suspended_tenant_stands_still_until_it_is_resumed;
    }
}

/// A scheduled flow that runs.
async fn running(world: &World) -> Value {
    let flow = world.create(&world.scheduled_flow("rate(1 hours)")).await;
    world.act(&flow, "start").await.expect(200).unwrap();
    assert_eq!(appflow_status(world, &flow).await, "Active");
    flow
}

async fn a_suspended_tenant_stands_still_until_it_is_resumed(world: World) {
    let sandbox = &world.sandbox;
    let operator = sandbox.operator().await.unwrap();
    let (going, stopped) = (running(&world).await, running(&world).await);
    world.act(&stopped, "stop").await.expect(200).unwrap();
    let tenant = world.tenant.id.clone();

    let seen = suspend(&operator, &tenant).await;
    assert_eq!(
        (&seen["state"], &seen["reason"]),
        (&json!("suspended"), &json!("Invoice 2026-113 is unpaid."))
    );
    let again = suspend(&operator, &tenant).await;
    assert_eq!(again["version"], seen["version"], "suspended twice");

    // Within seconds nobody comes in, to read or to change.
    let api = world.api();
    within_a_minute("the end of reads", || async {
        api.get("/v1/flows").await.unwrap().status.as_u16() == 403
    })
    .await;
    let start = format!("{}/start", path(&going));
    for (method, path) in [
        (Method::GET, path(&going)),
        (Method::POST, start),
        (Method::GET, "/v1/accounts".to_owned()),
        (Method::GET, "/v1/queries/qry_1".to_owned()),
    ] {
        let answer = call(api, method, &path, None).await;
        assert_problem(&answer, 403, "tenant_suspended", &path);
        assert!(
            !answer.body.to_string().contains("2026-113"),
            "the reason is the operator's"
        );
    }
    // Nobody gets a new token either: neither by signing in nor with the session.
    assert!(sandbox.sign_in("frank").await.is_err());
    let browser = &world.tenant.people["frank"].browser;
    assert!(sandbox.tokens(browser, true).await.is_err());

    time_passes(sandbox, Duration::from_mins(2)).await;
    assert_eq!(appflow_status(&world, &going).await, "Suspended");
    assert_eq!(
        told_of(sandbox, &tenant).await,
        ["tributary.tenant.suspended"]
    );

    let seen = resume(&operator, &tenant).await;
    assert_eq!(
        (&seen["state"], &seen["reason"]),
        (&json!("active"), &Value::Null)
    );
    assert_eq!(resume(&operator, &tenant).await["version"], seen["version"]);
    time_passes(sandbox, Duration::from_mins(1)).await;
    assert_eq!(appflow_status(&world, &going).await, "Active");
    assert_eq!(
        appflow_status(&world, &stopped).await,
        "Suspended",
        "what its owner stopped stays stopped"
    );
    let mut told = told_of(sandbox, &tenant).await;
    told.sort_unstable();
    assert_eq!(
        told,
        ["tributary.tenant.resumed", "tributary.tenant.suspended"]
    );

    // The same people, the same connection: nothing has to be granted again.
    let frank = sandbox.sign_in("frank").await.unwrap();
    within_a_minute("letting in", || async {
        frank.api.get("/v1/flows").await.unwrap().status.as_u16() == 200
    })
    .await;
    let shown = frank
        .api
        .get(&path(&going))
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    assert_eq!(shown["state"], "active", "{shown}");
    let entities = format!("/v1/connections/{}/entities", world.connection);
    frank.api.get(&entities).await.unwrap().expect(200).unwrap();
    wire::assert_no_failures(sandbox);
    common::no_leaks(sandbox).await;
}

/// Whoever is killed while schedules are stopped is followed by the next tick.
#[tokio::test(flavor = "multi_thread")]
async fn o11_a_tick_that_dies_while_it_stops_schedules_is_followed_by_another() {
    use sandbox_gateway::runtime::KillAt;

    let world = World::without_schedules().await;
    let operator = world.sandbox.operator().await.unwrap();
    let flow = running(&world).await;
    suspend(&operator, &world.tenant.id).await;
    let runtime = &world.sandbox.runtime;
    assert!(runtime.kill_during_next_invocation("FlowsFunction", KillAt::Receipt));
    world.sandbox.schedules.fire("tributary-watch").await;
    runtime.settled().await;
    time_passes(&world.sandbox, Duration::from_mins(2)).await;
    assert_eq!(appflow_status(&world, &flow).await, "Suspended");
    common::no_leaks(&world.sandbox).await;
}

/// What was throttled when the tenant was still active is not started after it was suspended.
#[tokio::test(flavor = "multi_thread")]
async fn o11_an_operation_that_waits_is_not_done_for_a_suspended_tenant() {
    use sandbox_core::Fault;

    let world = World::without_schedules().await;
    let operator = world.sandbox.operator().await.unwrap();
    let flow = world.create(&world.scheduled_flow("rate(1 hours)")).await;
    let throttled = Fault::Status {
        status: 429,
        retry_after: None,
        body: json!({ "__type": "ThrottlingException", "message": "Rate exceeded" }).to_string(),
    };
    world.appflow_fault("start-flow", throttled, 100);
    let later = world.act(&flow, "start").await;
    let operation = later.expect(202).unwrap()["operationId"]
        .as_str()
        .unwrap()
        .to_owned();
    world.sandbox.faults.clear();
    suspend(&operator, &world.tenant.id).await;
    time_passes(&world.sandbox, Duration::from_mins(2)).await;
    assert_eq!(appflow_status(&world, &flow).await, "Draft");

    resume(&operator, &world.tenant.id).await;
    let frank = world.sandbox.sign_in("frank").await.unwrap();
    let path = format!("/v1/operations/{operation}");
    within_a_minute("letting in", || async {
        frank.api.get(&path).await.unwrap().status.as_u16() == 200
    })
    .await;
    let seen = frank.api.get(&path).await.unwrap().body;
    assert_eq!(
        (&seen["status"], &seen["problem"]["code"]),
        (&json!("failed"), &json!("tenant_suspended")),
        "{seen}"
    );
}

/// Renaming needs the version, and changes nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_is_renamed_by_who_has_seen_it() {
    let sandbox = common::start().await;
    let operator = sandbox.operator().await.unwrap();
    let blue = common::tenant(&sandbox, "Blue", &[("frank", "admin")]).await;
    let path = format!("/v1/tenants/{}", blue.id);
    let rename = async |tag: &str, name: &str| {
        let body = json!({ "name": name }).to_string();
        let headers = [("if-match", tag)];
        let sent = operator.call(Method::PATCH, &path, Some(body), &headers);
        sent.await.unwrap()
    };
    assert_problem(
        &rename("\"7\"", "Azure").await,
        412,
        "stale_version",
        "an old version",
    );
    assert_problem(
        &rename("\"1\"", " ").await,
        422,
        "invalid_tenant",
        "a blank name",
    );
    let renamed = rename("\"1\"", "Azure").await.expect(200).unwrap();
    assert_eq!(
        (&renamed["name"], &renamed["version"]),
        (&json!("Azure"), &json!(2))
    );
    assert_eq!(renamed["state"], "active");

    let members = operator
        .get(&format!("{path}/members?limit=1"))
        .await
        .unwrap();
    let members = members.expect(200).unwrap();
    let frank = &sandbox.oidc.user("frank").unwrap().sub;
    assert_eq!(members["items"][0]["subject"], json!(frank), "{members}");
    assert!(members["nextCursor"].is_null(), "{members}");
    let blank = json!({ "reason": " " });
    let refused = operator
        .post(&format!("{path}/suspend"), &blank)
        .await
        .unwrap();
    assert_problem(&refused, 422, "invalid_suspension", "a blank reason");
    let none = operator.get(&format!("{path}/offboarding")).await.unwrap();
    assert_problem(
        &none,
        404,
        "not_found",
        "an offboarding that nobody asked for",
    );
}
