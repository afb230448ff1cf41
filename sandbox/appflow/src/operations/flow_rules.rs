//! What CreateFlow and UpdateFlow check beyond the model: existence, then tasks and triggers (all
//! faults at once), then buckets, then the connector itself.

use serde_json::Value;

use super::{no_profile, profiles};
use crate::{
    bucket_policy::{self, Access},
    catalogue::{self, Connector},
    definition::{Definition, TriggerType},
    error::{ApiError, Exception},
    salesforce::{self, ConnectorFault},
    schedule::Schedule,
    service::{Caller, Inner},
    tasks::Plan,
};

/// Which operation checks; their messages differ in grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Create,
    Update,
}

impl Verb {
    pub(super) fn refuse(self, faults: &[String]) -> ApiError {
        let faults = faults.join(", ");
        ApiError::validation(match self {
            Self::Create => format!("Create Flow request failed: [{faults}]"),
            Self::Update => format!("Update Flow request failed due to:[{faults}]"),
        })
    }
}

/// Checks a definition; the caller has checked names and quotas.
pub(super) async fn check(
    inner: &Inner,
    caller: &Caller,
    verb: Verb,
    request: &Value,
    definition: &Definition,
) -> Result<(), ApiError> {
    let source = &definition.source_flow_config;
    let from = known(verb, &source.connector_type)?;
    check_profile(
        inner,
        caller,
        verb,
        from,
        source.connector_profile_name.as_deref(),
    )?;
    let [destination] = definition.destination_flow_config_list.as_slice() else {
        return Err(verb.refuse(&["Exactly one destination must be specified".to_owned()]));
    };
    let to = known(verb, &destination.connector_type)?;
    check_profile(
        inner,
        caller,
        verb,
        to,
        destination.connector_profile_name.as_deref(),
    )?;

    let mut faults = Vec::new();
    if let Err(tasks) = Plan::compile(&definition.tasks, from.key) {
        faults.extend(tasks);
    }
    connectors(definition, request, from, to, &mut faults);
    versions(inner, caller, definition, request, &mut faults);
    trigger(definition, from, to, &mut faults);
    if !faults.is_empty() {
        return Err(verb.refuse(&faults));
    }
    if inner.options.check_bucket_policy {
        buckets(inner, caller, definition, from, &mut faults).await;
        if !faults.is_empty() {
            return Err(verb.refuse(&faults));
        }
    }
    probe(inner, caller, definition).await
}

fn known(verb: Verb, kind: &str) -> Result<&'static Connector, ApiError> {
    catalogue::of_type(kind)
        .ok_or_else(|| verb.refuse(&[format!("The connector {kind} is not known")]))
}

fn check_profile(
    inner: &Inner,
    caller: &Caller,
    verb: Verb,
    connector: &Connector,
    name: Option<&str>,
) -> Result<(), ApiError> {
    // S3 and the other AWS destinations may carry a meaningless profile name.
    if !connector.profile {
        return Ok(());
    }
    let Some(name) = name else {
        let fault = format!("A connector profile is required for {}", connector.kind);
        return Err(verb.refuse(&[fault]));
    };
    let profile = profiles::find(inner, &caller.home, name).map_err(|_| no_profile(name))?;
    if profile.kind == connector.kind {
        return Ok(());
    }
    Err(verb.refuse(&[format!(
        "Connector profile: {name} is of type {}, not {}",
        profile.kind, connector.kind
    )]))
}

