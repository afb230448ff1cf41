//! Differences of two requests, for flows that the model has no words for.

use serde_json::{Value, json};

use super::{Difference, on_grid, operations, scheduled};
use crate::compile::{request::CreateFlowRequest, schedule::Expression};

const SCHEDULE: &str = "/triggerConfig/triggerProperties/Scheduled";
const TRANSFER: &str = "/sourceFlowConfig/sourceConnectorProperties/Salesforce/dataTransferApi";

/// Differences of two requests, with pointers under `/appflow`.
pub(super) fn differences(asked: &CreateFlowRequest, found: &CreateFlowRequest) -> Vec<Difference> {
    let (mut ours, mut theirs) = (plain(asked), plain(found));
    forgive(asked, found, &mut ours, &mut theirs);
    let take = |request: &mut Value| request["tasks"].take();
    let tasks = [take(&mut ours), take(&mut theirs)];
    let mut all = Vec::new();
    operations::members(&mut all, "/appflow", &ours, &theirs);
    let same = ["taskType", "sourceFields", "connectorOperator"];
    operations::elements(&mut all, "/appflow/tasks", &tasks[0], &tasks[1], &same);
    all
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
