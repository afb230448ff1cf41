//! The leak sweep: seeded secrets are looked for in everything that was logged, sent or stored in
//! the open.

use bytes::Bytes;
use http::Method;
use sandbox_core::{CUSTOMER_ACCOUNT, OTHER_CUSTOMER_ACCOUNT, VENDOR_ACCOUNT};
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
    /// journal, the table, the queues (those of dead letters too) and the objects in buckets.
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
        for (queue, message) in self.queued_messages().await {
            look(&format!("queue {queue}"), &message);
        }
        for (object, content) in self.stored_objects(|_| true).await {
            look(&format!("object {object}"), &content);
        }
        for item in self.table_items().await {
            look("table", &item.to_string());
        }
        leaks
    }

    /// Every message that waits on a queue of the stack, with the queue's logical id. They are hidden
    /// for half a minute afterwards, so this is for the end of a test.
    pub async fn queued_messages(&self) -> Vec<(String, String)> {
        let admin = self.aws.admin(VENDOR_ACCOUNT);
        let mut found = Vec::new();
        for (id, queue) in self.stack.of_kind("AWS::SQS::Queue") {
            let request = json!({
                "QueueUrl": queue.physical_id(), "MaxNumberOfMessages": 10, "VisibilityTimeout": 30,
                "MessageAttributeNames": ["All"],
            });
            loop {
                let reply = self
                    .aws
                    .call(&admin, "sqs", "ReceiveMessage", &request)
                    .await;
                let page: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
                let messages = page["Messages"].as_array().cloned().unwrap_or_default();
                if messages.is_empty() {
                    break;
                }
                found.extend(
                    messages
                        .iter()
                        .map(|message| (id.to_string(), message.to_string())),
                );
            }
        }
        found
    }

    /// Every object, as text, in those buckets of all accounts whose name is wanted.
    pub async fn stored_objects(&self, wanted: impl Fn(&str) -> bool) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for account in [VENDOR_ACCOUNT, CUSTOMER_ACCOUNT, OTHER_CUSTOMER_ACCOUNT] {
            let admin = self.aws.admin(account);
            let get = async |path: &str| {
                let reply = self
                    .aws
                    .call_rest(&admin, "s3", Method::GET, path, Bytes::new())
                    .await;
                String::from_utf8_lossy(&reply.body).into_owned()
            };
            let mut buckets = texts(&get("/").await, "Name");
            buckets.retain(|bucket| wanted(bucket));
            for bucket in buckets {
                let mut after = String::new();
                loop {
                    let page = get(&format!("/{bucket}?list-type=2{after}")).await;
                    let keys = texts(&page, "Key");
                    for key in &keys {
                        let object = format!("/{bucket}/{key}");
                        found.push((object.clone(), get(&object).await));
                    }
                    match keys.last() {
                        Some(last) if page.contains("<IsTruncated>true") => {
                            after = format!("&start-after={last}");
                        }
                        _ => break,
                    }
                }
            }
        }
        found
    }

    /// The secrets in which AppFlow keeps the credentials of an account's profiles, by name.
    pub async fn appflow_secrets(&self, account: &str) -> Vec<(String, String)> {
        let admin = self.aws.admin(account);
        let call = async |operation: &str, request: Value| -> Value {
            let reply = self
                .aws
                .call(&admin, "secretsmanager", operation, &request)
                .await;
            serde_json::from_slice(&reply.body).unwrap_or_default()
        };
        let mut found = Vec::new();
        let mut request = json!({ "MaxResults": 100 });
        loop {
            let page = call("ListSecrets", request.clone()).await;
            let names = page["SecretList"].as_array().cloned().unwrap_or_default();
            for name in names.iter().filter_map(|secret| secret["Name"].as_str()) {
                if name.starts_with("appflow!") {
                    let value = call("GetSecretValue", json!({ "SecretId": name })).await;
                    let text = value["SecretString"].as_str().unwrap_or_default();
                    found.push((name.to_owned(), text.to_owned()));
                }
            }
            if page["NextToken"].is_null() {
                return found;
            }
            request["NextToken"] = page["NextToken"].clone();
        }
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

/// The texts of an XML document's elements of this name.
fn texts(document: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    document
        .split(&open)
        .skip(1)
        .filter_map(|rest| rest.split_once(&close))
        .map(|(text, _)| text.to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::texts;

    #[test]
    fn elements_are_found_by_their_name() {
        let document = "<a><Key>x/1</Key><Size>2</Size></a><a><Key>y</Key></a>";
        assert_eq!(texts(document, "Key"), ["x/1", "y"]);
        assert_eq!(texts("", "Key"), Vec::<String>::new());
    }
}
