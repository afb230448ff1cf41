//! A2 at its full size: two thousand events of one tenant, through the real binary and the real queue.

use sandbox_core::{CUSTOMER_ACCOUNT, OTHER_CUSTOMER_ACCOUNT};
use serde_json::{Value, json};

use super::events::event;
use crate::{
    common,
    flows::world::{World, landing_bucket},
};

/// Events of the flood.
const FLOOD: usize = 2_000;
/// The noisy tenant's burst: so many of its events are worked on at once.
const BURST: usize = 10;
/// Most of the flood that may be worked on between another tenant's event and its notification: what
/// other instances had in hand already. A batch of the queue is ten, and five are worked on at a time.
const BOUND: usize = 50;

fn end(flow: &Value, name: &str, number: usize) -> Value {
    let execution = format!("{name}-{number}");
    event(flow, &execution, Some("Execution Successful"))
}

/// Tenants whose runs were told to have completed, in order.
async fn told(world: &World) -> Vec<String> {
    let all = world.sandbox.notifications().await;
    let ends = all
        .iter()
        .filter(|event| event["type"] == "tributary.run.completed");
    ends.map(|event| event["tenantid"].as_str().unwrap().to_owned())
        .collect()
}

fn count(told: &[String], tenant: &str) -> usize {
    told.iter().filter(|one| *one == tenant).count()
}

/// A2: while two thousand events of one tenant wait and are worked off, each event of another is told
/// before more than the bound of the flood's, by rank and not by the clock.
#[tokio::test(flavor = "multi_thread")]
async fn a2_two_thousand_events_of_one_tenant_delay_nobody_beyond_the_bound() {
    let world = World::without_schedules().await;
    let (sandbox, noisy) = (&world.sandbox, world.tenant.id.clone());
    let quiet = common::tenant(sandbox, "Quiet", &[("ming", "admin")]).await;
    let ming = &quiet.people["ming"];
    let account = common::customer_account_in(sandbox, &ming.api, OTHER_CUSTOMER_ACCOUNT).await;
    let connection = common::salesforce(sandbox, ming, &account).await;
    let mut definition = common::s3_flow(&account, &connection);
    definition["destination"]["bucket"] = json!(landing_bucket(OTHER_CUSTOMER_ACCOUNT));
    let quiets = ming.api.post("/v1/flows", &definition).await.unwrap();
    let quiets = quiets.expect(201).unwrap();
    let noisys = world.create(&world.flow()).await;
    let limited = format!("0.001/{BURST}");
    crate::limits::world::limit(sandbox, &noisy, "event", &limited).await;
    // All of it has come before any of it is worked off, which then goes on beside the other's events.
    sandbox.hold_queue("EventQueue", true);
    for number in 0..FLOOD {
        let event = end(&noisys, "flood", number);
        sandbox.events.put_event(CUSTOMER_ACCOUNT, event);
    }
    world.settled().await;
    sandbox.hold_queue("EventQueue", false);
    let mut most_between = 0;
    for number in 0..5 {
        let before = told(&world).await;
        let flow = end(&quiets, "quiet", number);
        sandbox.events.put_event(OTHER_CUSTOMER_ACCOUNT, flow);
        let wanted = number + 1;
        let after = common::eventually("the quiet tenant's notification", || async {
            let told = told(&world).await;
            (count(&told, &quiet.id) == wanted).then_some(told)
        })
        .await;
        // The rank of its notification among those that came after its event.
        let rank = after
            .iter()
            .rposition(|tenant| *tenant == quiet.id)
            .unwrap();
        most_between = most_between.max(rank.saturating_sub(before.len()));
    }
    println!("at most {most_between} of the flood were told between an event and its notification");
    assert!(most_between <= BOUND, "{most_between}");
    assert!(
        count(&told(&world).await, &noisy) < FLOOD,
        "the flood was over before"
    );
    common::no_leaks(sandbox).await;
}
