//! Flow documents and their life cycle.

use serde_json::{Value, json};

use super::world::{ACCOUNT, World, flow, scheduled};
use crate::Options;

/// A value without the nulls that answers are full of.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .iter()
                .filter(|(_, v)| !v.is_null())
                .map(|(k, v)| (k.clone(), without_nulls(v)))
                .collect(),
        ),
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

#[tokio::test]
async fn a_flow_is_given_back_with_explicit_nulls_and_more_than_was_sent() {
    let world = World::new().await;
    world.connect().await;
    let mut body = scheduled(
        "echo",
        json!({ "firstExecutionFrom": 1_700_000_000, "scheduleOffset": 60 }),
    );
    body["tags"] = json!({ "tributary:tenant": "ten_1" });
    body["description"] = json!("All cities");
    let created = world.ok("create-flow", body.clone()).await;
    assert_eq!(created["flowStatus"], "Draft");
    assert_eq!(
        created["flowArn"],
        format!("arn:aws:appflow:us-east-1:{ACCOUNT}:flow/echo")
    );
    let described = world
        .ok("describe-flow", json!({ "flowName": "echo" }))
        .await;
    for member in ["tasks", "tags", "description"] {
        assert_eq!(without_nulls(&described[member]), body[member], "{member}");
    }
    let schedule = &described["triggerConfig"]["triggerProperties"]["Scheduled"];
    assert_eq!(schedule["scheduleOffset"], 60);
    assert_eq!(schedule["firstExecutionFrom"], Value::Null);
    assert_eq!(
        described["sourceFlowConfig"]["sourceConnectorProperties"]["Salesforce"]["object"],
        "City__c"
    );
    let reference: Value =
        serde_json::from_str(include_str!("../../tests-data/response-describe-flow.json"))
            .expect("JSON");
    for member in reference.as_object().expect("object").keys() {
        assert!(
            described.as_object().expect("object").contains_key(member),
            "{member}"
        );
    }
    let s3 = &described["destinationFlowConfigList"][0]["destinationConnectorProperties"]["S3"];
    let format = without_nulls(&s3["s3OutputFormatConfig"]);
    assert_eq!(
        format["aggregationConfig"],
        json!({ "aggregationType": "None" })
    );
    assert_eq!(
        format["prefixConfig"],
        json!({ "pathPrefixHierarchy": ["EXECUTION_ID"] })
    );
    assert_eq!(described["schemaVersion"], 1);
    assert_eq!(described["lastRunExecutionDetails"], Value::Null);
    let listed = world.ok("list-flows", json!({})).await;
    assert_eq!(listed["flows"][0]["triggerType"], "Scheduled");
    assert!(listed["flows"][0].get("tasks").is_none());
}

