//! flow-model sections 6 and 7, row by row.

use super::*;

/// Faults of a flow to this destination from a source that writes to it.
fn to(key: &str, members: Value) -> Vec<String> {
    let (source, trigger) = match key {
        "sapOData" => (
            end("s3", json!({ "bucket": "landing", "prefix": "in" })),
            on_demand(),
        ),
        "eventBridge" => (
            end("salesforce", json!({ "object": "AccountChangeEvent" })),
            json!({ "type": "event" }),
        ),
        _ => (
            end("salesforce", json!({ "object": "Account" })),
            on_demand(),
        ),
    };
    faults_with(json!({ "source": source, "destination": end(key, members), "trigger": trigger }))
}

fn long(characters: usize) -> String {
    "x".repeat(characters)
}

/// flow-model 6: every row, with what it takes and the faults of what it does not.
#[test]
fn f8_every_destination_of_the_table_takes_what_its_row_says() {
    for (row, taken, refused, expected) in [
        // flow-model 6, row S3
        (
            "s3",
            json!({ "bucket": "abc", "prefix": long(512) }),
            json!({ "bucket": "ab", "prefix": long(513) }),
            vec![
                "/destination/bucket invalid_bucket",
                "/destination/prefix invalid_prefix",
            ],
        ),
        // flow-model 6, row Salesforce
        (
            "salesforce",
            json!({ "object": long(512), "write": "insert" }),
            json!({ "object": long(513), "write": "insert" }),
            vec!["/destination/object invalid_object"],
        ),
        // flow-model 6, row Zendesk
        (
            "zendesk",
            json!({ "object": "tickets", "write": "insert" }),
            json!({ "object": "a b", "write": "upsert" }),
            vec![
                "/destination/object invalid_object",
                "/destination/idFields required",
            ],
        ),
        // flow-model 6, row Marketo
        (
            "marketo",
            json!({ "object": "leads" }),
            json!({ "object": "" }),
            vec!["/destination/object invalid_object"],
        ),
        // flow-model 6, row SAP OData, with the success location that the anchor drops (section 14)
        (
            "sapOData",
            json!({ "objectPath": "/A", "write": "insert", "successResponses": { "bucket": "abc", "prefix": "p" } }),
            json!({ "objectPath": "", "write": "insert", "successResponses": { "bucket": "a", "prefix": long(513) } }),
            vec![
                "/destination/objectPath invalid_object",
                "/destination/successResponses/bucket invalid_bucket",
                "/destination/successResponses/prefix invalid_prefix",
            ],
        ),
        // flow-model 6, row Redshift: public. and 505 characters
        (
            "redshift",
            json!({ "table": long(505) }),
            json!({ "table": long(506) }),
            vec!["/destination/table too_long"],
        ),
        (
            "redshift",
            json!({ "schema": "s", "table": "t" }),
            json!({ "schema": "a.b", "table": "s.t" }),
            vec![
                "/destination/table invalid_object",
                "/destination/schema invalid_object",
            ],
        ),
        // flow-model 6, row Snowflake: a database of one letter, PUBLIC. and 503 characters
        (
            "snowflake",
            json!({ "table": long(503) }),
            json!({ "table": long(504) }),
            vec!["/destination/table too_long"],
        ),
        // flow-model 6, row EventBridge: aws.partner/appflow/salesforce.com/<12 digits>/ and 208 characters
        (
            "eventBridge",
            json!({ "suffix": long(208) }),
            json!({ "suffix": long(209) }),
            vec!["/destination/suffix invalid_suffix"],
        ),
        (
            "eventBridge",
            json!({ "suffix": "a/B_c.d-1" }),
            json!({ "suffix": "" }),
            vec!["/destination/suffix invalid_suffix"],
        ),
        (
            "eventBridge",
            json!({}),
            json!({ "suffix": "/a" }),
            vec!["/destination/suffix invalid_suffix"],
        ),
        // flow-model 6, row HubSpot
        (
            "hubSpot",
            json!({ "entity": "crm/deals", "write": "insert", "apiVersion": "v3" }),
            json!({ "entity": "/crm/deals", "write": "insert" }),
            vec![
                "/destination/entity invalid_entity",
                "/destination/apiVersion required",
            ],
        ),
        // flow-model 6, row Amazon RDS for PostgreSQL
        (
            "rdsPostgreSql",
            json!({ "entity": "public.t", "write": "insert" }),
            json!({ "entity": "t", "write": "insert" }),
            vec!["/destination/entity invalid_entity"],
        ),
        // flow-model 6, row JDBC, small data
        (
            "jdbc",
            json!({ "entity": "public.t", "write": "insert", "apiVersion": "V1" }),
            json!({ "entity": ".t", "write": "insert", "apiVersion": "" }),
            vec![
                "/destination/entity invalid_entity",
                "/destination/apiVersion invalid_version",
            ],
        ),
        // flow-model 5 and appflow 7.3, Google BigQuery as a destination
        (
            "googleBigQuery",
            json!({ "entity": "table/p/d/t", "write": "insert", "apiVersion": "v2" }),
            json!({ "entity": "p/d/t", "write": "insert", "apiVersion": "v2" }),
            vec!["/destination/entity invalid_entity"],
        ),
        // flow-model 15: any registered connector
        (
            "custom",
            json!({ "entity": long(1024), "write": "insert", "apiVersion": "1", "properties": { "k": "v" } }),
            json!({ "entity": "a b", "write": "insert", "apiVersion": "1", "properties": { "k": "" } }),
            vec![
                "/destination/entity invalid_entity",
                "/destination/properties/k invalid_value",
            ],
        ),
        // flow-model 15: Customer Profiles
        (
            "customerProfiles",
            json!({ "domain": long(64), "objectType": long(255) }),
            json!({ "domain": long(65), "objectType": long(256) }),
            vec![
                "/destination/domain invalid_name",
                "/destination/objectType invalid_name",
            ],
        ),
        // flow-model 15: Upsolver
        (
            "upsolver",
            json!({ "bucket": "upsolver-appflow", "format": { "prefix": {} } }),
            json!({ "bucket": "landing", "format": { "file": "parquet", "preserveSourceTypes": true } }),
            vec![
                "/destination/bucket invalid_bucket",
                "/destination/format/prefix required",
                "/destination/format/preserveSourceTypes not_offered",
            ],
        ),
        // flow-model 15: Honeycode
        (
            "honeycode",
            json!({ "object": "t" }),
            json!({ "object": "" }),
            vec!["/destination/object invalid_object"],
        ),
    ] {
        assert_eq!(to(row, taken), NONE, "{row}");
        assert_eq!(to(row, refused), expected, "{row}");
    }
}

