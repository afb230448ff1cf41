//! Salesforce as a destination of runs.

use serde_json::{Value, json};

use super::{
    org::{Org, into_org},
    world::{ACCOUNT, Answer, OTHER, World},
};

const GOOD: &str =
    "External_Id__c,Name,AnnualRevenue,Active__c\ne-1,Acme,12.5,true\ne-2,Bolt,,false\n";

/// Puts a file of the source folder in place.
fn file(world: &World, account: &str, body: &str) {
    let key = (account.to_owned(), "landing/in/a.csv".to_owned());
    world
        .memory
        .look()
        .objects
        .insert(key, body.to_owned().into());
}

/// A flow that maps everything of the folder's files.
fn from_s3(name: &str, destinations: &Value) -> Value {
    json!({
        "flowName": name,
        "triggerConfig": { "triggerType": "OnDemand" },
        "sourceFlowConfig": { "connectorType": "S3", "sourceConnectorProperties":
            { "S3": { "bucketName": "landing", "bucketPrefix": "in" } } },
        "destinationFlowConfigList": destinations,
        "tasks": [{ "taskType": "Map_all", "sourceFields": [], "connectorOperator": { "S3": "NO_OP" },
                    "taskProperties": { "EXCLUDE_SOURCE_FIELDS_LIST": "[]" } }],
    })
}

async fn transfer(world: &World, name: &str, operation: &str, ids: &[&str], stop: bool) -> Value {
    let body = from_s3(name, &into_org(operation, ids, stop));
    world.ok("create-flow", body).await;
    world.run(name).await
}

