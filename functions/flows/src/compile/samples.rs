//! Flows that tests start from.

use tributary::{
    connector::Connector,
    id::{ConnectionId, FlowId, TenantId},
};
use uuid::Uuid;

use super::{
    Staging, Surroundings,
    import::{Known, KnownConnection},
};
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
    let text = include_str!("../../../../events/appflow/flow-06-salesforce-to-s3-transform.json");
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

/// What is known around a flow, from what it was compiled with.
pub(crate) fn known(flow: &FlowDefinition, around: &Surroundings) -> Known {
    let (from, to) = (&flow.source, &flow.destination);
    let ends = [
        (
            &around.source_profile,
            from.connection_id(),
            from.row(),
            None,
        ),
        (
            &around.destination_profile,
            to.connection_id(),
            to.row(),
            around.staging.as_ref(),
        ),
    ];
    let connection = |(profile, id, row, staging): (&Option<String>, _, &Connector, _)| {
        let known = KnownConnection {
            id: Option::<ConnectionId>::unwrap(id),
            connector: row.key.to_owned(),
            staging: Option::<&Staging>::cloned(staging),
        };
        Some((profile.clone()?, known))
    };
    Known {
        name: flow.name.clone(),
        account_id: flow.account_id,
        aws_account_id: around.aws_account_id.clone(),
        connections: ends
            .into_iter()
            .filter(|(profile, ..)| profile.is_some())
            .filter_map(connection)
            .collect(),
    }
}