fn connectors(
    definition: &Definition,
    request: &Value,
    from: &Connector,
    to: &Connector,
    faults: &mut Vec<String>,
) {
    let source = &definition.source_flow_config;
    if source.properties(from.key).is_none() {
        faults.push(format!(
            "Source connector properties of {} are required",
            from.key
        ));
    }
    let Some(properties) = definition.destination().and_then(|d| d.properties(to.key)) else {
        faults.push(format!(
            "Destination connector properties of {} are required",
            to.key
        ));
        return;
    };
    if !from.destinations.contains(&to.kind) {
        faults.push(format!(
            "The destination connector {} is not supported for the source connector {}",
            to.kind, from.kind
        ));
    }
    let write = properties["writeOperationType"].as_str();
    if let Some(operation) = write
        && !to.write_operations.is_empty()
        && !to.write_operations.contains(&operation)
    {
        faults.push(format!(
            "The write operation {operation} is not supported for {}",
            to.kind
        ));
    }
    if write == Some("UPSERT")
        && properties["idFieldNames"]
            .as_array()
            .is_none_or(Vec::is_empty)
    {
        faults.push("IdFieldNames are required for the write operation UPSERT".to_owned());
    }
    // The one thing this AppFlow cannot write. It says so instead of failing each run.
    if properties.pointer("/s3OutputFormatConfig/fileType") == Some(&Value::from("PARQUET")) {
        faults.push("The sandbox does not write PARQUET files; choose JSON or CSV".to_owned());
    }
    let partitioned = definition.tasks.iter().any(|t| t.kind == "Partition");
    if to.kind != "S3" && (partitioned || request.get("metadataCatalogConfig").is_some()) {
        faults
            .push("Partitions and data catalogs are supported for S3 destinations only".to_owned());
    }
}

/// Custom connectors need an API version that their label has.
fn versions(
    inner: &Inner,
    caller: &Caller,
    definition: &Definition,
    request: &Value,
    faults: &mut Vec<String>,
) {
    let source = &definition.source_flow_config;
    let destination = definition.destination();
    let ends = [
        (
            Some(source.connector_type.as_str()),
            source.connector_profile_name.as_deref(),
            "/sourceFlowConfig/apiVersion",
        ),
        (
            destination.map(|d| d.connector_type.as_str()),
            destination.and_then(|d| d.connector_profile_name.as_deref()),
            "/destinationFlowConfigList/0/apiVersion",
        ),
    ];
    for (kind, profile, pointer) in ends {
        if kind != Some("CustomConnector") {
            continue;
        }
        let found = profiles::find(inner, &caller.home, profile.unwrap_or_default());
        let label = found.ok().and_then(|p| p.label);
        match request.pointer(pointer).and_then(Value::as_str) {
            None => {
                faults.push("ApiVersion is required for the connector CustomConnector".to_owned());
            }
            Some(version) if !catalogue::has_version(label.as_deref(), version) => {
                faults.push(format!(
                    "ApiVersion {version} is not supported for the connector {}",
                    label.unwrap_or_default()
                ));
            }
            Some(_) => {}
        }
    }
}

fn trigger(definition: &Definition, from: &Connector, to: &Connector, faults: &mut Vec<String>) {
    let kind = definition.trigger_config.trigger_type;
    if !from.triggers().contains(&kind.as_str()) {
        faults.push(format!(
            "The trigger type {} is not supported for the source connector {}",
            kind.as_str(),
            from.kind
        ));
    }
    if to.kind == "EventBridge" && kind != TriggerType::Event {
        faults.push("The destination connector EventBridge requires an Event trigger".to_owned());
    }
    if kind != TriggerType::Scheduled {
        return;
    }
    let Some(scheduled) = definition.scheduled() else {
        faults.push("TriggerProps is required for Scheduled Trigger Type.".to_owned());
        return;
    };
    match Schedule::parse(&scheduled.schedule_expression) {
        Err(invalid) => faults.push(format!("{invalid}: {}", scheduled.schedule_expression)),
        Ok(schedule) => {
            if schedule
                .period_seconds()
                .is_some_and(|p| p < from.shortest_period)
            {
                faults.push(format!(
                    "The schedule is more frequent than the connector {} supports",
                    from.kind
                ));
            }
        }
    }
    let (start, end) = (scheduled.schedule_start_time, scheduled.schedule_end_time);
    if let (Some(start), Some(end)) = (start, end)
        && end <= start
    {
        faults.push("The schedule end time must be after the start time".to_owned());
    }
}