#[tokio::test]
async fn every_reference_flow_is_accepted_or_refused_for_parquet_alone() {
    let world = World::with(Options {
        check_bucket_policy: false,
        ..Options::default()
    })
    .await;
    let token = world.salesforce.org().access_token.clone();
    world
        .ok(
            "create-connector-profile",
            world.profile("sf-prod", &json!({ "accessToken": token })),
        )
        .await;
    let register = json!({ "connectorLabel": "Crm", "connectorProvisioningType": "LAMBDA",
        "connectorProvisioningConfig": { "lambda": { "lambdaArn":
            "arn:aws:lambda:us-east-1:222222222222:function:crm" } } });
    world.ok("register-connector", register).await;
    for (name, kind, key, label, body) in [
        (
            "servicenow-prod",
            "Servicenow",
            "ServiceNow",
            None,
            json!({ "instanceUrl": "https://a.example" }),
        ),
        (
            "zendesk-acme",
            "Zendesk",
            "Zendesk",
            None,
            json!({ "instanceUrl": "https://a.example" }),
        ),
        (
            "snowflake-dwh",
            "Snowflake",
            "Snowflake",
            None,
            json!({ "warehouse": "w", "stage": "s", "bucketName": "bucket" }),
        ),
        (
            "hubspot-acme",
            "CustomConnector",
            "CustomConnector",
            Some("HubSpot"),
            json!({}),
        ),
        (
            "crm-acme",
            "CustomConnector",
            "CustomConnector",
            Some("Crm"),
            json!({}),
        ),
    ] {
        let credentials = match key {
            "Zendesk" => json!({ "clientId": "c", "clientSecret": "s" }),
            "CustomConnector" => json!({ "authenticationType": "BASIC",
                "basic": { "username": "u", "password": "p" } }),
            _ => json!({ "username": "u", "password": "p" }),
        };
        let request = json!({ "connectorProfileName": name, "connectorType": kind, "connectorLabel": label,
            "connectionMode": "Public", "connectorProfileConfig": {
                "connectorProfileProperties": { key: body }, "connectorProfileCredentials": { key: credentials } } });
        world.ok("create-connector-profile", request).await;
    }
    for text in [
        include_str!("../../tests-data/create-connector-profile-06-redshift-dataapi.json"),
        include_str!("../../tests-data/create-connector-profile-09-sapodata-basic-private.json"),
    ] {
        world
            .ok(
                "create-connector-profile",
                serde_json::from_str(text).expect("JSON"),
            )
            .await;
    }
    for text in [
        include_str!("../../tests-data/create-flow-01-salesforce-to-s3-full.json"),
        include_str!(
            "../../tests-data/create-flow-02-salesforce-to-s3-incremental-parquet-glue.json"
        ),
        include_str!("../../tests-data/create-flow-03-salesforce-event-to-eventbridge.json"),
        include_str!("../../tests-data/create-flow-04-servicenow-to-redshift.json"),
        include_str!("../../tests-data/create-flow-05-s3-to-salesforce-upsert.json"),
        include_str!("../../tests-data/create-flow-06-salesforce-to-s3-transform.json"),
        include_str!("../../tests-data/create-flow-07-hubspot-customconnector-to-s3.json"),
        include_str!("../../tests-data/create-flow-08-sapodata-to-s3-parallel.json"),
        include_str!("../../tests-data/create-flow-09-s3-to-customconnector.json"),
        include_str!("../../tests-data/create-flow-10-zendesk-to-snowflake.json"),
        include_str!("../../tests-data/create-flow-11-partition-by-field-UNVERIFIED-ENCODING.json"),
    ] {
        let answer = world
            .call("create-flow", serde_json::from_str(text).expect("JSON"))
            .await;
        if text.contains("PARQUET") {
            let said = "Create Flow request failed: [The sandbox does not write PARQUET files; choose JSON or CSV]";
            assert_eq!(answer.message(), said);
        } else {
            assert_eq!(answer.status, 200, "{answer:?} {text}");
        }
    }
    let update: Value = serde_json::from_str(include_str!(
        "../../tests-data/update-flow-01-change-mapping.json"
    ))
    .expect("JSON");
    world.ok("update-flow", update).await;
    let after = world
        .ok(
            "describe-flow",
            json!({ "flowName": "sf-account-full-to-s3" }),
        )
        .await;
    assert_eq!(after["schemaVersion"], 2);
}

