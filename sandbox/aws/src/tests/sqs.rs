//! Queues: URLs, visibility, redrive, batches.

use std::{collections::BTreeMap, time::Duration};

use sandbox_core::Queues;
use serde_json::{Value, json};

use super::support::{CUSTOMER, VENDOR, World};
use crate::Credentials;

async fn queue(world: &World, owner: &Credentials, name: &str, attributes: Value) -> String {
    let create = json!({"QueueName": name, "Attributes": attributes});
    let created = world.ok(owner, "sqs", "CreateQueue", create).await;
    created["QueueUrl"].as_str().unwrap().to_owned()
}

async fn receive(world: &World, owner: &Credentials, url: &str) -> Vec<Value> {
    let ask =
        json!({"QueueUrl": url, "MaxNumberOfMessages": 10, "MessageSystemAttributeNames": ["All"]});
    let answer = world.ok(owner, "sqs", "ReceiveMessage", ask).await;
    answer["Messages"].as_array().cloned().unwrap_or_default()
}

#[tokio::test]
async fn queue_urls_lead_here_and_are_accepted_back() {
    let world = World::start().await;
    let vendor = world.aws.admin_credentials(VENDOR);
    let url = queue(&world, &vendor, "refresh", json!({})).await;
    assert_eq!(
        url,
        format!("http://{}/111111111111/refresh", world.address)
    );
    let listed = world.ok(&vendor, "sqs", "ListQueues", json!({})).await;
    assert_eq!(listed["QueueUrls"], json!([url]));
    let found = world
        .ok(
            &vendor,
            "sqs",
            "GetQueueUrl",
            json!({"QueueName": "refresh"}),
        )
        .await;
    assert_eq!(found["QueueUrl"], json!(url));
    let ask = json!({"QueueUrl": url, "AttributeNames": ["All"]});
    let attributes = world.ok(&vendor, "sqs", "GetQueueAttributes", ask).await;
    assert_eq!(
        attributes["Attributes"]["QueueArn"],
        "arn:aws:sqs:us-east-1:111111111111:refresh"
    );
    let customer = world.aws.admin_credentials(CUSTOMER);
    let ask = json!({"QueueUrl": url, "MessageBody": "x"});
    let (status, body) = world.json(&customer, "sqs", "SendMessage", ask).await;
    assert_eq!(
        (status, body["__type"].as_str()),
        (403, Some("com.amazonaws.sqs#AccessDenied"))
    );
    let ask = json!({"QueueUrl": format!("http://{}/111111111111/none", world.address), "MessageBody": "x"});
    let (status, body) = world.json(&vendor, "sqs", "SendMessage", ask).await;
    assert_eq!(
        (status, body["__type"].as_str()),
        (400, Some("com.amazonaws.sqs#QueueDoesNotExist"))
    );
}

#[tokio::test]
async fn a_received_message_is_invisible_until_released_and_gone_when_deleted() {
    let world = World::start().await;
    let vendor = world.aws.admin_credentials(VENDOR);
    let url = queue(&world, &vendor, "q", json!({"VisibilityTimeout": "600"})).await;
    let body = "{\"arn\":\"arn:aws:sqs:us-east-1:123456789012:kept\"}";
    world
        .ok(
            &vendor,
            "sqs",
            "SendMessage",
            json!({"QueueUrl": url, "MessageBody": body}),
        )
        .await;
    let first = receive(&world, &vendor, &url).await;
    assert_eq!(first[0]["Body"], body);
    assert_eq!(first[0]["Attributes"]["ApproximateReceiveCount"], "1");
    assert!(receive(&world, &vendor, &url).await.is_empty());
    let release = json!({
        "QueueUrl": url, "ReceiptHandle": first[0]["ReceiptHandle"], "VisibilityTimeout": 0,
    });
    world
        .ok(&vendor, "sqs", "ChangeMessageVisibility", release)
        .await;
    let second = receive(&world, &vendor, &url).await;
    assert_eq!(second[0]["Attributes"]["ApproximateReceiveCount"], "2");
    let delete = json!({"QueueUrl": url, "ReceiptHandle": second[0]["ReceiptHandle"]});
    let (status, _) = world.json(&vendor, "sqs", "DeleteMessage", delete).await;
    assert_eq!(status, 200);
    let ask = json!({"QueueUrl": url, "AttributeNames": ["All"]});
    let attributes = world.ok(&vendor, "sqs", "GetQueueAttributes", ask).await;
    assert_eq!(attributes["Attributes"]["ApproximateNumberOfMessages"], "0");
    assert_eq!(
        attributes["Attributes"]["ApproximateNumberOfMessagesNotVisible"],
        "0"
    );
}

