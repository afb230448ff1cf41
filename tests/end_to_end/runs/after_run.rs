//! After a run: registered queries in the warehouse as the tenant's service identity.

mod definition;
mod events;
mod identity;
mod once;
mod world;

use serde_json::{Value, json};

use self::world::{INSERT, Loads};
use crate::{
    common,
    flows::world::{Hosting, World, items, landing_bucket, path},
};

mod hosted {
    use crate::flows::world::in_both_hosting_modes;

    in_both_hosting_modes! {
        /// A run completes, the statement runs as the tenant's service identity, and the history says so.
        a_completed_run_loads_the_warehouse_and_its_history_says_so;
    }
}

async fn a_completed_run_loads_the_warehouse_and_its_history_says_so(world: World) {
    let loads = Loads::with_identity(&world).await;
    loads.register("note-load", INSERT).await;
    let after_run = json!({ "query": "note-load", "parameters": { "country": "Germany" } });
    let flow = loads.flow(&after_run).await;
    assert_eq!(world.show(&flow).await["afterRun"], after_run);

    let run = world.run(&flow).await;
    let run = loads.after(&flow, &run).await;
    let seen = &run["afterRun"];
    assert_eq!(
        (
            &seen["query"],
            &seen["version"],
            &seen["state"],
            &seen["rows"]
        ),
        (
            &json!("note-load"),
            &json!(1),
            &json!("finished"),
            &json!(1)
        ),
        "{run}"
    );
    assert!(seen["startedAt"].is_string() && seen["endedAt"].is_string());
    assert_eq!(
        (&run["status"], seen.get("error")),
        (&json!("completed"), None)
    );
    let listed = world.api().get(&format!("{}/runs", path(&flow))).await;
    assert_eq!(items(listed.unwrap().expect(200).unwrap())[0], run);

    let rows = loads.rows();
    assert_eq!(rows.len(), 1, "{rows:?}");
    let text = |value: &Value| value.as_str().map(str::to_owned);
    assert_eq!(
        rows[0],
        [
            text(&run["id"]),
            text(&flow["id"]),
            Some("Germany".to_owned())
        ]
    );

    // Who did it is in the trail: the role of service identities, in the tenant's session.
    let trail = world.sandbox.redshift.trail();
    let sent: Vec<&Value> = trail
        .iter()
        .filter(|record| record["eventName"] == "ExecuteStatement")
        .collect();
    assert_eq!(sent.len(), 1, "{sent:?}");
    let arn = sent[0]["userIdentity"]["arn"].as_str().unwrap();
    let expected = format!("-warehouse-service/{}", world.tenant.id);
    assert!(arn.ends_with(&expected), "{arn}");
    assert_eq!(sent[0]["userIdentity"].get("onBehalfOf"), None);
    common::no_leaks(&world.sandbox).await;
}

/// Files that a vendor-hosted flow brought are loaded with COPY, out of the tenant's own folder.
#[tokio::test(flavor = "multi_thread")]
async fn files_of_the_run_are_copied_into_the_warehouse() {
    let world = World::hosted(Hosting::Vendor).await;
    let loads = Loads::with_identity(&world).await;
    loads.admin("CREATE TABLE app.cities (id VARCHAR(18), city VARCHAR(120))");
    loads.admin(&format!(
        "GRANT INSERT ON TABLE app.cities TO {}",
        loads.user
    ));
    let role = world.sandbox.stack.resources["WarehouseLoadRole"]
        .arn()
        .unwrap()
        .to_owned();
    let folder = format!(
        "s3://{}/{}/crm/",
        landing_bucket(world.aws_account),
        world.tenant.id
    );
    let copy =
        format!("COPY app.cities (id, city) FROM '{folder}' IAM_ROLE '{role}' FORMAT JSON 'auto'");
    loads.register("copy-cities", &copy).await;
    let mut definition = world.flow();
    definition["mappings"] = json!([
        { "type": "field", "from": "Id", "to": "id" },
        { "type": "field", "from": "City__c", "to": "city" },
    ]);
    definition["afterRun"] = json!({ "query": "copy-cities" });
    let flow = world.create(&definition).await;
    let run = world.run(&flow).await;
    let run = loads.after(&flow, &run).await;
    assert_eq!(run["afterRun"]["state"], "finished", "{run}");
    let records = world.records(&run).await.len();
    assert_eq!(run["afterRun"]["rows"], json!(records));
    assert_eq!(loads.count("app.cities"), records);
    common::no_leaks(&world.sandbox).await;
}
