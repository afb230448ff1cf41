//! Applications that share one set of records: every connector is connected, described, read from
//! and written to.

use serde_json::{Value, json};

use super::world::{ACCOUNT, World, flow};
use crate::{
    WRONG_CREDENTIAL,
    catalogue::{CONNECTORS, Connector},
};

const REGION: &str = "us-east-1";

/// Properties and credentials that satisfy the model of a connector.
fn config(key: &str) -> (Value, Value) {
    let instance = json!({ "instanceUrl": "https://a.example" });
    let client = json!({ "clientId": "c", "clientSecret": "s", "accessToken": "t" });
    match key {
        "SAPOData" => (
            json!({ "applicationHostUrl": "https://a.example", "applicationServicePath": "/sap",
                    "portNumber": 443, "clientNumber": "100" }),
            json!({ "basicAuthCredentials": { "username": "u", "password": "p" } }),
        ),
        "Zendesk" | "Marketo" | "Slack" => (instance, client),
        "GoogleAnalytics" => (json!({}), client),
        "Pardot" => (instance, json!({ "accessToken": "t" })),
        "Honeycode" => (json!({}), json!({ "accessToken": "t" })),
        "Dynatrace" => (instance, json!({ "apiToken": "t" })),
        "Datadog" => (instance, json!({ "apiKey": "k", "applicationKey": "a" })),
        "Singular" => (json!({}), json!({ "apiKey": "k" })),
        "Trendmicro" => (json!({}), json!({ "apiSecretKey": "k" })),
        "Amplitude" => (json!({}), json!({ "apiKey": "k", "secretKey": "s" })),
        "InforNexus" => (
            instance,
            json!({ "accessKeyId": "k", "userId": "u", "secretAccessKey": "s", "datakey": "d" }),
        ),
        "Snowflake" => (
            json!({ "warehouse": "w", "stage": "d.PUBLIC.s", "bucketName": "landing" }),
            json!({ "username": "u", "password": "p" }),
        ),
        "CustomConnector" => (
            json!({}),
            json!({ "authenticationType": "OAUTH2", "oauth2": { "accessToken": "t" } }),
        ),
        _ => (instance, json!({ "username": "u", "password": "p" })),
    }
}

fn profile(connector: &Connector, credentials: &Value) -> Value {
    let (properties, _) = config(connector.key);
    let label = (connector.kind == "CustomConnector").then_some("HubSpot");
    json!({ "connectorProfileName": connector.kind, "connectorType": connector.kind,
        "connectorLabel": label, "connectionMode": "Public", "connectorProfileConfig": {
            "connectorProfileProperties": { connector.key: properties },
            "connectorProfileCredentials": { connector.key: credentials } } })
}

/// Every connector that shares the records.
fn shared() -> impl Iterator<Item = &'static Connector> {
    let other = ["Salesforce", "Redshift"];
    CONNECTORS
        .iter()
        .filter(move |c| c.profile && !other.contains(&c.kind))
}

async fn connect(world: &World, connector: &Connector) {
    let (_, credentials) = config(connector.key);
    world
        .ok("create-connector-profile", profile(connector, &credentials))
        .await;
}

fn metadata(connector: &Connector, more: Value) -> Value {
    let mut body = json!({ "connectorProfileName": connector.kind });
    if connector.kind == "CustomConnector" {
        body["apiVersion"] = json!("v3");
    }
    if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
    body
}

/// One end of a flow at the connector.
fn end(connector: &Connector, side: &str, entity: &str, more: Value) -> Value {
    let member = match connector.key {
        "SAPOData" => "objectPath",
        "CustomConnector" => "entityName",
        _ => "object",
    };
    let mut properties = json!({ member: entity });
    if let (Some(properties), Value::Object(more)) = (properties.as_object_mut(), more) {
        properties.extend(more);
    }
    let version = (connector.kind == "CustomConnector").then_some("v3");
    json!({ "connectorType": connector.kind, "connectorProfileName": connector.kind,
            "apiVersion": version, side: { connector.key: properties } })
}