/// A flow with something changed, and what the refusal must say.
fn refusals() -> Vec<(&'static str, Value, &'static str, &'static str)> {
    let with = |pointer: &str, to: Value| {
        let mut body = flow("refused");
        *body.pointer_mut(pointer).expect("member") = to;
        body
    };
    let s3 = "/destinationFlowConfigList/0/destinationConnectorProperties/S3";
    vec![
        (
            "no projection",
            with(
                "/tasks/0",
                json!({ "taskType": "Map", "sourceFields": ["Id"], "destinationField": "Id",
                "connectorOperator": { "Salesforce": "NO_OP" } }),
            ),
            "ValidationException",
            "Create Flow request failed: [Task Validation Error: You must specify a projection task or a MAP_ALL task]",
        ),
        (
            "unknown profile",
            with("/sourceFlowConfig/connectorProfileName", json!("nobody")),
            "ResourceNotFoundException",
            "Connector profile: nobody does not exist",
        ),
        (
            "unknown object",
            with(
                "/sourceFlowConfig/sourceConnectorProperties/Salesforce/object",
                json!("Missing__c"),
            ),
            "ConnectorServerException",
            "NOT_FOUND",
        ),
        (
            "closed bucket",
            with(s3, json!({ "bucketName": "closed" })),
            "ValidationException",
            "appflow.amazonaws.com",
        ),
        (
            "no bucket",
            with(s3, json!({ "bucketName": "nowhere" })),
            "ValidationException",
            "NoSuchBucket",
        ),
        (
            "two destinations",
            with(
                "/destinationFlowConfigList",
                json!([
                    { "connectorType": "S3", "destinationConnectorProperties": { "S3": { "bucketName": "landing" } } },
                    { "connectorType": "S3", "destinationConnectorProperties": { "S3": { "bucketName": "landing" } } },
                ]),
            ),
            "ValidationException",
            "Exactly one destination",
        ),
        (
            "schedule missing",
            with("/triggerConfig", json!({ "triggerType": "Scheduled" })),
            "ValidationException",
            "Create Flow request failed: [TriggerProps is required for Scheduled Trigger Type.]",
        ),
        (
            "schedule unreadable",
            scheduled("refused", json!({ "scheduleExpression": "hourly" })),
            "ValidationException",
            "Invalid schedule expression: hourly",
        ),
        (
            "end before start",
            scheduled(
                "refused",
                json!({ "scheduleStartTime": 2_000_000_000, "scheduleEndTime": 1_900_000_000 }),
            ),
            "ValidationException",
            "end time must be after the start time",
        ),
        (
            "wrong key",
            with(
                "/sourceFlowConfig/sourceConnectorProperties",
                json!({ "Zendesk": { "object": "City__c" } }),
            ),
            "ValidationException",
            "Source connector properties of Salesforce are required",
        ),
        (
            "partition outside S3",
            with(
                "/tasks",
                json!([{ "taskType": "Map_all", "sourceFields": [] },
                { "taskType": "Partition", "sourceFields": [], "taskProperties": { "ORDERED_PARTITION_KEYS_LIST": "[]" } }]),
            ),
            "ValidationException",
            "1 to 10 keys",
        ),
    ]
}

#[tokio::test]
async fn faulty_flows_are_refused_with_the_services_words_and_not_kept() {
    let world = World::new().await;
    world.connect().await;
    for (what, body, exception, message) in refusals() {
        let answer = world.call("create-flow", body).await;
        assert_eq!(answer.exception, exception, "{what}: {answer:?}");
        assert!(answer.message().contains(message), "{what}: {answer:?}");
    }
    assert_eq!(world.ok("list-flows", json!({})).await["flows"], json!([]));
}

#[tokio::test]
async fn states_follow_the_trigger() {
    let world = World::new().await;
    world.connect().await;
    let (on_demand, hourly) = (
        json!({ "flowName": "demand" }),
        json!({ "flowName": "hourly" }),
    );
    assert_eq!(
        world.ok("create-flow", flow("demand")).await["flowStatus"],
        "Active"
    );
    assert_eq!(
        world
            .ok("create-flow", scheduled("hourly", json!({})))
            .await["flowStatus"],
        "Draft"
    );

    let stopped = world.call("stop-flow", on_demand.clone()).await;
    assert_eq!(
        (stopped.status, stopped.exception.as_str()),
        (400, "UnsupportedOperationException")
    );

    let started = world.ok("start-flow", hourly.clone()).await;
    assert_eq!(
        (&started["flowStatus"], &started["executionId"]),
        (&json!("Active"), &Value::Null)
    );
    assert_eq!(
        world.call("start-flow", hourly.clone()).await.exception,
        "ConflictException"
    );
    let refused = world.call("delete-flow", hourly.clone()).await;
    assert_eq!(
        refused.message(),
        "Conflict executing request: Flow is in active state, please set forceDelete to true or \
         deactivate the flow: hourly"
    );
    assert_eq!(
        world.ok("stop-flow", hourly.clone()).await["flowStatus"],
        "Suspended"
    );
    assert_eq!(
        world.call("stop-flow", hourly.clone()).await.exception,
        "ConflictException"
    );
    world.ok("delete-flow", hourly.clone()).await;
    assert_eq!(world.call("describe-flow", hourly).await.status, 404);
    world.ok("delete-flow", on_demand).await;
    assert_eq!(world.call("create-flow", flow("again")).await.status, 200);
    let twice = world.call("create-flow", flow("again")).await;
    assert_eq!(
        (twice.status, twice.exception.as_str()),
        (409, "ConflictException")
    );
}

