//! What `Ref` and `Fn::GetAtt` give for a resource, before anything is created: names follow from
//! the template, so everybody who reads it agrees on them.

use std::collections::BTreeMap;

use serde_json::Value;
use uuid::Uuid;

use super::{
    Context,
    evaluate::{Scope, scalar_text},
};

/// Attributes of one resource; `Ref` under that name.
pub(crate) type Identity = BTreeMap<String, String>;

/// The property that names a resource of this type, where there is one.
fn name_property(kind: &str) -> &'static str {
    match kind {
        "AWS::DynamoDB::Table" => "TableName",
        "AWS::Serverless::Function" | "AWS::Lambda::Function" => "FunctionName",
        "AWS::SQS::Queue" => "QueueName",
        "AWS::SNS::Topic" => "TopicName",
        "AWS::KMS::Alias" => "AliasName",
        "AWS::IAM::Role" => "RoleName",
        "AWS::IAM::ManagedPolicy" => "ManagedPolicyName",
        "AWS::S3::Bucket" => "BucketName",
        "AWS::Logs::LogGroup" => "LogGroupName",
        "AWS::CloudWatch::Alarm" | "AWS::CloudWatch::CompositeAlarm" => "AlarmName",
        "AWS::CloudWatch::Dashboard" => "DashboardName",
        _ => "Name",
    }
}

/// The `AWS::StackId` of a stack.
pub(crate) fn stack_id(context: &Context) -> String {
    let Context {
        account,
        region,
        stack_name,
        ..
    } = context;
    let id = stable_uuid(context, "stack");
    format!("arn:aws:cloudformation:{region}:{account}:stack/{stack_name}/{id}")
}

/// A uuid that is the same in every run.
fn stable_uuid(context: &Context, what: &str) -> Uuid {
    let text = format!(
        "{}/{}/{}/{what}",
        context.account, context.region, context.stack_name
    );
    Uuid::new_v5(&Uuid::NAMESPACE_URL, text.as_bytes())
}

/// The default attributes of a resource.
pub(crate) fn of(scope: &Scope<'_>, id: &str, resource: &Value) -> Identity {
    let Context {
        account,
        region,
        stack_name,
        endpoint,
        ..
    } = scope.context;
    let kind = resource
        .get("Type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let property = |property: &str| {
        let value = resource.get("Properties")?.get(property)?;
        let at = format!("Resources.{id}.Properties.{property}");
        scalar_text(&scope.evaluate(&at, value)?)
    };
    let given = property(name_property(kind)).filter(|name| !name.is_empty());
    let unnamed = given.is_none();
    let name = given.unwrap_or_else(|| format!("{stack_name}-{id}"));
    let arn = |service: &str, what: String| format!("arn:aws:{service}:{region}:{account}:{what}");
    let attributes: Vec<(&str, String)> = match kind {
        "AWS::DynamoDB::Table" => vec![
            ("Arn", arn("dynamodb", format!("table/{name}"))),
            ("Ref", name),
        ],
        "AWS::Serverless::Function" | "AWS::Lambda::Function" => vec![
            ("Arn", arn("lambda", format!("function:{name}"))),
            ("Ref", name),
        ],
        "AWS::SQS::Queue" => {
            let fifo = property("FifoQueue").is_some_and(|fifo| fifo == "true");
            let name = if fifo && unnamed {
                format!("{name}.fifo")
            } else {
                name
            };
            let url = format!("{}/{account}/{name}", endpoint.trim_end_matches('/'));
            vec![
                ("Arn", arn("sqs", name.clone())),
                ("QueueName", name),
                ("QueueUrl", url.clone()),
                ("Ref", url),
            ]
        }
        "AWS::SNS::Topic" => vec![
            ("TopicArn", arn("sns", name.clone())),
            ("Ref", arn("sns", name.clone())),
            ("TopicName", name),
        ],
        "AWS::KMS::Key" => {
            let key = stable_uuid(scope.context, id).to_string();
            vec![
                ("Arn", arn("kms", format!("key/{key}"))),
                ("KeyId", key.clone()),
                ("Ref", key),
            ]
        }
        "AWS::SecretsManager::Secret" => {
            let suffix = &stable_uuid(scope.context, id).simple().to_string()[..6];
            let secret = arn("secretsmanager", format!("secret:{name}-{suffix}"));
            vec![("Id", secret.clone()), ("Ref", secret)]
        }
        "AWS::IAM::Role" => {
            let path = property("Path").unwrap_or_else(|| "/".to_owned());
            vec![
                ("Arn", format!("arn:aws:iam::{account}:role{path}{name}")),
                ("RoleId", unique_id("AROA", scope.context, id)),
                ("Ref", name),
            ]
        }
        "AWS::IAM::ManagedPolicy" => {
            let path = property("Path").unwrap_or_else(|| "/".to_owned());
            let policy = format!("arn:aws:iam::{account}:policy{path}{name}");
            vec![("PolicyArn", policy.clone()), ("Ref", policy)]
        }
        "AWS::Events::EventBus" => vec![
            ("Arn", arn("events", format!("event-bus/{name}"))),
            ("Name", name.clone()),
            ("Ref", name),
        ],
        "AWS::Events::Rule" => {
            let bus = property("EventBusName").unwrap_or_else(|| "default".to_owned());
            let bus = bus.rsplit('/').next().unwrap_or_default().to_owned();
            let on_bus = |separator: &str| match bus.as_str() {
                "default" => name.clone(),
                bus => format!("{bus}{separator}{name}"),
            };
            vec![
                ("Arn", arn("events", format!("rule/{}", on_bus("/")))),
                ("Ref", on_bus("|")),
            ]
        }
        "AWS::Scheduler::Schedule" => {
            let group = property("GroupName").unwrap_or_else(|| "default".to_owned());
            vec![
                ("Arn", arn("scheduler", format!("schedule/{group}/{name}"))),
                ("Ref", name),
            ]
        }
        "AWS::Scheduler::ScheduleGroup" => vec![
            ("Arn", arn("scheduler", format!("schedule-group/{name}"))),
            ("Ref", name),
        ],
        "AWS::Serverless::HttpApi" => {
            let api = stable_uuid(scope.context, id).simple().to_string()[..10].to_owned();
            let url = format!("https://{api}.execute-api.{region}.amazonaws.com");
            vec![("ApiEndpoint", url), ("ApiId", api.clone()), ("Ref", api)]
        }
        "AWS::S3::Bucket" => {
            let name = name.to_lowercase();
            vec![
                ("Arn", format!("arn:aws:s3:::{name}")),
                ("DomainName", format!("{name}.s3.amazonaws.com")),
                (
                    "RegionalDomainName",
                    format!("{name}.s3.{region}.amazonaws.com"),
                ),
                ("Ref", name),
            ]
        }
        "AWS::Logs::LogGroup" => vec![
            ("Arn", arn("logs", format!("log-group:{name}:*"))),
            ("Ref", name),
        ],
        "AWS::CloudWatch::Alarm" | "AWS::CloudWatch::CompositeAlarm" => vec![
            ("Arn", arn("cloudwatch", format!("alarm:{name}"))),
            ("Ref", name),
        ],
        _ => vec![("Ref", name)],
    };
    attributes
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}

/// An IAM unique id with the prefix of its kind.
fn unique_id(prefix: &str, context: &Context, id: &str) -> String {
    let digits = stable_uuid(context, id).simple().to_string().to_uppercase();
    format!("{prefix}{}", &digits[..17])
}
