//! Creates a stack's resources in the loopback AWS, as CloudFormation does in the real one.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use http::Method;
use sandbox_aws::{Aws, Role, RoleUnderTest};
use sandbox_core::{AwsReply, Principal};
use sandbox_delivery::{EventBridge, Input, RuleSpec, Sns, TargetSpec};
use sandbox_gateway::template::{Resolved, Resource};
use serde_json::{Value, json};

use crate::{StartError, client};

/// The services that resources are created in.
pub(crate) struct Parts {
    pub(crate) aws: Arc<Aws>,
    pub(crate) events: Arc<EventBridge>,
    pub(crate) sns: Arc<Sns>,
}

/// Types that have no counterpart on one machine, or whose counterpart is made elsewhere (functions,
/// the API, keys and secrets that must exist before the template is evaluated).
const ELSEWHERE: [&str; 13] = [
    "AWS::Serverless::Function",
    "AWS::Serverless::HttpApi",
    "AWS::Logs::LogGroup",
    "AWS::KMS::Key",
    "AWS::SecretsManager::Secret",
    "AWS::SQS::QueuePolicy",
    "AWS::SNS::Subscription",
    "AWS::Lambda::Permission",
    "AWS::Events::EventBusPolicy",
    "AWS::IAM::RolePolicy",
    "AWS::S3::BucketPolicy",
    "AWS::Events::Rule",
    "AWS::CloudWatch::Alarm",
];

/// Creates everything of a template in an account; what is unknown is an error that names it.
pub(crate) async fn resources(
    parts: &Parts,
    account: &str,
    template: &str,
    resolved: &Resolved,
) -> Result<(), StartError> {
    let admin = parts.aws.admin(account);
    // Dead-letter queues first: a redrive policy names one that must exist.
    let mut ordered: Vec<(&String, &Resource)> = resolved.resources.iter().collect();
    ordered.sort_by_key(|(_, resource)| resource.properties.get("RedrivePolicy").is_some());
    for (id, resource) in ordered {
        match resource.kind.as_str() {
            "AWS::DynamoDB::Table" => table(parts, &admin, id, resource).await?,
            "AWS::SQS::Queue" => {
                queue(parts, &admin, id, resource).await?;
                encrypt(parts, resolved, resource);
            }
            "AWS::SNS::Topic" => {
                parts
                    .sns
                    .create_topic(account, name_of_arn(resource.physical_id()));
                encrypt(parts, resolved, resource);
            }
            "AWS::S3::Bucket" => bucket(parts, &admin, id, resource).await?,
            "AWS::IAM::Role" => role(parts, template, resolved, id, resource),
            "AWS::Events::EventBus" => {
                parts.events.create_bus(account, resource.physical_id());
            }
            kind if ELSEWHERE.contains(&kind) => {}
            other => {
                return Err(StartError::Resource(
                    id.clone(),
                    format!("the sandbox cannot create {other}"),
                ));
            }
        }
    }
    // What refers to the resources above.
    for (id, policy) in resolved.of_kind("AWS::S3::BucketPolicy") {
        bucket_policy(parts, &admin, id, policy).await?;
    }
    for (id, policy) in resolved.of_kind("AWS::SQS::QueuePolicy") {
        queue_policy(parts, &admin, id, policy).await?;
    }
    for (id, subscription) in resolved.of_kind("AWS::SNS::Subscription") {
        topic_subscription(parts, id, subscription).await?;
    }
    for (_, policy) in resolved.of_kind("AWS::Events::EventBusPolicy") {
        let bus = policy.properties["EventBusName"]
            .as_str()
            .unwrap_or("default");
        parts
            .events
            .set_bus_policy(account, bus, &policy.properties["Statement"]);
    }
    for (id, rule) in resolved.of_kind("AWS::Events::Rule") {
        event_rule(parts, account, id, rule)?;
    }
    Ok(())
}

