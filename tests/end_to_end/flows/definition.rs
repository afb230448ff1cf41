//! Definitions: compiled without an effect, refused with every fault at once.

use serde_json::{Value, json};

use super::world::{World, faults, items};
use crate::common;

mod both {
    use crate::flows::world::in_both_hosting_modes;

    in_both_hosting_modes! {
        f5_validation_names_what_the_source_does_not_have;
        f8_every_fault_is_told_at_once_and_appflow_is_not_called;
        f8_an_object_that_the_source_does_not_have_is_a_fault_of_the_flow;
        f8_unknown_fields_are_named_before_a_flow_is_made;
    }
}

/// Compiling shows the request and makes nothing anywhere.
#[tokio::test(flavor = "multi_thread")]
async fn compiling_shows_the_exact_request_and_creates_nothing() {
    let world = World::without_schedules().await;
    let calls = world.sandbox.journal.count("appflow", "");
    let items_before = world.sandbox.table_items().await.len();
    let compiled = world
        .api()
        .post("/v1/flows/compile", &world.flow())
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    assert_eq!(compiled["triggerConfig"]["triggerType"], "OnDemand");
    assert_eq!(
        compiled["sourceFlowConfig"]["sourceConnectorProperties"]["Salesforce"]["object"],
        "City_Sales__c"
    );
    assert_eq!(
        compiled["tags"]["tributary:tenant"],
        world.tenant.id.as_str()
    );
    assert_eq!(
        world.sandbox.journal.count("appflow", ""),
        calls,
        "AppFlow was called"
    );
    assert_eq!(
        world.sandbox.table_items().await.len(),
        items_before,
        "something was stored"
    );

    // What was shown is what is sent, but for the flow's own id.
    let flow = world.create(&world.flow()).await;
    let described = world
        .appflow(
            sandbox_core::CUSTOMER_ACCOUNT,
            "/describe-flow",
            &json!({ "flowName": flow["appflowName"] }),
        )
        .await
        .unwrap();
    for part in ["tasks", "triggerConfig"] {
        assert_eq!(
            without_nulls(&described[part]),
            without_nulls(&compiled[part]),
            "{part}"
        );
    }
    common::no_leaks(&world.sandbox).await;
}

/// F8: all faults of all parts with their pointers; AppFlow is not called and nothing is stored.
async fn f8_every_fault_is_told_at_once_and_appflow_is_not_called(world: World) {
    let calls = world.sandbox.journal.count("appflow", "");
    let items_before = world.sandbox.table_items().await.len();
    let mut flow = world.flow();
    flow["accountId"] = json!("acc_00000000000000000000000000000000");
    flow["source"]["connectionId"] = json!("con_00000000000000000000000000000000");
    flow["source"]["object"] = json!("two words");
    flow["destination"]["bucket"] = json!("No");
    flow["trigger"] = json!({ "type": "scheduled", "every": "hourly", "pull": "complete" });
    flow["mappings"] = json!([]);
    flow["filters"] =
        json!([{ "field": "a", "fieldType": "double", "operator": "contains", "value": "x" }]);
    flow["transforms"] = json!([{ "type": "truncate", "field": "a", "length": 0 }]);
    flow["validations"] = json!([{ "field": "b", "must": "notBeNull", "otherwise": "dropRecord" }]);
    for route in ["/v1/flows", "/v1/flows/compile"] {
        let refused = world.api().post(route, &flow).await.unwrap();
        assert_eq!(
            (refused.status.as_u16(), refused.code()),
            (422, "invalid_flow"),
            "{route}"
        );
        let told = faults(&refused.body);
        for fault in [
            "/accountId unknown",
            "/source/connectionId unknown",
            "/source/object invalid_object",
            "/destination/bucket invalid_bucket",
            "/trigger/every invalid_schedule",
            "/mappings required",
            "/filters/0/operator operator_not_for_type",
            "/transforms/0/field not_mapped",
            "/transforms/0/length out_of_range",
            "/validations/0/field not_mapped",
        ] {
            assert!(
                told.contains(fault),
                "{route} does not tell {fault}: {told:?}"
            );
        }
    }
    assert_eq!(
        world.sandbox.journal.count("appflow", ""),
        calls,
        "AppFlow was called"
    );
    assert_eq!(
        world.sandbox.table_items().await.len(),
        items_before,
        "something was stored"
    );
    let listed = items(
        world
            .api()
            .get("/v1/flows")
            .await
            .unwrap()
            .expect(200)
            .unwrap(),
    );
    assert!(listed.is_empty());
    common::no_leaks(&world.sandbox).await;
}

/// F5: pre-flight names a field that was deleted at the source, before a run fails.
async fn f5_validation_names_what_the_source_does_not_have(world: World) {
    let mut definition = world.flow();
    definition["mappings"] = json!([
        { "type": "field", "from": "City__c", "to": "city" },
        { "type": "field", "from": "Units__c", "to": "units" },
    ]);
    let flow = world.create(&definition).await;
    let validated = world.act(&flow, "validate").await.expect(200).unwrap();
    assert_eq!(validated["valid"], true, "{validated}");
    // What AppFlow and we remember of the object is older than this.
    let salesforce = &world.sandbox.salesforce;
    assert!(salesforce.delete_field("City_Sales__c", "Units__c"));
    let validated = world.act(&flow, "validate").await.expect(200).unwrap();
    assert_eq!(
        (&validated["valid"], &validated["needsMapping"]),
        (&json!(false), &json!(["Units__c"])),
        "{validated}"
    );
    assert!(
        faults(&validated)
            .iter()
            .any(|fault| fault.starts_with("/mappings/1/from ")),
        "{validated}"
    );
    assert_eq!(world.show(&flow).await["needsMapping"], json!(["Units__c"]));

    let sound = world.create(&world.flow()).await;
    let validated = world.act(&sound, "validate").await.expect(200).unwrap();
    assert_eq!(
        (&validated["valid"], &validated["errors"]),
        (&json!(true), &json!([])),
        "{validated}"
    );
    common::no_leaks(&world.sandbox).await;
}

