//! flow-model section 5, row by row, and its rows of section 12.

use super::*;

/// Faults of a flow from this source to S3, once a day.
fn from(key: &str, members: Value) -> Vec<String> {
    faults_with(json!({ "source": end(key, members), "trigger": every_day() }))
}

fn long(characters: usize) -> String {
    "x".repeat(characters)
}

/// flow-model 5: every row, with what it takes and the faults of what it does not.
#[test]
fn f8_every_source_of_the_table_takes_what_its_row_says() {
    for (row, taken, refused, expected) in [
        // flow-model 5, row S3
        (
            "s3",
            json!({ "bucket": "abc", "prefix": "a", "file": "json" }),
            json!({ "bucket": "in!", "prefix": "" }),
            vec!["/source/bucket invalid_bucket", "/source/prefix required"],
        ),
        // flow-model 5, row Salesforce
        (
            "salesforce",
            json!({ "object": long(512), "apiVersion": "v58.0" }),
            json!({ "object": long(513), "apiVersion": "v 58" }),
            vec![
                "/source/object invalid_object",
                "/source/apiVersion invalid_version",
            ],
        ),
        // flow-model 5, row Zendesk
        (
            "zendesk",
            json!({ "object": "tickets", "apiVersion": "v2" }),
            json!({ "object": "" }),
            vec!["/source/object invalid_object"],
        ),
        // flow-model 5, row Slack
        (
            "slack",
            json!({ "object": "conversations/C1", "apiVersion": "1" }),
            json!({ "object": "a b" }),
            vec!["/source/object invalid_object"],
        ),
        // flow-model 5, row Marketo
        (
            "marketo",
            json!({ "object": "leads", "apiVersion": long(256) }),
            json!({ "object": "leads", "apiVersion": long(257) }),
            vec!["/source/apiVersion invalid_version"],
        ),
        // flow-model 5, row ServiceNow
        (
            "serviceNow",
            json!({ "object": "incident" }),
            json!({ "object": "incident", "apiVersion": "1" }),
            vec!["/source/apiVersion not_offered"],
        ),
        // flow-model 5, row SAP OData; its paging from section 15
        (
            "sapOData",
            json!({ "objectPath": "/sap/A", "maxParallelism": 10, "maxPageSize": 10_000 }),
            json!({ "objectPath": "", "maxParallelism": 11, "maxPageSize": 0 }),
            vec![
                "/source/objectPath invalid_object",
                "/source/maxParallelism out_of_range",
                "/source/maxPageSize out_of_range",
            ],
        ),
        (
            "sapOData",
            json!({ "objectPath": "A", "maxParallelism": 1, "maxPageSize": 1 }),
            json!({ "objectPath": "A", "maxParallelism": 0, "maxPageSize": 10_001 }),
            vec![
                "/source/maxParallelism out_of_range",
                "/source/maxPageSize out_of_range",
            ],
        ),
        // flow-model 5, row Salesforce Marketing Cloud
        (
            "marketingCloud",
            json!({ "entity": "subscribers", "apiVersion": "v1" }),
            json!({ "entity": "subscribers" }),
            vec!["/source/apiVersion required"],
        ),
        // flow-model 5, row Asana
        (
            "asana",
            json!({ "entity": "tasks" }),
            json!({ "entity": "tasks", "apiVersion": "" }),
            vec!["/source/apiVersion invalid_version"],
        ),
        // flow-model 5, row Mailchimp
        (
            "mailchimp",
            json!({ "entity": "lists", "apiVersion": "3.0" }),
            json!({ "entity": "lists" }),
            vec!["/source/apiVersion required"],
        ),
        // flow-model 5, row GitHub
        (
            "gitHub",
            json!({ "entity": "issues", "apiVersion": "v3" }),
            json!({ "entity": "issues" }),
            vec!["/source/apiVersion required"],
        ),
        // flow-model 5, row Google Ads
        (
            "googleAds",
            json!({ "entity": "campaign", "apiVersion": "v16" }),
            json!({ "entity": "campaign" }),
            vec!["/source/apiVersion required"],
        ),
        // flow-model 5, row Google Analytics 4
        (
            "googleAnalytics4",
            json!({ "entity": "reports", "apiVersion": "v1beta" }),
            json!({ "entity": "reports" }),
            vec!["/source/apiVersion required"],
        ),
        // flow-model 5, row Google BigQuery
        (
            "googleBigQuery",
            json!({ "entity": "table/p/d/t", "apiVersion": "v2" }),
            json!({ "entity": "p.d.t" }),
            vec![
                "/source/entity invalid_entity",
                "/source/apiVersion required",
            ],
        ),
        (
            "googleBigQuery",
            json!({ "entity": "table/p/d/t", "apiVersion": "v2" }),
            json!({ "entity": "table/p//t", "apiVersion": "v2" }),
            vec!["/source/entity invalid_entity"],
        ),
        // flow-model 5, row HubSpot
        (
            "hubSpot",
            json!({ "entity": "crm/objects/contacts", "apiVersion": "v4" }),
            json!({ "entity": "/crm/objects/contacts" }),
            vec![
                "/source/entity invalid_entity",
                "/source/apiVersion required",
            ],
        ),
        // flow-model 5, row Microsoft Dynamics 365
        (
            "dynamics365",
            json!({ "entity": "accounts", "apiVersion": "v9.2" }),
            json!({ "entity": "accounts" }),
            vec!["/source/apiVersion required"],
        ),
        // flow-model 5, row Microsoft SharePoint Online
        (
            "sharePoint",
            json!({ "site": "sites/root", "items": ["drives/a", "drives/a/items/b"], "apiVersion": "v1.0" }),
            json!({ "site": "root", "items": [] }),
            vec![
                "/source/site invalid_entity",
                "/source/apiVersion required",
                "/source/items required",
            ],
        ),
        // flow-model 5, row JDBC, small data
        (
            "jdbc",
            json!({ "entity": "public.orders" }),
            json!({ "entity": "orders" }),
            vec!["/source/entity invalid_entity"],
        ),
        (
            "jdbc",
            json!({ "entity": "public.orders", "apiVersion": "V1" }),
            json!({ "entity": "a.b.c" }),
            vec!["/source/entity invalid_entity"],
        ),
        // flow-model 15: native sources beyond the anchor, none of which has a version
        (
            "pardot",
            json!({ "object": "prospects" }),
            json!({ "object": "" }),
            vec!["/source/object invalid_object"],
        ),
        (
            "datadog",
            json!({ "object": "metrics" }),
            json!({ "object": "metrics", "apiVersion": "1" }),
            vec!["/source/apiVersion not_offered"],
        ),
        (
            "dynatrace",
            json!({ "object": "problems" }),
            json!({ "object": "" }),
            vec!["/source/object invalid_object"],
        ),
        (
            "inforNexus",
            json!({ "object": "orders" }),
            json!({ "object": "" }),
            vec!["/source/object invalid_object"],
        ),
        (
            "singular",
            json!({ "object": "reporting" }),
            json!({ "object": "" }),
            vec!["/source/object invalid_object"],
        ),
        (
            "trendMicro",
            json!({ "object": "events" }),
            json!({ "object": "" }),
            vec!["/source/object invalid_object"],
        ),
        (
            "googleAnalytics",
            json!({ "object": "reports" }),
            json!({ "object": "" }),
            vec!["/source/object invalid_object"],
        ),
        (
            "amplitude",
            json!({ "object": "events" }),
            json!({ "object": "" }),
            vec!["/source/object invalid_object"],
        ),
        // flow-model 15: any registered connector
        (
            "custom",
            json!({ "entity": long(1024), "apiVersion": "7" }),
            json!({ "entity": long(1025) }),
            vec![
                "/source/entity invalid_entity",
                "/source/apiVersion required",
            ],
        ),
    ] {
        assert_eq!(from(row, taken), NONE, "{row}");
        assert_eq!(from(row, refused), expected, "{row}");
    }
}