async fn table(
    parts: &Parts,
    admin: &Principal,
    id: &str,
    resource: &Resource,
) -> Result<(), StartError> {
    let properties = &resource.properties;
    let mut request = json!({
        "TableName": resource.physical_id(),
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": properties["AttributeDefinitions"],
        "KeySchema": properties["KeySchema"],
    });
    if let Some(indexes) = properties.get("GlobalSecondaryIndexes") {
        request["GlobalSecondaryIndexes"] = indexes.clone();
    }
    done(
        id,
        &parts
            .aws
            .call(admin, "dynamodb", "CreateTable", &request)
            .await,
    )
}

async fn queue(
    parts: &Parts,
    admin: &Principal,
    id: &str,
    resource: &Resource,
) -> Result<(), StartError> {
    let name = name_of_arn(resource.arn().unwrap_or_default());
    let mut attributes = serde_json::Map::new();
    for attribute in [
        "VisibilityTimeout",
        "MessageRetentionPeriod",
        "DelaySeconds",
        "RedrivePolicy",
    ] {
        if let Some(value) = resource.properties.get(attribute) {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            attributes.insert(attribute.to_owned(), Value::String(text));
        }
    }
    let request = json!({ "QueueName": name, "Attributes": attributes });
    done(
        id,
        &parts.aws.call(admin, "sqs", "CreateQueue", &request).await,
    )
}

/// The policy replaces the one that a queue had.
async fn queue_policy(
    parts: &Parts,
    admin: &Principal,
    id: &str,
    resource: &Resource,
) -> Result<(), StartError> {
    let queues = resource.properties["Queues"].as_array();
    for queue in queues.into_iter().flatten().filter_map(Value::as_str) {
        let request = json!({
            "QueueUrl": queue,
            "Attributes": { "Policy": resource.properties["PolicyDocument"].to_string() },
        });
        let reply = parts.aws.call(admin, "sqs", "SetQueueAttributes", &request);
        done(id, &reply.await)?;
    }
    Ok(())
}

async fn topic_subscription(
    parts: &Parts,
    id: &str,
    resource: &Resource,
) -> Result<(), StartError> {
    let properties = &resource.properties;
    let text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    let mut form = vec![
        ("Action".to_owned(), "Subscribe".to_owned()),
        ("Version".to_owned(), "2010-03-31".to_owned()),
    ];
    for name in ["TopicArn", "Protocol", "Endpoint"] {
        form.push((name.to_owned(), text(&properties[name])));
    }
    let attributes = ["RawMessageDelivery", "RedrivePolicy", "FilterPolicy"];
    let given = attributes
        .into_iter()
        .filter_map(|name| Some((name, properties.get(name)?)));
    for (number, (name, value)) in (1..).zip(given) {
        form.push((format!("Attributes.entry.{number}.key"), name.to_owned()));
        form.push((format!("Attributes.entry.{number}.value"), text(value)));
    }
    let form: Vec<(&str, &str)> = form
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let call = client::form_call(&parts.aws, "sns", &form);
    done(id, &parts.aws.dispatch(call).await)
}

/// Who uses the queue or topic needs its key as well.
fn encrypt(parts: &Parts, resolved: &Resolved, resource: &Resource) {
    let Some(key) = resource.properties["KmsMasterKeyId"].as_str() else {
        return;
    };
    let own = resolved
        .of_kind("AWS::KMS::Key")
        .find(|(_, made)| made.physical_id() == key);
    let key = own.and_then(|(_, made)| made.arn()).unwrap_or(key);
    parts.aws.encrypt(resource.arn().unwrap_or_default(), key);
}

async fn bucket(
    parts: &Parts,
    admin: &Principal,
    id: &str,
    resource: &Resource,
) -> Result<(), StartError> {
    let path = format!("/{}", resource.physical_id());
    let reply = parts
        .aws
        .call_rest(admin, "s3", Method::PUT, &path, Bytes::new())
        .await;
    // A retained bucket outlives its stack and is there when the stack is launched again.
    if reply.status == http::StatusCode::CONFLICT {
        return Ok(());
    }
    done(id, &reply)?;
    let properties = &resource.properties;
    if let Some(status) = properties["VersioningConfiguration"]["Status"].as_str() {
        let body =
            format!("<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>");
        put(parts, admin, id, &format!("{path}?versioning"), body).await?;
    }
    let retention = &properties["ObjectLockConfiguration"]["Rule"]["DefaultRetention"];
    if let Some(mode) = retention["Mode"].as_str() {
        let days = &retention["Days"];
        let days = days
            .as_str()
            .map_or_else(|| days.to_string(), str::to_owned);
        let body = format!(
            "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule>\
             <DefaultRetention><Mode>{mode}</Mode><Days>{days}</Days></DefaultRetention></Rule>\
             </ObjectLockConfiguration>"
        );
        put(parts, admin, id, &format!("{path}?object-lock"), body).await?;
    }
    Ok(())
}