#[tokio::test]
async fn a_message_that_fails_too_often_goes_to_the_dead_letter_queue() {
    let world = World::start().await;
    let vendor = world.aws.admin_credentials(VENDOR);
    let dead = queue(&world, &vendor, "dead", json!({})).await;
    let policy = json!({
        "deadLetterTargetArn": "arn:aws:sqs:us-east-1:111111111111:dead", "maxReceiveCount": 2,
    });
    let url = queue(
        &world,
        &vendor,
        "q",
        json!({"RedrivePolicy": policy.to_string()}),
    )
    .await;
    world
        .ok(
            &vendor,
            "sqs",
            "SendMessage",
            json!({"QueueUrl": url, "MessageBody": "m"}),
        )
        .await;
    for _ in 0..2 {
        let got = receive(&world, &vendor, &url).await;
        let release = json!({
            "QueueUrl": url, "ReceiptHandle": got[0]["ReceiptHandle"], "VisibilityTimeout": 0,
        });
        world
            .ok(&vendor, "sqs", "ChangeMessageVisibility", release)
            .await;
    }
    assert!(receive(&world, &vendor, &url).await.is_empty());
    assert_eq!(receive(&world, &vendor, &dead).await[0]["Body"], "m");
}

#[tokio::test]
async fn batches_answer_entry_by_entry() {
    let world = World::start().await;
    let vendor = world.aws.admin_credentials(VENDOR);
    let url = queue(&world, &vendor, "q", json!({})).await;
    let entries: Vec<Value> = (0..10)
        .map(|n| json!({"Id": n.to_string(), "MessageBody": format!("m{n}")}))
        .collect();
    let sent = world
        .ok(
            &vendor,
            "sqs",
            "SendMessageBatch",
            json!({"QueueUrl": url, "Entries": entries}),
        )
        .await;
    assert_eq!(sent["Successful"].as_array().unwrap().len(), 10);
    assert_eq!(sent["Failed"].as_array().map_or(0, Vec::len), 0);
    let got = receive(&world, &vendor, &url).await;
    assert_eq!(got.len(), 10);
    let mut entries: Vec<Value> = got
        .iter()
        .take(2)
        .map(|message| json!({"Id": message["MessageId"], "ReceiptHandle": message["ReceiptHandle"]}))
        .collect();
    entries.push(json!({"Id": "bad", "ReceiptHandle": "nonsense"}));
    let deleted = world
        .ok(
            &vendor,
            "sqs",
            "DeleteMessageBatch",
            json!({"QueueUrl": url, "Entries": entries}),
        )
        .await;
    assert_eq!(deleted["Successful"].as_array().unwrap().len(), 2);
    assert_eq!(deleted["Failed"][0]["Id"], "bad");
}

#[tokio::test]
async fn queues_work_without_http_by_arn() {
    let world = World::start().await;
    let vendor = world.aws.admin_credentials(VENDOR);
    queue(&world, &vendor, "q", json!({})).await;
    let arn = "arn:aws:sqs:us-east-1:111111111111:q";
    let attributes = BTreeMap::from([("tenantId".to_owned(), "ten_1".to_owned())]);
    world
        .aws
        .send(arn, "hello".into(), attributes)
        .await
        .unwrap();
    let got = world.aws.receive(arn, 10).await.unwrap();
    assert_eq!((got.len(), got[0].body.as_str()), (1, "hello"));
    assert_eq!(got[0].attributes["ApproximateReceiveCount"], "1");
    world
        .aws
        .release(arn, &got[0].receipt_handle, Duration::ZERO)
        .await
        .unwrap();
    let again = world.aws.receive(arn, 10).await.unwrap();
    world
        .aws
        .delete(arn, &again[0].receipt_handle)
        .await
        .unwrap();
    assert!(world.aws.receive(arn, 10).await.unwrap().is_empty());
    let missing = "arn:aws:sqs:us-east-1:111111111111:none";
    assert_eq!(
        world.aws.receive(missing, 1).await,
        Err("QueueDoesNotExist".to_owned())
    );
}