/// The records that were set aside.
fn errors(world: &World, flow: &str) -> Vec<Value> {
    let start = format!("landing/errors/{flow}/");
    let landed = world.landed();
    let mut bodies = landed.iter().filter(|(key, _)| key.starts_with(&start));
    let body = bodies.next().map_or("", |(_, body)| body.as_str());
    body.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

#[tokio::test]
async fn rows_are_inserted_updated_upserted_and_deleted() {
    let world = World::new().await;
    let org = Org::connected(&world).await;
    file(&world, ACCOUNT, GOOD);
    let record = transfer(&world, "insert", "INSERT", &[], true).await;
    assert_eq!(record["executionStatus"], "Successful", "{record}");
    assert_eq!(record["executionResult"]["recordsProcessed"], 2);
    let acme = org.account("e-1").expect("account");
    assert_eq!(
        (&acme["Name"], &acme["AnnualRevenue"], &acme["Active__c"]),
        (&json!("Acme"), &json!(12.5), &json!(true))
    );

    file(
        &world,
        ACCOUNT,
        "External_Id__c,Name\ne-1,Acme Two\ne-3,Coil\n",
    );
    let record = transfer(&world, "upsert", "UPSERT", &["External_Id__c"], true).await;
    assert_eq!(record["executionStatus"], "Successful", "{record}");
    let renamed = org.account("e-1").expect("account");
    assert_eq!(
        (&renamed["Id"], &renamed["Name"]),
        (&acme["Id"], &json!("Acme Two"))
    );
    assert_eq!(renamed["AnnualRevenue"], 12.5, "what is not mapped stays");
    assert!(org.account("e-3").is_some());

    let id = acme["Id"].as_str().expect("id");
    file(&world, ACCOUNT, &format!("Id,NumberOfEmployees\n{id},9\n"));
    let record = transfer(&world, "update", "UPDATE", &["Id"], true).await;
    assert_eq!(record["executionStatus"], "Successful", "{record}");
    assert_eq!(org.account("e-1").expect("account")["NumberOfEmployees"], 9);

    file(&world, ACCOUNT, &format!("Id\n{id}\n"));
    let record = transfer(&world, "delete", "DELETE", &["Id"], true).await;
    assert_eq!(record["executionStatus"], "Successful", "{record}");
    assert_eq!(org.account("e-1"), None);
    assert!(errors(&world, "delete").is_empty());
}

#[tokio::test]
async fn refused_records_are_skipped_counted_and_set_aside() {
    let world = World::new().await;
    let org = Org::connected(&world).await;
    file(
        &world,
        ACCOUNT,
        "External_Id__c,Name,AnnualRevenue\ne-1,Acme,1\ne-2,,2\ne-3,Coil,much\ne-1,Again,3\n",
    );
    let record = transfer(&world, "skips", "INSERT", &[], false).await;
    assert_eq!(record["executionStatus"], "Successful", "{record}");
    let info = &record["executionResult"]["errorInfo"];
    assert_eq!(info["putFailuresCount"], 3);
    let first = info["executionMessage"].as_str().expect("message");
    assert!(first.contains("REQUIRED_FIELD_MISSING"), "{first}");
    let aside = errors(&world, "skips");
    let messages: Vec<&str> = aside
        .iter()
        .map(|r| r["errorMessage"].as_str().expect("text"))
        .collect();
    for (message, code) in messages.iter().zip([
        "REQUIRED_FIELD_MISSING",
        "INVALID_TYPE_ON_FIELD_IN_RECORD",
        "DUPLICATE_VALUE",
    ]) {
        assert!(message.starts_with(code), "{message}");
    }
    assert_eq!(aside[1]["AnnualRevenue"], "much");
    assert!(org.account("e-1").is_some() && org.account("e-3").is_none());
    let detail = &world.events("AppFlow End Flow Run Report")[0]["detail"];
    assert_eq!(detail["num-of-record-failures"], "3");
    assert_eq!(detail["status"], "Execution Successful");
    assert_eq!(detail.get("error"), None);
}

#[tokio::test]
async fn the_first_refused_record_ends_the_run_when_the_flow_says_so() {
    let world = World::new().await;
    let org = Org::connected(&world).await;
    let lines = (0..450).map(|number| format!("n-{number},Name {number},x"));
    let lines: Vec<String> = lines.collect();
    file(
        &world,
        ACCOUNT,
        &format!("External_Id__c,Name,Nope\n{}\n", lines.join("\n")),
    );
    let record = transfer(&world, "stops", "INSERT", &[], true).await;
    assert_eq!(record["executionStatus"], "Error", "{record}");
    let info = &record["executionResult"]["errorInfo"];
    assert_eq!(info["putFailuresCount"], 200, "no call follows the first");
    assert_eq!(errors(&world, "stops").len(), 200);
    assert_eq!(org.account("n-0"), None);
    let detail = &world.events("AppFlow End Flow Run Report")[0]["detail"];
    assert!(
        detail["error"]
            .as_str()
            .expect("text")
            .contains("No such column 'Nope'")
    );
}

#[tokio::test]
async fn what_the_org_cannot_take_makes_no_flow() {
    let world = World::new().await;
    let org = Org::connected(&world).await;
    let create = async |destinations: Value| -> Answer {
        world
            .call("create-flow", from_s3("refused", &destinations))
            .await
    };
    let by_name = create(into_org("UPSERT", &["Name"], true)).await;
    assert_eq!(by_name.exception, "ValidationException");
    let mut missing = into_org("INSERT", &[], true);
    missing[0]["destinationConnectorProperties"]["Salesforce"]["object"] = json!("Nothing__c");
    assert_eq!(create(missing).await.exception, "ConnectorServerException");
    org.salesforce.revoke_grants_of("olivia@sports.example.crm");
    let revoked = create(into_org("INSERT", &[], true)).await;
    assert_eq!(revoked.exception, "ConnectorAuthenticationException");
}

#[tokio::test]
async fn f11_another_account_writes_to_the_same_org_with_the_same_outcome() {
    let world = World::new().await;
    let org = Org::connected(&world).await;
    org.connect(&world, OTHER).await;
    file(&world, OTHER, GOOD);
    let body = from_s3("insert", &into_org("INSERT", &[], true));
    assert_eq!(world.call_as(OTHER, "create-flow", body).await.status, 200);
    let start = world
        .call_as(OTHER, "start-flow", json!({ "flowName": "insert" }))
        .await;
    assert_eq!(start.status, 200);
    world.appflow.settled().await;
    assert!(org.account("e-2").is_some());
}
