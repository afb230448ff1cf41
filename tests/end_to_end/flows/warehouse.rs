//! Flows into the vendor's warehouse, which tenants share: each loads the schemas that the operator
//! opened to it, through the vendor's own roles and its own staging folder (I1, ADR 0016).

use http::Method;
use sandbox::{client::Answer, warehouse};
use sandbox_core::VENDOR_ACCOUNT;
use serde_json::{Value, json};

use super::world::{Hosting, World, faults, landing_bucket, path};
use crate::common;

async fn connect(world: &World, properties: Value) -> Answer {
    let body = json!({
        "name": "Warehouse", "connector": "redshift", "accountId": world.account, "properties": properties,
    });
    world.api().post("/v1/connections", &body).await.unwrap()
}

/// The operator opens these schemas.
async fn open(world: &World, schemas: &[&str]) -> Value {
    common::open_schemas(&world.sandbox, &world.tenant.id, schemas).await
}

fn flow(world: &World, connection: &Value, schema: Option<&str>) -> Value {
    let mut flow = json!({
        "name": "City sales to the warehouse", "accountId": world.account,
        "source": { "connector": "salesforce", "connectionId": world.connection, "object": "City_Sales__c" },
        "destination": { "connector": "redshift", "connectionId": connection, "table": "city_sales" },
        "trigger": { "type": "onDemand" },
        "mappings": [{ "type": "field", "from": "Id", "to": "id" }, { "type": "field", "from": "City__c", "to": "city" }],
    });
    if let Some(schema) = schema {
        flow["destination"]["schema"] = json!(schema);
    }
    flow
}

fn refused(answer: &Answer, fault: &str) {
    assert_eq!(answer.status, 422, "{}", answer.body);
    let found = faults(&answer.body);
    assert_eq!(found, [fault.to_owned()].into(), "{}", answer.body);
}

const NOT_YOURS: &str = "/destination/schema not_your_schema";

/// No schema, until the operator says so; then exactly those, wherever a definition is looked at.
#[tokio::test(flavor = "multi_thread")]
async fn i1_a_hosted_flow_loads_the_schemas_of_its_tenant_only() {
    let world = World::hosted(Hosting::Vendor).await;
    let made = connect(&world, json!({})).await.expect(201).unwrap();
    let connection = &made["id"];
    assert_eq!(
        made["properties"]["bucketPrefix"],
        format!("staging/{}", world.tenant.id)
    );
    for schema in [None, Some("public"), Some("sports_gear")] {
        let body = flow(&world, connection, schema);
        for route in ["/v1/flows/compile", "/v1/flows"] {
            let answer = world.api().post(route, &body).await.unwrap();
            refused(&answer, NOT_YOURS);
        }
    }
    open(&world, &["public"]).await;
    let created = world.create(&flow(&world, connection, None)).await;
    let run = world.run(&created).await;
    assert_eq!(run["status"], "completed", "{run}");
    let rows = world.sandbox.redshift.query_as_admin(
        VENDOR_ACCOUNT,
        warehouse::DATABASE,
        "SELECT COUNT(*) FROM public.city_sales",
    );
    let rows = rows.unwrap()[0][0].clone().unwrap();
    assert_eq!(rows, run["recordsProcessed"].to_string());

    imported(&world, &created).await;

    // What the list no longer has is named before anything is changed.
    open(&world, &["sports_gear"]).await;
    let validated = world.act(&created, "validate").await.expect(200).unwrap();
    assert_eq!(validated["valid"], false);
    assert_eq!(validated["errors"][0]["code"], "not_your_schema");
    let shown = world.show(&created).await;
    let tag = format!("\"{}\"", shown["version"]);
    let headers = [("if-match", tag.as_str())];
    let (at, body) = (path(&created), flow(&world, connection, None).to_string());
    let updated = world.api().call(Method::PUT, &at, Some(body), &headers);
    refused(&updated.await.unwrap(), NOT_YOURS);
    common::no_leaks(&world.sandbox).await;
}

/// A definition that comes from AppFlow is held to the same: imported, or accepted as drift.
async fn imported(world: &World, created: &Value) {
    let mut described = world.console("/describe-flow", created, json!({})).await;
    let object = "/destinationFlowConfigList/0/destinationConnectorProperties/Redshift/object";
    let body = |described: &Value| json!({ "accountId": world.account, "flow": described });
    let import = async |described: &Value| {
        let answer = world.api().post("/v1/flows/import", &body(described)).await;
        answer.unwrap()
    };
    import(&described).await.expect(200).unwrap();
    *described.pointer_mut(object).unwrap() = json!("sports_gear.city_sales");
    refused(
        &import(&described).await,
        "/flow/destinationFlowConfigList/0 not_your_schema",
    );
}