/// F8: an object that the application does not have is a fault of the flow, and leaves nothing behind.
async fn f8_an_object_that_the_source_does_not_have_is_a_fault_of_the_flow(world: World) {
    let items_before = world.items_of_flows().await;
    let mut definition = world.flow();
    definition["source"]["object"] = json!("Nothing__c");
    let refused = world.api().post("/v1/flows", &definition).await.unwrap();
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (422, "invalid_flow"),
        "{}",
        refused.body
    );
    assert!(
        faults(&refused.body).iter().eq(["/source/object unknown"]),
        "{}",
        refused.body
    );
    assert!(world.appflow_flows().await.is_empty());
    assert_eq!(
        world.items_of_flows().await,
        items_before,
        "something was left"
    );
    common::no_leaks(&world.sandbox).await;
}

/// F8: fields that the object does not have, and comparisons that a field does not take, are known
/// before AppFlow is asked to make anything; all of them at once, with what was probably meant.
async fn f8_unknown_fields_are_named_before_a_flow_is_made(world: World) {
    let mut definition = world.flow();
    definition["mappings"] = json!([
        { "type": "field", "from": "Citty__c", "to": "city" },
        { "type": "field", "from": "Amount__c", "to": "amount" },
    ]);
    definition["filters"] = json!([
        { "field": "Nobody__c", "fieldType": "string", "operator": "equals", "value": "x" },
        { "field": "Amount__c", "fieldType": "string", "operator": "contains", "value": "x" },
    ]);
    let answer = world.api().post("/v1/flows", &definition).await.unwrap();
    let problem = answer.expect(422).unwrap();
    let found = faults(&problem);
    for expected in [
        "/filters/0/field unknown_field",
        "/filters/1/fieldType wrong_field_type",
        "/mappings/0/from unknown_field",
    ] {
        assert!(found.contains(expected), "{problem}");
    }
    assert!(problem.to_string().contains("City__c"), "{problem}");
    assert!(world.appflow_flows().await.is_empty());

    // An update is held against the same fields, and what stands stays.
    let flow = world.create(&world.flow()).await;
    definition["filters"] = json!([]);
    let update = world
        .api()
        .call(
            http::Method::PUT,
            &super::world::path(&flow),
            Some(definition.to_string()),
            &[("if-match", "*")],
        )
        .await
        .unwrap();
    let problem = update.expect(422).unwrap();
    assert_eq!(
        faults(&problem),
        ["/mappings/0/from unknown_field".to_owned()].into()
    );
    assert_eq!(world.show(&flow).await["version"], flow["version"]);
    common::no_leaks(&world.sandbox).await;
}

/// What compiles is read back as it was written; what AppFlow can do and we have no words for is
/// named; foreign connections are unknown.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_of_appflow_reads_back_as_the_flow_that_makes_it() {
    let world = World::without_schedules().await;
    let mut definition = world.flow();
    definition["mappings"] = json!([
        { "type": "field", "from": "City__c", "to": "city" },
        { "type": "calculate", "operation": "add", "left": "Units__c", "right": "Population__c",
          "to": "sum", "toType": "double" },
    ]);
    definition["filters"] = json!([
        { "field": "Country_Code__c", "fieldType": "string", "operator": "equals", "values": ["CH", "NO"] },
    ]);
    let post = async |path: &str, body: &Value| world.api().post(path, body).await.unwrap();
    let request = post("/v1/flows/compile", &definition)
        .await
        .expect(200)
        .unwrap();
    let mut body =
        json!({ "accountId": world.account, "name": definition["name"], "flow": request });
    let read = post("/v1/flows/import", &body).await.expect(200).unwrap();
    assert_eq!(read, definition);

    body["flow"]["sourceFlowConfig"]["connectorProfileName"] = json!("sf-prod");
    let problem = post("/v1/flows/import", &body).await.expect(422).unwrap();
    let expected = "/flow/sourceFlowConfig/connectorProfileName unknown".to_owned();
    assert_eq!(faults(&problem), [expected].into());
    body["connections"] = json!({ "sf-prod": world.connection });
    let read = post("/v1/flows/import", &body).await.expect(200).unwrap();
    assert_eq!(read, definition);
    body["connections"] = json!({ "sf-prod": "con_00000000000070008000000000000000" });
    body["flow"]["tasks"][1]["taskType"] = json!("Passthrough");
    body["flow"]["newMember"] = json!(1);
    let problem = post("/v1/flows/import", &body).await.expect(422).unwrap();
    assert_eq!(
        faults(&problem),
        [
            "/connections/sf-prod unknown".to_owned(),
            "/flow/newMember not_covered".to_owned()
        ]
        .into()
    );
    common::no_leaks(&world.sandbox).await;
}

/// A value without the members that say nothing.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.clone(), without_nulls(value)))
            .collect(),
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}
