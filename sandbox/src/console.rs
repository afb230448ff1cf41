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

#[cfg(test)]
mod tests {
    use sandbox_appflow::AppFlow;
    use sandbox_core::{CUSTOMER_ACCOUNT, Clock};

    use super::*;
    use crate::services::loopback;

    /// A customer's console, and a flow between two folders of a bucket.
    async fn with_flow() -> Console {
        let (aws, services) = loopback();
        aws.register(Arc::new(AppFlow::new(Clock::default(), services)));
        let console = Console {
            aws,
            account: CUSTOMER_ACCOUNT.to_owned(),
        };
        let put = |path: &'static str, body: Bytes| console.s3(Method::PUT, path, body);
        assert_eq!(put("/landing", Bytes::new()).await.status, 200);
        let policy = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow",
            "Principal": { "Service": "appflow.amazonaws.com" }, "Action": "s3:*",
            "Resource": ["arn:aws:s3:::landing", "arn:aws:s3:::landing/*"] }] });
        let policy = policy.to_string().into();
        assert_eq!(put("/landing?policy", policy).await.status, 204);
        let flow = json!({
            "flowName": "copied", "description": "ours",
            "triggerConfig": { "triggerType": "OnDemand" },
            "sourceFlowConfig": { "connectorType": "S3", "sourceConnectorProperties":
                { "S3": { "bucketName": "landing", "bucketPrefix": "in" } } },
            "destinationFlowConfigList": [{ "connectorType": "S3", "destinationConnectorProperties":
                { "S3": { "bucketName": "landing", "bucketPrefix": "out" } } }],
            "tasks": [{ "taskType": "Map", "sourceFields": ["a"], "destinationField": "a",
                        "connectorOperator": { "S3": "NO_OP" } }],
        });
        let (status, body) = console.appflow("create-flow", &flow).await;
        assert_eq!(status, 200, "{body}");
        console
    }

    #[tokio::test]
    async fn f6_an_edit_in_the_console_is_signed_by_its_user() {
        let console = with_flow().await;
        let (status, body) = console
            .edit_flow("copied", |flow| flow["description"] = json!("theirs"))
            .await;
        assert_eq!(status, 200, "{body}");
        let ask = json!({ "flowName": "copied" });
        let (_, flow) = console.appflow("describe-flow", &ask).await;
        assert_eq!(flow["description"], "theirs");
        assert_eq!(flow["lastUpdatedBy"], console.arn());
        assert_eq!(flow["schemaVersion"], 1, "no mapping was changed");
        let (_, listed) = console.appflow("list-flows", &json!({})).await;
        assert_eq!(listed["flows"][0]["lastUpdatedBy"], console.arn());
        let (status, _) = console.edit_flow("nothing", |_| ()).await;
        assert_eq!(status, 404);
    }

    #[tokio::test]
    async fn a_partner_source_gets_its_bus_in_the_console() {
        let (aws, services) = loopback();
        let console = Console {
            aws,
            account: CUSTOMER_ACCOUNT.to_owned(),
        };
        let source = "aws.partner/appflow/salesforce.com/222222222222/crm";
        assert_eq!(console.associate_event_source(source).await.0, 400);
        services.offer_event_source(CUSTOMER_ACCOUNT, source).await;
        assert!(
            !services
                .event_source_is_active(CUSTOMER_ACCOUNT, source)
                .await
        );
        assert_eq!(console.associate_event_source(source).await.0, 200);
        assert!(
            services
                .event_source_is_active(CUSTOMER_ACCOUNT, source)
                .await
        );
    }
}
