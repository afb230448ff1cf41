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

/// How many flows are looked at: somebody waits for the answer in a browser.
const LOOKED_AT: usize = 50;

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
    let (mut resumed, mut looked_at) = (0, 0);
    loop {
        let found = store.query::<Flow>(&partition, "FLOW#", &page).await?;
        for flow in found
            .items
            .iter()
            .filter(|flow| flow.may_resume(connection))
        {
            looked_at += 1;
            if looked_at > LOOKED_AT {
                tracing::warn!(tenant.id = %connection.tenant_id, connection.id = %connection.id, "the connection has more flows than are looked at; those that AppFlow switched off wait for somebody to start them");
                return Ok(resumed);
            }
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

/// AppFlow gives a reason when it switches a flow off, and none when somebody stops it. The reason is
/// the credentials, or failures in a row of which the last one was about credentials.
fn lost_its_credentials(flow: &DescribeFlowOutput) -> bool {
    let on_demand = flow
        .trigger_config()
        .is_none_or(|trigger| *trigger.trigger_type() == TriggerType::Ondemand);
    let reason = flow.flow_status_message().unwrap_or_default();
    let last_run = flow
        .last_run_execution_details()
        .and_then(|run| run.most_recent_execution_message())
        .unwrap_or_default();
    let told = format!("{reason} {last_run}").to_lowercase();
    !on_demand
        && !reason.is_empty()
        && flow.flow_status() == Some(&FlowStatus::Suspended)
        && CREDENTIALS.iter().any(|word| told.contains(word))
}

fn failed(operation: &'static str, refusal: Refusal) -> Error {
    refusal.into_error(operation)
}

#[cfg(test)]
mod tests {
    use aws_sdk_appflow::types::{ExecutionDetails, TriggerConfig};

    use super::*;

    fn described(
        status: FlowStatus,
        trigger: TriggerType,
        reason: &str,
        last_run: &str,
    ) -> DescribeFlowOutput {
        let last_run = ExecutionDetails::builder()
            .most_recent_execution_message(last_run)
            .build();
        DescribeFlowOutput::builder()
            .flow_status(status)
            .trigger_config(
                TriggerConfig::builder()
                    .trigger_type(trigger)
                    .build()
                    .unwrap(),
            )
            .flow_status_message(reason)
            .last_run_execution_details(last_run)
            .build()
    }

    #[test]
    fn x1_only_flows_that_lost_their_credentials_are_resumed() {
        use FlowStatus::{Active, Suspended};
        use TriggerType::{Event, Ondemand, Scheduled};
        let lost =
            "The flow was deactivated because AppFlow can no longer authenticate to the connector";
        let failed = "The flow was deactivated after repeated failures";
        let refused = "Error authenticating to connector: INVALID_SESSION_ID";
        let cases = [
            (Suspended, Scheduled, lost, "", true),
            (Suspended, Event, lost, "", true),
            (Suspended, Scheduled, failed, refused, true),
            (Active, Scheduled, lost, refused, false),
            (Suspended, Ondemand, lost, refused, false),
            (Suspended, Scheduled, failed, "No such column", false),
            // A person stopped it, whatever its last run came to.
            (Suspended, Scheduled, "", refused, false),
        ];
        for (status, trigger, reason, last_run, expected) in cases {
            let flow = described(status.clone(), trigger.clone(), reason, last_run);
            assert_eq!(
                lost_its_credentials(&flow),
                expected,
                "{status} {trigger} {reason} {last_run}"
            );
        }
    }

    #[test]
    fn x1_what_a_person_stopped_or_changed_is_left_alone() {
        use serde_json::json;
        let connection: Connection = serde_json::from_value(json!({
            "id": "con_0193d3f0aaaa7bbb8cccdddddddddddd", "connection_id": "con_0193d3f0aaaa7bbb8cccdddddddddddd",
            "tenant_id": "ten_0193d3f0aaaa7bbb8cccdddddddddddd", "account_id": "acc_0193d3f0aaaa7bbb8cccdddddddddddd",
            "connector": "salesforce", "name": "CRM", "state": "active", "token_owner": "tributary",
            "created_by": "frank", "profile_name": "p", "generation": 1,
            "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "version": 1,
        }))
        .unwrap();
        let uses = r#"{"source":{"connectionId":"con_0193d3f0aaaa7bbb8cccdddddddddddd"}}"#;
        let others = r#"{"source":{"connectionId":"con_0193d3f0aaaa7bbb8cccddddddddddde"}}"#;
        let told = Some("The flow was deactivated");
        for (state, told, drift, definition, expected) in [
            ("active", None, false, uses, true),
            ("suspended", told, false, uses, true),
            ("suspended", None, false, uses, false),
            ("active", None, true, uses, false),
            ("draft", None, false, uses, false),
            ("errored", told, false, uses, false),
            ("active", None, false, others, false),
        ] {
            let flow: Flow = serde_json::from_value(json!({
                "id": "flw_0193d3f0aaaa7bbb8cccdddddddddddd", "appflow_name": "f", "state": state,
                "definition": definition, "status_message": told, "drift": drift.then(|| json!({"kind": "changed"})),
            }))
            .unwrap();
            assert_eq!(flow.may_resume(&connection), expected, "{flow:?}");
        }
    }
}