async fn put(
    parts: &Parts,
    admin: &Principal,
    id: &str,
    path: &str,
    body: String,
) -> Result<(), StartError> {
    let call = parts
        .aws
        .call_rest(admin, "s3", Method::PUT, path, Bytes::from(body));
    done(id, &call.await)
}

async fn bucket_policy(
    parts: &Parts,
    admin: &Principal,
    id: &str,
    resource: &Resource,
) -> Result<(), StartError> {
    let bucket = resource.properties["Bucket"].as_str().unwrap_or_default();
    let body = Bytes::from(resource.properties["PolicyDocument"].to_string());
    let reply = parts
        .aws
        .call_rest(admin, "s3", Method::PUT, &format!("/{bucket}?policy"), body)
        .await;
    done(id, &reply)
}

fn role(parts: &Parts, template: &str, resolved: &Resolved, id: &str, resource: &Resource) {
    let properties = &resource.properties;
    let inline = properties["Policies"].as_array().into_iter().flatten();
    let attached = resolved
        .of_kind("AWS::IAM::RolePolicy")
        .filter(|(_, policy)| {
            policy.properties["RoleName"].as_str() == Some(resource.physical_id())
        })
        .map(|(_, policy)| &policy.properties);
    let role = Role {
        arn: resource.arn().unwrap_or_default().to_owned(),
        trust_policy: properties["AssumeRolePolicyDocument"].clone(),
        identity_policies: inline
            .chain(attached)
            .map(|policy| policy["PolicyDocument"].clone())
            .collect(),
        max_session_seconds: properties["MaxSessionDuration"]
            .as_u64()
            .and_then(|seconds| u32::try_from(seconds).ok())
            .unwrap_or(3600),
    };
    let under_test = RoleUnderTest {
        template: template.to_owned(),
        logical_id: id.to_owned(),
        names: names(resolved),
    };
    parts.aws.put_template_role(role, under_test);
}

/// What the template calls the ARNs of its resources.
fn names(resolved: &Resolved) -> BTreeMap<String, String> {
    let resources = resolved.resources.iter();
    resources
        .filter_map(|(id, resource)| Some((resource.arn()?.to_owned(), id.clone())))
        .collect()
}

fn event_rule(parts: &Parts, account: &str, id: &str, rule: &Resource) -> Result<(), StartError> {
    let bus = rule.properties["EventBusName"]
        .as_str()
        .unwrap_or("default");
    let targets = rule.properties["Targets"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|target| TargetSpec {
            id: target["Id"].as_str().unwrap_or_default().to_owned(),
            arn: target["Arn"].as_str().unwrap_or_default().to_owned(),
            role_arn: target["RoleArn"].as_str().map(str::to_owned),
            dead_letter_arn: target["DeadLetterConfig"]["Arn"]
                .as_str()
                .map(str::to_owned),
            input: Input::default(),
        });
    let rule = RuleSpec {
        name: id.to_owned(),
        pattern: rule.properties["EventPattern"].clone(),
        targets: targets.collect(),
    };
    parts
        .events
        .put_rule(account, bus, rule)
        .map_err(|error| StartError::Resource(id.to_owned(), error.to_string()))
}

/// The last part of an ARN: a queue's or topic's name.
pub(crate) fn name_of_arn(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or(arn)
}

fn done(id: &str, reply: &AwsReply) -> Result<(), StartError> {
    if reply.status.is_success() {
        return Ok(());
    }
    Err(StartError::Resource(
        id.to_owned(),
        String::from_utf8_lossy(&reply.body).into_owned(),
    ))
}