/// The operator's list: plain names, no doubles, none of Redshift's own; the same again changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn i1_the_operator_says_which_schemas_a_tenant_may_load() {
    let world = World::hosted(Hosting::Vendor).await;
    let operator = world.sandbox.operator().await.unwrap();
    let at = format!("/v1/tenants/{}/warehouse", world.tenant.id);
    let shown = async || operator.get(&at).await.unwrap().expect(200).unwrap();
    assert_eq!(shown().await, json!({ "schemas": [] }));
    let first = open(&world, &["public", "sports_gear"]).await;
    assert_eq!(open(&world, &["public", "sports_gear"]).await, first);
    assert_eq!(shown().await, first);
    let odd = json!({ "schemas": ["public", "Public", "pg_catalog", "public"] });
    let answer = common::put(&operator, &at, &odd).await;
    let expected = [
        "/schemas/1 invalid",
        "/schemas/2 reserved",
        "/schemas/3 duplicate",
    ];
    assert_eq!(answer.status, 422);
    assert_eq!(faults(&answer.body), expected.map(str::to_owned).into());
    assert_eq!(shown().await, first, "a refused list changed something");
    for foreign in ["ten_0193d3f0aaaa7bbb8cccdddddddddddd", "x"] {
        let at = format!("/v1/tenants/{foreign}/warehouse");
        assert_eq!(operator.get(&at).await.unwrap().status, 404);
        let answer = common::put(&operator, &at, &json!({ "schemas": [] })).await;
        assert_eq!(answer.status, 404);
    }
    open(&world, &[]).await;
    let made = connect(&world, json!({})).await.expect(201).unwrap();
    let body = flow(&world, &made["id"], Some("public"));
    let answer = world.api().post("/v1/flows", &body).await.unwrap();
    refused(&answer, NOT_YOURS);
}

/// Another workgroup, database, role, bucket or folder of the vendor's cannot be named.
#[tokio::test(flavor = "multi_thread")]
async fn i1_a_hosted_connection_is_as_the_vendor_has_it() {
    let world = World::hosted(Hosting::Vendor).await;
    let role = |id: &str| world.sandbox.stack.resources[id].arn().unwrap().to_owned();
    for (name, value) in [
        ("workgroupName", "another".to_owned()),
        ("databaseName", "payroll".to_owned()),
        ("roleArn", role("FlowsRole")),
        ("dataApiRoleArn", role("WarehouseLoadRole")),
        ("bucketName", "vendor-payroll".to_owned()),
    ] {
        let answer = connect(&world, json!({ name: value })).await;
        refused(&answer, &format!("/properties/{name} fixed_by_the_vendor"));
    }
    for folder in [
        "staging",
        "staging/ten_0193d3f0aaaa7bbb8cccdddddddddddd",
        "crm",
    ] {
        let answer = connect(&world, json!({ "bucketPrefix": folder })).await;
        refused(&answer, "/properties/bucketPrefix not_your_folder");
    }
    let asked = |operation| world.sandbox.journal.count("appflow", operation);
    let before = asked("/create-connector-profile");
    let own = format!("staging/{}/crm", world.tenant.id);
    connect(
        &world,
        json!({ "bucketPrefix": own, "bucketName": landing_bucket(VENDOR_ACCOUNT) }),
    )
    .await
    .expect(201)
    .unwrap();
    assert_eq!(asked("/create-connector-profile"), before + 1);
}

/// In an account of the customer's everything is the customer's to choose.
#[tokio::test(flavor = "multi_thread")]
async fn a_customers_own_warehouse_is_not_restricted() {
    let world = World::new().await;
    let answer = connect(&world, json!({})).await;
    assert!(faults(&answer.body).contains("/properties/workgroupName required"));
    let mut body = world.flow();
    body["destination"] = json!({
        "connector": "redshift", "connectionId": "con_0193d3f0aaaa7bbb8cccdddddddddddd",
        "schema": "anything", "table": "city_sales",
    });
    let answer = world.api().post("/v1/flows/compile", &body).await.unwrap();
    assert!(!faults(&answer.body).contains(NOT_YOURS), "{}", answer.body);
}
