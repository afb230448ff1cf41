//! What customers change in their own console: noticed, shown, never overwritten in silence (F6).

use std::time::Duration;

use http::Method;
use sandbox::client::Answer;
use sandbox_core::{Fault, FaultRule, OTHER_CUSTOMER_ACCOUNT};
use serde_json::{Value, json};

use super::world::{World, faults, items, landing_bucket, path};
use crate::common;

mod both {
    use crate::flows::world::in_both_hosting_modes;

    in_both_hosting_modes! {
        /// A changed definition.
        an_edit;
        /// A deleted flow.
        a_deletion;
        /// A stopped and a started schedule.
        a_status;
    }
}

async fn with_tag(world: &World, method: Method, path: &str, body: &Value, tag: &str) -> Answer {
    let body = Some(body.to_string());
    let headers = [("if-match", tag)];
    world
        .api()
        .call(method, path, body, &headers)
        .await
        .unwrap()
}

async fn overwrite(world: &World, flow: &Value, tag: &str) -> Answer {
    let path = format!("{}/drift/overwrite", path(flow));
    with_tag(world, Method::POST, &path, &json!({}), tag).await
}

async fn accept(world: &World, flow: &Value, tag: &str) -> Answer {
    let path = format!("{}/drift/accept", path(flow));
    with_tag(world, Method::POST, &path, &json!({}), tag).await
}

async fn shown_drift(world: &World, flow: &Value) -> Value {
    let answer = world.api().get(&format!("{}/drift", path(flow))).await;
    answer.unwrap().expect(200).unwrap()
}

fn refusal(answer: &Answer) -> (u16, &str) {
    (answer.status.as_u16(), answer.code())
}

/// An edit is noticed by the watch, shown everywhere with who did it, and stays until it is settled.
async fn an_edit(world: World) {
    let definition = world.flow();
    let flow = world.create(&definition).await;
    world.watched().await;
    assert!(world.show(&flow).await.get("drift").is_none());
    let described = || world.sandbox.journal.count("appflow", "/describe-flow");
    let before = described();
    world.watched().await;
    assert_eq!(described(), before, "an unchanged flow was described");

    world
        .edit_in_console(&flow, "/description", json!("Edited by Ana"))
        .await;
    let before = described();
    world.watched().await;
    assert_eq!(described(), before + 1);
    let seen = world.show(&flow).await;
    assert_eq!(seen["drift"]["kind"], "changed", "{seen}");
    assert!(
        seen["drift"]["who"]
            .as_str()
            .is_some_and(|who| who.contains(world.aws_account)),
        "{seen}"
    );
    let noticed = seen["drift"]["noticedAt"].clone();
    let listed = items(
        world
            .api()
            .get("/v1/flows")
            .await
            .unwrap()
            .expect(200)
            .unwrap(),
    );
    assert_eq!(listed[0]["drift"], seen["drift"]);

    let put = with_tag(&world, Method::PUT, &path(&flow), &definition, "\"1\"").await;
    assert_eq!(refusal(&put), (409, "drifted"));
    let start = world.act(&flow, "start").await;
    assert_eq!(refusal(&start), (409, "drifted"));
    world.watched().await;
    assert_eq!(world.show(&flow).await["drift"]["noticedAt"], noticed);
    let report = shown_drift(&world, &flow).await;
    assert_eq!(report["drifted"], true);
    assert!(
        report["differences"].to_string().contains("Edited by Ana"),
        "{report}"
    );
    let console = world.console("/describe-flow", &flow, json!({})).await;
    assert_eq!(
        console["description"], "Edited by Ana",
        "overwritten in silence"
    );

    let stale = overwrite(&world, &flow, "\"7\"").await;
    assert_eq!(refusal(&stale), (412, "stale_version"));
    let settled = overwrite(&world, &flow, "\"1\"").await.expect(200).unwrap();
    assert_eq!(
        (&settled["version"], &settled["recreated"]),
        (&json!(2), &json!(false))
    );
    assert!(settled.get("drift").is_none(), "{settled}");
    let console = world.console("/describe-flow", &flow, json!({})).await;
    assert_ne!(console["description"], "Edited by Ana");
    let again = overwrite(&world, &flow, "\"2\"").await;
    assert_eq!(refusal(&again), (409, "not_drifted"));
    world.watched().await;
    assert!(world.show(&flow).await.get("drift").is_none());
    world.run(&flow).await;

    world
        .edit_in_console(&flow, "/description", json!("Better words"))
        .await;
    world.watched().await;
    let stale = accept(&world, &flow, "\"1\"").await;
    assert_eq!(refusal(&stale), (412, "stale_version"));
    let taken = accept(&world, &flow, "\"2\"").await.expect(200).unwrap();
    assert_eq!(
        (&taken["version"], &taken["description"], &taken["mappings"]),
        (&json!(3), &json!("Better words"), &flow["mappings"]),
        "{taken}"
    );
    assert!(taken.get("drift").is_none(), "{taken}");
    world.watched().await;
    assert_eq!(world.show(&flow).await["version"], 3);
    assert_eq!(shown_drift(&world, &flow).await["drifted"], false);
    world.run(&flow).await;
    common::no_leaks(&world.sandbox).await;
}

