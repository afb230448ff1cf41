//! What is there is listed, and what a flow registered leads back to the flow.

use serde_json::{Value, json};

use super::{
    DATABASE, catalogued, get, make_database, make_role, names, put_role, role_arn, shown,
};
use crate::{common, flows::world::World};

/// From the flow over its run to the table, its columns, and back to the flow.
#[tokio::test(flavor = "multi_thread")]
async fn a_flows_tables_are_listed_with_their_columns_and_lead_back_to_it() {
    let world = World::new().await;
    make_database(&world, DATABASE, &["orders".to_owned()]).await;
    let definition = catalogued(&world);
    make_role(&world, &definition).await;
    let flow = world.create(&definition).await;
    let run = world.run(&flow).await;
    assert_eq!(run["status"], "completed", "{run}");

    // The flow says where its tables are, and there they are.
    let at = flow["catalogTables"].as_str().unwrap();
    let listed = world.api().get(at).await.unwrap().expect(200).unwrap();
    let link = json!([{ "id": flow["id"], "name": flow["name"] }]);
    let items = listed["items"].as_array().unwrap();
    let written: Vec<&Value> = items.iter().filter(|item| item["flows"] == link).collect();
    assert_eq!(written.len(), 2, "{listed}");
    let others: Vec<&Value> = items
        .iter()
        .filter(|item| item["flows"] == json!([]))
        .collect();
    assert_eq!(others.len(), 1, "{listed}");
    assert_eq!(others[0]["name"], "orders");
    for table in &written {
        assert_eq!(table["format"], "json", "{table}");
        let name = table["name"].as_str().unwrap();
        let shown = shown(&world, &format!("databases/{DATABASE}/tables/{name}")).await;
        assert_eq!(shown["flows"], link);
        let columns = shown["columns"].as_array().unwrap();
        let column = |name: &str| columns.iter().find(|column| column["name"] == name);
        assert_eq!(column("city__c").unwrap()["type"], "string", "{shown}");
        assert_eq!(column("amount__c").unwrap()["type"], "double", "{shown}");
        let text = shown.to_string();
        assert!(!text.contains("s3://"), "a location is shown: {text}");
        assert!(
            !text.contains("AppFlowLabel"),
            "parameters are shown: {text}"
        );
    }
    let databases = shown(&world, "databases").await;
    assert_eq!(names(&databases), [DATABASE]);

    // A flow that registers nothing leads nowhere, and a table of a flow that is gone is a table.
    let plain = world.create(&world.flow()).await;
    assert!(plain.get("catalogTables").is_none());
    common::no_leaks(&world.sandbox).await;
}

/// What AppFlow cannot register fails the run, as it says: a database that is not there, and a role that
/// may not.
#[tokio::test(flavor = "multi_thread")]
async fn a_registration_that_fails_is_a_failed_run() {
    let world = World::new().await;
    let definition = catalogued(&world);
    make_role(&world, &definition).await;
    let flow = world.create(&definition).await;
    let started = world.start(&flow).await;
    let run = world.ended(&flow, &started).await;
    assert_eq!(run["status"], "failed", "{run}");
    assert!(
        run["message"].to_string().contains("Glue Data Catalog"),
        "{run}"
    );
    make_database(&world, DATABASE, &[]).await;
    let policy = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": ["glue:GetTable", "glue:UpdateTable"], "Resource": "*",
    }] });
    let trust = world.sandbox.aws.role(&role_arn()).unwrap().trust_policy;
    put_role(&world.sandbox, policy, trust);
    let started = world.start(&flow).await;
    let run = world.ended(&flow, &started).await;
    assert_eq!(run["status"], "failed", "{run}");
    let listed = shown(&world, &format!("databases/{DATABASE}/tables")).await;
    assert_eq!(listed["items"], json!([]));
    make_role(&world, &definition).await;
    assert_eq!(world.run(&flow).await["status"], "completed");
    let listed = shown(&world, &format!("databases/{DATABASE}/tables")).await;
    assert_eq!(names(&listed).len(), 2);
}

/// More tables than any page has, with Glue's empty pages between them.
#[tokio::test(flavor = "multi_thread")]
async fn many_tables_are_paged_and_searched_and_each_comes_once() {
    let world = World::new().await;
    let mut tables: Vec<String> = (0..130)
        .map(|number| format!("table_{number:03}"))
        .collect();
    make_database(&world, "many", &tables).await;
    for limit in [30, 100] {
        let found = walked(&world, &format!("databases/many/tables?limit={limit}")).await;
        assert_eq!(found, tables, "{limit}");
    }
    tables.retain(|name| name.contains('7'));
    let found = walked(&world, "databases/many/tables?limit=5&search=7").await;
    assert_eq!(found, tables);
    let found = walked(&world, "databases/many/tables?search=TABLE_12").await;
    assert_eq!(found.len(), 10);
    assert_eq!(walked(&world, "databases?search=man").await, ["many"]);
    assert!(walked(&world, "databases?search=none").await.is_empty());

    // A cursor is for its list, its search and its account.
    let first = shown(&world, "databases/many/tables?limit=5").await;
    let cursor = first["nextCursor"].as_str().unwrap();
    for other in [
        format!("databases/many/tables?search=7&cursor={cursor}"),
        format!("databases/others/tables?cursor={cursor}"),
        format!("databases?cursor={cursor}"),
    ] {
        let answer = get(&world, &other).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code()),
            (400, "malformed_query")
        );
    }
}

/// Every page of a list.
async fn walked(world: &World, path: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut next = path.to_owned();
    loop {
        let page = shown(world, &next).await;
        all.extend(names(&page));
        let Some(cursor) = page["nextCursor"].as_str() else {
            return all;
        };
        let mark = if path.contains('?') { '&' } else { '?' };
        next = format!("{path}{mark}cursor={cursor}");
    }
}
