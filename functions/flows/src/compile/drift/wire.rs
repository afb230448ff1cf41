//! Differences of two requests, for flows that the model has no words for.

use serde_json::{Value, json};

use super::{Difference, on_grid, operations, scheduled};
use crate::compile::{
    request::{CreateFlowRequest, DestinationProperties, PrefixConfig},
    schedule::Expression,
};

const SCHEDULE: &str = "/triggerConfig/triggerProperties/Scheduled";
const TRANSFER: &str = "/sourceFlowConfig/sourceConnectorProperties/Salesforce/dataTransferApi";

/// Differences of two requests, with pointers under `/appflow`.
pub(super) fn differences(asked: &CreateFlowRequest, found: &CreateFlowRequest) -> Vec<Difference> {
    let mut found = found.clone();
    added_folders(asked, &mut found);
    let (mut ours, mut theirs) = (plain(asked), plain(&found));
    forgive(asked, &found, &mut ours, &mut theirs);
    let take = |request: &mut Value| request["tasks"].take();
    let tasks = [take(&mut ours), take(&mut theirs)];
    let mut all = Vec::new();
    list_of_objects(
        &mut all,
        "destinationFlowConfigList",
        &mut ours,
        &mut theirs,
    );
    operations::members(&mut all, "/appflow", &ours, &theirs);
    let same = ["taskType", "sourceFields", "connectorOperator"];
    operations::elements(&mut all, "/appflow/tasks", &tasks[0], &tasks[1], &same);
    all
}

/// Takes away an execution-id folder that was not asked for.
fn added_folders(asked: &CreateFlowRequest, found: &mut CreateFlowRequest) {
    let ours = asked.destination_flow_config_list.iter();
    for (ours, theirs) in ours.zip(&mut found.destination_flow_config_list) {
        let (ours, theirs) = (
            &ours.destination_connector_properties,
            &mut theirs.destination_connector_properties,
        );
        let asked_for = prefix(&mut ours.clone())
            .is_some_and(|prefix| !prefix.path_prefix_hierarchy.is_empty());
        if let (false, Some(theirs)) = (asked_for, prefix(theirs))
            && theirs.path_prefix_hierarchy == ["EXECUTION_ID"]
        {
            theirs.path_prefix_hierarchy.clear();
        }
    }
}

fn prefix(properties: &mut DestinationProperties) -> Option<&mut PrefixConfig> {
    let format = match properties {
        DestinationProperties::S3 {
            s3_output_format_config,
            ..
        } => s3_output_format_config.as_mut()?,
        DestinationProperties::Upsolver {
            s3_output_format_config,
            ..
        } => s3_output_format_config,
        _ => return None,
    };
    format.prefix_config.as_mut()
}

/// Differences of two lists with an order, as deep as their elements are objects.
fn list_of_objects(all: &mut Vec<Difference>, name: &str, ours: &mut Value, theirs: &mut Value) {
    let lists = [ours, theirs].map(|request| request[name].take());
    match [&lists[0], &lists[1]] {
        [Value::Array(ours), Value::Array(theirs)] if ours.len() == theirs.len() => {
            for (index, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
                operations::members(all, &format!("/appflow/{name}/{index}"), ours, theirs);
            }
        }
        [ours, theirs] => operations::members(all, &format!("/appflow/{name}"), ours, theirs),
    }
}

/// The request without what says nothing, and without what is not compared.
fn plain(request: &CreateFlowRequest) -> Value {
    let mut request = request.clone();
    for task in &mut request.tasks {
        if task.destination_field.is_none() && task.task_properties.is_empty() {
            // A projection, whose fields have no order.
            task.source_fields.sort();
        }
    }
    let mut plain = serde_json::to_value(request).unwrap_or_default();
    if let Some(members) = plain.as_object_mut() {
        for name in ["flowName", "tags", "kmsArn"] {
            members.remove(name);
        }
    }
    prune(&mut plain);
    plain
}

fn prune(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(prune);
            members.retain(|name, member| {
                let empty = match member {
                    Value::Null | Value::Bool(false) => true,
                    Value::String(text) => {
                        text.is_empty() || name == "aggregationType" && text == "None"
                    }
                    Value::Array(list) => list.is_empty(),
                    Value::Object(members) => members.is_empty(),
                    Value::Bool(true) | Value::Number(_) => false,
                };
                !empty
            });
        }
        Value::Array(list) => list.iter_mut().for_each(prune),
        _ => {}
    }
}

fn forgive(
    asked: &CreateFlowRequest,
    found: &CreateFlowRequest,
    ours: &mut Value,
    theirs: &mut Value,
) {
    for request in [&mut *ours, &mut *theirs] {
        if let Some(expression) = request.pointer_mut(&format!("{SCHEDULE}/scheduleExpression"))
            && let Some(Ok(read)) = expression.as_str().map(Expression::parse)
        {
            *expression = read.normalised().into();
        }
        if request.pointer(TRANSFER) == Some(&json!("AUTOMATIC")) {
            remove(request, TRANSFER);
        }
    }
    let first = format!("{SCHEDULE}/firstExecutionFrom");
    if theirs.pointer(&first).is_none() {
        remove(ours, &first);
    }
    if let (Some(asked), Some(found)) = (scheduled(asked), scheduled(found)) {
        let moved = asked.schedule_start_time;
        // Where the asked start was moved from is not known here: its grid goes both ways.
        let start = found.schedule_start_time;
        if on_grid(&asked.schedule_expression, start, moved, moved) {
            let start = format!("{SCHEDULE}/scheduleStartTime");
            remove(ours, &start);
            remove(theirs, &start);
        }
    }
    let version = "/sourceFlowConfig/apiVersion";
    if ours.pointer(version).is_none() {
        remove(theirs, version);
    }
}

fn remove(value: &mut Value, pointer: &str) {
    if let Some((parent, name)) = pointer.rsplit_once('/')
        && let Some(Value::Object(members)) = value.pointer_mut(parent)
    {
        members.remove(name);
    }
}
