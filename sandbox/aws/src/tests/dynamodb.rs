//! What the store relies on.

use std::sync::Arc;

use serde_json::{Value, json};

use super::support::{VENDOR, World};
use crate::Credentials;

async fn table(world: &World) -> Credentials {
    let vendor = world.aws.admin_credentials(VENDOR);
    let created = world
        .ok(
            &vendor,
            "dynamodb",
            "CreateTable",
            json!({
                "TableName": "t",
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [
                    {"AttributeName": "pk", "AttributeType": "S"},
                    {"AttributeName": "sk", "AttributeType": "S"},
                    {"AttributeName": "due_shard", "AttributeType": "S"},
                    {"AttributeName": "due_at", "AttributeType": "N"},
                ],
                "KeySchema": [
                    {"AttributeName": "pk", "KeyType": "HASH"},
                    {"AttributeName": "sk", "KeyType": "RANGE"},
                ],
                "GlobalSecondaryIndexes": [{
                    "IndexName": "due",
                    "KeySchema": [
                        {"AttributeName": "due_shard", "KeyType": "HASH"},
                        {"AttributeName": "due_at", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }],
            }),
        )
        .await;
    assert_eq!(
        created["TableDescription"]["TableArn"],
        "arn:aws:dynamodb:us-east-1:111111111111:table/t"
    );
    vendor
}

fn code(answer: &Value) -> &str {
    answer["__type"]
        .as_str()
        .unwrap()
        .rsplit('#')
        .next()
        .unwrap()
}

#[tokio::test]
async fn a_failed_condition_answers_the_old_item_when_asked() {
    let world = World::start().await;
    let vendor = table(&world).await;
    let put = |n: &str, returns: &str| {
        json!({
            "TableName": "t", "Item": {"pk": {"S": "a"}, "sk": {"S": "b"}, "n": {"N": n}},
            "ConditionExpression": "attribute_not_exists(pk)",
            "ReturnValuesOnConditionCheckFailure": returns,
        })
    };
    world
        .ok(&vendor, "dynamodb", "PutItem", put("1", "NONE"))
        .await;
    let (status, answer) = world
        .json(&vendor, "dynamodb", "PutItem", put("2", "ALL_OLD"))
        .await;
    assert_eq!(
        (status, code(&answer)),
        (400, "ConditionalCheckFailedException")
    );
    assert_eq!(answer["Item"]["n"]["N"], "1");
    let (_, answer) = world
        .json(&vendor, "dynamodb", "PutItem", put("2", "NONE"))
        .await;
    assert!(answer.get("Item").is_none(), "{answer}");
    let (_, answer) = world
        .json(
            &vendor,
            "dynamodb",
            "UpdateItem",
            json!({
                "TableName": "t", "Key": {"pk": {"S": "a"}, "sk": {"S": "b"}},
                "UpdateExpression": "SET n = :n", "ConditionExpression": "n = :old",
                "ExpressionAttributeValues": {":n": {"N": "3"}, ":old": {"N": "9"}},
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }),
        )
        .await;
    assert_eq!(
        (code(&answer), &answer["Item"]["n"]["N"]),
        ("ConditionalCheckFailedException", &json!("1"))
    );
}

#[tokio::test]
async fn of_many_conditional_writers_exactly_one_wins() {
    let world = Arc::new(World::start().await);
    let vendor = table(&world).await;
    let mut writers = tokio::task::JoinSet::new();
    for n in 0..40 {
        let (world, vendor) = (Arc::clone(&world), vendor.clone());
        writers.spawn(async move {
            let put = json!({
                "TableName": "t", "ConditionExpression": "attribute_not_exists(pk)",
                "Item": {"pk": {"S": "lease"}, "sk": {"S": "x"}, "n": {"N": n.to_string()}},
            });
            world.json(&vendor, "dynamodb", "PutItem", put).await.0
        });
    }
    let won = writers
        .join_all()
        .await
        .into_iter()
        .filter(|status| *status == 200)
        .count();
    assert_eq!(won, 1);
}

#[tokio::test]
async fn update_expressions_set_add_remove_and_delete() {
    let world = World::start().await;
    let vendor = table(&world).await;
    let update = |expression: &str, values: Value| {
        let mut ask = json!({
            "TableName": "t", "Key": {"pk": {"S": "u"}, "sk": {"S": "u"}},
            "UpdateExpression": expression, "ReturnValues": "ALL_NEW",
        });
        if values.as_object().is_some_and(|values| !values.is_empty()) {
            ask["ExpressionAttributeValues"] = values;
        }
        ask
    };
    for (expression, values, expected) in [
        (
            "SET a = if_not_exists(a, :zero) + :one, b.c = :m",
            json!({":zero": {"N": "0"}, ":one": {"N": "1"}, ":m": {"S": "x"}}),
            Err("ValidationException"),
        ),
        (
            "SET a = if_not_exists(a, :zero) + :one, l = :l",
            json!({":zero": {"N": "0"}, ":one": {"N": "1"}, ":l": {"L": [{"S": "x"}]}}),
            Ok(json!({"a": {"N": "1"}, "l": {"L": [{"S": "x"}]}})),
        ),
        (
            "SET l = list_append(l, :l) ADD a :two, s :s",
            json!({":two": {"N": "2"}, ":l": {"L": [{"S": "y"}]}, ":s": {"SS": ["p"]}}),
            Ok(json!({"a": {"N": "3"}, "l": {"L": [{"S": "x"}, {"S": "y"}]}, "s": {"SS": ["p"]}})),
        ),
        (
            "REMOVE l DELETE s :s",
            json!({":s": {"SS": ["p"]}}),
            Ok(json!({"a": {"N": "3"}})),
        ),
        (
            "SET a = missing + :one",
            json!({":one": {"N": "1"}}),
            Err("ValidationException"),
        ),
    ] {
        let (status, answer) = world
            .json(
                &vendor,
                "dynamodb",
                "UpdateItem",
                update(expression, values),
            )
            .await;
        match expected {
            Ok(mut attributes) => {
                attributes["pk"] = json!({"S": "u"});
                attributes["sk"] = json!({"S": "u"});
                assert_eq!(
                    (status, &answer["Attributes"]),
                    (200, &attributes),
                    "{expression}: {answer}"
                );
            }
            Err(expected) => assert_eq!(
                (status, code(&answer)),
                (400, expected),
                "{expression}: {answer}"
            ),
        }
    }
}

#[tokio::test]
async fn a_transaction_is_all_or_nothing_and_tells_each_reason() {
    let world = World::start().await;
    let vendor = table(&world).await;
    let put = |sk: &str| {
        json!({"Put": {
            "TableName": "t", "Item": {"pk": {"S": "tx"}, "sk": {"S": sk}},
            "ConditionExpression": "attribute_not_exists(pk)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }})
    };
    let both = |a: &str, b: &str, token: &str| {
        json!({
            "TransactItems": [put(a), put(b)], "ClientRequestToken": token,
        })
    };
    world
        .ok(
            &vendor,
            "dynamodb",
            "TransactWriteItems",
            both("1", "2", "first"),
        )
        .await;
    // The same request again, as a client retries it after a lost answer.
    world
        .ok(
            &vendor,
            "dynamodb",
            "TransactWriteItems",
            both("1", "2", "first"),
        )
        .await;
    let (_, answer) = world
        .json(
            &vendor,
            "dynamodb",
            "TransactWriteItems",
            both("1", "3", "first"),
        )
        .await;
    assert_eq!(code(&answer), "IdempotentParameterMismatchException");
    let (status, answer) = world
        .json(
            &vendor,
            "dynamodb",
            "TransactWriteItems",
            both("3", "1", "second"),
        )
        .await;
    assert_eq!(
        (status, code(&answer)),
        (400, "TransactionCanceledException")
    );
    assert_eq!(answer["CancellationReasons"][0]["Code"], "None");
    assert_eq!(
        answer["CancellationReasons"][1]["Code"],
        "ConditionalCheckFailed"
    );
    assert_eq!(answer["CancellationReasons"][1]["Item"]["sk"]["S"], "1");
    let third = json!({"TableName": "t", "Key": {"pk": {"S": "tx"}, "sk": {"S": "3"}}});
    let answer = world.ok(&vendor, "dynamodb", "GetItem", third).await;
    assert!(
        answer.get("Item").is_none(),
        "nothing was written: {answer}"
    );
    let (_, answer) = world
        .json(
            &vendor,
            "dynamodb",
            "TransactWriteItems",
            both("4", "4", "third"),
        )
        .await;
    assert_eq!(code(&answer), "ValidationException");
}

#[tokio::test]
async fn an_update_and_a_check_go_into_a_transaction() {
    let world = World::start().await;
    let vendor = table(&world).await;
    let transact = |expected: &str| {
        json!({"TransactItems": [
            {"Update": {
                "TableName": "t", "Key": {"pk": {"S": "c"}, "sk": {"S": "counter"}},
                "UpdateExpression": "ADD n :one", "ExpressionAttributeValues": {":one": {"N": "1"}},
            }},
            {"ConditionCheck": {
                "TableName": "t", "Key": {"pk": {"S": "c"}, "sk": {"S": "guard"}},
                "ConditionExpression": expected,
            }},
        ]})
    };
    world
        .ok(
            &vendor,
            "dynamodb",
            "TransactWriteItems",
            transact("attribute_not_exists(pk)"),
        )
        .await;
    let (status, _) = world
        .json(
            &vendor,
            "dynamodb",
            "TransactWriteItems",
            transact("attribute_exists(pk)"),
        )
        .await;
    assert_eq!(status, 400);
    let get = json!({"TableName": "t", "Key": {"pk": {"S": "c"}, "sk": {"S": "counter"}}});
    let answer = world.ok(&vendor, "dynamodb", "GetItem", get).await;
    assert_eq!(answer["Item"]["n"]["N"], "1");
}

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
                    "due_shard": {"S": "0"}, "due_at": {"N": (n * 10).to_string()},
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
        "ExpressionAttributeValues": {":shard": {"S": "0"}, ":now": {"N": "30"}},
    });
    assert_eq!(
        pages(&world, &vendor, due, "due_at", "N").await,
        [vec!["0", "10"], vec!["20", "30"],]
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
