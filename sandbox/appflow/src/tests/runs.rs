//! Runs move records and say so.

use serde_json::{Value, json};

use super::world::{ACCOUNT, World, assert_like, flow, members};

#[tokio::test]
async fn a_run_brings_every_page_to_s3_and_is_recorded() {
    let world = World::new().await;
    world.connect().await;
    world.ok("create-flow", flow("all-cities")).await;
    let record = world.run("all-cities").await;
    assert_eq!(record["executionStatus"], "Successful", "{record}");
    assert_eq!(record["executionResult"]["recordsProcessed"], 5);
    assert_eq!(record["executionResult"]["errorInfo"], Value::Null);
    assert_eq!(record["dataPullStartTime"], Value::Null);
    let reference: Value = serde_json::from_str(include_str!(
        "../../tests-data/response-describe-flow-execution-records.json"
    ))
    .expect("JSON");
    let reference = &reference["flowExecutions"][0];
    assert_eq!(members(&record), members(reference));
    assert_eq!(
        members(&record["executionResult"]),
        members(&reference["executionResult"])
    );
    let landed = world.landed();
    assert_eq!(landed.len(), 1);
    let (key, body) = &landed[0];
    let id = record["executionId"].as_str().expect("id");
    assert!(
        key.starts_with(&format!("landing/sf/all-cities/{id}/")),
        "{key}"
    );
    let lines: Vec<Value> = body
        .lines()
        .map(|l| serde_json::from_str(l).expect("JSON"))
        .collect();
    assert_eq!(lines.len(), 5);
    assert_eq!(lines[4]["Sales__c"], 50);
    assert!(lines[0].get("attributes").is_none());
    assert!(lines[0].get("BillingAddress").is_none());
    assert_eq!(record["executionResult"]["bytesWritten"], body.len());

    let described = world
        .ok("describe-flow", json!({ "flowName": "all-cities" }))
        .await;
    let last = &described["lastRunExecutionDetails"];
    assert_eq!(last["mostRecentExecutionStatus"], "Successful");
    assert_eq!(
        last["mostRecentExecutionMessage"],
        "Successfully ran the flow"
    );
    let metrics = world
        .appflow
        .metrics(ACCOUNT, "us-east-1", "all-cities")
        .expect("flow");
    assert_eq!(
        (metrics.executions_started, metrics.executions_succeeded),
        (1, 1)
    );
    assert_eq!(metrics.records_processed, 5);
}

#[tokio::test]
async fn events_have_the_members_and_forms_of_captured_ones() {
    let world = World::new().await;
    world.connect().await;
    world.ok("create-flow", flow("told")).await;
    let record = world.run("told").await;
    let ends = world.events("AppFlow End Flow Run Report");
    assert_eq!(
        (
            world.events("AppFlow Start Flow Run Report").len(),
            ends.len()
        ),
        (1, 1)
    );
    assert_like(
        &ends[0],
        include_str!("../../tests-data/event-end-flow-run-report-REAL-s3-to-s3.json"),
    );
    let detail = &ends[0]["detail"];
    assert_eq!(detail["execution-id"], record["executionId"]);
    assert_eq!(detail["source"], "SALESFORCE/sf");
    assert_eq!(detail["destination"], "S3");
    assert_eq!(detail["destination-object"], "s3://landing/sf");
    assert_eq!(detail["trigger-type"], "ONDEMAND");
    assert_eq!(detail["num-of-records-processed"], "5");
    assert_eq!(detail["status"], "Execution Successful");
    assert!(
        detail["end-time"]
            .as_str()
            .expect("time")
            .ends_with("Z[UTC]")
    );
    let resource = ends[0]["resources"][0].as_str().expect("resource");
    assert!(resource.len() == 32 && resource.bytes().all(|b| b.is_ascii_hexdigit()));
}

