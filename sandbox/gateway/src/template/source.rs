//! What invokes functions besides HTTP: schedules, event rules and queues.

use std::time::Duration;

use serde_json::Value;

use super::{Resolved, api, fault::Faults, fields::Fields};

/// A schedule of EventBridge Scheduler that invokes a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// `<function><event>`, unique in the template.
    pub id: String,
    /// Name; the id unless named.
    pub name: String,
    /// `rate(..)`, `cron(..)` or `at(..)`.
    pub expression: String,
    /// Time zone of the expression; UTC unless named.
    pub timezone: Option<String>,
    /// Input as text, with `<aws.scheduler.*>` still to be filled in.
    pub input: Option<String>,
    /// Logical id of the function.
    pub function: String,
    /// Whether it fires.
    pub enabled: bool,
    /// Most retries of a delivery.
    pub retry_attempts: u32,
    /// ARN of the queue for what could not be delivered.
    pub dead_letter: Option<String>,
    /// ARN of the role that it invokes the function under.
    pub role: Option<String>,
}

/// An event rule that invokes a function.
#[derive(Debug, Clone, PartialEq)]
pub struct EventRule {
    /// `<function><event>`, unique in the template.
    pub id: String,
    /// Name of the bus; `default` for the account's own.
    pub bus: String,
    /// Event pattern.
    pub pattern: Value,
    /// Logical id of the function.
    pub function: String,
    /// Whether it matches.
    pub enabled: bool,
    /// Most retries of a delivery.
    pub retry_attempts: u32,
    /// ARN of the queue for what could not be delivered.
    pub dead_letter: Option<String>,
}

/// A queue that feeds a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSource {
    /// `<function><event>`, unique in the template.
    pub id: String,
    /// ARN of the queue.
    pub queue: String,
    /// Logical id of the function.
    pub function: String,
    /// Most messages in one invocation.
    pub batch_size: usize,
    /// How long a batch may wait to fill.
    pub window: Duration,
    /// Whether the answer names the messages that failed.
    pub report_failures: bool,
    /// Most batches at a time, if limited.
    pub max_concurrency: Option<usize>,
}

/// Most retries of EventBridge and EventBridge Scheduler unless set.
const DEFAULT_RETRIES: u32 = 185;

/// Reads one entry of a function's `Events`.
pub(crate) fn read(
    at: &str,
    function: &str,
    name: &str,
    event: &Value,
    resolved: &mut Resolved,
    faults: &Faults,
) {
    let fields = Fields::new(at, event, &["Properties", "Type"], &[], faults);
    let properties = fields.value("Properties").unwrap_or(&Value::Null);
    let below = format!("{at}.Properties");
    let id = format!("{function}{name}");
    match fields.required("Type").as_str() {
        "HttpApi" => api::event(&below, properties, function, resolved.api.as_mut(), faults),
        "ScheduleV2" => resolved
            .schedules
            .push(schedule(&below, id, function, properties, faults)),
        "EventBridgeRule" => resolved
            .event_rules
            .push(rule(&below, id, function, properties, faults)),
        "SQS" => resolved
            .queue_sources
            .push(queue(&below, id, function, properties, faults)),
        other => fields.fault(format!("events of type {other} are not played")),
    }
}

fn schedule(at: &str, id: String, function: &str, properties: &Value, faults: &Faults) -> Schedule {
    let fields = Fields::new(
        at,
        properties,
        &[
            "DeadLetterConfig",
            "Input",
            "Name",
            "RetryPolicy",
            "RoleArn",
            "ScheduleExpression",
            "ScheduleExpressionTimezone",
            "State",
        ],
        &[
            "Description",
            "FlexibleTimeWindow",
            "GroupName",
            "KmsKeyArn",
            "OmitName",
            "PermissionsBoundary",
        ],
        faults,
    );
    Schedule {
        name: fields.text("Name").unwrap_or_else(|| id.clone()),
        id,
        expression: fields.required("ScheduleExpression"),
        timezone: fields.text("ScheduleExpressionTimezone"),
        input: fields.text("Input"),
        function: function.to_owned(),
        enabled: is_enabled(&fields),
        retry_attempts: retries(&fields, faults),
        dead_letter: dead_letter(&fields, faults),
        role: fields.text("RoleArn"),
    }
}

