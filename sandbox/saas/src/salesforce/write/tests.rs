use serde_json::json;

use super::*;
use crate::salesforce::city_sales;

const USER: &str = "005";

fn begin(org: &Org, object: &str) -> Transaction {
    let object = org.object(object).unwrap();
    let rows = org.rows(&object, &city_sales()[..50]);
    Transaction::new(object, rows, USER, Timestamp::UNIX_EPOCH)
}

fn record(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).unwrap()
}

#[test]
fn what_does_not_fit_is_refused_as_salesforce_refuses_it() {
    let mut org = Org::default();
    for (fields, code) in [
        (json!({}), "REQUIRED_FIELD_MISSING"),
        (json!({ "Name": null }), "REQUIRED_FIELD_MISSING"),
        (json!({ "Name": "" }), "REQUIRED_FIELD_MISSING"),
        (json!({ "Name": "x", "Nope": 1 }), "INVALID_FIELD"),
        (
            json!({ "Name": "x", "CreatedDate": "2024-01-01T00:00:00Z" }),
            "INVALID_FIELD_FOR_INSERT_UPDATE",
        ),
        (json!({ "Name": 1 }), "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        (
            json!({ "Name": "x", "AnnualRevenue": "much" }),
            "INVALID_TYPE_ON_FIELD_IN_RECORD",
        ),
        (
            json!({ "Name": "x", "NumberOfEmployees": 1.5 }),
            "INVALID_TYPE_ON_FIELD_IN_RECORD",
        ),
        (
            json!({ "Name": "x", "Active__c": "yes" }),
            "INVALID_TYPE_ON_FIELD_IN_RECORD",
        ),
        (json!({ "Name": "x".repeat(256) }), "STRING_TOO_LONG"),
    ] {
        let mut transaction = begin(&org, "Account");
        let refused = transaction
            .create(&mut org, &record(fields.clone()))
            .unwrap_err();
        assert_eq!(refused.code, code, "{fields}");
    }
    let mut sales = begin(&org, "City_Sales__c");
    let refused = sales
        .create(&mut org, &record(json!({ "Name": "x" })))
        .unwrap_err();
    assert_eq!(refused.code, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY");
}

#[test]
fn an_external_id_is_unique_and_finds_the_record() {
    let mut org = Org::default();
    let mut first = begin(&org, "Account");
    let made = first
        .upsert(
            &mut org,
            "External_Id__c",
            &record(json!({ "Name": "One", "External_Id__c": "e-1" })),
        )
        .unwrap();
    assert!(made.created);
    first.commit(&mut org);

    let mut second = begin(&org, "Account");
    let again = second
        .upsert(
            &mut org,
            "External_Id__c",
            &record(json!({ "AnnualRevenue": 2.5, "External_Id__c": "E-1" })),
        )
        .unwrap();
    assert_eq!((again.id.clone(), again.created), (made.id.clone(), false));
    let twice = record(json!({ "Name": "Two", "External_Id__c": "e-1" }));
    assert_eq!(
        second.create(&mut org, &twice).unwrap_err().code,
        "DUPLICATE_VALUE"
    );
    let without = record(json!({ "Name": "Two" }));
    assert_eq!(
        second
            .upsert(&mut org, "External_Id__c", &without)
            .unwrap_err()
            .code,
        "MISSING_ARGUMENT"
    );
    assert_eq!(
        second.upsert(&mut org, "Name", &without).unwrap_err().code,
        "INVALID_FIELD"
    );
    second.commit(&mut org);
    let events = org.take_events();
    assert_eq!(events.len(), 2);
    assert_eq!(
        events[0].detail["ChangeEventHeader"]["changeType"],
        "CREATE"
    );
    assert_eq!(events[1].detail["AnnualRevenue"], 2.5);
    assert_eq!(
        events[1].detail["ChangeEventHeader"]["recordIds"],
        json!([made.id])
    );
    assert_eq!(events[1].detail["Name"], Value::Null);
}

#[test]
fn a_deleted_record_lies_in_the_bin_and_cannot_be_changed() {
    let mut org = Org::default();
    let mut transaction = begin(&org, "Account");
    let id = transaction.written(0).id;
    assert!(transaction.delete(&id).is_ok());
    assert_eq!(
        transaction
            .update(&id, &record(json!({ "Name": "x" })))
            .unwrap_err()
            .code,
        "ENTITY_IS_DELETED"
    );
    assert_eq!(
        transaction.delete("nonsense").unwrap_err().code,
        "MALFORMED_ID"
    );
    assert_eq!(
        transaction.delete("001000000000zzzAAA").unwrap_err().code,
        "NOT_FOUND"
    );
    transaction.commit(&mut org);
    assert_eq!(
        org.take_events()[0].detail["ChangeEventHeader"]["changeType"],
        "DELETE"
    );
    // What is not committed has not happened.
    let mut forgotten = begin(&org, "Account");
    let other = forgotten.written(1).id;
    assert!(forgotten.delete(&other).is_ok());
    drop(forgotten);
    assert!(!begin(&org, "Account").is_deleted(1));
    assert!(begin(&org, "Account").is_deleted(0));
}