/// A deletion is noticed; overwriting makes the flow anew and says what is lost.
async fn a_deletion(world: World) {
    let flow = world.create(&world.flow()).await;
    world.run(&flow).await;
    world
        .console("/delete-flow", &flow, json!({ "forceDelete": true }))
        .await;
    world.watched().await;
    let seen = world.show(&flow).await;
    assert_eq!(seen["drift"]["kind"], "deleted", "{seen}");
    assert_eq!(
        refusal(&world.act(&flow, "start").await),
        (409, "missing_in_appflow")
    );
    let put = with_tag(&world, Method::PUT, &path(&flow), &world.flow(), "*").await;
    assert_eq!(refusal(&put), (409, "drifted"));
    assert_eq!(shown_drift(&world, &flow).await["drift"]["kind"], "deleted");

    let settled = overwrite(&world, &flow, "\"1\"").await.expect(200).unwrap();
    assert_eq!(settled["recreated"], true);
    assert_eq!(
        settled["lost"],
        json!(["runHistory", "incrementalPosition"])
    );
    assert_eq!(settled["appflowName"], flow["appflowName"]);
    world.run(&flow).await;
    assert_eq!(world.runs(&flow).await.len(), 2, "our own history stays");
    common::no_leaks(&world.sandbox).await;
}

/// Somebody stops or starts a schedule: our word is pushed again, or stopping settles it.
async fn a_status(world: World) {
    let flow = world.create(&world.scheduled_flow("rate(1 day)")).await;
    world.act(&flow, "start").await.expect(200).unwrap();
    world.watched().await;
    world.console("/stop-flow", &flow, json!({})).await;
    world.watched().await;
    let seen = world.show(&flow).await;
    assert_eq!(
        (
            &seen["state"],
            &seen["drift"]["kind"],
            &seen["drift"]["foundState"]
        ),
        (&json!("active"), &json!("status"), &json!("suspended")),
        "{seen}"
    );
    assert_eq!(refusal(&world.act(&flow, "start").await), (409, "drifted"));
    let settled = overwrite(&world, &flow, "*").await.expect(200).unwrap();
    assert_eq!(settled["state"], "active");
    let console = world.console("/describe-flow", &flow, json!({})).await;
    assert_eq!(console["flowStatus"], "Active");

    world.console("/stop-flow", &flow, json!({})).await;
    world.watched().await;
    assert_eq!(world.show(&flow).await["drift"]["kind"], "status");
    let stopped = world.act(&flow, "stop").await.expect(200).unwrap();
    assert_eq!(stopped["state"], "suspended");
    assert!(stopped.get("drift").is_none(), "{stopped}");
    world.console("/start-flow", &flow, json!({})).await;
    world.watched().await;
    assert_eq!(world.show(&flow).await["drift"]["foundState"], "active");
    let stopped = world.act(&flow, "stop").await.expect(200).unwrap();
    assert_eq!(stopped["state"], "suspended");
    let console = world.console("/describe-flow", &flow, json!({})).await;
    assert_eq!(console["flowStatus"], "Suspended");
    common::no_leaks(&world.sandbox).await;
}

