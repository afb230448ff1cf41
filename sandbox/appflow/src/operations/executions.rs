//! Starting, stopping and watching runs.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{is_over_the_limit, no_flow, text};
use crate::{
    definition::TriggerType,
    error::{ApiError, Exception},
    model::with_nulls,
    page::page,
    run, scheduler,
    service::{Caller, Inner},
    state::{FlowStatus, RunStatus},
};

/// StartFlow: a run of an on-demand flow, the activation of any other.
pub(super) async fn start(
    inner: &Arc<Inner>,
    caller: &Caller,
    request: &Value,
) -> Result<Value, ApiError> {
    let name = text(request, "flowName");
    refuse_pending_source(inner, caller, name).await?;
    let now = inner.now();
    let started = inner.with(&caller.home, |state| {
        let open = state.open_runs();
        let flow = state.flows.get_mut(name).ok_or_else(|| no_flow(name))?;
        let mut answer = json!({ "flowArn": flow.arn, "executionId": null });
        let mut ticket = None;
        if flow.trigger() == TriggerType::OnDemand {
            if is_over_the_limit(inner, open) {
                return Err(ApiError::new(
                    Exception::ServiceQuotaExceeded,
                    format!(
                        "The number of concurrent flow runs has reached the limit of {}",
                        inner.options.max_concurrent_runs
                    ),
                ));
            }
            let made = run::open(flow, &caller.home, now, None);
            answer["executionId"] = json!(made.run_id);
            ticket = Some(made);
        } else {
            if flow.status == FlowStatus::Active {
                return Err(ApiError::conflict(format!(
                    "Flow: {name} is already active"
                )));
            }
            flow.status = FlowStatus::Active;
            flow.status_message = None;
            flow.failures_in_a_row = 0;
            flow.activated_at = Some(now);
            scheduler::activate(flow, now);
        }
        answer["flowStatus"] = json!(flow.status.as_str());
        Ok((answer, ticket))
    });
    let (answer, ticket) = started?;
    if let Some(ticket) = ticket {
        run::launch(inner, ticket);
    }
    Ok(answer)
}

/// The event source of a flow to EventBridge must have a bus before the flow is activated. What the
/// service answers otherwise is not documented.
async fn refuse_pending_source(inner: &Inner, caller: &Caller, flow: &str) -> Result<(), ApiError> {
    let source = inner.with(&caller.home, |state| {
        let destination = state.flows.get(flow)?.definition.destination()?;
        (destination.connector_type == "EventBridge").then(|| destination.object())
    });
    let Some(source) = source else {
        return Ok(());
    };
    let account = &caller.home.account;
    if inner
        .services
        .event_source_is_active(account, &source)
        .await
    {
        return Ok(());
    }
    Err(ApiError::conflict(format!(
        "The partner event source {source} is pending: associate it with an event bus first"
    )))
}

/// StopFlow: a run in progress goes on.
pub(super) fn stop(inner: &Inner, caller: &Caller, request: &Value) -> Result<Value, ApiError> {
    let name = text(request, "flowName");
    inner.with(&caller.home, |state| {
        let flow = state.flows.get_mut(name).ok_or_else(|| no_flow(name))?;
        if flow.trigger() == TriggerType::OnDemand {
            return Err(ApiError::new(
                Exception::UnsupportedOperation,
                format!("On-demand flows can not be stopped: {name}"),
            ));
        }
        if flow.status != FlowStatus::Active {
            return Err(ApiError::conflict(format!("Flow: {name} is not active")));
        }
        flow.status = FlowStatus::Suspended;
        flow.next_run = None;
        Ok(json!({ "flowArn": flow.arn, "flowStatus": flow.status.as_str() }))
    })
}

pub(super) fn cancel(inner: &Inner, caller: &Caller, request: &Value) -> Result<Value, ApiError> {
    let name = text(request, "flowName");
    let now = inner.now();
    inner.with(&caller.home, |state| {
        let flow = state.flows.get_mut(name).ok_or_else(|| no_flow(name))?;
        let asked: Vec<String> = match request["executionIds"].as_array() {
            Some(ids) => ids
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            None => flow
                .runs
                .iter()
                .filter(|r| r.status == RunStatus::InProgress)
                .map(|r| r.id.clone())
                .collect(),
        };
        let mut invalid = Vec::new();
        for id in asked {
            match flow.run_mut(&id) {
                Some(run) if run.status == RunStatus::InProgress => {
                    run.status = RunStatus::CancelStarted;
                    run.updated_at = now;
                    run.cancel.notify_one();
                }
                _ => invalid.push(id),
            }
        }
        Ok(json!({ "invalidExecutions": invalid }))
    })
}

/// DescribeFlowExecutionRecords, newest first.
pub(super) fn records(inner: &Inner, caller: &Caller, request: &Value) -> Result<Value, ApiError> {
    let name = text(request, "flowName");
    let runs = inner.with(&caller.home, |state| {
        let flow = state.flows.get(name).ok_or_else(|| no_flow(name))?;
        let newest_first = flow.runs.iter().rev();
        Ok::<_, ApiError>(
            newest_first
                .map(|r| (r.id.clone(), with_nulls("ExecutionRecord", r.record())))
                .collect::<Vec<_>>(),
        )
    })?;
    let (runs, token) = page("DescribeFlowExecutionRecords", request, 20, runs)?;
    Ok(json!({ "flowExecutions": runs, "nextToken": token }))
}
