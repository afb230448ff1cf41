//! Queries: prefixes, indexes, pages, filters.

use serde_json::{Value, json};

use super::{
    super::support::{VENDOR, World},
    table,
};
use crate::Credentials;

#[tokio::test]
async fn queries_page_by_prefix_and_by_index() {
    let world = World::start().await;
    let vendor = table(&world).await;
    for n in 0..5 {
        world
            .ok(
                &vendor,
                "dynamodb",
                "PutItem",
                json!({"TableName": "t", "Item": {
                    "pk": {"S": "q"}, "sk": {"S": format!("RUN#{n}")},
                    "due_shard": {"S": "0"}, "due_at": {"N": (n * 4).to_string()},
                }}),
            )
            .await;
    }
    world
        .ok(
            &vendor,
            "dynamodb",
            "PutItem",
            json!({"TableName": "t", "Item": {
                "pk": {"S": "q"}, "sk": {"S": "EXEC#1"},
            }}),
        )
        .await;
    let prefix = json!({
        "TableName": "t", "Limit": 2,
        "KeyConditionExpression": "pk = :pk AND begins_with(sk, :prefix)",
        "ExpressionAttributeValues": {":pk": {"S": "q"}, ":prefix": {"S": "RUN#"}},
    });
    assert_eq!(
        pages(&world, &vendor, prefix.clone(), "sk", "S").await,
        [
            vec!["RUN#0", "RUN#1"],
            vec!["RUN#2", "RUN#3"],
            vec!["RUN#4"],
        ]
    );
    let mut backwards = prefix;
    backwards["ScanIndexForward"] = json!(false);
    assert_eq!(
        pages(&world, &vendor, backwards, "sk", "S").await[0],
        ["RUN#4", "RUN#3"]
    );
    let due = json!({
        "TableName": "t", "IndexName": "due", "Limit": 2,
        "KeyConditionExpression": "due_shard = :shard AND due_at <= :now",
        "ExpressionAttributeValues": {":shard": {"S": "0"}, ":now": {"N": "12"}},
    });
    assert_eq!(
        pages(&world, &vendor, due, "due_at", "N").await,
        [vec!["0", "4"], vec!["8", "12"],]
    );
}

/// Values of an attribute, page by page; an empty last page is left out.
async fn pages(
    world: &World,
    vendor: &Credentials,
    mut ask: Value,
    attribute: &str,
    kind: &str,
) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    loop {
        let answer = world.ok(vendor, "dynamodb", "Query", ask.clone()).await;
        let page: Vec<String> = answer["Items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item[attribute][kind].as_str().unwrap().to_owned())
            .collect();
        if !page.is_empty() {
            pages.push(page);
        }
        match answer.get("LastEvaluatedKey") {
            Some(key) => ask["ExclusiveStartKey"] = key.clone(),
            None => return pages,
        }
    }
}

#[tokio::test]
async fn a_query_can_be_filtered_and_two_items_with_one_index_key_both_come() {
    let world = World::start().await;
    let vendor = table(&world).await;
    for sk in ["a", "b", "c"] {
        world
            .ok(
                &vendor,
                "dynamodb",
                "PutItem",
                json!({"TableName": "t", "Item": {
                    "pk": {"S": sk}, "sk": {"S": sk}, "due_shard": {"S": "1"}, "due_at": {"N": "7"},
                }}),
            )
            .await;
    }
    let due = json!({
        "TableName": "t", "IndexName": "due", "Limit": 1,
        "KeyConditionExpression": "due_shard = :shard AND due_at <= :now",
        "ExpressionAttributeValues": {":shard": {"S": "1"}, ":now": {"N": "30"}},
    });
    let mut seen: Vec<String> = pages(&world, &vendor, due, "pk", "S").await.concat();
    seen.sort();
    assert_eq!(seen, ["a", "b", "c"]);
    let answer = world
        .ok(
            &vendor,
            "dynamodb",
            "Query",
            json!({
                "TableName": "t", "IndexName": "due",
                "KeyConditionExpression": "due_shard = :shard",
                "FilterExpression": "#s <> :b",
                "ExpressionAttributeNames": {"#s": "sk"},
                "ExpressionAttributeValues": {":shard": {"S": "1"}, ":b": {"S": "b"}},
            }),
        )
        .await;
    assert_eq!(
        (&answer["Count"], &answer["ScannedCount"]),
        (&json!(2), &json!(3))
    );
}

#[tokio::test]
async fn an_index_shows_its_keys_and_what_it_includes_alone() {
    let world = World::start().await;
    let vendor = world.aws.admin_credentials(VENDOR);
    let table = json!({
        "TableName": "narrow",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "due_shard", "AttributeType": "S"},
        ],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "GlobalSecondaryIndexes": [{
            "IndexName": "due",
            "KeySchema": [{"AttributeName": "due_shard", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["generation"]},
        }],
    });
    world.ok(&vendor, "dynamodb", "CreateTable", table).await;
    let in_index = json!({
        "pk": {"S": "p"}, "due_shard": {"S": "0"}, "generation": {"N": "1"},
    });
    let mut item = in_index.clone();
    item["secret"] = json!({"S": "only in the table"});
    let put = json!({"TableName": "narrow", "Item": item});
    world.ok(&vendor, "dynamodb", "PutItem", put).await;
    let query = json!({
        "TableName": "narrow", "IndexName": "due",
        "KeyConditionExpression": "due_shard = :shard",
        "ExpressionAttributeValues": {":shard": {"S": "0"}},
    });
    let answer = world.ok(&vendor, "dynamodb", "Query", query).await;
    assert_eq!(answer["Items"], json!([in_index]));
}
