//! A look at the flow as AppFlow has it now.

use aws_sdk_appflow::{
    Client, operation::describe_flow::DescribeFlowOutput, primitives::DateTime, types::FlowStatus,
};
use tributary::{
    aws::Refusal,
    clean::clean,
    error::{Error, Fault},
};

use crate::{
    TenantApp,
    appflow::refused,
    compile::{
        described,
        drift::{Difference, drift, unreadable},
        import::import,
    },
    flows::{
        record::{Flow, FlowState},
        references::{Standing, standing},
    },
    model::FlowDefinition,
};

/// What AppFlow has.
#[derive(Debug)]
pub(in crate::flows) enum Look {
    /// Nothing under the flow's name.
    Gone,
    /// A flow.
    Found(Box<Found>),
}

/// A flow as AppFlow has it.
#[derive(Debug)]
pub(in crate::flows) struct Found {
    /// Where it stands.
    pub(in crate::flows) state: FlowState,
    /// Why AppFlow switched it off, secrets removed.
    pub(in crate::flows) message: Option<String>,
    /// When it was last changed, epoch milliseconds.
    pub(in crate::flows) updated_at: Option<i64>,
    /// Who changed it last.
    pub(in crate::flows) updated_by: Option<String>,
    /// Where it differs from our definition.
    pub(in crate::flows) differences: Vec<Difference>,
    /// Its definition in our words, or why there are none.
    pub(in crate::flows) definition: Result<FlowDefinition, Vec<Fault>>,
    /// Its ARN.
    pub(in crate::flows) arn: Option<String>,
}

/// Describes the flow and compares it with the request that our definition becomes.
pub(in crate::flows) async fn look(
    app: &TenantApp,
    client: &Client,
    flow: &Flow,
) -> Result<Look, Error> {
    let described = client
        .describe_flow()
        .flow_name(&flow.appflow_name)
        .send()
        .await;
    let described = match described {
        Ok(described) => described,
        Err(error) => {
            let refusal = Refusal::of(&error);
            if refusal.is("ResourceNotFoundException") {
                return Ok(Look::Gone);
            }
            return Err(refused("DescribeFlow", refusal));
        }
    };
    let updated_at = described.last_updated_at.as_ref().and_then(millis);
    let (differences, definition) = match standing(app, flow).await? {
        Some(standing) => compared(flow, &standing, &described),
        None => (changed_since(flow, updated_at), Err(Vec::new())),
    };
    let message = described.flow_status_message.as_deref().map(clean);
    Ok(Look::Found(Box::new(Found {
        state: FlowState::of_appflow(described.flow_status.as_ref().map(FlowStatus::as_str)),
        message: message.filter(|message| !message.is_empty()),
        updated_at,
        updated_by: described.last_updated_by.clone(),
        differences,
        definition,
        arn: described.flow_arn,
    })))
}

type Compared = (Vec<Difference>, Result<FlowDefinition, Vec<Fault>>);

fn compared(flow: &Flow, standing: &Standing, described: &DescribeFlowOutput) -> Compared {
    match described::request(described) {
        Ok(request) => {
            let known = &standing.known;
            let drift = drift(&flow.definition, &standing.request, &request, known);
            let faults = || import(&request, known).err().unwrap_or_default();
            (drift.differences, drift.found.ok_or_else(faults))
        }
        Err(found) => (unreadable(&found).differences, Err(found.0)),
    }
}

/// What is known of a flow that cannot be compared: whether AppFlow's was changed at all.
fn changed_since(flow: &Flow, updated_at: Option<i64>) -> Vec<Difference> {
    let known = flow.appflow_updated_at;
    let whole = Difference {
        pointer: String::new(),
        asked: None,
        found: None,
    };
    (known.is_some() && known != updated_at)
        .then_some(whole)
        .into_iter()
        .collect()
}

/// AppFlow's time as epoch milliseconds.
pub(in crate::flows) fn millis(at: &DateTime) -> Option<i64> {
    at.to_millis().ok()
}
