//! The tour, as `cargo run -p sandbox -- tour` walks it, and what it shows about permissions.

use std::collections::BTreeSet;

use sandbox_core::Entry;
use serde_json::Value;

use crate::common;

/// A10: onboarding, connect, flow, run, notification and query on a machine without AWS and network.
///
/// The same walk shows that the templates grant what the functions do: every AWS call that was made
/// must be among the actions of the policies of the role that made it.
#[tokio::test(flavor = "multi_thread")]
async fn a10_the_tour_holds_and_every_call_is_granted_by_the_templates() {
    let sandbox = common::start().await;
    sandbox::tour::walk(&sandbox).await.unwrap();

    let mut missing = BTreeSet::new();
    for entry in sandbox.journal.entries() {
        let Some((role, action)) = role_and_action(&entry) else {
            continue;
        };
        let granted = ["111111111111", "222222222222"]
            .iter()
            .flat_map(|account| {
                [
                    format!("arn:aws:iam::{account}:role/tributary/{role}"),
                    format!("arn:aws:iam::{account}:role/{role}"),
                ]
            })
            .filter_map(|arn| sandbox.aws.role(&arn))
            .any(|role| {
                role.identity_policies
                    .iter()
                    .any(|policy| grants(policy, &action))
            });
        if !granted {
            missing.insert(format!("{role} lacks {action}"));
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

/// The role and the IAM action of a call, if a role made it.
fn role_and_action(entry: &Entry) -> Option<(String, String)> {
    let (_, session) = entry.principal.as_deref()?.split_once(":assumed-role/")?;
    let role = session.split('/').next()?.to_owned();
    let prefix = entry.service.as_str();
    let operation = match (prefix, entry.operation.as_str()) {
        // A transaction needs the actions of its parts; these are what ours consist of.
        ("dynamodb", "TransactWriteItems") => "PutItem",
        ("sqs", "SendMessageBatch") => "SendMessage",
        ("sts", "GetCallerIdentity") => return None,
        ("appflow", path) => return Some((role, format!("appflow:{}", pascal(path)))),
        (_, operation) => operation,
    };
    Some((role, format!("{prefix}:{operation}")))
}

/// `POST /start-flow` is `StartFlow`.
fn pascal(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.split('-')
        .map(|word| {
            word.get(..1).map(str::to_uppercase).unwrap_or_default()
                + word.get(1..).unwrap_or_default()
        })
        .collect()
}

fn grants(policy: &Value, action: &str) -> bool {
    let statements = policy["Statement"].as_array().into_iter().flatten();
    statements
        .filter(|statement| statement["Effect"] == "Allow")
        .any(|statement| match &statement["Action"] {
            Value::String(one) => one == action,
            Value::Array(many) => many.iter().any(|one| one == action),
            _ => false,
        })
}
