//! SQS for the delivery services and the poller, without HTTP.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use sandbox_core::{BoxFuture, Queues, Received};
use serde_json::{Map, Value, json};

use crate::{Act, Aws, call::answer};

impl Aws {
    /// URL of a queue as the endpoint gives it out.
    pub fn queue_url(&self, account: &str, name: &str) -> String {
        match self.address.get() {
            Some(address) => format!("http://{address}/{account}/{name}"),
            None => format!("/{account}/{name}"),
        }
    }

    async fn sqs(&self, queue_arn: &str, operation: &str, mut ask: Value) -> Result<Value, String> {
        let parts: Vec<&str> = queue_arn.split(':').collect();
        let ["arn", "aws", "sqs", _, account, name] = parts.as_slice() else {
            return Err("QueueDoesNotExist".to_owned());
        };
        ask["QueueUrl"] = json!(self.queue_url(account, name));
        let owner = self.admin(account);
        answer(&self.call(&owner, "sqs", operation, &ask).await)
    }
}

impl Queues for Aws {
    fn send<'a>(
        &'a self,
        queue_arn: &'a str,
        body: String,
        attributes: BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            let attributes: Map<String, Value> = attributes
                .into_iter()
                .map(|(name, value)| (name, json!({ "DataType": "String", "StringValue": value })))
                .collect();
            let ask = json!({ "MessageBody": body, "MessageAttributes": attributes });
            self.sqs(queue_arn, "SendMessage", ask).await.map(drop)
        })
    }

    fn receive<'a>(
        &'a self,
        queue_arn: &'a str,
        most: usize,
    ) -> BoxFuture<'a, Result<Vec<Received>, String>> {
        Box::pin(async move {
            let ask = json!({
                // SQS gives ten at most.
                "MaxNumberOfMessages": most.clamp(1, 10),
                "MessageSystemAttributeNames": ["All"],
                "MessageAttributeNames": ["All"],
                "WaitTimeSeconds": 0,
            });
            let answer = self.sqs(queue_arn, "ReceiveMessage", ask).await?;
            let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
            Ok(messages.iter().map(received).collect())
        })
    }

    fn delete<'a>(
        &'a self,
        queue_arn: &'a str,
        receipt_handle: &'a str,
    ) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            let ask = json!({ "ReceiptHandle": receipt_handle });
            self.sqs(queue_arn, "DeleteMessage", ask).await.map(drop)
        })
    }

    fn release<'a>(
        &'a self,
        queue_arn: &'a str,
        receipt_handle: &'a str,
        after: Duration,
    ) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            let ask = json!({
                "ReceiptHandle": receipt_handle, "VisibilityTimeout": after.as_secs(),
            });
            self.sqs(queue_arn, "ChangeMessageVisibility", ask)
                .await
                .map(drop)
        })
    }
}

/// Queues as a role may use them, for what Lambda does with a function's role: it polls, and it sends
/// to on-failure destinations.
pub struct RoleQueues {
    aws: Arc<Aws>,
    role_arn: String,
}

impl std::fmt::Debug for RoleQueues {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RoleQueues")
            .field("role_arn", &self.role_arn)
            .finish_non_exhaustive()
    }
}

impl RoleQueues {
    /// Queues under this role.
    pub fn new(aws: &Arc<Aws>, role_arn: &str) -> Self {
        Self {
            aws: Arc::clone(aws),
            role_arn: role_arn.to_owned(),
        }
    }

    /// Whether the role may do this with a queue, and with its key if it is encrypted.
    fn may(&self, queue_arn: &str, actions: &[&str], of_key: &[&str]) -> Result<(), String> {
        let refused = |error: crate::NotAuthorized| format!("AccessDenied: {error}");
        for action in actions {
            let act = Act {
                action,
                resource: queue_arn,
                keys: &[],
            };
            self.aws
                .authorize_role(&self.role_arn, &act)
                .map_err(refused)?;
        }
        self.aws
            .authorize_key(&self.role_arn, queue_arn, of_key)
            .map_err(refused)
    }
}

impl Queues for RoleQueues {
    fn send<'a>(
        &'a self,
        queue_arn: &'a str,
        body: String,
        attributes: BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            self.may(
                queue_arn,
                &["sqs:SendMessage"],
                &["GenerateDataKey", "Decrypt"],
            )?;
            self.aws.send(queue_arn, body, attributes).await
        })
    }

    fn receive<'a>(
        &'a self,
        queue_arn: &'a str,
        most: usize,
    ) -> BoxFuture<'a, Result<Vec<Received>, String>> {
        Box::pin(async move {
            let polls = ["sqs:ReceiveMessage", "sqs:GetQueueAttributes"];
            self.may(queue_arn, &polls, &["Decrypt"])?;
            self.aws.receive(queue_arn, most).await
        })
    }

    fn delete<'a>(
        &'a self,
        queue_arn: &'a str,
        receipt_handle: &'a str,
    ) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            self.may(queue_arn, &["sqs:DeleteMessage"], &[])?;
            self.aws.delete(queue_arn, receipt_handle).await
        })
    }

    /// Lambda lets the visibility timeout pass and asks for nothing; a sandbox only hurries it.
    fn release<'a>(
        &'a self,
        queue_arn: &'a str,
        receipt_handle: &'a str,
        after: Duration,
    ) -> BoxFuture<'a, Result<(), String>> {
        self.aws.release(queue_arn, receipt_handle, after)
    }
}

fn received(message: &Value) -> Received {
    let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
    Received {
        message_id: text("MessageId"),
        receipt_handle: text("ReceiptHandle"),
        body: text("Body"),
        attributes: message["Attributes"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
            .collect(),
        message_attributes: message["MessageAttributes"]
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(name, value)| {
                Some((name.clone(), value["StringValue"].as_str()?.to_owned()))
            })
            .collect(),
    }
}