/// flow-model 9: "All destinations but S3 take it."
#[test]
fn f8_error_handling_is_checked_wherever_there_is_one() {
    for (key, members) in arbitrary::DESTINATIONS {
        if ["s3", "customerProfiles", "upsolver", "lookoutMetrics"].contains(key) {
            continue;
        }
        let with = |handling: Value| {
            let mut members: Value = serde_json::from_str(members).unwrap();
            let writes = !tributary::connector::connector(key)
                .unwrap()
                .writes
                .is_empty();
            if writes && !["redshift", "snowflake"].contains(key) {
                members["write"] = "insert".into();
            }
            members["errorHandling"] = handling;
            to(key, members)
        };
        assert_eq!(
            with(json!({ "bucket": "errors", "prefix": long(512), "stopOnFirstError": true })),
            NONE,
            "{key}"
        );
        assert_eq!(with(json!({ "stopOnFirstError": true })), NONE, "{key}");
        assert_eq!(
            with(json!({ "prefix": "p" })),
            ["/destination/errorHandling/bucket required"],
            "{key}"
        );
        assert_eq!(
            with(json!({ "bucket": "No", "prefix": long(513) })),
            [
                "/destination/errorHandling/bucket invalid_bucket",
                "/destination/errorHandling/prefix invalid_prefix"
            ],
            "{key}"
        );
    }
}

/// appflow 7.1, row Googleanalytics: "JSON output only"
#[test]
fn f8_google_analytics_is_written_as_json() {
    let format = |file: &str| {
        faults_with(json!({
            "source": end("googleAnalytics", json!({ "object": "reports" })),
            "destination": end("s3", json!({ "bucket": "landing", "format": { "file": file } })),
        }))
    };
    assert_eq!(format("json"), NONE);
    assert_eq!(format("csv"), ["/destination/format/file only_json"]);
    assert_eq!(format("parquet"), ["/destination/format/file only_json"]);
}

/// flow-model 15, partition tasks; appflow 11.2: "≤10 fields"
#[test]
fn f8_partitions_are_ten_filled_fields_at_most() {
    let partitioned = |fields: Value, mappings: Value| {
        faults_with(json!({
            "destination": end("s3", json!({ "bucket": "landing", "partitionBy": fields })), "mappings": mappings,
        }))
    };
    let all = || json!([{ "type": "all", "exclude": ["secret"] }]);
    let many = |count: usize| (0..count).map(|n| format!("f{n}")).collect::<Vec<_>>();
    assert_eq!(partitioned(json!(many(10)), all()), NONE);
    assert_eq!(
        partitioned(json!(many(11)), all()),
        ["/destination/partitionBy too_many"]
    );
    assert_eq!(
        partitioned(json!(["a", "a"]), all()),
        ["/destination/partitionBy/1 repeated"]
    );
    assert_eq!(
        partitioned(json!([""]), all()),
        ["/destination/partitionBy/0 invalid_field"]
    );
    assert_eq!(
        partitioned(json!(["secret"]), all()),
        ["/destination/partitionBy/0 not_mapped"]
    );
    let named = || json!([{ "type": "field", "from": "a", "to": "b" }]);
    assert_eq!(partitioned(json!(["b"]), named()), NONE);
    assert_eq!(
        partitioned(json!(["a"]), named()),
        ["/destination/partitionBy/0 not_mapped"]
    );
    // Eight names of 252 to 253 letters, quotes and commas: 2048 characters, and one more.
    let names = |last: usize| {
        (0..8)
            .map(|n| format!("{n}{}", long(if n == 7 { last } else { 252 })))
            .collect::<Vec<_>>()
    };
    let short = serde_json::to_string(&names(0)).unwrap().len();
    assert_eq!(partitioned(json!(names(2048 - short)), all()), NONE);
    assert_eq!(
        partitioned(json!(names(2049 - short)), all()),
        ["/destination/partitionBy too_long"]
    );
}

/// flow-model 7: catalog, and section 12, row table prefix
#[test]
fn f8_a_catalog_keeps_its_limits() {
    let catalog = |database: String, prefix: String| {
        to(
            "s3",
            json!({
                "bucket": "landing",
                "catalog": { "roleArn": "arn:aws:iam::123456789012:role/glue", "databaseName": database, "tablePrefix": prefix },
            }),
        )
    };
    assert_eq!(catalog(long(255), long(128)), NONE);
    assert_eq!(
        catalog(long(256), long(129)),
        [
            "/destination/catalog/databaseName invalid_name",
            "/destination/catalog/tablePrefix invalid_name"
        ]
    );
}
