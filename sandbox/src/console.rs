//! What people of an account do in its own console, behind Tributary's back.

use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use sandbox_aws::Aws;
use sandbox_core::AwsReply;
use serde_json::{Value, json};

use crate::Sandbox;

/// What DescribeFlow answers and UpdateFlow does not take.
const READ_ONLY: [&str; 11] = [
    "createdAt",
    "createdBy",
    "flowArn",
    "flowStatus",
    "flowStatusMessage",
    "kmsArn",
    "lastRunExecutionDetails",
    "lastRunMetadataCatalogDetails",
    "lastUpdatedAt",
    "lastUpdatedBy",
    "schemaVersion",
];

/// An account's console, in the hands of its administrator (`user/admin`).
pub struct Console {
    aws: Arc<Aws>,
    account: String,
}

impl std::fmt::Debug for Console {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Console")
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

impl Sandbox {
    /// The console of an account.
    pub fn console(&self, account: &str) -> Console {
        Console {
            aws: Arc::clone(&self.aws),
            account: account.to_owned(),
        }
    }
}

impl Console {
    /// ARN of who acts: `lastUpdatedBy` of what is changed here.
    pub fn arn(&self) -> String {
        self.aws.admin(&self.account).arn
    }

    /// An operation of AppFlow by its route (`stop-flow`); status and body.
    pub async fn appflow(&self, route: &str, body: &Value) -> (u16, Value) {
        let path = format!("/{route}");
        let reply = self
            .rest("appflow", Method::POST, &path, body.to_string().into())
            .await;
        let body = serde_json::from_slice(&reply.body).unwrap_or_default();
        (reply.status.as_u16(), body)
    }

    /// An operation of S3: method, path with query, body.
    pub async fn s3(&self, method: Method, path: &str, body: Bytes) -> AwsReply {
        self.rest("s3", method, path, body).await
    }

    /// An operation of a JSON service (`events`, `CreateEventBus`); status and body.
    pub async fn json(&self, service: &str, operation: &str, body: &Value) -> (u16, Value) {
        let admin = self.aws.admin(&self.account);
        let reply = self.aws.call(&admin, service, operation, body).await;
        let body = serde_json::from_slice(&reply.body).unwrap_or_default();
        (reply.status.as_u16(), body)
    }

    /// Edits a flow and saves it: what `edit` gets is the flow as DescribeFlow shows it, without what
    /// cannot be sent back.
    pub async fn edit_flow(&self, name: &str, edit: impl FnOnce(&mut Value)) -> (u16, Value) {
        let (status, mut flow) = self
            .appflow("describe-flow", &json!({ "flowName": name }))
            .await;
        if status != 200 {
            return (status, flow);
        }
        if let Some(members) = flow.as_object_mut() {
            members.retain(|member, _| member != "tags" && !READ_ONLY.contains(&member.as_str()));
        }
        edit(&mut flow);
        self.appflow("update-flow", &flow).await
    }

    /// Associates the partner event source of a flow with a bus of its name.
    pub async fn associate_event_source(&self, source: &str) -> (u16, Value) {
        let body = json!({ "Name": source, "EventSourceName": source });
        self.json("events", "CreateEventBus", &body).await
    }

    async fn rest(&self, service: &str, method: Method, path: &str, body: Bytes) -> AwsReply {
        let admin = self.aws.admin(&self.account);
        self.aws
            .call_rest(&admin, service, method, path, body)
            .await
    }
}