async fn buckets(
    inner: &Inner,
    caller: &Caller,
    definition: &Definition,
    from: &Connector,
    faults: &mut Vec<String>,
) {
    let mut wanted: Vec<(&str, Access)> = Vec::new();
    if from.kind == "S3" {
        let bucket = definition.source_flow_config.text("S3", "bucketName");
        wanted.extend(bucket.map(|b| (b, Access::Read)));
    }
    let written = definition.destination().map(|d| d.written_buckets());
    wanted.extend(
        written
            .unwrap_or_default()
            .into_iter()
            .map(|b| (b, Access::Write)),
    );
    let flow_arn = caller.home.arn("flow", &definition.flow_name);
    for (bucket, access) in wanted {
        let account = &caller.home.account;
        match inner.services.bucket_policy(account, bucket).await {
            Err(code) => faults.push(format!("The bucket {bucket} cannot be used: {code}")),
            Ok(policy) => {
                let policy = policy.unwrap_or_default();
                let missing = bucket_policy::missing(&policy, bucket, access, account, &flow_arn);
                if !missing.is_empty() {
                    faults.push(format!(
                        "The policy of the bucket {bucket} does not allow appflow.amazonaws.com to \
                         {} it: {}",
                        access.verb(),
                        missing.join(" ")
                    ));
                }
            }
        }
    }
}

/// The calls that the service makes to both ends when a flow is created or changed.
async fn probe(inner: &Inner, caller: &Caller, definition: &Definition) -> Result<(), ApiError> {
    let source = &definition.source_flow_config;
    if let (Some(name), "Salesforce") = (
        source.connector_profile_name.as_deref(),
        source.connector_type.as_str(),
    ) {
        let object = source.text("Salesforce", "object").unwrap_or_default();
        let path = match definition.trigger_config.trigger_type {
            // A platform event's channel has no describe.
            TriggerType::Event => format!("{}/sobjects", salesforce::API),
            TriggerType::OnDemand | TriggerType::Scheduled => {
                super::entities::describe_path(object)
            }
        };
        ask(inner, caller, name, &path).await?;
    }
    let Some(destination) = definition.destination() else {
        return Ok(());
    };
    if let (Some(name), "Salesforce") = (
        destination.connector_profile_name.as_deref(),
        destination.connector_type.as_str(),
    ) {
        let object = destination.object();
        let path = super::entities::describe_path(&object);
        let described = ask(inner, caller, name, &path).await?;
        let properties = destination.properties("Salesforce");
        id_fields(&described, properties.unwrap_or(&Value::Null))?;
    }
    Ok(())
}

async fn ask(inner: &Inner, caller: &Caller, name: &str, path: &str) -> Result<Value, ApiError> {
    let profile = profiles::find(inner, &caller.home, name)?;
    match salesforce::get(inner, &caller.home, &profile, path).await {
        Ok(answer) => Ok(answer),
        Err(ConnectorFault::Unauthorized(_) | ConnectorFault::Revoked(_)) => Err(ApiError::new(
            Exception::ConnectorAuthentication,
            "Error while authenticating to connector",
        )),
        Err(fault @ ConnectorFault::Server(_)) => Err(fault.into()),
    }
}

/// An upsert goes by the record's id or a field that the org marked as an external id.
fn id_fields(described: &Value, properties: &Value) -> Result<(), ApiError> {
    if properties["writeOperationType"] != "UPSERT" {
        return Ok(());
    }
    let names = properties["idFieldNames"].as_array().into_iter().flatten();
    for name in names.filter(|name| *name != "Id") {
        let fields = described["fields"].as_array();
        let qualifies = fields
            .into_iter()
            .flatten()
            .any(|f| f["name"] == *name && f["externalId"] == true);
        if !qualifies {
            return Err(ApiError::validation(format!(
                "The field {} does not support the write operation UPSERT",
                name.as_str().unwrap_or_default()
            )));
        }
    }
    Ok(())
}
