//! Tasks in whole runs: what reaches the destination.

use serde_json::{Value, json};

use super::world::{World, flow};

fn task(kind: &str, fields: &[&str], operator: &str, to: Option<&str>, more: &Value) -> Value {
    json!({ "taskType": kind, "sourceFields": fields, "destinationField": to,
            "connectorOperator": { "Salesforce": operator }, "taskProperties": more })
}

fn map(from: &str, to: &str) -> Value {
    task("Map", &[from], "NO_OP", Some(to), &json!({}))
}

fn project(fields: &[&str]) -> Value {
    task("Filter", fields, "PROJECTION", None, &json!({}))
}

/// Runs a flow with these tasks; answers its record.
async fn run(world: &World, tasks: Value) -> Value {
    world.connect().await;
    let mut body = flow("tasks");
    body["tasks"] = tasks;
    world.ok("create-flow", body).await;
    world.run("tasks").await
}

fn lines(world: &World) -> Vec<Value> {
    let landed = world.landed();
    let lines = landed.iter().flat_map(|(_, body)| body.lines());
    lines
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

#[tokio::test]
async fn arithmetic_and_merge_reach_the_destination_by_the_joined_name() {
    let world = World::new().await;
    let order = json!({ "MATH_OPERATION_FIELDS_ORDER": "Sales__c,Sales__c" });
    let tasks = json!([
        project(&["Name", "Sales__c"]),
        task(
            "Merge",
            &["Name", "Sales__c"],
            "NO_OP",
            Some("Name,Sales__c"),
            &json!({ "CONCAT_FORMAT": "${Name}: ${Sales__c}" })
        ),
        map("Name,Sales__c", "text"),
        task(
            "Arithmetic",
            &["Sales__c", "Sales__c"],
            "MULTIPLICATION",
            Some("Sales__c,Sales__c"),
            &order
        ),
        map("Sales__c,Sales__c", "square"),
    ]);
    let record = run(&world, tasks).await;
    assert_eq!(record["executionStatus"], "Successful", "{record}");
    assert_eq!(
        lines(&world)[1],
        json!({ "text": "City 2: 20", "square": 400 })
    );
    assert_eq!(
        world.salesforce.org().queries,
        ["SELECT Name,Sales__c FROM City__c"],
        "the joined name is never asked of the source"
    );
}

#[tokio::test]
async fn partitions_become_folders_of_destination_fields() {
    let world = World::new().await;
    {
        let mut org = world.salesforce.org();
        org.records[0]["Name"] = json!("Same");
        org.records[1]["Name"] = json!("Same");
        org.records[2]["Name"] = Value::Null;
    }
    let keys = json!({ "ORDERED_PARTITION_KEYS_LIST": "[\"city\"]" });
    let tasks = json!([
        project(&["Name", "Sales__c"]),
        map("Name", "city"),
        map("Sales__c", "sales"),
        task("Partition", &[], "NO_OP", None, &keys),
    ]);
    let record = run(&world, tasks).await;
    let id = record["executionId"].as_str().expect("id");
    let landed = world.landed();
    let folder = |city: &str| format!("landing/sf/tasks/{id}/city={city}/");
    let of = |city: &str| {
        let mut files = landed
            .iter()
            .filter(|(key, _)| key.starts_with(&folder(city)));
        files.next().map(|(_, body)| body.lines().count())
    };
    assert_eq!(
        (of("Same"), of("null"), of("City 4")),
        (Some(2), Some(1), Some(1))
    );
    assert_eq!(landed.len(), 4);
}

#[tokio::test]
async fn a_bad_record_is_dropped_or_ends_the_run_as_the_validation_says() {
    for (action, status, count) in [("DropRecord", "Successful", 4), ("DropDataset", "Error", 0)] {
        let world = World::new().await;
        world.salesforce.org().records[3]["Sales__c"] = Value::Null;
        let check = json!({ "VALIDATION_ACTION": action });
        let tasks = json!([
            project(&["Name"]),
            map("Name", "city"),
            task("Validate", &["Sales__c"], "VALIDATE_NON_NULL", None, &check),
        ]);
        let record = run(&world, tasks).await;
        assert_eq!(record["executionStatus"], status);
        assert_eq!(lines(&world).len(), count);
        let detail = &world.events("AppFlow End Flow Run Report")[0]["detail"];
        if action == "DropRecord" {
            assert_eq!(detail["num-of-records-filtered"], "1");
        } else {
            let error = detail["error"].as_str().expect("text");
            assert!(error.contains("Sales__c"), "{error}");
        }
    }
}
