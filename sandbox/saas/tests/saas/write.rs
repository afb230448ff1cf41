//! Records written through the API, the events of their changes, and orgs as large as real ones.

use sandbox_saas::salesforce::MetadataCounters;
use serde_json::{Value, json};

use crate::salesforce::World;

const ROOT: &str = "/services/data/v58.0";

/// A call with a body; answers status and JSON.
async fn send(world: &World, token: &str, method: &str, path: &str, body: Value) -> (u16, Value) {
    let request = world
        .http
        .request(method.parse().unwrap(), world.url(&format!("{ROOT}{path}")))
        .bearer_auth(token)
        .json(&body);
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or_default())
}

fn token(world: &World) -> String {
    world
        .salesforce
        .issue_access_token("olivia@sports.example.crm")
        .unwrap()
}

#[tokio::test]
async fn one_record_is_made_read_changed_and_deleted() {
    let world = World::start().await;
    let token = token(&world);
    let account = json!({ "Name": "Acme", "AnnualRevenue": 12.34, "External_Id__c": "x-1" });
    let (status, made) = send(&world, &token, "POST", "/sobjects/Account", account).await;
    assert_eq!((status, &made["success"]), (201, &json!(true)));
    let path = format!("/sobjects/Account/{}", made["id"].as_str().unwrap());
    let (_, read) = send(&world, &token, "GET", &path, json!({})).await;
    assert_eq!(read["AnnualRevenue"], 12.34);

    let change = json!({ "NumberOfEmployees": 7 });
    assert_eq!(send(&world, &token, "PATCH", &path, change).await.0, 204);
    let upsert = "/sobjects/Account/External_Id__c/x-2";
    let fresh = json!({ "Name": "Bolt" });
    assert_eq!(send(&world, &token, "PATCH", upsert, fresh).await.0, 201);
    let (status, body) = send(&world, &token, "PATCH", &path, json!({ "Nope": 1 })).await;
    assert_eq!(
        (status, &body[0]["errorCode"]),
        (400, &json!("INVALID_FIELD"))
    );
    assert_eq!(body[0]["fields"], json!(["Nope"]));

    let soql = "/query?q=SELECT+Id,NumberOfEmployees+FROM+Account+WHERE+External_Id__c='x-1'";
    let (_, found) = send(&world, &token, "GET", soql, json!({})).await;
    assert_eq!(found["records"][0]["NumberOfEmployees"], 7);
    assert_eq!(
        send(&world, &token, "DELETE", &path, json!({})).await.0,
        204
    );
    let (_, found) = send(&world, &token, "GET", soql, json!({})).await;
    assert_eq!(found["totalSize"], 0);
    assert_eq!(send(&world, &token, "GET", &path, json!({})).await.0, 404);
}

