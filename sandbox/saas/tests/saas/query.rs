//! Objects, fields and paged reads.

use sandbox_saas::{city_sales, salesforce::total_sales};
use serde_json::{Value, json};

use crate::{browser::parts, salesforce::World};

async fn query(world: &World, token: &Value, soql: &str) -> (u16, Value) {
    let encoded: String = url::form_urlencoded::byte_serialize(soql.as_bytes()).collect();
    let path = format!("/services/data/v58.0/query?q={encoded}");
    parts(world.get(&path, token).await).await
}

#[tokio::test]
async fn objects_are_listed_and_described() {
    let world = World::start().await;
    let token = world.granted().await["access_token"].clone();
    let (_, list) = parts(world.get("/services/data/v58.0/sobjects", &token).await).await;
    let names: Vec<&str> = list["sobjects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|o| o["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "Account",
            "AccountChangeEvent",
            "City_Sales__ChangeEvent",
            "City_Sales__c",
            "Contact",
            "Product2"
        ]
    );
    let path = "/services/data/v58.0/sobjects/City_Sales__c/describe";
    let (_, described) = parts(world.get(path, &token).await).await;
    let amount = described["fields"]
        .as_array()
        .unwrap()
        .iter()
        .find(|f| f["name"] == "Amount__c")
        .unwrap();
    assert_eq!(
        (&amount["type"], &amount["scale"], &amount["nillable"]),
        (&json!("currency"), &json!(2), &json!(true))
    );
    for path in [
        "/services/data/v58.0/sobjects/Nothing__c/describe",
        "/services/data/v1.0/sobjects",
        "/services/nothing",
    ] {
        let (status, body) = parts(world.get(path, &token).await).await;
        assert_eq!((status, &body[0]["errorCode"]), (404, &json!("NOT_FOUND")));
    }
}

#[tokio::test]
async fn every_record_comes_once_over_all_pages_and_the_sum_is_the_sum() {
    let world = World::start().await;
    let token = world.granted().await["access_token"].clone();
    let soql = "SELECT Id, City__c, Amount__c FROM City_Sales__c WHERE Timezone__c LIKE 'Asia/%'";
    let (status, mut page) = query(&world, &token, soql).await;
    assert_eq!(status, 200);
    let total = page["totalSize"].as_u64().unwrap();
    let (mut ids, mut cents, mut pages) = (std::collections::HashSet::new(), 0.0, 1);
    loop {
        for record in page["records"].as_array().unwrap() {
            assert!(ids.insert(record["Id"].as_str().unwrap().to_owned()));
            cents += (record["Amount__c"].as_f64().unwrap_or_default() * 100.0).round();
        }
        let Some(next) = page["nextRecordsUrl"].as_str().map(str::to_owned) else {
            break;
        };
        assert_eq!(page["done"], false);
        page = parts(world.get(&next, &token).await).await.1;
        pages += 1;
    }
    assert_eq!(page["done"], true);
    assert_eq!(ids.len() as u64, total);
    assert!(pages > 2);
    let expected = total_sales(&city_sales(), "Asia/");
    assert_eq!(format!("{cents:.0}"), expected.to_string());
}

#[tokio::test]
async fn a_page_belongs_to_who_asked_and_a_changed_record_waits_for_the_next_query() {
    let world = World::start().await;
    let token = world.granted().await["access_token"].clone();
    let (_, first) = query(&world, &token, "SELECT Id FROM City_Sales__c").await;
    let next = first["nextRecordsUrl"].as_str().unwrap();
    let before = parts(world.get(next, &token).await).await.1;
    let newest = city_sales().iter().map(|s| s.last_modified).max().unwrap();
    let changed = world.salesforce.change_sales(|sale| {
        if sale.city == "Shanghai" {
            sale.amount_cents = Some(1);
        }
        sale.is_deleted = sale.city == "Beijing";
    });
    assert_eq!(changed, 2);
    assert_eq!(parts(world.get(next, &token).await).await.1, before);
    let since =
        format!("SELECT City__c, Amount__c FROM City_Sales__c WHERE LastModifiedDate > {newest}");
    let (_, delta) = query(&world, &token, &since).await;
    assert_eq!(delta["totalSize"], 1);
    assert_eq!(delta["records"][0]["Amount__c"], 0.01);
    let path =
        "/services/data/v58.0/queryAll?q=SELECT+COUNT()+FROM+City_Sales__c+WHERE+IsDeleted=true";
    assert_eq!(parts(world.get(path, &token).await).await.1["totalSize"], 1);
    let (status, body) = parts(
        world
            .get("/services/data/v58.0/query/01gX-500", &token)
            .await,
    )
    .await;
    assert_eq!(
        (status, &body[0]["errorCode"]),
        (400, &json!("INVALID_QUERY_LOCATOR"))
    );
}

#[tokio::test]
async fn queries_that_are_wrong_say_why() {
    let world = World::start().await;
    let token = world.granted().await["access_token"].clone();
    for (soql, code) in [
        ("SELECT Id FROM", "MALFORMED_QUERY"),
        ("SELECT Nope FROM Account", "INVALID_FIELD"),
        ("SELECT Id FROM Nothing__c", "INVALID_TYPE"),
        ("", "MALFORMED_QUERY"),
    ] {
        let (status, body) = query(&world, &token, soql).await;
        assert_eq!(
            (status, &body[0]["errorCode"]),
            (400, &json!(code)),
            "{soql}"
        );
    }
    let (status, body) = query(&world, &json!("00Dnothing!x"), "SELECT Id FROM Account").await;
    assert_eq!(
        (status, &body[0]["errorCode"]),
        (401, &json!("INVALID_SESSION_ID"))
    );
}
