//! Calls of AppFlow about one flow, and what their refusals mean for it.

use aws_sdk_appflow::{Client, types::FlowStatus};
use tributary::{aws::Refusal, error::Error, store::key::sha256_hex};
use uuid::Uuid;

use super::record::{Flow, FlowState};
use crate::{
    TenantApp, accounts,
    appflow::{failed, refused},
    compile::{CreateFlowRequest, SdkError, create_flow_input, update_flow_input},
};

/// AppFlow in the flow's account.
pub(super) async fn client(app: &TenantApp, flow: &Flow) -> Result<Client, Error> {
    let account = accounts::find(app, flow.tenant_id, flow.account_id).await?;
    accounts::appflow(app, &account).await
}

/// What became of a call that makes a flow.
#[derive(Debug)]
pub(super) enum Made {
    /// AppFlow has the flow.
    Done {
        arn: Option<String>,
        state: FlowState,
    },
    /// AppFlow has not made it, and never will from this call.
    Refused(Error),
    /// AppFlow may have made it.
    InDoubt(Error),
}

/// Makes the flow. One that is there already under our own name is an earlier attempt's: it is
/// brought to what is asked for and adopted (F7).
pub(super) async fn create(client: &Client, flow: &Flow, request: &CreateFlowRequest) -> Made {
    let input = match create_flow_input(request) {
        Ok(input) => input.client_token(client_token(flow, "create", request)),
        Err(error) => return Made::Refused(unfit(error)),
    };
    match input.send_with(client).await {
        Ok(made) => Made::Done {
            arn: made.flow_arn,
            state: FlowState::of_appflow(made.flow_status.as_ref().map(FlowStatus::as_str)),
        },
        Err(error) => {
            let refusal = Refusal::of(&error);
            if refusal.is("ConflictException") {
                return adopt(client, flow, request).await;
            }
            let in_doubt = refusal.is_unknown() && !refusal.is_throttle();
            let error = refused("CreateFlow", refusal);
            if in_doubt {
                Made::InDoubt(error)
            } else {
                Made::Refused(error)
            }
        }
    }
}

async fn adopt(client: &Client, flow: &Flow, request: &CreateFlowRequest) -> Made {
    let found = match client
        .describe_flow()
        .flow_name(&flow.appflow_name)
        .send()
        .await
    {
        Ok(found) => found,
        Err(error) => return Made::InDoubt(failed("DescribeFlow", &error)),
    };
    tracing::info!(tenant.id = %flow.tenant_id, flow.id = %flow.id, "flow of an earlier attempt adopted");
    match update(client, flow, request).await {
        Ok(state) => Made::Done {
            arn: found.flow_arn,
            state,
        },
        Err(error) => Made::InDoubt(error),
    }
}

/// Replaces the flow's whole definition in place, which keeps its incremental position (F4).
pub(super) async fn update(
    client: &Client,
    flow: &Flow,
    request: &CreateFlowRequest,
) -> Result<FlowState, Error> {
    let input = update_flow_input(request)
        .map_err(unfit)?
        .client_token(client_token(flow, "update", request));
    let updated = input
        .send_with(client)
        .await
        .map_err(|error| failed("UpdateFlow", &error))?;
    Ok(FlowState::of_appflow(
        updated.flow_status.as_ref().map(FlowStatus::as_str),
    ))
}

/// Starts a scheduled flow; one that runs already is fine.
pub(super) async fn activate(client: &Client, flow: &Flow) -> Result<(), Error> {
    let started = client
        .start_flow()
        .flow_name(&flow.appflow_name)
        .client_token(Uuid::new_v4().to_string())
        .send()
        .await;
    let Err(error) = started else { return Ok(()) };
    let refusal = Refusal::of(&error);
    if refusal.is("ConflictException") && state(client, flow).await? == Some(FlowState::Active) {
        return Ok(());
    }
    Err(refused("StartFlow", refusal))
}

/// Where AppFlow has the flow; none when it does not have it any more.
pub(super) async fn state(client: &Client, flow: &Flow) -> Result<Option<FlowState>, Error> {
    match client
        .describe_flow()
        .flow_name(&flow.appflow_name)
        .send()
        .await
    {
        Ok(found) => {
            let status = found.flow_status.as_ref().map(FlowStatus::as_str);
            Ok(Some(FlowState::of_appflow(status)))
        }
        Err(error) => {
            let refusal = Refusal::of(&error);
            if refusal.is("ResourceNotFoundException") {
                return Ok(None);
            }
            Err(refused("DescribeFlow", refusal))
        }
    }
}

/// Stops a scheduled flow; one that does not run any more is fine. Runs in progress go on.
pub(super) async fn suspend(client: &Client, flow: &Flow) -> Result<(), Error> {
    let stopped = client
        .stop_flow()
        .flow_name(&flow.appflow_name)
        .send()
        .await;
    let Err(error) = stopped else { return Ok(()) };
    let refusal = Refusal::of(&error);
    let is_still = |now: Option<FlowState>| now.is_some_and(|now| now != FlowState::Active);
    if refusal.is("ConflictException") && is_still(state(client, flow).await?) {
        return Ok(());
    }
    Err(refused("StopFlow", refusal))
}

/// Cancels runs in progress, all of them if none are named. Answers those that AppFlow could not
/// cancel; a flow that is gone has none.
pub(super) async fn cancel(
    client: &Client,
    flow: &Flow,
    executions: Option<Vec<String>>,
) -> Result<Vec<String>, Error> {
    let cancelled = client
        .cancel_flow_executions()
        .flow_name(&flow.appflow_name)
        .set_execution_ids(executions)
        .send()
        .await;
    match cancelled {
        Ok(cancelled) => Ok(cancelled.invalid_executions.unwrap_or_default()),
        Err(error) => {
            let refusal = Refusal::of(&error);
            if refusal.is("ResourceNotFoundException") {
                return Ok(Vec::new());
            }
            Err(refused("CancelFlowExecutions", refusal))
        }
    }
}

/// Names one call about one version of one flow, so that it can be repeated. AppFlow refuses a
/// token that comes back with other parameters, hence the request in it.
fn client_token(flow: &Flow, operation: &str, request: &CreateFlowRequest) -> String {
    let body = serde_json::to_string(request).unwrap_or_default();
    let name = format!("{operation}:{}:{}", flow.version, sha256_hex(&body));
    Uuid::new_v5(&flow.id.as_uuid(), name.as_bytes()).to_string()
}

fn unfit(error: SdkError) -> Error {
    Error::internal("request_unfit", "a compiled flow does not fit the SDK").with_source(error)
}
