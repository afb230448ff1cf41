//! Flow documents: create, update, describe, list, delete.

mod defaults;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use serde_json::{Value, json};

use super::{
    flag,
    flow_rules::{self, Verb},
    no_flow, text,
};
use crate::{
    catalogue,
    definition::{Definition, Destination, TriggerType},
    error::{ApiError, Exception},
    model::with_nulls,
    page::page,
    scheduler,
    service::{Caller, Inner},
    state::{Flow, FlowMetrics, FlowStatus, State},
    tasks::Plan,
    wire::epoch,
};

pub(super) async fn create(
    inner: &Inner,
    caller: &Caller,
    request: &Value,
) -> Result<Value, ApiError> {
    let name = text(request, "flowName");
    inner.with(&caller.home, |state| may_create(inner, state, name))?;
    let definition = read(request)?;
    flow_rules::check(inner, caller, Verb::Create, request, &definition).await?;
    let now = inner.now();
    let status = first_status(definition.trigger_config.trigger_type);
    let flow = Flow {
        arn: caller.home.arn("flow", name),
        body: request.clone(),
        definition: Arc::new(definition),
        status,
        status_message: None,
        schema_version: 1,
        tags: tags(request),
        created_at: now,
        created_by: caller.arn.clone(),
        updated_at: now,
        updated_by: caller.arn.clone(),
        event_id: uuid::Uuid::new_v4().simple().to_string(),
        runs: VecDeque::new(),
        failures_in_a_row: 0,
        last_success: None,
        activated_at: None,
        next_run: None,
        events_received: 0,
        last_report: None,
        metrics: FlowMetrics::default(),
    };
    let answer = json!({ "flowArn": flow.arn, "flowStatus": status.as_str() });
    let offered = flow.definition.destination().and_then(|d| {
        let partner = d.connector_type == "EventBridge";
        partner.then(|| d.object())
    });
    inner.with(&caller.home, |state| {
        may_create(inner, state, name)?;
        state.flows.insert(name.to_owned(), flow);
        Ok::<_, ApiError>(())
    })?;
    if let Some(source) = offered {
        let account = &caller.home.account;
        inner.services.offer_event_source(account, &source).await;
    }
    Ok(answer)
}

fn may_create(inner: &Inner, state: &State, name: &str) -> Result<(), ApiError> {
    if state.flows.contains_key(name) {
        return Err(ApiError::conflict(format!("Flow: {name} already exists")));
    }
    let most = state.max_flows.unwrap_or(inner.options.max_flows);
    if state.flows.len() >= most {
        return Err(ApiError::new(
            Exception::ServiceQuotaExceeded,
            format!("The number of flows has reached the limit of {most}"),
        ));
    }
    Ok(())
}

fn read(request: &Value) -> Result<Definition, ApiError> {
    serde_json::from_value(request.clone())
        .map_err(|e| ApiError::validation(format!("The flow is not readable: {e}")))
}

fn first_status(trigger: TriggerType) -> FlowStatus {
    match trigger {
        TriggerType::OnDemand => FlowStatus::Active,
        TriggerType::Scheduled | TriggerType::Event => FlowStatus::Draft,
    }
}

fn tags(request: &Value) -> BTreeMap<String, String> {
    serde_json::from_value(request["tags"].clone()).unwrap_or_default()
}

pub(super) async fn update(
    inner: &Inner,
    caller: &Caller,
    request: &Value,
) -> Result<Value, ApiError> {
    let name = text(request, "flowName");
    let before = inner
        .with(&caller.home, |state| {
            state.flows.get(name).map(|f| Arc::clone(&f.definition))
        })
        .ok_or_else(|| no_flow(name))?;
    let after = read(request)?;
    refuse_moves(&before, &after)?;
    flow_rules::check(inner, caller, Verb::Update, request, &after).await?;
    let now = inner.now();
    inner.with(&caller.home, |state| {
        let flow = state.flows.get_mut(name).ok_or_else(|| no_flow(name))?;
        if !Plan::same_schema(&before.tasks, &after.tasks) {
            flow.schema_version += 1;
        }
        // A flow that changes its kind of trigger starts over; otherwise it goes on as it was.
        if flow.trigger() != after.trigger_config.trigger_type {
            flow.status = first_status(after.trigger_config.trigger_type);
            flow.status_message = None;
            flow.activated_at = None;
            flow.next_run = None;
        }
        flow.body = request.clone();
        flow.definition = Arc::new(after);
        flow.updated_at = now;
        flow.updated_by.clone_from(&caller.arn);
        if flow.status == FlowStatus::Active {
            scheduler::reschedule(flow, now);
        }
        Ok(json!({ "flowStatus": flow.status.as_str() }))
    })
}