#[tokio::test]
async fn an_update_replaces_everything_but_the_objects() {
    let world = World::new().await;
    world.connect().await;
    world.ok("create-flow", scheduled("f1", json!({}))).await;
    let changed = |pointer: &str, to: Value| {
        let mut body = scheduled("f1", json!({}));
        *body.pointer_mut(pointer).expect("member") = to;
        body
    };
    let moved = world
        .call(
            "update-flow",
            changed(
                "/destinationFlowConfigList/0/destinationConnectorProperties/S3/bucketName",
                json!("closed"),
            ),
        )
        .await;
    assert_eq!(
        moved.message(),
        "Update Flow request failed due to:[Destination object for the destination connector can not be updated]"
    );
    let moved = world
        .call(
            "update-flow",
            changed(
                "/sourceFlowConfig/sourceConnectorProperties/Salesforce/object",
                json!("Account"),
            ),
        )
        .await;
    assert!(moved.message().contains("Source object"), "{moved:?}");
    let without = world
        .call(
            "update-flow",
            changed("/triggerConfig", json!({ "triggerType": "Scheduled" })),
        )
        .await;
    assert_eq!(
        without.message(),
        "Update Flow request failed due to:[TriggerProps is required for Scheduled Trigger Type.]"
    );

    world.ok("start-flow", json!({ "flowName": "f1" })).await;
    let mut body = scheduled("f1", json!({}));
    body["tasks"][0]["taskProperties"]["EXCLUDE_SOURCE_FIELDS_LIST"] = json!("[\"Name\"]");
    let updated = world.ok("update-flow", body).await;
    assert_eq!(updated, json!({ "flowStatus": "Active" }));
    let described = world.ok("describe-flow", json!({ "flowName": "f1" })).await;
    assert_eq!(described["schemaVersion"], 2);
    assert_eq!(
        world.ok("update-flow", flow("f1")).await["flowStatus"],
        "Active"
    );
    assert_eq!(
        world.ok("update-flow", scheduled("f1", json!({}))).await["flowStatus"],
        "Draft"
    );
    assert_eq!(world.call("update-flow", flow("nobody")).await.status, 404);
}

#[tokio::test]
async fn f6_a_summary_tells_who_changed_a_flow_and_how_its_last_run_ended() {
    let world = World::new().await;
    world.connect().await;
    let mut body = flow("listed");
    body["tags"] = json!({ "tributary:tenant": "ten_1" });
    world.ok("create-flow", body).await;
    world.run("listed").await;
    let listed = world.ok("list-flows", json!({})).await;
    let summary = &listed["flows"][0];
    assert_eq!(summary["flowStatus"], "Active");
    assert_eq!(summary["tags"], json!({ "tributary:tenant": "ten_1" }));
    assert_eq!(
        summary["lastRunExecutionDetails"]["mostRecentExecutionStatus"],
        "Successful"
    );
    let us = format!("arn:aws:sts::{ACCOUNT}:assumed-role/TributaryAccess/t");
    assert_eq!(
        (&summary["createdBy"], &summary["lastUpdatedBy"]),
        (&json!(us), &json!(us))
    );
    assert!(summary["lastUpdatedAt"].is_number() && summary["createdAt"].is_number());
}