#[tokio::test]
async fn a_collection_tells_each_record_its_outcome_and_all_or_none_undoes_it() {
    let world = World::start().await;
    let token = token(&world);
    let account = |name: Value| json!({ "attributes": { "type": "Account" }, "Name": name });
    let records = json!([account(json!("Acme")), account(json!(5))]);
    let path = "/composite/sobjects";
    let before = world.salesforce.records("Account").len();
    let body = json!({ "allOrNone": true, "records": records });
    let (_, outcomes) = send(&world, &token, "POST", path, body).await;
    assert_eq!(
        outcomes[0]["errors"][0]["statusCode"],
        "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    );
    assert_eq!(world.salesforce.records("Account").len(), before);
    assert!(world.salesforce.take_events().is_empty());

    let body = json!({ "records": records });
    let (status, outcomes) = send(&world, &token, "POST", path, body).await;
    assert_eq!((status, &outcomes[0]["success"]), (200, &json!(true)));
    assert_eq!(
        outcomes[1]["errors"][0]["statusCode"],
        "INVALID_TYPE_ON_FIELD_IN_RECORD"
    );
    assert_eq!(world.salesforce.records("Account").len(), before + 1);

    let id = outcomes[0]["id"].as_str().unwrap();
    let gone = format!("{path}?ids={id},001000000000000AAA");
    let (_, outcomes) = send(&world, &token, "DELETE", &gone, json!({})).await;
    assert_eq!(outcomes[0]["success"], true);
    assert_eq!(outcomes[1]["errors"][0]["statusCode"], "NOT_FOUND");
    let too_many = json!({ "records": vec![account(json!("x")); 201] });
    let (status, body) = send(&world, &token, "POST", path, too_many).await;
    assert_eq!(
        (status, &body[0]["errorCode"]),
        (400, &json!("LIMIT_EXCEEDED"))
    );
    let (status, _) = send(
        &world,
        "no-token",
        "POST",
        path,
        json!({ "records": records }),
    )
    .await;
    assert_eq!(status, 401);
}

#[tokio::test]
async fn changes_are_told_once_with_what_changed() {
    let world = World::start().await;
    let token = token(&world);
    let account = json!({ "Name": "Acme", "AnnualRevenue": 1 });
    let (_, made) = send(&world, &token, "POST", "/sobjects/Account", account).await;
    world.salesforce.events_published().await;
    let id = world.salesforce.sales()[3].id.clone();
    world.salesforce.change_sales(|sale| {
        if sale.id == id {
            sale.units = 12_345;
        }
    });
    world
        .salesforce
        .publish_event("Order__e", json!({ "Number__c": 1 }));
    let events = world.salesforce.take_events();
    let channels: Vec<&str> = events.iter().map(|e| e.channel.as_str()).collect();
    assert_eq!(
        channels,
        ["AccountChangeEvent", "City_Sales__ChangeEvent", "Order__e"]
    );
    let header = |at: usize| &events[at].detail["ChangeEventHeader"];
    assert_eq!(header(0)["recordIds"], json!([made["id"]]));
    assert_eq!(events[0].detail["Name"], "Acme");
    assert_eq!(header(1)["changeType"], "UPDATE");
    assert_eq!(
        header(1)["changedFields"],
        json!(["Units__c", "LastModifiedDate"])
    );
    assert_eq!(events[1].detail["Units__c"], 12_345);
    assert!(world.salesforce.take_events().is_empty());

    let path = "/sobjects/AccountChangeEvent/describe";
    let (_, described) = send(&world, &token, "GET", path, json!({})).await;
    let names: Vec<&Value> = described["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| &f["name"])
        .collect();
    assert!(
        names.contains(&&json!("ChangeEventHeader")) && names.contains(&&json!("AnnualRevenue"))
    );
    let query = "/query?q=SELECT+Id+FROM+AccountChangeEvent";
    assert_eq!(send(&world, &token, "GET", query, json!({})).await.0, 400);
}

#[tokio::test]
async fn f12_an_org_grows_and_metadata_calls_are_counted() {
    let world = World::start().await;
    let token = token(&world);
    world.salesforce.grow(1_500, 800);
    let (_, list) = send(&world, &token, "GET", "/sobjects", json!({})).await;
    assert_eq!(list["sobjects"].as_array().unwrap().len(), 1_500);
    let path = "/sobjects/Wide__c/describe";
    let (_, wide) = send(&world, &token, "GET", path, json!({})).await;
    assert_eq!(wide["fields"].as_array().unwrap().len(), 800);
    assert_eq!(
        world.salesforce.metadata_counters(),
        MetadataCounters {
            object_lists: 1,
            describes: 1
        }
    );
}

#[tokio::test]
async fn f5_a_deleted_field_is_neither_described_nor_queried_nor_written() {
    let world = World::start().await;
    let token = token(&world);
    assert!(!world.salesforce.delete_field("City_Sales__c", "Name"));
    assert!(!world.salesforce.delete_field("City_Sales__c", "Nope__c"));
    assert!(world.salesforce.delete_field("City_Sales__c", "Units__c"));
    assert!(!world.salesforce.delete_field("City_Sales__c", "Units__c"));
    for object in ["City_Sales__c", "City_Sales__ChangeEvent"] {
        let path = format!("/sobjects/{object}/describe");
        let (_, described) = send(&world, &token, "GET", &path, json!({})).await;
        let fields = described["fields"].as_array().unwrap();
        assert!(fields.iter().all(|f| f["name"] != "Units__c"), "{object}");
        assert!(fields.iter().any(|f| f["name"] == "Amount__c"), "{object}");
    }
    let query = "/query?q=SELECT+Id,Units__c+FROM+City_Sales__c";
    let (status, body) = send(&world, &token, "GET", query, json!({})).await;
    assert_eq!(
        (status, &body[0]["errorCode"]),
        (400, &json!("INVALID_FIELD"))
    );
    let query = "/query?q=SELECT+Id,Email__c+FROM+City_Sales__c+LIMIT+1";
    let (_, found) = send(&world, &token, "GET", query, json!({})).await;
    let shown = found["records"][0]["Email__c"].clone();
    let id = found["records"][0]["Id"].as_str().unwrap();
    let sales = world.salesforce.sales();
    let sale = sales.iter().find(|s| s.id == id).unwrap();
    assert_eq!(shown, json!(sale.email), "the other columns stay in place");

    assert!(world.salesforce.delete_field("Account", "External_Id__c"));
    let account = json!({ "Name": "Acme", "External_Id__c": "x" });
    let (status, body) = send(&world, &token, "POST", "/sobjects/Account", account).await;
    assert_eq!(
        (status, &body[0]["errorCode"]),
        (400, &json!("INVALID_FIELD"))
    );
}
