//! Event flows: changes of the org's records at every kind of destination.

use serde_json::{Value, json};

use super::{
    org::{Org, into_org},
    world::{ACCOUNT, OTHER, World, flow},
};

/// An event flow on a channel of the org.
fn listening(name: &str, channel: &str, destinations: Value) -> Value {
    let mut body = flow(name);
    body["triggerConfig"] = json!({ "triggerType": "Event" });
    body["sourceFlowConfig"]["connectorProfileName"] = json!("org");
    body["sourceFlowConfig"]["sourceConnectorProperties"]["Salesforce"]["object"] = json!(channel);
    body["destinationFlowConfigList"] = destinations;
    body
}

fn bucket() -> Value {
    flow("x")["destinationFlowConfigList"].clone()
}

/// Creates and activates.
async fn active(world: &World, account: &str, body: Value) {
    let name = json!({ "flowName": body["flowName"] });
    let created = world.call_as(account, "create-flow", body).await;
    assert_eq!(
        (created.status, &created.body["flowStatus"]),
        (200, &json!("Draft"))
    );
    let started = world.call_as(account, "start-flow", name).await;
    assert_eq!(started.body["flowStatus"], "Active");
}

/// Hands everything that changed to AppFlow, as the assembled sandbox does.
async fn deliver(world: &World, org: &Org) {
    for event in org.salesforce.take_events() {
        let (url, channel) = (org.salesforce.base_url(), event.channel.as_str());
        world
            .appflow
            .deliver_instance_events(url, channel, &[event.detail])
            .await;
    }
}

fn change(org: &Org, units: i64) -> String {
    let id = org.salesforce.sales()[0].id.clone();
    org.salesforce.change_sales(|sale| {
        if sale.id == id {
            sale.units = units;
        }
    });
    id
}

#[tokio::test]
async fn changes_are_written_to_a_bucket_through_the_tasks() {
    let world = World::new().await;
    let org = Org::connected(&world).await;
    let mut body = listening("to-s3", "City_Sales__ChangeEvent", bucket());
    let task = |kind: &str, fields: Value, operator: &str, properties: Value| {
        json!({ "taskType": kind, "sourceFields": fields, "destinationField": "units",
                "connectorOperator": { "Salesforce": operator }, "taskProperties": properties })
    };
    body["tasks"] = json!([
        task("Filter", json!(["Units__c"]), "PROJECTION", json!({})),
        task("Map", json!(["Units__c"]), "NO_OP", json!({})),
        task(
            "Filter",
            json!(["Units__c"]),
            "GREATER_THAN",
            json!({ "DATA_TYPE": "int", "VALUE": "7000" })
        ),
    ]);
    active(&world, ACCOUNT, body).await;
    change(&org, 7_000);
    deliver(&world, &org).await;
    assert!(world.landed().is_empty(), "filtered out");
    change(&org, 7_001);
    deliver(&world, &org).await;
    let landed = world.landed();
    assert_eq!(landed.len(), 1);
    assert!(
        landed[0].0.starts_with("landing/sf/to-s3/"),
        "{}",
        landed[0].0
    );
    assert_eq!(landed[0].1, "{\"units\":7001}\n");
    assert!(world.runs("to-s3").await.is_empty());
}

#[tokio::test]
async fn map_all_brings_the_header_and_what_changed() {
    let world = World::new().await;
    let org = Org::connected(&world).await;
    active(
        &world,
        ACCOUNT,
        listening("all", "City_Sales__ChangeEvent", bucket()),
    )
    .await;
    let id = change(&org, 8_000);
    deliver(&world, &org).await;
    let line: Value = serde_json::from_str(&world.landed()[0].1).expect("JSON");
    assert_eq!(line["ChangeEventHeader"]["recordIds"], json!([id]));
    assert_eq!(line["Units__c"], 8_000);
    assert_eq!(line["City__c"], Value::Null);
}

