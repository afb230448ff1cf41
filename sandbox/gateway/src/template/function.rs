//! Functions and how they are invoked asynchronously.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;

use super::{Resolved, Resource, evaluate::scalar_text, fault::Faults, fields::Fields, source};

/// An `AWS::Serverless::Function`, with `Globals` merged in.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    /// Logical id.
    pub id: String,
    /// Function name.
    pub name: String,
    /// ARN.
    pub arn: String,
    /// `CodeUri`, relative to the template.
    pub code_uri: String,
    /// `Handler`.
    pub handler: String,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// Longest time of one invocation.
    pub timeout: Duration,
    /// Memory in MB.
    pub memory_mb: u32,
    /// ARN of the execution role.
    pub role: Option<String>,
    /// Most invocations at a time, if limited.
    pub reserved_concurrency: Option<u32>,
    /// How often a failed asynchronous invocation is tried again.
    pub retry_attempts: u32,
    /// ARN of the queue for failed asynchronous invocations.
    pub on_failure: Option<String>,
}

impl Function {
    /// The cargo package: the last directory of `CodeUri`.
    pub fn package(&self) -> &str {
        let path = self.code_uri.trim_end_matches('/');
        path.rsplit('/').next().unwrap_or(path)
    }
}

/// Properties that change nothing on one machine.
const IRRELEVANT: [&str; 20] = [
    "Architectures",
    "AutoPublishAlias",
    "AutoPublishAliasAllProperties",
    "AutoPublishCodeSha256",
    "CodeSigningConfigArn",
    "DeploymentPreference",
    "Description",
    "EphemeralStorage",
    "KmsKeyArn",
    "LoggingConfig",
    "PermissionsBoundary",
    "Policies",
    "PropagateTags",
    "ProvisionedConcurrencyConfig",
    "RolePath",
    "RuntimeManagementConfig",
    "Tags",
    "Tracing",
    "VersionDescription",
    "VpcConfig",
];

/// Variables that Lambda sets itself and refuses in a template.
pub(crate) fn is_reserved(variable: &str) -> bool {
    let listed = [
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR",
    ];
    listed.contains(&variable)
        || variable.starts_with("AWS_LAMBDA_") && variable != "AWS_LAMBDA_EXEC_WRAPPER"
}

/// Bytes that all environment variables of a function may take together.
const ENVIRONMENT_LIMIT: usize = 4_096;

pub(crate) fn read(id: &str, resource: &Resource, resolved: &mut Resolved, faults: &Faults) {
    let at = format!("Resources.{id}.Properties");
    let fields = Fields::new(
        &at,
        &resource.properties,
        &[
            "CodeUri",
            "Environment",
            "EventInvokeConfig",
            "Events",
            "FunctionName",
            "Handler",
            "MemorySize",
            "PackageType",
            "ReservedConcurrentExecutions",
            "Role",
            "Runtime",
            "Timeout",
        ],
        &IRRELEVANT,
        faults,
    );
    if fields
        .text("Runtime")
        .is_none_or(|runtime| !runtime.starts_with("provided."))
    {
        fields.fault("Runtime must be provided.*: functions are native binaries");
    }
    if fields.text("PackageType").is_some_and(|kind| kind != "Zip") {
        fields.fault("only PackageType Zip is run");
    }
    let invoke = fields.value("EventInvokeConfig").unwrap_or(&Value::Null);
    let (retry_attempts, on_failure) =
        event_invoke_config(&format!("{at}.EventInvokeConfig"), invoke, faults);
    let environment = fields.value("Environment").unwrap_or(&Value::Null);
    let function = Function {
        id: id.to_owned(),
        name: resource.physical_id().to_owned(),
        arn: resource.arn().unwrap_or_default().to_owned(),
        code_uri: fields.required("CodeUri"),
        handler: fields.required("Handler"),
        environment: variables(&format!("{at}.Environment"), environment, faults),
        timeout: Duration::from_secs(fields.number("Timeout").unwrap_or(3).into()),
        memory_mb: fields.number("MemorySize").unwrap_or(128),
        role: fields.text("Role"),
        reserved_concurrency: fields.number("ReservedConcurrentExecutions"),
        retry_attempts,
        on_failure,
    };
    resolved.functions.push(function);
    let events = fields.value("Events").and_then(Value::as_object);
    for (name, event) in events.into_iter().flatten() {
        source::read(
            &format!("{at}.Events.{name}"),
            id,
            name,
            event,
            resolved,
            faults,
        );
    }
}

fn variables(at: &str, value: &Value, faults: &Faults) -> BTreeMap<String, String> {
    let fields = Fields::new(at, value, &["Variables"], &[], faults);
    let mut variables = BTreeMap::new();
    for (name, value) in fields
        .value("Variables")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        if is_reserved(name) {
            fields.fault(format!("{name} is reserved by Lambda"));
        }
        match scalar_text(value) {
            Some(text) => drop(variables.insert(name.clone(), text)),
            None => fields.fault(format!("{name} is not a text")),
        }
    }
    let size: usize = variables
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    if size > ENVIRONMENT_LIMIT {
        fields.fault(format!(
            "{size} bytes of variables; Lambda takes {ENVIRONMENT_LIMIT}"
        ));
    }
    variables
}

fn event_invoke_config(at: &str, value: &Value, faults: &Faults) -> (u32, Option<String>) {
    let understood = ["DestinationConfig", "MaximumRetryAttempts"];
    let fields = Fields::new(
        at,
        value,
        &understood,
        &["MaximumEventAgeInSeconds"],
        faults,
    );
    let attempts = fields.number("MaximumRetryAttempts").unwrap_or(2);
    if attempts > 2 {
        fields.fault("MaximumRetryAttempts is at most 2");
    }
    let at = format!("{at}.DestinationConfig");
    let destinations = fields.value("DestinationConfig").unwrap_or(&Value::Null);
    let destinations = Fields::new(&at, destinations, &["OnFailure"], &[], faults);
    let Some(on_failure) = destinations.value("OnFailure") else {
        return (attempts, None);
    };
    let at = format!("{at}.OnFailure");
    let on_failure = Fields::new(&at, on_failure, &["Destination", "Type"], &[], faults);
    if on_failure.required("Type") != "SQS" {
        on_failure.fault("only destinations of Type SQS are played");
    }
    (attempts, Some(on_failure.required("Destination")))
}
