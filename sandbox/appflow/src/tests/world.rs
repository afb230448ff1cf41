//! What a test starts with: the service, a Salesforce, buckets, and calls in an account's name.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;
use sandbox_core::{AwsCall, AwsService, Clock, Principal};
use serde_json::{Value, json};

use super::{account::Memory, salesforce::Salesforce};
use crate::{AppFlow, Options};

pub(super) const ACCOUNT: &str = "222222222222";
pub(super) const OTHER: &str = "333333333333";

pub(super) struct World {
    pub(super) appflow: AppFlow,
    pub(super) clock: Clock,
    pub(super) memory: Arc<Memory>,
    pub(super) salesforce: Salesforce,
}

/// Status, exception and body of an answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) exception: String,
    pub(super) body: Value,
}

impl Answer {
    pub(super) fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }
}

impl World {
    pub(super) async fn new() -> Self {
        Self::with(Options::default()).await
    }

    pub(super) async fn with(options: Options) -> Self {
        let clock = Clock::default();
        let memory = Arc::new(Memory::default());
        for account in [ACCOUNT, OTHER] {
            let policy = json!({ "Statement": [{ "Effect": "Allow",
                "Principal": { "Service": "appflow.amazonaws.com" },
                "Action": ["s3:GetObject", "s3:ListBucket", "s3:PutObject", "s3:AbortMultipartUpload",
                    "s3:ListMultipartUploadParts", "s3:ListBucketMultipartUploads", "s3:GetBucketAcl",
                    "s3:PutObjectAcl"],
                "Resource": ["arn:aws:s3:::landing", "arn:aws:s3:::landing/*"],
                "Condition": { "StringEquals": { "aws:SourceAccount": account } } }] });
            let mut things = memory.look();
            things
                .buckets
                .insert((account.into(), "landing".into()), Some(policy));
            things
                .buckets
                .insert((account.into(), "closed".into()), None);
        }
        let services: Arc<dyn sandbox_core::AccountServices> = memory.clone();
        Self {
            appflow: AppFlow::with_options(clock.clone(), services, options),
            clock,
            memory,
            salesforce: Salesforce::start().await,
        }
    }

    /// A raw call.
    pub(super) async fn raw(
        &self,
        account: &str,
        method: &str,
        target: &str,
        body: &str,
    ) -> Answer {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let reply = self
            .appflow
            .handle(AwsCall {
                principal: Principal {
                    access_key_id: "AKIA".into(),
                    account: account.into(),
                    arn: format!("arn:aws:sts::{account}:assumed-role/TributaryAccess/t"),
                    role_arn: None,
                    tags: BTreeMap::new(),
                    on_behalf_of: None,
                },
                region: "us-east-1".into(),
                service: "appflow".into(),
                method: method.parse().expect("method"),
                path: path.into(),
                query: query.into(),
                headers: http::HeaderMap::new(),
                body: Bytes::from(body.to_owned()),
            })
            .await;
        let exception = reply.headers.get("x-amzn-errortype");
        Answer {
            status: reply.status.as_u16(),
            exception: exception.map_or_else(String::new, |v| v.to_str().expect("text").to_owned()),
            body: serde_json::from_slice(&reply.body).expect("JSON"),
        }
    }

    pub(super) async fn call_as(&self, account: &str, route: &str, body: Value) -> Answer {
        self.raw(account, "POST", &format!("/{route}"), &body.to_string())
            .await
    }

    pub(super) async fn call(&self, route: &str, body: Value) -> Answer {
        self.call_as(ACCOUNT, route, body).await
    }

    /// A call that must succeed.
    pub(super) async fn ok(&self, route: &str, body: Value) -> Value {
        let answer = self.call(route, body).await;
        assert_eq!(answer.status, 200, "{route}: {answer:?}");
        answer.body
    }

    /// A Salesforce profile with these credentials.
    pub(super) fn profile(&self, name: &str, credentials: &Value) -> Value {
        json!({ "connectorProfileName": name, "connectorType": "Salesforce", "connectionMode": "Public",
            "connectorProfileConfig": {
                "connectorProfileProperties": { "Salesforce": { "instanceUrl": self.salesforce.url } },
                "connectorProfileCredentials": { "Salesforce": credentials } } })
    }