#[tokio::test]
async fn every_application_is_connected_described_and_read() {
    for connector in shared().filter(|c| c.source) {
        let kind = connector.kind;
        let world = World::new().await;
        connect(&world, connector).await;
        let list = world
            .ok("list-connector-entities", metadata(connector, json!({})))
            .await;
        let entities = list["connectorEntityMap"]["Objects"]
            .as_array()
            .expect("list");
        assert!(entities.iter().any(|e| e["name"] == "orders"), "{kind}");
        let nested = metadata(connector, json!({ "entitiesPath": "conversations" }));
        let nested = world.ok("list-connector-entities", nested).await;
        assert_eq!(
            nested["connectorEntityMap"]["Objects"][0]["name"],
            "conversations/general"
        );
        let ask = metadata(connector, json!({ "connectorEntityName": "orders" }));
        let described = world.ok("describe-connector-entity", ask).await;
        let fields = described["connectorEntityFields"].as_array().expect("list");
        assert_eq!(fields.len(), 5, "{kind}");
        let details = &fields[2]["supportedFieldTypeDetails"]["v1"];
        let expected = match kind {
            "Zendesk" => json!(["decimal", ["GREATER_THAN"]]),
            "Amplitude" | "Googleanalytics" => json!(["double", ["BETWEEN"]]),
            "Slack" => json!([
                "double",
                [
                    "EQUAL_TO",
                    "LESS_THAN",
                    "LESS_THAN_OR_EQUAL_TO",
                    "GREATER_THAN",
                    "GREATER_THAN_OR_EQUAL_TO",
                    "BETWEEN"
                ]
            ]),
            _ => json!([details["fieldType"], details["filterOperators"]]),
        };
        assert_eq!(
            json!([details["fieldType"], details["filterOperators"]]),
            expected
        );
        assert_eq!(
            fields[4]["sourceProperties"]["isTimestampFieldForIncrementalQueries"],
            true
        );

        let name = format!("from-{kind}");
        let mut body = flow(&name);
        body["sourceFlowConfig"] = end(connector, "sourceConnectorProperties", "orders", json!({}));
        body["tasks"][0]["connectorOperator"] = json!({});
        world.ok("create-flow", body).await;
        let record = world.run(&name).await;
        assert_eq!(record["executionStatus"], "Successful", "{kind} {record}");
        assert_eq!(record["executionResult"]["recordsProcessed"], 3, "{kind}");
        let landed = world.landed();
        let line: Value =
            serde_json::from_str(landed[0].1.lines().next().expect("line")).expect("JSON");
        assert_eq!(
            (&line["id"], &line["amount"]),
            (&json!("o-1"), &json!(12.5)),
            "{kind}"
        );
    }
}

#[tokio::test]
async fn every_application_that_is_a_destination_keeps_what_runs_write() {
    for connector in shared().filter(|c| c.destination) {
        let kind = connector.kind;
        let world = World::new().await;
        connect(&world, connector).await;
        let key = (ACCOUNT.to_owned(), "landing/in/a.csv".to_owned());
        let file = "id,customer,amount\no-1,p-9,2.5\no-9,p-9,1\n";
        world.memory.look().objects.insert(key, file.into());
        let upserts = connector.write_operations().contains(&"UPSERT");
        let more = if upserts {
            json!({ "writeOperationType": "UPSERT", "idFieldNames": ["id"] })
        } else if kind == "Snowflake" {
            json!({ "intermediateBucketName": "landing" })
        } else {
            json!({})
        };
        let name = format!("to-{kind}");
        let entity = if kind == "Snowflake" {
            "DB.PUBLIC.SOLD"
        } else {
            "orders"
        };
        let mut body = flow(&name);
        body["sourceFlowConfig"] = json!({ "connectorType": "S3", "sourceConnectorProperties":
            { "S3": { "bucketName": "landing", "bucketPrefix": "in" } } });
        body["destinationFlowConfigList"] = json!([end(
            connector,
            "destinationConnectorProperties",
            entity,
            more
        )]);
        body["tasks"][0]["connectorOperator"] = json!({ "S3": "NO_OP" });
        world.ok("create-flow", body).await;
        let record = world.run(&name).await;
        assert_eq!(record["executionStatus"], "Successful", "{kind} {record}");
        let kept = world
            .appflow
            .application_records(ACCOUNT, REGION, kind, entity);
        assert!(kept.iter().any(|r| r["id"] == "o-9"), "{kind} {kept:?}");
        if upserts {
            assert_eq!(
                record["executionResult"]["errorInfo"],
                Value::Null,
                "{kind}"
            );
            assert_eq!(kept.len(), 4, "{kind}");
            assert_eq!(kept[0]["amount"], 2.5, "{kind}");
            let other = world
                .appflow
                .application_records("333333333333", REGION, kind, entity);
            assert_eq!(other.len(), 3, "{kind}");
        }
    }
}

