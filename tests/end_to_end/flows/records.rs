//! What the operations of a flow do to records, against an oracle made of the source's own data.

use std::collections::BTreeMap;

use sandbox_saas::salesforce::CitySale;
use serde_json::{Value, json};

use super::world::World;
use crate::common;

fn money(cents: i64) -> Value {
    let sign = if cents < 0 { "-" } else { "" };
    let cents = cents.unsigned_abs();
    let text = format!("{sign}{}.{:02}", cents / 100, cents % 100);
    json!(text.parse::<f64>().unwrap())
}

/// Records by id; each id once.
fn by_id(records: Vec<Value>, id: &str) -> BTreeMap<String, Value> {
    let number = records.len();
    let found: BTreeMap<String, Value> = records
        .into_iter()
        .map(|record| (record[id].as_str().unwrap().to_owned(), record))
        .collect();
    assert_eq!(found.len(), number, "a record came twice");
    found
}

/// Every record of the source, every field, unchanged.
#[tokio::test(flavor = "multi_thread")]
async fn mapping_all_brings_every_record_as_it_is() {
    let world = World::new().await;
    let flow = world.create(&world.flow()).await;
    let run = world.run(&flow).await;
    let sales = world.sandbox.salesforce.sales();
    let records = by_id(world.records(&run).await, "Id");
    assert_eq!(records.len(), sales.len());
    assert_eq!(run["recordsProcessed"], sales.len());
    for sale in sales.iter() {
        let record = &records[&sale.id];
        let expected = json!({
            "Id": sale.id, "Name": sale.name, "City__c": sale.city, "Country__c": sale.country,
            "Country_Code__c": sale.country_code, "Timezone__c": sale.timezone, "Population__c": sale.population,
            "Amount__c": sale.amount_cents.map(money), "Units__c": sale.units, "Email__c": sale.email,
            "IsDeleted": false, "CreatedDate": record["CreatedDate"], "LastModifiedDate": record["LastModifiedDate"],
        });
        assert_eq!(*record, expected);
        let created = sale.created.strftime("%Y-%m-%dT%H:%M:%S").to_string();
        assert!(
            record["CreatedDate"]
                .as_str()
                .unwrap()
                .starts_with(&created),
            "{record}"
        );
    }
    common::no_leaks(&world.sandbox).await;
}

/// Filters, masks, truncation and validations, all at once.
#[tokio::test(flavor = "multi_thread")]
async fn filters_masks_truncation_and_validations_have_their_effect() {
    let world = World::new().await;
    let mut definition = world.flow();
    let field = |from: &str, to: &str| json!({ "type": "field", "from": from, "to": to });
    definition["mappings"] = json!([
        field("Id", "id"),
        field("City__c", "city"),
        field("Timezone__c", "zone"),
        field("Amount__c", "amount"),
        field("Units__c", "units"),
        field("Email__c", "email"),
        field("Country__c", "country"),
    ]);
    definition["filters"] = json!([
        { "field": "Units__c", "fieldType": "double", "operator": "greaterThan", "value": 10 },
        { "field": "Timezone__c", "fieldType": "string", "operator": "contains", "value": "Europe/" },
    ]);
    definition["transforms"] = json!([
        { "type": "mask", "field": "Email__c", "part": "first", "length": 6, "with": "#" },
        { "type": "mask", "field": "Country__c", "part": "all" },
        { "type": "truncate", "field": "City__c", "length": 4 },
    ]);
    definition["validations"] = json!([
        { "field": "Amount__c", "must": "notBeNull", "otherwise": "dropRecord" },
        { "field": "Amount__c", "must": "notBeNegative", "otherwise": "dropRecord" },
    ]);
    let flow = world.create(&definition).await;
    let run = world.run(&flow).await;

    let sales = world.sandbox.salesforce.sales();
    let passes = |sale: &&CitySale| {
        sale.units > 10
            && sale.timezone.contains("Europe/")
            && sale.amount_cents.is_some_and(|cents| cents >= 0)
    };
    let masked = |email: &String| format!("######{}", email.chars().skip(6).collect::<String>());
    let expected: BTreeMap<String, Value> = sales
        .iter()
        .filter(passes)
        .map(|sale| {
            let record = json!({
                "id": sale.id, "city": sale.city.chars().take(4).collect::<String>(), "zone": sale.timezone,
                "amount": sale.amount_cents.map(money), "units": sale.units,
                "email": sale.email.as_ref().map(masked), "country": "*****",
            });
            (sale.id.clone(), record)
        })
        .collect();
    let dropped = sales
        .iter()
        .filter(|sale| sale.units > 10 && sale.timezone.contains("Europe/"))
        .count()
        - expected.len();
    assert!(dropped > 0, "the validations have something to drop");
    assert_eq!(run["recordsProcessed"], expected.len());
    assert_eq!(by_id(world.records(&run).await, "id"), expected);
    common::no_leaks(&world.sandbox).await;
}

/// A validation that stops the run: nothing is written, and the run says why it failed.
#[tokio::test(flavor = "multi_thread")]
async fn u5_a_validation_that_stops_the_run_writes_nothing() {
    let world = World::new().await;
    let mut definition = world.flow();
    definition["mappings"] = json!([
        { "type": "field", "from": "Id", "to": "Id" },
        { "type": "field", "from": "Amount__c", "to": "Amount" },
    ]);
    definition["validations"] =
        json!([{ "field": "Amount__c", "must": "notBeNull", "otherwise": "stopRun" }]);
    let flow = world.create(&definition).await;
    let run = world.start(&flow).await;
    let run = world.ended(&flow, &run).await;
    assert_eq!(
        (&run["status"], &run["cause"], &run["retryable"]),
        (&json!("failed"), &json!("mapping"), &json!(false)),
        "{run}"
    );
    assert!(
        run["message"].as_str().unwrap().contains("Amount__c"),
        "{run}"
    );
    assert!(world.records(&run).await.is_empty());
    common::no_leaks(&world.sandbox).await;
}
