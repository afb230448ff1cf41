//! Flows that AppFlow switched off because a connection did not work are switched on again when it
//! does (scenario X1). What a person stopped stays stopped.

use aws_sdk_appflow::{
    Client,
    operation::describe_flow::DescribeFlowOutput,
    types::{FlowStatus, TriggerType},
};
use jiff::Timestamp;
use serde::{Deserialize, de::IgnoredAny};

use super::Connection;
use crate::{
    aws::Refusal,
    error::{Error, Result},
    id::FlowId,
    store::{Key, PageRequest, Store, Update},
};

/// Words of AppFlow's reasons that speak of credentials.
const CREDENTIALS: [&str; 8] = [
    "authenticat",
    "unauthorized",
    "invalid_grant",
    "invalid session",
    "invalid_session",
    "access token",
    "refresh token",
    "credential",
];

/// What is looked at of a flow's record.
#[derive(Debug, Deserialize)]
struct Flow {
    id: FlowId,
    appflow_name: String,
    state: String,
    /// As JSON text.
    definition: String,
    #[serde(default)]
    status_message: Option<String>,
    #[serde(default)]
    drift: Option<IgnoredAny>,
}

impl Flow {
    /// Whether AppFlow can have switched it off behind our back or with our knowledge: what was
    /// never started, is being changed by somebody, or was stopped by a person is left alone.
    fn may_resume(&self, connection: &Connection) -> bool {
        let by_appflow = match self.state.as_str() {
            "active" => true,
            "suspended" => self.status_message.is_some(),
            _ => false,
        };
        // Ids are random: the text holds one exactly if the definition names the connection.
        by_appflow && self.drift.is_none() && self.definition.contains(&connection.id.to_string())
    }
}

/// Starts the connection's flows that AppFlow switched off for want of credentials; answers how many.
pub async fn resume(store: &Store, appflow: &Client, connection: &Connection) -> Result<usize> {
    let partition = Key::tenant_partition(connection.tenant_id);
    let mut page = PageRequest::first(100);
    let mut resumed = 0;
    loop {
        let found = store.query::<Flow>(&partition, "FLOW#", &page).await?;
        for flow in found
            .items
            .iter()
            .filter(|flow| flow.may_resume(connection))
        {
            if start(store, appflow, connection, flow).await? {
                resumed += 1;
            }
        }
        if found.next.is_none() {
            return Ok(resumed);
        }
        page.after = found.next;
    }
}

async fn start(
    store: &Store,
    appflow: &Client,
    connection: &Connection,
    flow: &Flow,
) -> Result<bool> {
    let described = appflow
        .describe_flow()
        .flow_name(&flow.appflow_name)
        .send()
        .await
        .map_err(|error| failed("DescribeFlow", Refusal::of(&error)))?;
    if !lost_its_credentials(&described) {
        return Ok(false);
    }
    appflow
        .start_flow()
        .flow_name(&flow.appflow_name)
        .send()
        .await
        .map_err(|error| failed("StartFlow", Refusal::of(&error)))?;
    let update = Update::new()
        .set("state", "active")
        .set("updated_at", Timestamp::now())
        .remove("status_message")
        .when_one_of("state", ["active", "suspended"]);
    let key = Key::flow(connection.tenant_id, flow.id);
    match store.update::<IgnoredAny>(&key, update).await {
        Ok(_) => {}
        Err(error) if error.is_condition() => {}
        Err(error) => return Err(error.into()),
    }
    tracing::info!(tenant.id = %connection.tenant_id, connection.id = %connection.id, flow.id = %flow.id, "flow resumed: its connection works again");
    Ok(true)
}

fn lost_its_credentials(flow: &DescribeFlowOutput) -> bool {
    let on_demand = flow
        .trigger_config()
        .is_none_or(|trigger| *trigger.trigger_type() == TriggerType::Ondemand);
    let reason = flow
        .flow_status_message()
        .unwrap_or_default()
        .to_lowercase();
    !on_demand
        && flow.flow_status() == Some(&FlowStatus::Suspended)
        && CREDENTIALS.iter().any(|word| reason.contains(word))
}

fn failed(operation: &'static str, refusal: Refusal) -> Error {
    refusal.into_error(operation)
}

#[cfg(test)]
mod tests {
    use aws_sdk_appflow::types::TriggerConfig;

    use super::*;

    fn described(status: FlowStatus, trigger: TriggerType, message: &str) -> DescribeFlowOutput {
        DescribeFlowOutput::builder()
            .flow_status(status)
            .trigger_config(
                TriggerConfig::builder()
                    .trigger_type(trigger)
                    .build()
                    .unwrap(),
            )
            .flow_status_message(message)
            .build()
    }

    #[test]
    fn x1_only_flows_that_lost_their_credentials_are_resumed() {
        let lost =
            "The flow was deactivated because AppFlow can no longer authenticate to the connector";
        let is_resumed =
            |status, trigger, message| lost_its_credentials(&described(status, trigger, message));
        assert!(is_resumed(
            FlowStatus::Suspended,
            TriggerType::Scheduled,
            lost
        ));
        assert!(is_resumed(FlowStatus::Suspended, TriggerType::Event, lost));
        assert!(!is_resumed(
            FlowStatus::Active,
            TriggerType::Scheduled,
            lost
        ));
        assert!(!is_resumed(
            FlowStatus::Suspended,
            TriggerType::Ondemand,
            lost
        ));
        assert!(!is_resumed(
            FlowStatus::Suspended,
            TriggerType::Scheduled,
            "The flow was deactivated after repeated failures"
        ));
        assert!(!is_resumed(
            FlowStatus::Suspended,
            TriggerType::Scheduled,
            ""
        ));
    }
}
