//! From draft to deletion.

use std::{collections::BTreeSet, time::Duration};

use http::Method;
use jiff::{SignedDuration, Timestamp};
use sandbox::client::Answer;
use serde_json::{Value, json};

use super::world::{World, items, path};
use crate::common;

mod both {
    use crate::flows::world::in_both_hosting_modes;

    in_both_hosting_modes! {
        f1_one_idempotency_key_makes_one_flow;
        f2_a_scheduled_flow_is_a_draft_then_runs_on_schedule_and_brings_changes_only;
        f3_an_on_demand_flow_is_not_stoppable;
        f4_a_mapping_changes_in_place_and_the_incremental_position_stays;
        f4_account_source_destination_and_kind_of_trigger_cannot_change;
        f10_deleting_an_active_flow_says_what_was_done_and_all_agree;
        f10_a_flow_that_was_deleted_outside_is_said_to_be_gone;
    }
}

/// `PUT` or `DELETE` of a flow with this tag.
async fn change(
    world: &World,
    method: Method,
    flow: &Value,
    body: Option<&Value>,
    tag: Option<&str>,
) -> Answer {
    let headers: Vec<(&str, &str)> = tag.iter().map(|tag| ("if-match", *tag)).collect();
    let body = body.map(Value::to_string);
    world
        .api()
        .call(method, &path(flow), body, &headers)
        .await
        .unwrap()
}

/// F1: one key makes one flow; with another body it is refused; without a key each call is new.
async fn f1_one_idempotency_key_makes_one_flow(world: World) {
    let flow = world.flow();

    let first = world.post_once("/v1/flows", &flow, "key-1").await;
    let again = world.post_once("/v1/flows", &flow, "key-1").await;
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(first.headers["location"], again.headers["location"]);
    let (first, again) = (first.expect(201).unwrap(), again.expect(201).unwrap());
    assert_eq!(first, again);

    let mut other = flow.clone();
    other["name"] = json!("Another name");
    let reused = world.post_once("/v1/flows", &other, "key-1").await;
    assert_eq!(
        (reused.status.as_u16(), reused.code()),
        (422, "idempotency_key_reused")
    );

    let listed = items(
        world
            .api()
            .get("/v1/flows")
            .await
            .unwrap()
            .expect(200)
            .unwrap(),
    );
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(world.appflow_flows().await.len(), 1);

    let second = world
        .post_once("/v1/flows", &other, "key-2")
        .await
        .expect(201)
        .unwrap();
    assert_ne!(first["id"], second["id"]);
    assert_eq!(world.appflow_flows().await.len(), 2);
    common::no_leaks(&world.sandbox).await;
}

/// F2: a draft until it is started; runs at its start and then at each period, and a later run
/// brings what changed and nothing else.
async fn f2_a_scheduled_flow_is_a_draft_then_runs_on_schedule_and_brings_changes_only(
    world: World,
) {
    let mut flow = world.scheduled_flow("rate(10 minutes)");
    flow["trigger"]["start"] = json!(Timestamp::now() + SignedDuration::from_mins(10));
    let flow = world.create(&flow).await;
    assert_eq!(flow["state"], "draft");
    let not_started = world.act(&flow, "stop").await;
    assert_eq!(
        (not_started.status.as_u16(), not_started.code()),
        (409, "not_started")
    );

    let active = world.act(&flow, "start").await.expect(200).unwrap();
    assert_eq!(active["state"], "active");
    assert_eq!(world.show(&flow).await["state"], "active");
    world.sandbox.appflow.run_due().await;
    world.settled().await;
    assert!(
        world.runs(&flow).await.is_empty(),
        "it ran before its start"
    );

    world.sandbox.clock.advance(Duration::from_mins(11));
    let runs = world.ended_runs(&flow, 1).await;
    let all = world.sandbox.salesforce.sales();
    assert_eq!(runs[0]["status"], "completed", "{runs:?}");
    assert_eq!(runs[0]["recordsProcessed"], all.len());
    assert_eq!(world.records(&runs[0]).await.len(), all.len());

    let changed = world.sandbox.salesforce.change_sales(|sale| {
        if sale.city == "Paris" || sale.city == "Lima" {
            sale.units += 1;
        }
    });
    assert!(changed >= 2 && changed < all.len());
    world.sandbox.clock.advance(Duration::from_mins(10));
    let runs = world.ended_runs(&flow, 2).await;
    assert_eq!(runs[0]["recordsProcessed"], changed);
    let records = world.records(&runs[0]).await;
    assert_eq!(records.len(), changed);
    assert!(
        records
            .iter()
            .all(|record| record["City__c"] == "Paris" || record["City__c"] == "Lima"),
        "{records:?}"
    );

    let stopped = world.act(&flow, "stop").await.expect(200).unwrap();
    assert_eq!(stopped["state"], "suspended");
    world.sandbox.clock.advance(Duration::from_mins(30));
    world.sandbox.appflow.run_due().await;
    world.settled().await;
    assert_eq!(
        world.runs(&flow).await.len(),
        2,
        "it ran although it was stopped"
    );
    common::no_leaks(&world.sandbox).await;
}

