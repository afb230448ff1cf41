//! The topic does not answer, or its answer is lost: what was written down is gone on with.

use sandbox_core::{CUSTOMER_ACCOUNT, Fault, FaultRule};
use serde_json::json;

use super::world::{
    act, ask, asked_to_confirm, confirmed_queue, delete, patch, queue, show, subscribe, to_queue,
};
use crate::flows::world::World;

fn fault(world: &World, operation: &str, fault: Fault, times: u32) {
    world.sandbox.faults.add(FaultRule {
        service: "sns".to_owned(),
        operation: operation.to_owned(),
        fault,
        times,
    });
}

fn throttled() -> Fault {
    Fault::Status {
        status: 429,
        retry_after: None,
        body: "<ErrorResponse><Error><Code>Throttled</Code><Message>Rate exceeded</Message></Error></ErrorResponse>".to_owned(),
    }
}

/// The subscription is made and nobody hears of it: the next read finds it, and there is one.
#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_whose_making_was_not_answered_is_gone_on_with_by_the_next_read() {
    let world = World::without_schedules().await;
    let (sandbox, api) = (&world.sandbox, world.api());
    for (name, what) in [("lost", Fault::DropAfter), ("throttled", throttled())] {
        let queue = queue(sandbox, CUSTOMER_ACCOUNT, name).await;
        fault(&world, "Subscribe", what, 3);
        let made = subscribe(api, &to_queue(&queue)).await;
        assert_eq!(made["state"], "pending");
        sandbox.faults.clear();
        assert_eq!(show(api, &made).await["state"], "pending");
        let message = asked_to_confirm(sandbox, &queue).await;
        let confirmed = act(api, &made, "confirm", &message).await;
        assert_eq!(confirmed.expect(200).unwrap()["state"], "active");
    }
}

/// One that the topic may know without our knowing its name there ends at the topic too.
#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_was_never_answered_ends_at_the_topic_too() {
    let world = World::without_schedules().await;
    let (sandbox, api) = (&world.sandbox, world.api());
    let queue = queue(sandbox, CUSTOMER_ACCOUNT, "lost").await;
    fault(&world, "Subscribe", Fault::DropAfter, 3);
    let made = subscribe(api, &to_queue(&queue)).await;
    sandbox.faults.clear();
    let token = asked_to_confirm(sandbox, &queue).await["Token"].clone();
    assert_eq!(delete(api, &made).await.status, 204);
    let topic = super::world::topic(sandbox);
    let confirmed = sandbox.sns.confirm(topic, token.as_str().unwrap());
    assert_eq!(confirmed, None, "the topic has it still");
}

/// A filter that the topic did not take is brought there by the next read.
#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_the_topic_did_not_take_is_brought_there_by_the_next_read() {
    let world = World::without_schedules().await;
    let (sandbox, api) = (&world.sandbox, world.api());
    let (made, _) = confirmed_queue(sandbox, api, CUSTOMER_ACCOUNT, "q", &json!({})).await;
    fault(&world, "SetSubscriptionAttributes", throttled(), 3);
    let refused = patch(api, &made, &json!({ "state": "disabled" })).await;
    assert_eq!(refused.status, 429, "{}", refused.text);
    sandbox.faults.clear();
    assert_eq!(show(api, &made).await["state"], "disabled");
    let told = filters_set(&world);
    assert!(told > 0);
    // And read once more there is nothing to do.
    show(api, &made).await;
    assert_eq!(filters_set(&world), told);
}

/// How often SNS took a change of a subscription.
fn filters_set(world: &World) -> usize {
    let entries = world.sandbox.journal.entries();
    let set = entries.iter().filter(|entry| {
        entry.service == "sns"
            && entry.operation == "SetSubscriptionAttributes"
            && entry.status == 200
    });
    set.count()
}

/// When a quota of SNS is used up the tenant is told to try later, and nothing stays behind.
#[tokio::test(flavor = "multi_thread")]
async fn a_topic_without_room_leaves_it_pending() {
    let world = World::without_schedules().await;
    let queue = queue(&world.sandbox, CUSTOMER_ACCOUNT, "full").await;
    let full = Fault::Status {
        status: 403,
        retry_after: None,
        body: "<ErrorResponse><Error><Code>FilterPolicyLimitExceeded</Code><Message>Too many</Message></Error></ErrorResponse>".to_owned(),
    };
    fault(&world, "Subscribe", full, 1);
    let made = ask(world.api(), &to_queue(&queue), &json!({})).await;
    assert_eq!(made.expect(201).unwrap()["state"], "pending");
}
