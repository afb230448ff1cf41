//! The leak sweep: seeded secrets are looked for in everything that was logged, sent or stored in
//! the open.

use sandbox_core::VENDOR_ACCOUNT;
use serde_json::{Value, json};

use crate::Sandbox;

/// A place in which a seeded secret was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leak {
    /// Where.
    pub place: String,
    /// Which kinds of secret.
    pub secrets: Vec<String>,
}

impl Sandbox {
    /// Looks for every seeded secret in the functions' and gateway's logs, the notifications, the
    /// journal, the table, and the dead-letter queues' stack of messages.
    pub async fn sweep_for_leaks(&self) -> Vec<Leak> {
        let mut leaks = Vec::new();
        let mut look = |place: &str, text: &str| {
            let secrets = self.canaries.found_in(text);
            if !secrets.is_empty() {
                leaks.push(Leak {
                    place: place.to_owned(),
                    secrets,
                });
            }
        };
        for line in self.logs.lines() {
            look(&format!("log of {}", line.source), &line.text);
        }
        for notification in self.notifications().await {
            look("notification", &notification.to_string());
        }
        for entry in self.journal.entries() {
            look(
                "journal",
                &serde_json::to_string(&entry).unwrap_or_default(),
            );
        }
        for item in self.table_items().await {
            look("table", &item.to_string());
        }
        leaks
    }

    /// Every item of the table.
    pub async fn table_items(&self) -> Vec<Value> {
        let table = self
            .stack
            .resources
            .get("Table")
            .map(|table| table.physical_id().to_owned())
            .unwrap_or_default();
        let admin = self.aws.admin(VENDOR_ACCOUNT);
        let (mut items, mut start) = (Vec::new(), Value::Null);
        loop {
            let mut request = json!({ "TableName": table });
            if !start.is_null() {
                request["ExclusiveStartKey"] = start;
            }
            let reply = self.aws.call(&admin, "dynamodb", "Scan", &request).await;
            let page: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
            items.extend(page["Items"].as_array().cloned().unwrap_or_default());
            start = page["LastEvaluatedKey"].clone();
            if start.is_null() {
                return items;
            }
        }
    }
}
