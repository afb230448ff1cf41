//! What a look comes to, for every pair of what we have and what is found.

use tributary::id::{AccountId, FlowId, TenantId};

use super::*;
use crate::compile::drift::Difference;

fn flow(state: FlowState) -> Flow {
    let account = AccountId::new();
    let connection = tributary::id::ConnectionId::new();
    let definition = serde_json::from_value(serde_json::json!({
        "name": "Sales", "accountId": account,
        "source": { "connector": "salesforce", "connectionId": connection, "object": "Account" },
        "destination": { "connector": "s3", "bucket": "landing", "format": { "file": "json" } },
        "trigger": { "type": "event" }, "mappings": [{ "type": "all" }],
    }))
    .unwrap();
    let now = Timestamp::UNIX_EPOCH;
    Flow {
        id: FlowId::new(),
        tenant_id: TenantId::new(),
        account_id: account,
        aws_account_id: "222222222222".to_owned(),
        appflow_name: "tributary-x".to_owned(),
        state,
        definition,
        after_run: None,
        appflow_arn: None,
        compiled_at: Some(now),
        appflow_updated_at: Some(1),
        status_message: None,
        drift: None,
        needs_mapping: Vec::new(),
        updating_until: None,
        paused: false,
        created_by: "frank".to_owned(),
        created_at: now,
        updated_at: now,
        version: 1,
    }
}

fn found(state: FlowState, message: Option<&str>, differs: bool) -> Look {
    let differences = differs.then(|| Difference {
        pointer: "/description".to_owned(),
        asked: None,
        found: Some("theirs".into()),
    });
    Look::Found(Box::new(Found {
        state,
        message: message.map(str::to_owned),
        updated_at: Some(2),
        updated_by: Some("arn:aws:iam::222222222222:user/ana".to_owned()),
        differences: differences.into_iter().collect(),
        definition: Err(Vec::new()),
        arn: None,
    }))
}

fn kind(flow: &Flow, look: &Look) -> Result<Option<DriftKind>, String> {
    match judge(flow, look, Timestamp::UNIX_EPOCH) {
        Judgement::Agrees => Ok(None),
        Judgement::Drifted(drift) => Ok(Some(drift.kind)),
        Judgement::Deactivated { message, .. } => Err(message),
    }
}

#[test]
fn f6_each_change_by_somebody_else_has_its_kind() {
    use FlowState::{Active, Draft, Errored, Suspended};
    let cases = [
        (Active, found(Active, None, false), Ok(None)),
        (
            Active,
            found(Active, None, true),
            Ok(Some(DriftKind::Changed)),
        ),
        (
            Active,
            found(Suspended, None, true),
            Ok(Some(DriftKind::Changed)),
        ),
        (
            Active,
            found(Suspended, None, false),
            Ok(Some(DriftKind::Status)),
        ),
        (
            Draft,
            found(Active, None, false),
            Ok(Some(DriftKind::Status)),
        ),
        (
            Suspended,
            found(Active, Some("old"), false),
            Ok(Some(DriftKind::Status)),
        ),
        (
            Active,
            found(Suspended, Some("failed"), false),
            Err("failed".to_owned()),
        ),
        (
            Active,
            found(Errored, Some("failed"), false),
            Err("failed".to_owned()),
        ),
        (Suspended, found(Suspended, Some("failed"), false), Ok(None)),
        (Active, Look::Gone, Ok(Some(DriftKind::Deleted))),
    ];
    for (ours, look, expected) in cases {
        assert_eq!(kind(&flow(ours), &look), expected, "{ours:?} {look:?}");
    }
}

#[test]
fn a_change_that_is_known_is_not_noticed_twice() {
    let mut flow = flow(FlowState::Active);
    let look = found(FlowState::Active, None, true);
    let later = Timestamp::from_second(60).unwrap();
    let first = judge(&flow, &look, Timestamp::UNIX_EPOCH);
    assert!(lesson(&flow, &first, Some(2)).is_some());
    let Judgement::Drifted(drift) = first else {
        panic!("no drift");
    };
    flow.drift = Some(drift);
    let again = judge(&flow, &look, later);
    assert!(lesson(&flow, &again, Some(2)).is_none(), "{again:?}");
    // Put back by whoever changed it: nothing is left to settle.
    let mended = judge(&flow, &found(FlowState::Active, None, false), later);
    assert_eq!(mended, Judgement::Agrees);
    assert!(lesson(&flow, &mended, Some(2)).is_some());
}