/// Source and destination object are fixed for the life of a flow.
fn refuse_moves(before: &Definition, after: &Definition) -> Result<(), ApiError> {
    let (old, new) = (&before.source_flow_config, &after.source_flow_config);
    let mut faults = Vec::new();
    if old.connector_type != new.connector_type {
        faults.push("Source connector type can not be updated".to_owned());
    } else if old.connector_profile_name != new.connector_profile_name {
        faults.push("Source connector profile can not be updated".to_owned());
    } else if old.connector_type != "S3" && old.object() != new.object() {
        faults.push("Source object for the source connector can not be updated".to_owned());
    }
    if before.destination().map(fixed) != after.destination().map(fixed) {
        faults
            .push("Destination object for the destination connector can not be updated".to_owned());
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Verb::Update.refuse(&faults))
    }
}

/// What of a destination cannot change. Of S3 it is the bucket; folders and formats may.
fn fixed(destination: &Destination) -> (String, String) {
    let key = catalogue::of_type(&destination.connector_type).map_or("", |c| c.key);
    let bucket = destination
        .properties(key)
        .and_then(|p| p["bucketName"].as_str());
    let object = bucket.map_or_else(|| destination.object(), str::to_owned);
    (destination.connector_type.clone(), object)
}

pub(super) fn describe(inner: &Inner, caller: &Caller, request: &Value) -> Result<Value, ApiError> {
    let name = text(request, "flowName");
    inner.with(&caller.home, |state| {
        let flow = state.flows.get(name).ok_or_else(|| no_flow(name))?;
        let mut described = flow.body.clone();
        // Reported not to be given back.
        if let Some(scheduled) = described.pointer_mut("/triggerConfig/triggerProperties/Scheduled")
            && let Some(members) = scheduled.as_object_mut()
        {
            members.remove("firstExecutionFrom");
        }
        defaults::fill(&mut described);
        if let Some(object) = described.as_object_mut() {
            object.remove("clientToken");
            object.insert("flowArn".into(), json!(flow.arn));
            object.insert("flowStatus".into(), json!(flow.status.as_str()));
            object.insert("flowStatusMessage".into(), json!(flow.status_message));
            object.insert("lastRunExecutionDetails".into(), flow.last_run());
            object.insert("createdAt".into(), epoch(flow.created_at));
            object.insert("lastUpdatedAt".into(), epoch(flow.updated_at));
            object.insert("createdBy".into(), json!(flow.created_by));
            object.insert("lastUpdatedBy".into(), json!(flow.updated_by));
            object.insert("tags".into(), json!(flow.tags));
            object.insert("schemaVersion".into(), json!(flow.schema_version));
        }
        Ok(with_nulls("DescribeFlowResponse", described))
    })
}

pub(super) fn list(inner: &Inner, caller: &Caller, request: &Value) -> Result<Value, ApiError> {
    let flows = inner.with(&caller.home, |state| {
        let label = |profile: Option<&String>| {
            profile
                .and_then(|name| state.profiles.get(name))
                .and_then(|p| p.label.clone())
        };
        state
            .flows
            .iter()
            .map(|(name, flow)| {
                let source = &flow.definition.source_flow_config;
                let destination = flow.definition.destination();
                let summary = json!({
                    "flowArn": flow.arn,
                    "description": flow.body["description"],
                    "flowName": name,
                    "flowStatus": flow.status.as_str(),
                    "sourceConnectorType": source.connector_type,
                    "sourceConnectorLabel": label(source.connector_profile_name.as_ref()),
                    "destinationConnectorType": destination.map(|d| &d.connector_type),
                    "destinationConnectorLabel":
                        label(destination.and_then(|d| d.connector_profile_name.as_ref())),
                    "triggerType": flow.trigger().as_str(),
                    "createdAt": epoch(flow.created_at),
                    "lastUpdatedAt": epoch(flow.updated_at),
                    "createdBy": flow.created_by,
                    "lastUpdatedBy": flow.updated_by,
                    "tags": flow.tags,
                    "lastRunExecutionDetails": flow.last_run(),
                });
                (name.clone(), with_nulls("FlowDefinition", summary))
            })
            .collect()
    });
    let (flows, token) = page("ListFlows", request, 20, flows)?;
    Ok(json!({ "flows": flows, "nextToken": token }))
}

pub(super) fn delete(inner: &Inner, caller: &Caller, request: &Value) -> Result<Value, ApiError> {
    let name = text(request, "flowName");
    let force = flag(request, "forceDelete");
    inner.with(&caller.home, |state| {
        let flow = state.flows.get(name).ok_or_else(|| no_flow(name))?;
        // On-demand flows are always active and can be deleted all the same.
        let active = flow.status == FlowStatus::Active && flow.trigger() != TriggerType::OnDemand;
        if active && !force {
            return Err(ApiError::conflict(format!(
                "Flow is in active state, please set forceDelete to true or deactivate the flow: \
                 {name}"
            )));
        }
        for run in flow.runs.iter().filter(|r| r.status.is_open()) {
            run.cancel.notify_one();
        }
        state.flows.remove(name);
        Ok(json!({}))
    })
}
