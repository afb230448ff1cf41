//! Kinds of flows beyond the plain copy: records put together, folders by value, records written
//! back to the application.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use sandbox_core::CUSTOMER_ACCOUNT;
use serde_json::{Value, json};

use super::world::{World, landing_bucket, path};
use crate::common;

/// Concatenation, calculation and partition, against the source's own data.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_together_and_sorted_into_folders_equals_the_source() {
    let world = World::new().await;
    let mut definition = world.flow();
    definition["mappings"] = json!([
        { "type": "field", "from": "Id", "to": "id" },
        { "type": "field", "from": "Country_Code__c", "to": "country" },
        { "type": "concatenate", "from": ["City__c", "Timezone__c"],
          "format": "${City__c} (${Timezone__c})", "to": "place", "toType": "string" },
        { "type": "calculate", "operation": "multiply", "left": "Units__c", "right": "Population__c",
          "to": "product", "toType": "double" },
    ]);
    definition["destination"]["partitionBy"] = json!(["country"]);
    let flow = world.create(&definition).await;
    let run = world.run(&flow).await;

    let bucket = landing_bucket(CUSTOMER_ACCOUNT);
    let execution = run["executionId"].as_str().unwrap();
    let aws = &world.sandbox.aws;
    let keys = aws
        .list_objects(CUSTOMER_ACCOUNT, &bucket, "crm/")
        .await
        .unwrap();
    let mut found: BTreeMap<String, (String, String, f64)> = BTreeMap::new();
    for key in keys.iter().filter(|key| key.contains(execution)) {
        let object = aws
            .get_object(CUSTOMER_ACCOUNT, &bucket, key)
            .await
            .unwrap();
        for line in std::str::from_utf8(&object).unwrap().lines() {
            let record: Value = serde_json::from_str(line).unwrap();
            let text = |name: &str| record[name].as_str().unwrap().to_owned();
            assert!(
                key.contains(&format!("/country={}/", text("country"))),
                "{key} has {record}"
            );
            let product = match &record["product"] {
                Value::String(text) => text.parse().unwrap(),
                number => number.as_f64().unwrap(),
            };
            let old = found.insert(text("id"), (text("country"), text("place"), product));
            assert_eq!(old, None, "a record came twice");
        }
    }
    let sales = world.sandbox.salesforce.sales();
    let expected: BTreeMap<String, (String, String, f64)> = sales
        .iter()
        .map(|sale| {
            let place = format!("{} ({})", sale.city, sale.timezone);
            #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
            let product = (sale.units * sale.population) as f64;
            (sale.id.clone(), (sale.country_code.clone(), place, product))
        })
        .collect();
    let countries: BTreeSet<&String> = expected.values().map(|(country, ..)| country).collect();
    assert!(countries.len() > 20, "there are folders to make");
    assert_eq!(found, expected);
    common::no_leaks(&world.sandbox).await;
}

