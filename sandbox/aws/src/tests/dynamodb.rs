//! Writes: conditions, updates, transactions.

mod queries;

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
        .unwrap_or_else(|| panic!("no error in {answer}"))
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

/// Straight into the service, many times over: between the check of a condition and the write
/// there is very little room for another writer to slip in.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_conditional_writers_exactly_one_wins() {
    let world = World::start().await;
    table(&world).await;
    let admin = world.aws.admin(VENDOR);
    for round in 0..300 {
        let together = Arc::new(tokio::sync::Barrier::new(4));
        let mut writers = tokio::task::JoinSet::new();
        for n in 0..4 {
            let (aws, admin) = (Arc::clone(&world.aws), admin.clone());
            let together = Arc::clone(&together);
            writers.spawn(async move {
                let put = json!({
                    "TableName": "t", "ConditionExpression": "attribute_not_exists(pk)",
                    "Item": {
                        "pk": {"S": "lease"}, "sk": {"S": round.to_string()},
                        "n": {"N": n.to_string()},
                    },
                });
                together.wait().await;
                aws.call(&admin, "dynamodb", "PutItem", &put).await.status
            });
        }
        let statuses = writers.join_all().await;
        let won = statuses.iter().filter(|status| status.is_success()).count();
        assert_eq!(won, 1, "round {round}");
    }
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
async fn updated_attributes_alone_come_back_when_asked() {
    let world = World::start().await;
    let vendor = table(&world).await;
    let update = |n: &str, returns: &str| {
        json!({
            "TableName": "t", "Key": {"pk": {"S": "p"}, "sk": {"S": "p"}},
            "UpdateExpression": "SET n = :n REMOVE gone", "ReturnValues": returns,
            "ExpressionAttributeValues": {":n": {"N": n}},
        })
    };
    let answer = world
        .ok(
            &vendor,
            "dynamodb",
            "UpdateItem",
            update("1", "UPDATED_NEW"),
        )
        .await;
    assert_eq!(answer["Attributes"], json!({"n": {"N": "1"}}));
    let answer = world
        .ok(
            &vendor,
            "dynamodb",
            "UpdateItem",
            update("2", "UPDATED_OLD"),
        )
        .await;
    assert_eq!(answer["Attributes"], json!({"n": {"N": "1"}}));
}

#[tokio::test]
async fn reserved_words_and_missing_tables_are_refused_as_by_dynamodb() {
    let world = World::start().await;
    let vendor = table(&world).await;
    let update = |table: &str, name: &str| {
        json!({
            "TableName": table, "Key": {"pk": {"S": "p"}, "sk": {"S": "p"}},
            "UpdateExpression": format!("SET {name} = :v"),
            "ConditionExpression": "attribute_exists(pk)",
            "ExpressionAttributeValues": {":v": {"S": "x"}},
        })
    };
    for (ask, expected) in [
        (update("t", "status"), "ValidationException"),
        (update("none", "a"), "ResourceNotFoundException"),
    ] {
        let (_, answer) = world.json(&vendor, "dynamodb", "UpdateItem", ask).await;
        assert_eq!(code(&answer), expected);
    }
}

#[tokio::test]
async fn a_failed_condition_is_told_before_an_invalid_path() {
    let world = World::start().await;
    let vendor = table(&world).await;
    for (condition, expected) in [
        ("attribute_exists(pk)", "ConditionalCheckFailedException"),
        ("attribute_not_exists(pk)", "ValidationException"),
    ] {
        let update = json!({
            "TableName": "t", "Key": {"pk": {"S": "p"}, "sk": {"S": "p"}},
            "UpdateExpression": "SET absent.part = :v", "ConditionExpression": condition,
            "ExpressionAttributeValues": {":v": {"S": "x"}},
        });
        let (status, answer) = world.json(&vendor, "dynamodb", "UpdateItem", update).await;
        assert_eq!((status, code(&answer)), (400, expected));
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
