//! flow-model section 9 and the writes of section 6.

use tributary::connector::CONNECTORS;

use super::*;

/// Faults of a flow to this destination that writes so, with a target `Id`.
fn writing(key: &str, write: &str, id_fields: &[&str]) -> Vec<String> {
    let members = match key {
        "sapOData" => json!({ "objectPath": "/A" }),
        "googleBigQuery" => json!({ "entity": "table/p/d/t", "apiVersion": "v2" }),
        "hubSpot" | "custom" => json!({ "entity": "contacts", "apiVersion": "v3" }),
        "jdbc" | "rdsPostgreSql" => json!({ "entity": "public.t" }),
        _ => json!({ "object": "Account" }),
    };
    let mut destination = end(key, members);
    destination["write"] = write.into();
    destination["idFields"] = json!(id_fields);
    // Salesforce does not write to SAP.
    let source = end("s3", json!({ "bucket": "landing", "prefix": "in" }));
    let mappings = json!([{ "type": "field", "from": "id", "to": "Id" }]);
    faults_with(json!({ "source": source, "destination": destination, "mappings": mappings }))
}

/// flow-model 6, rows Salesforce, Zendesk, SAP OData, HubSpot, Amazon RDS for PostgreSQL, JDBC
#[test]
fn f8_each_destination_writes_only_as_its_row_says() {
    for (key, offered) in [
        ("salesforce", "insert update upsert delete"),
        ("zendesk", "insert update upsert"),
        ("sapOData", "insert update upsert"),
        ("googleBigQuery", "insert update upsert delete"),
        ("hubSpot", "insert update upsert delete"),
        ("custom", "insert update upsert delete"),
        ("jdbc", "insert"),
        ("rdsPostgreSql", "insert"),
    ] {
        for write in ["insert", "update", "upsert", "delete"] {
            let expected: &[&str] = if offered.split(' ').any(|word| word == write) {
                &[]
            } else {
                &["/destination/write write_not_offered"]
            };
            assert_eq!(writing(key, write, &["Id"]), expected, "{key} {write}");
        }
        assert!(
            CONNECTORS
                .iter()
                .any(|row| row.key == key && row.writes.len() == offered.split(' ').count())
        );
    }
}

/// flow-model 9: "the service requires them for UPSERT, and UPDATE and DELETE make no sense
/// without. Require them."
#[test]
fn f8_what_finds_a_record_needs_its_ids() {
    for write in ["update", "upsert", "delete"] {
        assert_eq!(
            writing("salesforce", write, &[]),
            ["/destination/idFields required"]
        );
    }
    assert_eq!(writing("salesforce", "insert", &[]), NONE);
    assert_eq!(writing("salesforce", "insert", &["Id"]), NONE);
}

/// flow-model 12, row id field name
#[test]
fn f8_id_fields_are_distinct_words_that_a_mapping_fills() {
    let ids = |ids: Value, mappings: Value| {
        let mut destination = end("salesforce", json!({ "object": "A" }));
        destination["write"] = "upsert".into();
        destination["idFields"] = ids;
        faults_with(json!({ "destination": destination, "mappings": mappings }))
    };
    let all = || json!([{ "type": "all" }]);
    assert_eq!(ids(json!(["x".repeat(128)]), all()), NONE);
    for wrong in ["x".repeat(129), "a b".to_owned(), String::new()] {
        assert_eq!(
            ids(json!([wrong]), all()),
            ["/destination/idFields/0 invalid_field"]
        );
    }
    assert_eq!(
        ids(json!(["Id", "Id"]), all()),
        ["/destination/idFields/1 repeated"]
    );
    assert_eq!(
        ids(
            json!(["Key__c"]),
            json!([{ "type": "field", "from": "Key__c", "to": "Other" }])
        ),
        ["/destination/idFields/0 not_mapped"]
    );
    assert_eq!(
        ids(json!(["Id"]), json!([{ "type": "all", "exclude": ["Id"] }])),
        ["/destination/idFields/0 not_mapped"]
    );
    assert_eq!(
        ids(
            json!(["Id"]),
            json!([{ "type": "all", "exclude": ["Id"] }, { "type": "field", "from": "Key", "to": "Id" }])
        ),
        NONE
    );
}