/// F3: an on-demand flow has nothing to stop, and says so.
async fn f3_an_on_demand_flow_is_not_stoppable(world: World) {
    let flow = world.create(&world.flow()).await;
    let refused = world.act(&flow, "stop").await;
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (409, "not_stoppable")
    );
    assert_eq!(world.show(&flow).await, flow);
    common::no_leaks(&world.sandbox).await;
}

/// F4: a mapping changes in place; the next run goes on where the last one stopped.
async fn f4_a_mapping_changes_in_place_and_the_incremental_position_stays(world: World) {
    let definition = world.scheduled_flow("rate(10 minutes)");
    let flow = world.create(&definition).await;
    world.act(&flow, "start").await.expect(200).unwrap();
    let runs = world.ended_runs(&flow, 1).await;
    let all = world.sandbox.salesforce.sales().len();
    assert_eq!(runs[0]["recordsProcessed"], all, "{runs:?}");

    let mut changed = definition.clone();
    changed["mappings"] = json!([
        { "type": "field", "from": "Id", "to": "Id" },
        { "type": "field", "from": "City__c", "to": "City" },
    ]);
    let unconditional = change(&world, Method::PUT, &flow, Some(&changed), None).await;
    assert_eq!(
        (unconditional.status.as_u16(), unconditional.code()),
        (428, "if_match_required")
    );
    let stale = change(&world, Method::PUT, &flow, Some(&changed), Some("\"7\"")).await;
    assert_eq!(
        (stale.status.as_u16(), stale.code()),
        (412, "stale_version")
    );
    let updated = change(&world, Method::PUT, &flow, Some(&changed), Some("\"1\"")).await;
    assert_eq!(updated.headers["etag"], "\"2\"");
    let updated = updated.expect(200).unwrap();
    assert_eq!(
        (&updated["state"], &updated["version"]),
        (&json!("active"), &json!(2))
    );
    assert_eq!(updated["appflowName"], flow["appflowName"]);
    let stale = change(&world, Method::PUT, &flow, Some(&changed), Some("\"1\"")).await;
    assert_eq!(
        (stale.status.as_u16(), stale.code()),
        (412, "stale_version")
    );

    let touched = world.sandbox.salesforce.change_sales(|sale| {
        if sale.country_code == "NZ" {
            sale.units += 1;
        }
    });
    assert!(touched > 0);
    world.sandbox.clock.advance(Duration::from_mins(10));
    let runs = world.ended_runs(&flow, 2).await;
    assert_eq!(
        runs[0]["recordsProcessed"], touched,
        "neither a full reload nor a gap"
    );
    for record in world.records(&runs[0]).await {
        let fields: BTreeSet<&String> = record.as_object().unwrap().keys().collect();
        assert!(fields.iter().eq(["City", "Id"].iter()), "{fields:?}");
    }
    assert_eq!(
        world.appflow_flows().await.len(),
        1,
        "no flow was made anew"
    );
    common::no_leaks(&world.sandbox).await;
}