/// F6: an edit that nobody has noticed yet is not overwritten either, and one that its author takes
/// back leaves nothing to settle.
#[tokio::test(flavor = "multi_thread")]
async fn f6_an_update_does_not_overwrite_what_nobody_has_noticed() {
    let world = World::without_schedules().await;
    let mut definition = world.flow();
    definition["description"] = json!("Ours");
    let flow = world.create(&definition).await;
    world
        .edit_in_console(&flow, "/description", json!("Edited by Ana"))
        .await;
    let put = with_tag(&world, Method::PUT, &path(&flow), &definition, "\"1\"").await;
    assert_eq!(refusal(&put), (409, "drifted"));
    assert_eq!(world.show(&flow).await["drift"]["kind"], "changed");
    world
        .edit_in_console(&flow, "/description", json!("Ours"))
        .await;
    world.watched().await;
    assert!(world.show(&flow).await.get("drift").is_none());
    with_tag(&world, Method::PUT, &path(&flow), &definition, "\"1\"")
        .await
        .expect(200)
        .unwrap();
    common::no_leaks(&world.sandbox).await;
}

/// F6: ticks that come twice, too late or not at all do no harm.
#[tokio::test(flavor = "multi_thread")]
async fn f6_a_doubled_tick_looks_once_and_a_lost_one_is_made_up_for() {
    let world = World::without_schedules().await;
    let flow = world.create(&world.flow()).await;
    let lists = || world.sandbox.journal.count("appflow", "/list-flows");
    world.sandbox.clock.advance(Duration::from_mins(6));
    let before = lists();
    let (one, two) = tokio::join!(
        world.sandbox.schedules.fire("tributary-watch"),
        world.sandbox.schedules.fire("tributary-watch")
    );
    assert!(one && two);
    world.settled().await;
    assert_eq!(lists(), before + 1, "the account was listed twice");
    world
        .console("/delete-flow", &flow, json!({ "forceDelete": true }))
        .await;
    world.sandbox.clock.advance(Duration::from_hours(1));
    world.watched().await;
    assert_eq!(world.show(&flow).await["drift"]["kind"], "deleted");
    common::no_leaks(&world.sandbox).await;
}

/// F6, I1: an account that cannot be reached does not keep another tenant's from being watched, and
/// is asked less often itself.
#[tokio::test(flavor = "multi_thread")]
async fn f6_a_broken_account_does_not_stop_the_others() {
    let world = World::without_schedules().await;
    let ours = world.create(&world.flow()).await;
    let sandbox = &world.sandbox;
    let boats = common::tenant(sandbox, "Boats", &[("alex", "admin")]).await;
    let alex = &boats.people["alex"];
    let account = common::customer_account_in(sandbox, &alex.api, OTHER_CUSTOMER_ACCOUNT).await;
    let connection = common::salesforce(sandbox, alex, &account).await;
    let mut theirs = common::s3_flow(&account, &connection);
    theirs["destination"]["bucket"] = json!(landing_bucket(OTHER_CUSTOMER_ACCOUNT));
    let theirs = alex.api.post("/v1/flows", &theirs).await.unwrap();
    let theirs = theirs.expect(201).unwrap();
    for (account, flow) in [
        (world.aws_account, &ours),
        (OTHER_CUSTOMER_ACCOUNT, &theirs),
    ] {
        let body = json!({ "flowName": flow["appflowName"], "forceDelete": true });
        world.appflow(account, "/delete-flow", &body).await.unwrap();
    }
    let path_of_account = format!("/v1/accounts/{}", world.account);
    let shown = world.api().get(&path_of_account).await.unwrap().body;
    assert!(sandbox.aws.delete_role(shown["roleArn"].as_str().unwrap()));
    // Sessions of the role that functions still hold end with their processes.
    sandbox.runtime.kill_now("FlowsFunction");

    world.watched().await;
    let seen = alex
        .api
        .get(&path(&theirs))
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    assert_eq!(seen["drift"]["kind"], "deleted", "{seen}");
    assert!(world.show(&ours).await.get("drift").is_none());
    let failures = || {
        let log = world.sandbox.logs.text();
        log.matches("account could not be watched").count()
    };
    assert_eq!(failures(), 1);
    world.watched().await;
    world.watched().await;
    let after_two = failures();
    assert!((2..=3).contains(&after_two), "{after_two}");
    common::no_leaks(&world.sandbox).await;
}