#[tokio::test]
async fn refused_records_are_counted_and_the_first_can_end_the_run() {
    for (stop, status, failures) in [(false, "Successful", 3), (true, "Error", 1)] {
        let world = World::new().await;
        let zendesk = shared().find(|c| c.kind == "Zendesk").expect("connector");
        connect(&world, zendesk).await;
        let key = (ACCOUNT.to_owned(), "landing/in/a.csv".to_owned());
        let file = "id,subject,priority\nc-1,Again,1\nc-8,,2\nc-9,Fine,high\nc-7,Good,1\n";
        world.memory.look().objects.insert(key, file.into());
        let handling = json!({ "failOnFirstDestinationError": stop, "bucketName": "landing", "bucketPrefix": "errors" });
        let mut body = flow("cases");
        body["sourceFlowConfig"] = json!({ "connectorType": "S3", "sourceConnectorProperties":
            { "S3": { "bucketName": "landing", "bucketPrefix": "in" } } });
        body["destinationFlowConfigList"] = json!([end(
            zendesk,
            "destinationConnectorProperties",
            "tickets",
            json!({ "writeOperationType": "INSERT", "errorHandlingConfig": handling })
        )]);
        body["tasks"][0]["connectorOperator"] = json!({ "S3": "NO_OP" });
        world.ok("create-flow", body).await;
        let record = world.run("cases").await;
        assert_eq!(record["executionStatus"], status);
        let info = &record["executionResult"]["errorInfo"];
        assert_eq!(info["putFailuresCount"], failures);
        let landed = world.landed();
        let aside = landed
            .iter()
            .find(|(key, _)| key.contains("/errors/cases/"));
        let lines = aside.expect("file").1.lines().count();
        assert_eq!(lines, failures);
        let kept = world
            .appflow
            .application_records(ACCOUNT, REGION, "Zendesk", "tickets");
        assert_eq!(kept.iter().any(|r| r["id"] == "c-7"), !stop);
    }
}

#[tokio::test]
async fn a_wrong_or_missing_credential_makes_no_profile() {
    for connector in shared() {
        let (_, mut credentials) = config(connector.key);
        let text = credentials.to_string();
        for right in ["\"p\"", "\"t\"", "\"k\"", "\"s\""] {
            if text.contains(right) {
                let wrong = text.replace(right, &format!("\"{WRONG_CREDENTIAL}\""));
                credentials = serde_json::from_str(&wrong).expect("JSON");
                break;
            }
        }
        let world = World::new().await;
        let refused = world
            .call("create-connector-profile", profile(connector, &credentials))
            .await;
        assert_eq!(
            (refused.status, refused.exception.as_str()),
            (401, "ConnectorAuthenticationException"),
            "{}",
            connector.kind
        );
    }
    let world = World::new().await;
    let servicenow = shared()
        .find(|c| c.kind == "Servicenow")
        .expect("connector");
    let blank = world
        .call("create-connector-profile", profile(servicenow, &json!({})))
        .await;
    assert_eq!(blank.exception, "ValidationException");
}

#[tokio::test]
async fn custom_connectors_need_an_api_version_that_they_have() {
    let world = World::new().await;
    let custom = shared()
        .find(|c| c.kind == "CustomConnector")
        .expect("connector");
    connect(&world, custom).await;
    for version in [Value::Null, json!("v99")] {
        let body = json!({ "connectorProfileName": "CustomConnector", "apiVersion": version });
        let refused = world.call("list-connector-entities", body).await;
        assert_eq!(refused.exception, "ValidationException", "{version}");
        let mut body = flow("refused");
        body["sourceFlowConfig"] = end(custom, "sourceConnectorProperties", "orders", json!({}));
        body["sourceFlowConfig"]["apiVersion"] = version.clone();
        let refused = world.call("create-flow", body).await;
        assert!(refused.message().contains("ApiVersion"), "{refused:?}");
    }
    let described = json!({ "connectorType": "CustomConnector", "connectorLabel": "HubSpot" });
    let described = world.ok("describe-connector", described).await;
    assert_eq!(
        described["connectorConfiguration"]["supportedApiVersions"],
        json!(["v1", "v2", "v3", "v4"])
    );
    let operators = described["connectorConfiguration"]["supportedOperators"].as_array();
    assert!(operators.expect("list").contains(&json!("CONTAINS")));
}

#[tokio::test]
async fn an_incremental_run_reads_what_changed_in_its_window() {
    let world = World::new().await;
    let servicenow = shared()
        .find(|c| c.kind == "Servicenow")
        .expect("connector");
    connect(&world, servicenow).await;
    let now = world.clock.now();
    let case = |id: &str, at: jiff::Timestamp| {
        let record =
            json!({ "id": id, "subject": "s", "priority": 1, "sys_updated_on": at.to_string() });
        record.as_object().expect("object").clone()
    };
    let hours = |n: i64| now - jiff::SignedDuration::from_hours(n);
    let records = vec![case("old", hours(24 * 60)), case("new", hours(1))];
    world
        .appflow
        .set_application_records(ACCOUNT, REGION, "Servicenow", "incident", records);
    let mut body = super::world::scheduled("cases", json!({}));
    body["sourceFlowConfig"] = end(
        servicenow,
        "sourceConnectorProperties",
        "incident",
        json!({}),
    );
    body["tasks"][0]["connectorOperator"] = json!({});
    world.ok("create-flow", body).await;
    world.ok("start-flow", json!({ "flowName": "cases" })).await;
    world.clock.advance(std::time::Duration::from_hours(1));
    world.appflow.run_due().await;
    world.appflow.settled().await;
    assert_eq!(
        world.last_run("cases").await["executionStatus"],
        "Successful"
    );
    assert!(world.landed()[0].1.contains("\"new\"") && !world.landed()[0].1.contains("\"old\""));
}