/// Files of the customer's bucket change and add records of Salesforce, told apart by an external
/// id. Records that Salesforce refuses are set aside and counted.
#[tokio::test(flavor = "multi_thread")]
async fn files_are_written_back_to_the_application_by_external_id() {
    let world = World::new().await;
    let bucket = landing_bucket(CUSTOMER_ACCOUNT);
    let policy = json!({ "accountId": world.account, "access": ["read", "write"] });
    let answer = world
        .api()
        .call(
            Method::PUT,
            &format!("/v1/buckets/{bucket}/policy"),
            Some(policy.to_string()),
            &[("if-match", "*")],
        )
        .await
        .unwrap();
    answer.expect(200).unwrap();
    let csv = "number,company,country\nE-1,Alpine Sports,Switzerland\nE-2,Bay Boats,Norway\nE-3,,Nowhere\n";
    let aws = &world.sandbox.aws;
    aws.put_object(CUSTOMER_ACCOUNT, &bucket, "inbound/one.csv", csv.into())
        .await
        .unwrap();

    let mut definition = world.flow();
    definition["source"] =
        json!({ "connector": "s3", "bucket": bucket, "prefix": "inbound", "file": "csv" });
    definition["destination"] = json!({
        "connector": "salesforce", "connectionId": world.connection, "object": "Account",
        "write": "upsert", "idFields": ["External_Id__c"],
        "errorHandling": { "bucket": bucket, "prefix": "errors", "stopOnFirstError": false },
    });
    definition["mappings"] = json!([
        { "type": "field", "from": "number", "to": "External_Id__c" },
        { "type": "field", "from": "company", "to": "Name" },
        { "type": "field", "from": "country", "to": "BillingCountry" },
    ]);
    let flow = world.create(&definition).await;
    for time in 1..=2 {
        let run = world.run(&flow).await;
        assert_eq!(run["recordsProcessed"], 3, "time {time}: {run}");
        assert_eq!(run["recordsFailed"], 1, "time {time}: {run}");
    }
    let written: BTreeMap<String, Value> = world
        .sandbox
        .salesforce
        .records("Account")
        .into_iter()
        .filter_map(|record| {
            Some((
                record["External_Id__c"].as_str()?.to_owned(),
                Value::Object(record),
            ))
        })
        .collect();
    let names: Vec<(&str, &Value)> = written
        .iter()
        .map(|(id, record)| (id.as_str(), &record["Name"]))
        .collect();
    assert_eq!(
        names,
        [
            ("E-1", &json!("Alpine Sports")),
            ("E-2", &json!("Bay Boats"))
        ]
    );
    let set_aside = aws
        .list_objects(CUSTOMER_ACCOUNT, &bucket, "errors/")
        .await
        .unwrap();
    assert!(!set_aside.is_empty());
    // Without ids nobody could tell which record is meant: refused before any call (F8).
    definition["destination"]["idFields"] = json!([]);
    let answer = world.api().post("/v1/flows", &definition).await.unwrap();
    let problem = answer.expect(422).unwrap();
    assert_eq!(problem["errors"][0]["pointer"], "/destination/idFields");
    assert!(world.show(&flow).await["id"].is_string(), "{}", path(&flow));
    common::no_leaks(&world.sandbox).await;
}

/// F2: what Salesforce publishes reaches the destination of a flow that was started, and of no
/// other.
#[tokio::test(flavor = "multi_thread")]
async fn f2_events_are_written_once_their_flow_is_started() {
    let world = World::new().await;
    let mut definition = world.flow();
    definition["source"]["object"] = json!("AccountChangeEvent");
    definition["trigger"] = json!({ "type": "event" });
    let flow = world.create(&definition).await;
    assert_eq!(flow["state"], "draft");
    let told = async |name: &str| {
        let detail = json!({
            "ChangeEventHeader": { "entityName": "Account", "changeType": "UPDATE", "recordIds": ["001x"] },
            "Name": name,
        });
        world
            .sandbox
            .emit_salesforce_event("AccountChangeEvent", detail)
            .await;
        world.settled().await;
    };
    told("Before").await;
    world.act(&flow, "start").await.expect(200).unwrap();
    told("Meanwhile").await;
    world.act(&flow, "stop").await.expect(200).unwrap();
    told("After").await;

    let bucket = landing_bucket(CUSTOMER_ACCOUNT);
    let aws = &world.sandbox.aws;
    let mut written = String::new();
    let name = flow["appflowName"].as_str().unwrap();
    for key in aws
        .list_objects(CUSTOMER_ACCOUNT, &bucket, "crm/")
        .await
        .unwrap()
        .iter()
        .filter(|key| key.contains(name))
    {
        let object = aws.get_object(CUSTOMER_ACCOUNT, &bucket, key).await;
        written.push_str(std::str::from_utf8(&object.unwrap()).unwrap());
    }
    assert!(written.contains("Meanwhile"), "{written}");
    assert!(
        !written.contains("Before") && !written.contains("After"),
        "{written}"
    );
    assert_eq!(world.runs(&flow).await, Vec::<Value>::new());
    common::no_leaks(&world.sandbox).await;
}
