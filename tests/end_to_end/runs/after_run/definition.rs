//! What a flow may do after its runs, and what changing it costs.

use http::Method;
use serde_json::{Value, json};

use super::world::{INSERT, Loads};
use crate::{
    common,
    flows::world::{World, faults, path},
};

/// F8: what is wrong with it is told with all other faults of the flow, at each place where a flow
/// is checked.
#[tokio::test(flavor = "multi_thread")]
async fn f8_what_does_not_fit_is_told_with_every_other_fault() {
    let world = World::without_schedules().await;
    let loads = Loads::without_secret(&world);
    loads.register("note-load", INSERT).await;
    let people = json!({ "name": "for-people", "purpose": "query", "sql": "SELECT 1 AS one" });
    let registered = world.api().post("/v1/registered-queries", &people).await;
    registered.unwrap().expect(201).unwrap();
    let mut flow = world.flow();
    flow["name"] = json!("");
    for (after_run, fault) in [
        (
            json!({ "query": "no-such" }),
            "/afterRun/query unknown_query",
        ),
        (
            json!({ "query": "for-people" }),
            "/afterRun/query wrong_purpose",
        ),
        (
            json!({ "query": "note-load", "parameters": { "country": 7 } }),
            "/afterRun/parameters/country wrong_type",
        ),
        (
            json!({ "query": "note-load", "parameters": { "run_id": "run_1" } }),
            "/afterRun/parameters/run_id unused_parameter",
        ),
    ] {
        flow["afterRun"] = after_run;
        for route in ["/v1/flows", "/v1/flows/compile"] {
            let refused = world.api().post(route, &flow).await.unwrap();
            assert_eq!(refused.status.as_u16(), 422, "{}", refused.body);
            let found = faults(&refused.body);
            let expected = [fault.to_owned(), "/name invalid_name".to_owned()];
            assert_eq!(found, expected.into(), "{route}");
        }
    }
    // Another tenant's query is no query.
    let other = common::tenant(&world.sandbox, "Others", &[("ming", "admin")]).await;
    let theirs = json!({ "name": "theirs", "purpose": "afterRun", "sql": "ANALYZE" });
    let registered = other
        .api("ming")
        .post("/v1/registered-queries", &theirs)
        .await;
    registered.unwrap().expect(201).unwrap();
    let mut flow = world.flow();
    flow["afterRun"] = json!({ "query": "theirs" });
    let refused = world.api().post("/v1/flows", &flow).await.unwrap();
    assert_eq!(
        faults(&refused.body),
        ["/afterRun/query unknown_query".to_owned()].into()
    );
}

/// It is ours alone: AppFlow is not told, and what AppFlow has is no drift.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_it_is_a_new_version_of_which_appflow_hears_nothing() {
    let world = World::without_schedules().await;
    let loads = Loads::without_secret(&world);
    loads.register("note-load", INSERT).await;
    let mut definition = world.flow();
    let flow = world.create(&definition).await;
    assert_eq!(flow.get("afterRun"), None);
    let in_appflow = world.console("/describe-flow", &flow, json!({})).await;
    for after_run in [
        json!({ "query": "note-load", "parameters": { "country": "Italy" } }),
        Value::Null,
    ] {
        definition["afterRun"] = after_run.clone();
        let before = world.show(&flow).await;
        let version = before["version"].as_u64().unwrap();
        let tag = format!("\"{version}\"");
        let answer = world
            .api()
            .call(
                Method::PUT,
                &path(&flow),
                Some(definition.to_string()),
                &[("if-match", &tag)],
            )
            .await
            .unwrap()
            .expect(200)
            .unwrap();
        assert_eq!(answer["version"], json!(version + 1));
        assert_eq!(
            answer.get("afterRun").unwrap_or(&Value::Null),
            &after_run,
            "{answer}"
        );
        let stale = world
            .api()
            .call(
                Method::PUT,
                &path(&flow),
                Some(definition.to_string()),
                &[("if-match", &tag)],
            )
            .await
            .unwrap();
        assert_eq!(stale.status.as_u16(), 412, "{}", stale.body);
        let drift = world.api().get(&format!("{}/drift", path(&flow))).await;
        let drift = drift.unwrap().expect(200).unwrap();
        assert_eq!(drift["drifted"], json!(false), "{drift}");
    }
    let now = world.console("/describe-flow", &flow, json!({})).await;
    assert_eq!(now["lastUpdatedAt"], in_appflow["lastUpdatedAt"]);
    let told = world.sandbox.journal.entries();
    assert!(
        told.iter().all(|entry| entry.operation != "UpdateFlow"),
        "AppFlow was told"
    );
}