#[tokio::test]
async fn filters_go_to_salesforce_and_what_it_cannot_filter_is_filtered_here() {
    let world = World::new().await;
    world.salesforce.org().unfilterable = vec!["Name"];
    world.connect().await;
    let task = |kind: &str, fields: Value, operator: &str, properties: Value| {
        json!({ "taskType": kind, "sourceFields": fields, "connectorOperator": { "Salesforce": operator },
                "taskProperties": properties })
    };
    let mut map = task("Map", json!(["Name"]), "NO_OP", json!({}));
    map["destinationField"] = json!("city");
    let mut body = flow("filtered");
    body["tasks"] = json!([
        task(
            "Filter",
            json!(["Id", "Name", "Sales__c"]),
            "PROJECTION",
            json!({})
        ),
        map,
        task(
            "Filter",
            json!(["Sales__c"]),
            "GREATER_THAN",
            json!({ "DATA_TYPE": "currency", "VALUE": "5" })
        ),
        task(
            "Filter",
            json!(["Name"]),
            "EQUAL_TO",
            json!({ "DATA_TYPE": "string", "VALUES": "City 2,City 4" })
        ),
    ]);
    world.ok("create-flow", body).await;
    let record = world.run("filtered").await;
    assert_eq!(
        world.salesforce.org().queries,
        ["SELECT Id,Name,Sales__c FROM City__c WHERE Sales__c > 5"]
    );
    assert_eq!(record["executionResult"]["recordsProcessed"], 2);
    assert_eq!(
        world.landed()[0].1,
        "{\"city\":\"City 2\"}\n{\"city\":\"City 4\"}\n"
    );
    let ends = world.events("AppFlow End Flow Run Report");
    assert_eq!(ends[0]["detail"]["num-of-records-filtered"], "3");
}

#[tokio::test]
async fn rows_reach_the_warehouse_through_the_intermediate_bucket() {
    let world = World::new().await;
    world.connect().await;
    let mut profile: Value = serde_json::from_str(include_str!(
        "../../tests-data/create-connector-profile-06-redshift-dataapi.json"
    ))
    .expect("JSON");
    profile["connectorProfileName"] = json!("dwh");
    world.ok("create-connector-profile", profile).await;
    world
        .memory
        .look()
        .tables
        .insert((ACCOUNT.into(), "dwh/public.city".into()), Vec::new());
    let redshift = |object: &str| {
        json!([{ "connectorType": "Redshift", "connectorProfileName": "dwh", "destinationConnectorProperties":
            { "Redshift": { "object": object, "intermediateBucketName": "landing", "bucketPrefix": "stage",
              "errorHandlingConfig": { "failOnFirstDestinationError": true, "bucketName": "landing", "bucketPrefix": "errors" } } } }])
    };
    let mut body = flow("to-warehouse");
    body["destinationFlowConfigList"] = redshift("public.city");
    world.ok("create-flow", body).await;
    let record = world.run("to-warehouse").await;
    assert_eq!(record["executionStatus"], "Successful", "{record}");
    {
        let things = world.memory.look();
        let rows = &things.tables[&(ACCOUNT.to_owned(), "dwh/public.city".to_owned())];
        assert_eq!(rows.len(), 5);
        assert_eq!(rows[0].0, ["Id", "Name", "Sales__c", "LastModifiedDate"]);
        assert_eq!(rows[0].1[2].as_deref(), Some("10"));
    }
    assert!(
        world.landed()[0]
            .0
            .starts_with("landing/stage/to-warehouse/")
    );

    let mut body = flow("no-table");
    body["destinationFlowConfigList"] = redshift("public.missing");
    world.ok("create-flow", body).await;
    let record = world.run("no-table").await;
    assert_eq!(record["executionStatus"], "Error");
    assert_eq!(
        record["executionResult"]["errorInfo"]["putFailuresCount"],
        5
    );
    let message = record["executionResult"]["errorInfo"]["executionMessage"].as_str();
    assert!(
        message
            .expect("message")
            .contains("relation \"public.missing\" does not exist")
    );
    assert!(
        world
            .landed()
            .iter()
            .any(|(key, _)| key.starts_with("landing/errors/no-table/"))
    );
}