fn rule(at: &str, id: String, function: &str, properties: &Value, faults: &Faults) -> EventRule {
    let fields = Fields::new(
        at,
        properties,
        &[
            "DeadLetterConfig",
            "EventBusName",
            "Pattern",
            "RetryPolicy",
            "State",
        ],
        &["RuleName", "Target"],
        faults,
    );
    let bus = fields
        .text("EventBusName")
        .unwrap_or_else(|| "default".to_owned());
    let pattern = fields.value("Pattern").cloned();
    if !pattern.as_ref().is_some_and(Value::is_object) {
        fields.fault("Pattern is required");
    }
    EventRule {
        id,
        bus: bus.rsplit('/').next().unwrap_or_default().to_owned(),
        pattern: pattern.unwrap_or(Value::Null),
        function: function.to_owned(),
        enabled: is_enabled(&fields),
        retry_attempts: retries(&fields, faults),
        dead_letter: dead_letter(&fields, faults),
    }
}

fn queue(at: &str, id: String, function: &str, properties: &Value, faults: &Faults) -> QueueSource {
    let fields = Fields::new(
        at,
        properties,
        &[
            "BatchSize",
            "FunctionResponseTypes",
            "MaximumBatchingWindowInSeconds",
            "Queue",
            "ScalingConfig",
        ],
        &[],
        faults,
    );
    let scaling_at = format!("{at}.ScalingConfig");
    let scaling = fields.value("ScalingConfig").unwrap_or(&Value::Null);
    let scaling = Fields::new(&scaling_at, scaling, &["MaximumConcurrency"], &[], faults);
    let max_concurrency = scaling.number("MaximumConcurrency");
    if max_concurrency.is_some_and(|most| !(2..=1_000).contains(&most)) {
        scaling.fault("MaximumConcurrency is 2 to 1,000");
    }
    let responses = fields.list("FunctionResponseTypes");
    if responses
        .iter()
        .any(|kind| kind != "ReportBatchItemFailures")
    {
        fields.fault("FunctionResponseTypes knows ReportBatchItemFailures only");
    }
    let batch_size = fields.number("BatchSize").unwrap_or(10);
    let window = fields.number("MaximumBatchingWindowInSeconds").unwrap_or(0);
    if batch_size == 0 || batch_size > 10_000 || batch_size > 10 && window == 0 {
        fields.fault("BatchSize is 1 to 10, or to 10,000 with a window of a second or more");
    }
    QueueSource {
        id,
        queue: fields.required("Queue"),
        function: function.to_owned(),
        batch_size: batch_size as usize,
        window: Duration::from_secs(window.into()),
        report_failures: !responses.is_empty(),
        max_concurrency: max_concurrency.map(|most| most as usize),
    }
}

fn is_enabled(fields: &Fields<'_>) -> bool {
    match fields.text("State").as_deref() {
        None | Some("ENABLED") => true,
        Some("DISABLED") => false,
        Some(_) => {
            fields.fault("State is ENABLED or DISABLED");
            false
        }
    }
}

fn retries(fields: &Fields<'_>, faults: &Faults) -> u32 {
    let at = format!("{}.RetryPolicy", fields.at);
    let policy = fields.value("RetryPolicy").unwrap_or(&Value::Null);
    let policy = Fields::new(
        &at,
        policy,
        &["MaximumRetryAttempts"],
        &["MaximumEventAgeInSeconds"],
        faults,
    );
    policy
        .number("MaximumRetryAttempts")
        .unwrap_or(DEFAULT_RETRIES)
}

fn dead_letter(fields: &Fields<'_>, faults: &Faults) -> Option<String> {
    let config = fields.value("DeadLetterConfig")?;
    let at = format!("{}.DeadLetterConfig", fields.at);
    Some(Fields::new(&at, config, &["Arn"], &[], faults).required("Arn"))
}
