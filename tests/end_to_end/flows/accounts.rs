//! The same flow in the customer's account and in the vendor's.

use sandbox::warehouse;
use sandbox_core::{CUSTOMER_ACCOUNT, REGION, VENDOR_ACCOUNT};
use serde_json::{Value, json};

use super::world::{Hosting, World, faults, landing_bucket};
use crate::common;

/// What must be equal in both accounts.
#[derive(Debug, PartialEq)]
struct Outcome {
    entities: Value,
    fields: Value,
    compiled: Value,
    run: Value,
    notifications: Vec<Value>,
    records: Vec<Value>,
}

/// Takes away what is named after one account, tenant object or moment.
fn anonymous(value: &Value, names: &[&str]) -> Value {
    let text = names
        .iter()
        .fold(value.to_string(), |text, name| text.replace(name, "-"));
    serde_json::from_str(&text).unwrap()
}

fn without(mut value: Value, members: &[&str]) -> Value {
    for member in members {
        value.as_object_mut().unwrap().remove(*member);
    }
    value
}

async fn outcome(world: &World, aws_account: &str, account: &str, connection: &str) -> Outcome {
    let api = world.api();
    let path = format!("/v1/connections/{connection}/entities");
    let entities = api.get(&path).await.unwrap().expect(200).unwrap();
    let fields = api
        .get(&format!("{path}/City_Sales__c"))
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    let mut definition = common::s3_flow(account, connection);
    definition["destination"]["bucket"] = json!(landing_bucket(aws_account));
    definition["destination"]["prefix"] = json!(format!("{}/crm", world.tenant.id));
    definition["transforms"] =
        json!([{ "type": "mask", "field": "Email__c", "part": "last", "length": 8 }]);
    let compiled = api
        .post("/v1/flows/compile", &definition)
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    let example = compiled["flowName"]
        .as_str()
        .unwrap()
        .rsplit('-')
        .next()
        .unwrap()
        .to_owned();

    let flow = world.create(&definition).await;
    let run = world.run(&flow).await;
    world.settled().await;
    let notifications = world.told_of(&run["id"]).await;
    let mut records = world.records_in(aws_account, &run).await;
    records.sort_by_key(|record| record["Id"].as_str().unwrap().to_owned());
    let of_one_run = [
        "id",
        "flowId",
        "executionId",
        "startedAt",
        "endedAt",
        "createdAt",
        "updatedAt",
        "correlationId",
    ];
    let completed: Vec<Value> = notifications
        .into_iter()
        .filter(|event| event["type"] == "tributary.run.completed")
        .map(|mut event| {
            event["data"] = without(
                event["data"].take(),
                &["runId", "flowId", "executionId", "startedAt", "endedAt"],
            );
            without(event, &["id", "time", "subject", "correlationid"])
        })
        .collect();
    Outcome {
        entities,
        fields,
        compiled: anonymous(&compiled, &[aws_account, connection, &example]),
        run: without(run, &of_one_run),
        notifications: completed,
        records,
    }
}

/// F11: entities, fields, request, run, notification and records are the same in both hosting
/// modes, save the account.
#[tokio::test(flavor = "multi_thread")]
async fn f11_both_hosting_modes_give_the_same_results() {
    let world = World::new().await;
    let request = json!({ "hosting": "vendor", "region": REGION });
    let vendor = world
        .api()
        .post("/v1/accounts", &request)
        .await
        .unwrap()
        .expect(201)
        .unwrap();
    let vendor = vendor["id"].as_str().unwrap();
    let verified = world
        .api()
        .post(&format!("/v1/accounts/{vendor}/verify"), &json!({}))
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    assert_eq!(verified["state"], "verified", "{verified}");
    let connection =
        common::salesforce(&world.sandbox, &world.tenant.people["frank"], vendor).await;

    let customers = outcome(&world, CUSTOMER_ACCOUNT, &world.account, &world.connection).await;
    let vendors = outcome(&world, VENDOR_ACCOUNT, vendor, &connection).await;
    assert_eq!(customers.notifications.len(), 1);
    assert_eq!(
        customers.records.len(),
        world.sandbox.salesforce.sales().len()
    );
    assert!(customers.entities.to_string().contains("City_Sales__c"));
    assert!(
        customers.fields["fields"]
            .as_array()
            .is_some_and(|fields| fields.len() > 10)
    );
    assert_eq!(customers, vendors);
    common::no_leaks(&world.sandbox).await;
}

/// An object that is not there is not found, in either account's application.
#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_the_application_does_not_have_is_not_found() {
    let world = World::new().await;
    let path = format!("/v1/connections/{}/entities/Nothing__c", world.connection);
    let answer = world.api().get(&path).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.code()), (404, "not_found"));
    common::no_leaks(&world.sandbox).await;
}

/// I1: tenants share the vendor's buckets, and a flow there names folders of its own tenant only.
#[tokio::test(flavor = "multi_thread")]
async fn i1_flows_in_the_vendors_account_keep_to_their_tenants_folders() {
    let world = World::hosted(Hosting::Vendor).await;
    let other = "ten_00000000000070008000000000000000";
    let mut definition = world.flow();
    for foreign in ["crm", other, &format!("{other}/crm")] {
        definition["destination"]["prefix"] = json!(foreign);
        definition["source"] = json!({
            "connector": "s3", "bucket": landing_bucket(VENDOR_ACCOUNT), "prefix": foreign,
        });
        for path in ["/v1/flows", "/v1/flows/compile"] {
            let answer = world.api().post(path, &definition).await.unwrap();
            let problem = answer.expect(422).unwrap();
            assert_eq!(
                faults(&problem),
                [
                    "/destination/prefix not_your_folder".to_owned(),
                    "/source/prefix not_your_folder".to_owned()
                ]
                .into(),
                "{problem}"
            );
        }
    }
    let flow = world.create(&world.flow()).await;
    world.run(&flow).await;
    common::no_leaks(&world.sandbox).await;
}

/// A connection to the vendor's warehouse hands the two roles of the template to AppFlow, and no other
/// role comes as far as IAM.
#[tokio::test(flavor = "multi_thread")]
async fn f11_a_warehouse_connection_passes_the_templates_roles_and_no_other() {
    let world = World::hosted(Hosting::Vendor).await;
    let role = |id: &str| world.sandbox.stack.resources[id].arn().unwrap().to_owned();
    let request = |load: String, data_api: String| {
        json!({
            "name": "Warehouse", "connector": "redshift", "accountId": world.account,
            "auth": "roles", "credentials": {}, "properties": {
                "bucketName": landing_bucket(world.aws_account), "bucketPrefix": format!("staging/{}", world.tenant.id),
                "roleArn": load, "dataApiRoleArn": data_api,
                "workgroupName": warehouse::WORKGROUP, "databaseName": warehouse::DATABASE,
            },
        })
    };
    let foreign = request(role("FlowsRole"), role("WarehouseDataApiRole"));
    let refused = world.api().post("/v1/connections", &foreign).await.unwrap();
    assert_eq!(
        faults(&refused.body),
        ["/properties/roleArn fixed_by_the_vendor".to_owned()].into(),
        "{}",
        refused.body
    );
    let own = request(role("WarehouseLoadRole"), role("WarehouseDataApiRole"));
    let made = world.api().post("/v1/connections", &own).await.unwrap();
    assert_eq!(made.status, 201, "{}", made.body);
}