#[tokio::test]
async fn a_refused_write_ends_the_run_in_error_and_the_event_says_why() {
    for code in ["AccessDenied", "NoSuchBucket"] {
        let world = World::new().await;
        world.connect().await;
        world.ok("create-flow", flow("refused")).await;
        world.memory.look().refuse_puts = Some(code.to_owned());
        let record = world.run("refused").await;
        assert_eq!(record["executionStatus"], "Error");
        let detail = world.events("AppFlow End Flow Run Report")[0]["detail"].clone();
        assert_eq!(detail["status"], "Execution Failed");
        assert!(
            detail["error"].as_str().expect("error").contains(code),
            "{detail}"
        );
        assert_eq!(detail["num-of-record-failures"], "5");
    }
}

#[tokio::test]
async fn a_run_without_records_succeeds_and_writes_nothing() {
    let world = World::new().await;
    world.connect().await;
    world.salesforce.org().records.clear();
    world.ok("create-flow", flow("empty")).await;
    let record = world.run("empty").await;
    assert_eq!(record["executionStatus"], "Successful");
    assert_eq!(record["executionResult"]["recordsProcessed"], 0);
    assert!(world.landed().is_empty());
}

#[tokio::test]
async fn a_cancelled_run_goes_through_cancel_started_to_canceled() {
    let world = World::new().await;
    world.connect().await;
    world.ok("create-flow", flow("long")).await;
    world.salesforce.gate.forget_permits(usize::MAX);
    let started = world.ok("start-flow", json!({ "flowName": "long" })).await;
    let second = world.ok("start-flow", json!({ "flowName": "long" })).await;
    assert_ne!(started["executionId"], second["executionId"]);
    assert_eq!(
        world.last_run("long").await["executionStatus"],
        "InProgress"
    );
    let ids = json!([started["executionId"], "unknown"]);
    let cancelled = world
        .ok(
            "cancel-flow-executions",
            json!({ "flowName": "long", "executionIds": ids }),
        )
        .await;
    assert_eq!(cancelled["invalidExecutions"], json!(["unknown"]));
    let status = world.runs("long").await[1]["executionStatus"].clone();
    assert!(
        status == "CancelStarted" || status == "Canceled",
        "{status}"
    );
    // Without ids, every run in progress.
    let rest = world
        .ok("cancel-flow-executions", json!({ "flowName": "long" }))
        .await;
    assert_eq!(rest["invalidExecutions"], json!([]));
    world.appflow.settled().await;
    for run in world.runs("long").await {
        assert_eq!(run["executionStatus"], "Canceled");
    }
    assert_eq!(world.events("AppFlow End Flow Run Report").len(), 2);
    assert!(world.landed().is_empty());
}

#[tokio::test]
async fn an_s3_source_is_read_filtered_and_written_as_csv() {
    let world = World::new().await;
    let key = (ACCOUNT.to_owned(), "landing/in/a.csv".to_owned());
    world
        .memory
        .look()
        .objects
        .insert(key, "name,n\nParis,3\nRome,\n".into());
    let mut body = flow("s3-to-s3");
    body["sourceFlowConfig"] = json!({ "connectorType": "S3", "sourceConnectorProperties":
        { "S3": { "bucketName": "landing", "bucketPrefix": "in" } } });
    body["destinationFlowConfigList"][0]["destinationConnectorProperties"]["S3"]["s3OutputFormatConfig"] =
        json!({ "fileType": "CSV" });
    body["tasks"] = json!([
        { "taskType": "Map", "sourceFields": ["n"], "destinationField": "count", "connectorOperator": { "S3": "NO_OP" } },
        { "taskType": "Validate", "sourceFields": ["n"], "connectorOperator": { "S3": "VALIDATE_NON_NULL" },
          "taskProperties": { "VALIDATION_ACTION": "DropRecord" } },
    ]);
    world.ok("create-flow", body).await;
    let record = world.run("s3-to-s3").await;
    assert_eq!(record["executionStatus"], "Successful", "{record}");
    let landed = world.landed();
    let out = landed
        .iter()
        .find(|(key, _)| key.contains("s3-to-s3"))
        .expect("file");
    assert_eq!(out.1, "count\n3\n");
}
