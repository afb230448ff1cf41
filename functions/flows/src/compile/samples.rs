//! Flows that tests start from.

use tributary::id::{FlowId, TenantId};
use uuid::Uuid;

use super::Surroundings;
use crate::model::FlowDefinition;

const SMALL: &str = r#"{
    "name": "City sales to S3",
    "accountId": "acc_019364c0a1b27cc3a4d5e6f708192a3b",
    "source": {
        "connector": "salesforce",
        "connectionId": "con_019364c0a1b27cc3a4d5e6f708192a3b",
        "object": "Account"
    },
    "destination": { "connector": "s3", "bucket": "appflow-landing-123456789012" },
    "trigger": { "type": "onDemand" },
    "mappings": [{ "type": "all" }]
}"#;

/// The smallest sound flow, changed.
pub(crate) fn flow(change: impl FnOnce(&mut FlowDefinition)) -> FlowDefinition {
    let mut flow = serde_json::from_str(SMALL).unwrap();
    change(&mut flow);
    flow
}

/// A flow with everything on the way, as a person writes it.
pub(crate) fn full_flow() -> FlowDefinition {
    let text = include_str!("../../../../events/appflow/flow-salesforce-to-s3-transform.json");
    serde_json::from_str(text).unwrap()
}

/// Names around a flow.
pub(crate) fn around() -> Surroundings {
    Surroundings {
        tenant_id: TenantId::from_uuid(Uuid::from_u128(1)),
        flow_id: FlowId::from_uuid(Uuid::from_u128(2)),
        source_profile: Some("sf-prod".to_owned()),
        destination_profile: None,
        staging: None,
        aws_account_id: "123456789012".to_owned(),
    }
}
