//! A2: one tenant's flood of events waits for its turn, and nobody else's notifications wait for it.

use std::collections::BTreeMap;

use sandbox_core::{CUSTOMER_ACCOUNT, OTHER_CUSTOMER_ACCOUNT};
use serde_json::{Value, json};

use super::world::limit;
use crate::{
    common,
    flows::world::{World, landing_bucket},
};

/// Events of the flood.
const FLOOD: usize = 150;

/// The end of a run that AppFlow knows by this id.
fn end(flow: &Value, execution: &str) -> Value {
    json!({
        "source": "aws.appflow",
        "detail-type": "AppFlow End Flow Run Report",
        "resources": ["bd3275d267f032646f926d73a98d12c2"],
        "detail": {
            "flow-name": flow["appflowName"],
            "source": "SALESFORCE", "destination": "S3", "trigger-type": "ONDEMAND",
            "execution-id": execution, "status": "Execution Successful",
            "start-time": "2026-08-29T12:55:23.835Z[UTC]",
            "end-time": "2026-08-29T12:55:32.049Z[UTC]",
            "num-of-records-processed": "63000",
        },
    })
}

/// Tenants of the notified runs of flows, in the order in which they were told.
async fn told(world: &World) -> Vec<String> {
    let all = world.sandbox.notifications().await;
    let runs = all
        .iter()
        .filter(|event| event["type"] == "tributary.run.completed");
    runs.map(|event| event["tenantid"].as_str().unwrap().to_owned())
        .collect()
}

async fn told_of(world: &World, tenant: &str, number: usize) -> Vec<String> {
    common::eventually("the notifications", || async {
        let told = told(world).await;
        (told.iter().filter(|one| *one == tenant).count() >= number).then_some(told)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a2_a_flood_of_one_tenant_waits_and_anothers_events_do_not_wait_for_it() {
    let world = World::without_schedules().await;
    let (sandbox, noisy) = (&world.sandbox, world.tenant.id.clone());
    let quiet = common::tenant(sandbox, "Quiet", &[("ming", "admin")]).await;
    let ming = &quiet.people["ming"];
    let account = common::customer_account_in(sandbox, &ming.api, OTHER_CUSTOMER_ACCOUNT).await;
    let connection = common::salesforce(sandbox, ming, &account).await;
    let mut definition = common::s3_flow(&account, &connection);
    definition["destination"]["bucket"] = json!(landing_bucket(OTHER_CUSTOMER_ACCOUNT));
    let made = ming.api.post("/v1/flows", &definition).await.unwrap();
    let quiets = made.expect(201).unwrap();
    let noisys = world.create(&world.flow()).await;
    // Ten at once, and then practically none; the quiet tenant one.
    limit(sandbox, &noisy, "event", "0.001/10").await;
    limit(sandbox, &quiet.id, "event", "0.001/1").await;
    sandbox.hold_queue("EventQueue", true);

    for number in 0..FLOOD {
        let event = end(&noisys, &format!("flood-{number}"));
        sandbox.events.put_event(CUSTOMER_ACCOUNT, event);
    }
    world.settled().await;
    let first = told(&world).await;
    assert!(first.len() <= 30, "{} were not held back", first.len());
    sandbox
        .events
        .put_event(OTHER_CUSTOMER_ACCOUNT, end(&quiets, "quiet-1"));
    let now = told_of(&world, &quiet.id, 1).await;
    assert_eq!(
        now.len(),
        first.len() + 1,
        "nothing else was told meanwhile"
    );

    // Whoever waits behind the flood gets a turn before it is over.
    sandbox
        .events
        .put_event(OTHER_CUSTOMER_ACCOUNT, end(&quiets, "quiet-2"));
    sandbox
        .events
        .put_event(OTHER_CUSTOMER_ACCOUNT, end(&quiets, "quiet-3"));
    world.settled().await;
    sandbox.hold_queue("EventQueue", false);
    told_of(&world, &noisy, FLOOD).await;
    let all = told_of(&world, &quiet.id, 3).await;
    let last = all.iter().rposition(|tenant| *tenant == quiet.id).unwrap();
    let after = all[last..]
        .iter()
        .filter(|tenant| **tenant == noisy)
        .count();
    assert!(after > FLOOD / 2, "{after} of the flood came after");

    // Everything once.
    world.settled().await;
    let mut counts = BTreeMap::new();
    for tenant in told(&world).await {
        *counts.entry(tenant).or_insert(0) += 1;
    }
    assert_eq!(
        counts,
        BTreeMap::from([(noisy, FLOOD), (quiet.id.clone(), 3)])
    );
    common::no_leaks(sandbox).await;
}
