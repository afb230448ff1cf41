//! The record of permissions.

use std::collections::BTreeMap;

use sandbox_core::Queues;
use serde_json::{Value, json};

use super::support::{VENDOR, World};
use crate::{ExpectedDenial, Role, RoleQueues, RoleUnderTest, record_permissions};

const ROLE: &str = "arn:aws:iam::111111111111:role/recorded";

#[tokio::test]
async fn what_a_templates_role_uses_and_lacks_is_written_down_under_the_templates_names() {
    let folder = std::env::temp_dir().join(uuid::Uuid::new_v4().to_string());
    record_permissions(&folder).unwrap();
    let world = World::start().await;
    let admin = world.aws.admin_credentials(VENDOR);
    for queue in ["jobs", "other"] {
        let made = json!({ "QueueName": queue });
        world.ok(&admin, "sqs", "CreateQueue", made).await;
    }
    let key = "arn:aws:kms:us-east-1:111111111111:key/0b0e1e1c-58a2-4f6a-9e5c-0d8a4f1f2c3d";
    let jobs = "arn:aws:sqs:us-east-1:111111111111:jobs";
    world.aws.encrypt(jobs, key);
    let role = Role {
        arn: ROLE.into(),
        trust_policy: json!({"Statement": {
            "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole",
        }}),
        identity_policies: vec![json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": ["sqs:SendMessage", "sqs:ReceiveMessage"], "Resource": jobs},
            {"Effect": "Allow", "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": key},
        ]})],
        max_session_seconds: 3600,
    };
    world.aws.put_template_role(
        role,
        RoleUnderTest {
            template: "t.yaml".to_owned(),
            logical_id: "WorkerRole".to_owned(),
            names: BTreeMap::from([(jobs.to_owned(), "Jobs".to_owned())]),
        },
    );
    world.aws.expect_denial(ExpectedDenial {
        role: "WorkerRole".to_owned(),
        action: "sqs:PurgeQueue".to_owned(),
    });
    let queues = RoleQueues::new(&world.aws, ROLE);
    queues
        .send(jobs, "b".to_owned(), BTreeMap::new())
        .await
        .unwrap();
    // Polling asks for attributes, too, and another queue is another resource.
    let refused = queues.receive(jobs, 1).await.unwrap_err();
    assert!(
        refused.starts_with("AccessDenied: User: arn:aws:iam::"),
        "{refused}"
    );
    let worker = world.aws.assume_for_function(ROLE, "w").unwrap();
    for queue in ["jobs", "other"] {
        let url = json!({ "QueueUrl": world.aws.queue_url(VENDOR, queue) });
        world.json(&worker, "sqs", "PurgeQueue", url.clone()).await;
        world.json(&worker, "sqs", "ReceiveMessage", url).await;
    }

    let facts = facts(&folder);
    let of = |kind: &str| -> Vec<String> {
        let mut found: Vec<String> = facts
            .iter()
            .filter_map(|fact| fact.get(kind))
            .filter(|fact| fact["role"] == "t.yaml WorkerRole")
            .map(|fact| format!("{} {}", fact["action"], fact["resource"]).replace('"', ""))
            .collect();
        found.sort();
        found
    };
    let key = "arn:aws:kms:us-east-1:<account>:key/<id>";
    let granted = [
        format!("kms:Decrypt {key}"),
        format!("kms:GenerateDataKey {key}"),
        "sqs:ReceiveMessage <Jobs>".to_owned(),
        "sqs:SendMessage <Jobs>".to_owned(),
    ];
    assert_eq!(of("granted"), granted);
    assert_eq!(of("used"), granted);
    assert_eq!(
        of("denied"),
        [
            "sqs:GetQueueAttributes <Jobs>",
            "sqs:ReceiveMessage arn:aws:sqs:us-east-1:<account>:other"
        ]
    );
    std::fs::remove_dir_all(folder).unwrap();
}

fn facts(folder: &std::path::Path) -> Vec<Value> {
    let file = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap();
    let text = std::fs::read_to_string(file.path()).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