    /// The connected app's own secret, and its ARN.
    pub(super) async fn app_secret(&self) -> String {
        let value = json!({ "clientId": "app", "clientSecret": "app-secret-value" }).to_string();
        let services: &dyn sandbox_core::AccountServices = self.memory.as_ref();
        services
            .put_secret(ACCOUNT, "connected-app", value)
            .await
            .expect("secret")
    }

    /// The profile `sf` with an access token alone, as Tributary makes it.
    pub(super) async fn connect(&self) {
        let token = self.salesforce.org().access_token.clone();
        self.ok(
            "create-connector-profile",
            self.profile("sf", &json!({ "accessToken": token })),
        )
        .await;
    }

    /// Starts an on-demand flow, waits for its end and answers its record.
    pub(super) async fn run(&self, flow: &str) -> Value {
        let id = self.ok("start-flow", json!({ "flowName": flow })).await["executionId"].clone();
        self.appflow.settled().await;
        let record = self.last_run(flow).await;
        assert_eq!(record["executionId"], id);
        record
    }

    /// The newest run record.
    pub(super) async fn last_run(&self, flow: &str) -> Value {
        self.runs(flow).await[0].clone()
    }

    pub(super) async fn runs(&self, flow: &str) -> Vec<Value> {
        let body = json!({ "flowName": flow, "maxResults": 100 });
        let records = self.ok("describe-flow-execution-records", body).await;
        records["flowExecutions"].as_array().expect("list").clone()
    }

    /// Events of a type, newest last.
    pub(super) fn events(&self, detail_type: &str) -> Vec<Value> {
        let things = self.memory.look();
        let events = things.events.iter().map(|(_, event)| event);
        events
            .filter(|e| e["detail-type"] == detail_type)
            .cloned()
            .collect()
    }

    /// Bodies of the objects under `landing`, in order of keys.
    pub(super) fn landed(&self) -> Vec<(String, String)> {
        let things = self.memory.look();
        things
            .objects
            .iter()
            .filter(|((account, _), _)| account == ACCOUNT)
            .map(|((_, path), body)| {
                (
                    path.clone(),
                    String::from_utf8(body.to_vec()).expect("text"),
                )
            })
            .collect()
    }
}

/// An on-demand flow `name` from `City__c` to the bucket `landing`, everything mapped.
pub(super) fn flow(name: &str) -> Value {
    json!({
        "flowName": name,
        "triggerConfig": { "triggerType": "OnDemand" },
        "sourceFlowConfig": { "connectorType": "Salesforce", "connectorProfileName": "sf",
            "sourceConnectorProperties": { "Salesforce": { "object": "City__c" } } },
        "destinationFlowConfigList": [{ "connectorType": "S3",
            "destinationConnectorProperties": { "S3": { "bucketName": "landing", "bucketPrefix": "sf" } } }],
        "tasks": [{ "taskType": "Map_all", "sourceFields": [], "connectorOperator": { "Salesforce": "NO_OP" },
            "taskProperties": { "EXCLUDE_SOURCE_FIELDS_LIST": "[]" } }],
    })
}

/// The same, scheduled.
pub(super) fn scheduled(name: &str, more: Value) -> Value {
    let mut schedule =
        json!({ "scheduleExpression": "rate(1hours)", "dataPullMode": "Incremental" });
    if let (Some(schedule), Value::Object(more)) = (schedule.as_object_mut(), more) {
        schedule.extend(more);
    }
    let mut body = flow(name);
    body["triggerConfig"] =
        json!({ "triggerType": "Scheduled", "triggerProperties": { "Scheduled": schedule } });
    body
}

/// Names of a value's members.
pub(super) fn members(value: &Value) -> BTreeSet<String> {
    let object = value.as_object().expect("object");
    object.keys().cloned().collect()
}

/// An event has the same members as a reference event, and only text in its detail.
pub(super) fn assert_like(event: &Value, reference: &str) {
    let reference: Value = serde_json::from_str(reference).expect("JSON");
    assert_eq!(members(event), members(&reference));
    assert_eq!(members(&event["detail"]), members(&reference["detail"]));
    let detail = event["detail"].as_object().expect("detail");
    assert!(detail.values().all(Value::is_string), "{detail:?}");
}