#[test]
fn f8_versions_that_are_known_are_named() {
    let mut flow = serde_json::to_value(flow(|_| {})).unwrap();
    flow["source"] = end("hubSpot", json!({ "entity": "crm" }));
    let faults = check(&serde_json::from_value(flow).unwrap(), now()).unwrap_err();
    assert_eq!(
        faults[0].detail,
        "Name a version of HubSpot: v1, v2, v3, v4."
    );
}

/// flow-model 5, row Microsoft SharePoint Online: `customProperties.subEntities`
#[test]
fn f8_sharepoint_items_have_their_form_and_fit_a_property() {
    let items = |items: Value| {
        from(
            "sharePoint",
            json!({ "site": "sites/root", "items": items, "apiVersion": "v1.0" }),
        )
    };
    for (wrong, code) in [
        (json!(["drive/a"]), "/source/items/0 invalid_item"),
        (json!(["drives/"]), "/source/items/0 invalid_item"),
        (json!(["drives/a/items/"]), "/source/items/0 invalid_item"),
        (json!(["drives/a b"]), "/source/items/0 invalid_item"),
        (json!(["drives/a", "drives/a"]), "/source/items/1 repeated"),
        // ["drives/…"] is 11 characters around the id
        (
            json!([format!("drives/{}", long(2038))]),
            "/source/items too_long",
        ),
    ] {
        assert_eq!(items(wrong), [code]);
    }
    assert_eq!(items(json!([format!("drives/{}", long(2037))])), NONE);
}

