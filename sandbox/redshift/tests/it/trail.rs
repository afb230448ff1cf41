//! The record of calls, as CloudTrail would keep it.

use serde_json::json;

use super::support::{Fixture, frank};

const STORE: &str = "arn:aws:identitystore::111111111111:identitystore/d-1";

/// Q3
#[tokio::test]
async fn a_call_is_recorded_with_the_person_behind_the_role() {
    let fixture = Fixture::new();
    fixture.redshift.set_identity_store(STORE);
    let body = json!({ "WorkgroupName": "wg", "Database": "dev", "StatementName": "report",
        "Sql": "SELECT city FROM app.sales_data WHERE sku = :sku",
        "Parameters": [{ "name": "sku", "value": "confidential" }] });
    let made = fixture.ok(&frank(), "ExecuteStatement", body).await;
    fixture
        .refused(&frank(), "DescribeStatement", json!({ "Id": "unknown" }))
        .await;
    let records = fixture.redshift.trail();
    let [executed, described] = records.as_slice() else {
        panic!("{records:?}");
    };
    assert_eq!(executed["eventName"], "ExecuteStatement");
    assert_eq!(executed["eventSource"], "redshift-data.amazonaws.com");
    assert_eq!(
        executed["userIdentity"]["onBehalfOf"],
        json!({ "userId": "id-frank", "identityStoreArn": STORE })
    );
    assert_eq!(
        executed["userIdentity"]["sessionContext"]["sessionIssuer"]["userName"],
        "WarehouseUserRole"
    );
    assert_eq!(executed["responseElements"]["id"], made["Id"]);
    assert_eq!(executed["requestParameters"]["statementName"], "report");
    assert_eq!(executed["requestParameters"]["sql"], "***OMITTED***");
    assert_eq!(described["errorCode"], "ResourceNotFoundException");
    assert!(!format!("{records:?}").contains("confidential"));
}

/// A role without a person has nobody to act for, and the record says so.
#[tokio::test]
async fn a_service_is_recorded_without_a_person() {
    let fixture = Fixture::new();
    let mut service = frank();
    service.on_behalf_of = None;
    let body = json!({ "WorkgroupName": "wg", "Database": "dev", "Sql": "SELECT 1" });
    fixture.refused(&service, "ExecuteStatement", body).await;
    let records = fixture.redshift.trail();
    assert_eq!(records[0]["errorCode"], "ExecuteStatementException");
    assert!(records[0]["userIdentity"].get("onBehalfOf").is_none());
}