/// F4: what AppFlow cannot change in place is refused with every pointer, and nothing is changed.
async fn f4_account_source_destination_and_kind_of_trigger_cannot_change(world: World) {
    let flow = world.create(&world.flow()).await;
    let before = world
        .appflow(
            world.aws_account,
            "/describe-flow",
            &json!({ "flowName": flow["appflowName"] }),
        )
        .await;
    let mut moved = world.scheduled_flow("rate(1 hour)");
    moved["source"]["object"] = json!("Account");
    moved["destination"]["prefix"] = json!("elsewhere");
    let refused = change(&world, Method::PUT, &flow, Some(&moved), Some("*")).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (422, "invalid_flow")
    );
    let faults = super::world::faults(&refused.body);
    assert!(
        faults.iter().eq([
            "/destination not_changeable",
            "/source not_changeable",
            "/trigger/type not_changeable"
        ]),
        "{faults:?}"
    );
    assert_eq!(world.show(&flow).await, flow);
    let after = world
        .appflow(
            world.aws_account,
            "/describe-flow",
            &json!({ "flowName": flow["appflowName"] }),
        )
        .await;
    assert_eq!(before, after);
    common::no_leaks(&world.sandbox).await;
}

/// F10: an active schedule is stopped first, the answer says so, and everybody agrees afterwards.
async fn f10_deleting_an_active_flow_says_what_was_done_and_all_agree(world: World) {
    let mut definition = world.scheduled_flow("rate(1 day)");
    definition["trigger"]["start"] = json!(Timestamp::now() + SignedDuration::from_hours(20));
    let scheduled = world.create(&definition).await;
    world.act(&scheduled, "start").await.expect(200).unwrap();
    let on_demand = world.create(&world.flow()).await;
    world.run(&on_demand).await;
    assert_eq!(world.appflow_flows().await.len(), 2);

    let unconditional = change(&world, Method::DELETE, &scheduled, None, None).await;
    assert_eq!(
        (unconditional.status.as_u16(), unconditional.code()),
        (428, "if_match_required")
    );
    let stale = change(&world, Method::DELETE, &scheduled, None, Some("\"2\"")).await;
    assert_eq!(
        (stale.status.as_u16(), stale.code()),
        (412, "stale_version")
    );
    let deleted = change(&world, Method::DELETE, &scheduled, None, Some("\"1\""))
        .await
        .expect(200)
        .unwrap();
    assert_eq!(deleted["choice"], "stoppedFirst");
    let deleted = change(&world, Method::DELETE, &on_demand, None, Some("\"1\""))
        .await
        .expect(200)
        .unwrap();
    assert!(
        deleted["choice"] == "deleted" || deleted["choice"] == "forced",
        "{deleted}"
    );

    assert!(world.appflow_flows().await.is_empty());
    let listed = items(
        world
            .api()
            .get("/v1/flows")
            .await
            .unwrap()
            .expect(200)
            .unwrap(),
    );
    assert!(listed.is_empty(), "{listed:?}");
    for flow in [&scheduled, &on_demand] {
        let described = world
            .appflow(
                world.aws_account,
                "/describe-flow",
                &json!({ "flowName": flow["appflowName"] }),
            )
            .await;
        assert_eq!(described, Err(404));
        assert_eq!(
            world.api().get(&path(flow)).await.unwrap().status.as_u16(),
            404
        );
        assert_eq!(world.act(flow, "start").await.status.as_u16(), 404);
        let again = change(&world, Method::DELETE, flow, None, Some("*")).await;
        assert_eq!(again.status.as_u16(), 404);
    }
    common::no_leaks(&world.sandbox).await;
}

/// F10, F6: a flow that somebody deleted in the console can be deleted here, and is said to be gone.
async fn f10_a_flow_that_was_deleted_outside_is_said_to_be_gone(world: World) {
    let flow = world.create(&world.flow()).await;
    let outside = json!({ "flowName": flow["appflowName"], "forceDelete": true });
    world
        .appflow(world.aws_account, "/delete-flow", &outside)
        .await
        .unwrap();
    let refused = world.act(&flow, "start").await;
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (409, "missing_in_appflow")
    );
    let deleted = change(&world, Method::DELETE, &flow, None, Some("*"))
        .await
        .expect(200)
        .unwrap();
    assert_eq!(deleted["choice"], "alreadyGone");
    assert_eq!(
        world.api().get(&path(&flow)).await.unwrap().status.as_u16(),
        404
    );
    common::no_leaks(&world.sandbox).await;
}