/// flow-model 12, row credential map, profile properties, custom properties
#[test]
fn f8_custom_properties_keep_their_limits() {
    let properties = |properties: Value| {
        from(
            "custom",
            json!({ "entity": "E", "apiVersion": "1", "properties": properties }),
        )
    };
    let many = |count: usize| -> Value {
        (0..count)
            .map(|n| (format!("k{n}"), json!("v")))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    assert_eq!(properties(many(50)), NONE);
    assert_eq!(properties(many(51)), ["/source/properties too_many"]);
    assert_eq!(properties(json!({ (long(128)): long(2048) })), NONE);
    assert_eq!(
        properties(json!({ (long(129)): "v" })),
        [format!("/source/properties/{} invalid_key", long(129))]
    );
    assert_eq!(
        properties(json!({ "a/b": "v" })),
        ["/source/properties/a~1b invalid_key"]
    );
    assert_eq!(
        properties(json!({ "": "v" })),
        ["/source/properties/ invalid_key"]
    );
    for wrong in [String::new(), "two words".to_owned(), long(2049)] {
        assert_eq!(
            properties(json!({ "k": wrong })),
            ["/source/properties/k invalid_value"]
        );
    }
}

/// flow-model 15: Veeva; appflow 6.4, rule 4
#[test]
fn f8_veeva_documents_go_to_s3_hourly_and_unchanged() {
    let documents = end(
        "veeva",
        json!({ "object": "documents/types/base__v", "documentType": "base__v" }),
    );
    let flow = |more: Value| {
        let mut members = json!({ "source": documents });
        members
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        faults_with(members)
    };
    let every = |every: &str| json!({ "type": "scheduled", "every": every, "pull": "complete" });
    assert_eq!(flow(json!({ "trigger": every("rate(60 minutes)") })), NONE);
    assert_eq!(
        flow(json!({ "trigger": every("rate(59 minutes)") })),
        ["/trigger/every too_often"]
    );
    assert_eq!(
        flow(json!({ "destination": end("redshift", json!({ "table": "t" })) })),
        ["/destination/connector destination_not_offered"]
    );
    assert_eq!(
        flow(json!({
            "mappings": [{ "type": "all" }, { "type": "calculate", "operation": "add", "left": "a", "right": "b", "to": "c", "toType": "double" }],
            "transforms": [{ "type": "truncate", "field": "a", "length": 1 }],
            "validations": [{ "field": "a", "must": "notBeNull", "otherwise": "dropRecord" }],
        })),
        [
            "/mappings/1/type not_for_documents",
            "/transforms not_for_documents",
            "/validations not_for_documents"
        ]
    );
    // An object of the vault is none of this.
    let object = json!({
        "source": end("veeva", json!({ "object": "product__v" })),
        "trigger": every("rate(1 minute)"),
        "transforms": [{ "type": "truncate", "field": "a", "length": 1 }],
    });
    assert_eq!(faults_with(object), NONE);
    for (kind, expected) in [
        (long(512), vec![]),
        (long(513), vec!["/source/documentType invalid_type"]),
        ("a/b".to_owned(), vec!["/source/documentType invalid_type"]),
    ] {
        assert_eq!(
            from(
                "veeva",
                json!({ "object": "documents", "documentType": kind })
            ),
            expected
        );
    }
}

/// appflow 9.3: enableDynamicFieldUpdate
#[test]
fn f8_new_fields_come_to_s3_alone() {
    let source = end(
        "salesforce",
        json!({ "object": "Account", "addNewFields": true }),
    );
    assert_eq!(faults_with(json!({ "source": source })), NONE);
    for to in ["redshift", "snowflake"] {
        let destination = end(to, json!({ "table": "t" }));
        assert_eq!(
            faults_with(json!({ "source": source, "destination": destination })),
            ["/source/addNewFields only_for_s3"]
        );
    }
}