/// F6: a flow that AppFlow itself switched off is shown as such, with AppFlow's reason; it has not
/// drifted, and can be started again.
#[tokio::test(flavor = "multi_thread")]
async fn f6_a_flow_that_appflow_switched_off_says_why() {
    let world = World::without_schedules().await;
    let mut definition = world.scheduled_flow("rate(1 day)");
    definition["trigger"]["stopAfterFailures"] = json!(1);
    let flow = world.create(&definition).await;
    world.sandbox.faults.add(FaultRule {
        service: "salesforce".to_owned(),
        operation: "/query".to_owned(),
        fault: Fault::Status {
            status: 500,
            retry_after: None,
            body: json!([{ "errorCode": "UNKNOWN_EXCEPTION", "message": "broken" }]).to_string(),
        },
        times: 100,
    });
    world.act(&flow, "start").await.expect(200).unwrap();
    let runs = world.ended_runs(&flow, 1).await;
    assert_eq!(runs[0]["status"], "failed", "{runs:?}");
    world.settled().await;
    world.watched().await;
    let seen = world.show(&flow).await;
    assert!(
        seen["state"] == "suspended" || seen["state"] == "errored",
        "{seen}"
    );
    assert!(
        seen["statusMessage"]
            .as_str()
            .is_some_and(|why| !why.is_empty()),
        "{seen}"
    );
    assert!(seen.get("drift").is_none(), "{seen}");
    world.sandbox.faults.clear();
    let active = world.act(&flow, "start").await.expect(200).unwrap();
    assert_eq!(active["state"], "active");
    assert!(active.get("statusMessage").is_none(), "{active}");
    common::no_leaks(&world.sandbox).await;
}

/// F6: what our model has no words for is not taken over; the faults say what it is.
#[tokio::test(flavor = "multi_thread")]
async fn f6_an_edit_without_words_for_it_is_refused_with_its_faults() {
    let world = World::without_schedules().await;
    let flow = world.create(&world.flow()).await;
    let mut tasks = world.console("/describe-flow", &flow, json!({})).await["tasks"].take();
    // A filter on values of a type that no flow here has.
    tasks.as_array_mut().unwrap().push(json!({
        "taskType": "Filter", "sourceFields": ["Units__c"],
        "connectorOperator": { "Salesforce": "LESS_THAN" },
        "taskProperties": { "DATA_TYPE": "no-such-type", "VALUE": "1" },
    }));
    world.edit_in_console(&flow, "/tasks", tasks).await;
    world.watched().await;
    assert_eq!(world.show(&flow).await["drift"]["kind"], "changed");
    let refused = accept(&world, &flow, "\"1\"").await;
    assert_eq!(refusal(&refused), (422, "not_importable"));
    assert!(!faults(&refused.body).is_empty(), "{}", refused.body);
    overwrite(&world, &flow, "\"1\"").await.expect(200).unwrap();
    world.run(&flow).await;
    common::no_leaks(&world.sandbox).await;
}
