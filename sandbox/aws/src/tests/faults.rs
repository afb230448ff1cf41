//! Faults on demand, and what the journal says of them.

use sandbox_core::{Fault, FaultRule};
use serde_json::json;

use super::support::{VENDOR, World};

async fn send(world: &World, fault: Option<Fault>) -> Result<(u16, String), reqwest::Error> {
    if let Some(fault) = fault {
        world.aws.options.faults.add(FaultRule {
            service: "sqs".into(),
            operation: "SendMessage".into(),
            fault,
            times: 1,
        });
    }
    let vendor = world.aws.admin_credentials(VENDOR);
    let url = format!("http://{}/{VENDOR}/q", world.address);
    let response = world
        .request(&vendor, "sqs", http::Method::POST, "/")
        .header("x-amz-target", "AmazonSQS.SendMessage")
        .header("content-type", "application/x-amz-json-1.0")
        .body(json!({"QueueUrl": url, "MessageBody": "m"}).to_string())
        .send()
        .await?;
    let status = response.status().as_u16();
    Ok((status, response.text().await?))
}

async fn waiting(world: &World) -> String {
    let vendor = world.aws.admin_credentials(VENDOR);
    let url = format!("http://{}/{VENDOR}/q", world.address);
    let ask = json!({"QueueUrl": url, "AttributeNames": ["All"]});
    let answer = world.ok(&vendor, "sqs", "GetQueueAttributes", ask).await;
    answer["Attributes"]["ApproximateNumberOfMessages"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn each_fault_happens_before_or_after_the_effect_as_it_says() {
    let world = World::start().await;
    let vendor = world.aws.admin_credentials(VENDOR);
    world
        .ok(&vendor, "sqs", "CreateQueue", json!({"QueueName": "q"}))
        .await;
    let throttled = Fault::Status {
        status: 400,
        retry_after: Some(2),
        body: "{\"__type\":\"ThrottlingException\"}".into(),
    };
    let (status, body) = send(&world, Some(throttled)).await.unwrap();
    assert_eq!(status, 400);
    assert_eq!(body, "{\"__type\":\"ThrottlingException\"}");
    assert!(send(&world, Some(Fault::DropBefore)).await.is_err());
    assert_eq!(waiting(&world).await, "0");
    assert!(send(&world, Some(Fault::DropAfter)).await.is_err());
    assert_eq!(waiting(&world).await, "1");
    assert!(send(&world, Some(Fault::Truncate)).await.is_err());
    assert_eq!(waiting(&world).await, "2");
    assert_eq!(send(&world, Some(Fault::Delay(1))).await.unwrap().0, 200);
    assert_eq!(send(&world, None).await.unwrap().0, 200);
    assert_eq!(waiting(&world).await, "4");
}

#[tokio::test]
async fn the_journal_names_the_caller_and_holds_no_secret() {
    let world = World::start().await;
    let session = world.function();
    world
        .ok(&session, "dynamodb", "ListTables", json!({}))
        .await;
    let entry = world.aws.options.journal.entries().pop().unwrap();
    assert_eq!(
        (entry.service.as_str(), entry.operation.as_str()),
        ("dynamodb", "ListTables")
    );
    assert_eq!(entry.account.as_deref(), Some(VENDOR));
    assert_eq!(
        entry.principal.as_deref(),
        Some("arn:aws:sts::111111111111:assumed-role/flows/flows")
    );
    assert_eq!(entry.status, 200);
    let text = serde_json::to_string(&world.aws.options.journal.entries()).unwrap();
    assert!(world.aws.options.canaries.found_in(&text).is_empty());
}