#[tokio::test]
async fn changes_of_one_object_are_written_to_another_record_and_to_the_warehouse() {
    let world = World::new().await;
    let org = Org::connected(&world).await;
    let mut profile: Value = serde_json::from_str(include_str!(
        "../../tests-data/create-connector-profile-06-redshift-dataapi.json"
    ))
    .expect("JSON");
    profile["connectorProfileName"] = json!("dwh");
    world.ok("create-connector-profile", profile).await;
    let key = (ACCOUNT.to_owned(), "dwh/public.sales".to_owned());
    world.memory.look().tables.insert(key.clone(), Vec::new());
    let warehouse = json!([{ "connectorType": "Redshift", "connectorProfileName": "dwh",
        "destinationConnectorProperties": { "Redshift":
            { "object": "public.sales", "intermediateBucketName": "landing" } } }]);
    let map = |from: &str, to: &str| {
        json!({ "taskType": "Map", "sourceFields": [from], "destinationField": to,
                "connectorOperator": { "Salesforce": "NO_OP" }, "taskProperties": {} })
    };
    let projection = json!({ "taskType": "Filter", "sourceFields": ["Units__c", "LastModifiedDate"],
        "connectorOperator": { "Salesforce": "PROJECTION" }, "taskProperties": {} });
    let mut to_account = listening(
        "to-account",
        "City_Sales__ChangeEvent",
        into_org("UPSERT", &["External_Id__c"], true),
    );
    to_account["tasks"] = json!([
        projection,
        map("LastModifiedDate", "Name"),
        map("Units__c", "External_Id__c"),
        map("Units__c", "NumberOfEmployees")
    ]);
    active(&world, ACCOUNT, to_account).await;
    let mut to_warehouse = listening("to-warehouse", "City_Sales__ChangeEvent", warehouse);
    to_warehouse["tasks"] = json!([projection, map("Units__c", "units")]);
    active(&world, ACCOUNT, to_warehouse).await;
    change(&org, 9_000);
    deliver(&world, &org).await;
    assert_eq!(
        org.account("9000").expect("account")["NumberOfEmployees"],
        9_000
    );
    let rows = world.memory.look().tables[&key].clone();
    assert_eq!(
        rows,
        [(vec!["units".to_owned()], vec![Some("9000".to_owned())])]
    );
}

#[tokio::test]
async fn drafts_stopped_flows_and_other_channels_get_nothing() {
    let world = World::new().await;
    let org = Org::connected(&world).await;
    let channel = "City_Sales__ChangeEvent";
    world
        .ok("create-flow", listening("draft", channel, bucket()))
        .await;
    active(&world, ACCOUNT, listening("stopped", channel, bucket())).await;
    world
        .ok("stop-flow", json!({ "flowName": "stopped" }))
        .await;
    active(
        &world,
        ACCOUNT,
        listening("accounts", "AccountChangeEvent", bucket()),
    )
    .await;
    change(&org, 1_234);
    deliver(&world, &org).await;
    assert!(world.landed().is_empty());
}

#[tokio::test]
async fn f11_every_account_that_is_connected_hears_and_a_revoked_one_does_not() {
    let world = World::new().await;
    let org = Org::connected(&world).await;
    org.connect(&world, OTHER).await;
    let channel = "City_Sales__ChangeEvent";
    for account in [ACCOUNT, OTHER] {
        active(&world, account, listening("changes", channel, bucket())).await;
    }
    let landed = || {
        let things = world.memory.look();
        let accounts = things.objects.keys().map(|(account, _)| account.clone());
        accounts.collect::<Vec<_>>()
    };
    change(&org, 1_111);
    deliver(&world, &org).await;
    assert_eq!(landed(), [ACCOUNT, OTHER]);
    org.salesforce.revoke_grants_of("olivia@sports.example.crm");
    change(&org, 2_222);
    deliver(&world, &org).await;
    assert_eq!(landed().len(), 2);
}

#[tokio::test]
async fn a_grant_that_is_gone_deactivates_the_flow_and_says_so() {
    let world = World::new().await;
    let arn = world.app_secret().await;
    let token = world.salesforce.org().access_token.clone();
    let owned = json!({ "accessToken": token, "refreshToken": "5Aep-refresh-token-1", "clientCredentialsArn": arn });
    world
        .ok("create-connector-profile", world.profile("org", &owned))
        .await;
    active(
        &world,
        ACCOUNT,
        listening("changes", "CityChangeEvent", bucket()),
    )
    .await;
    world.salesforce.org().access_token = "00D-revoked".to_owned();
    world.salesforce.org().refresh_token = None;
    for _ in 0..2 {
        world
            .appflow
            .deliver_event(
                ACCOUNT,
                "us-east-1",
                "CityChangeEvent",
                json!({ "Name": "x" }),
            )
            .await;
    }
    let described = world
        .ok("describe-flow", json!({ "flowName": "changes" }))
        .await;
    assert_eq!(described["flowStatus"], "Suspended");
    assert_eq!(world.events("AppFlow Event Flow Deactivated").len(), 1);
    assert!(world.landed().is_empty());
}
