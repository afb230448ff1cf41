//! Deliveries to HTTPS endpoints: what comes, what is tried again, what is given up.

use std::{collections::BTreeSet, time::Duration};

use sandbox_core::OTHER_CUSTOMER_ACCOUNT;
use sandbox_saas::catcher::Reply;
use serde_json::{Value, json};

use super::{
    hooks::{Hooks, called, hook, test},
    world::{act, patch},
};
use crate::{common, flows::world::World};

const HOUR: Duration = Duration::from_hours(1);

fn body(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// N1: a completed run comes to the endpoints of its tenant whose filter it passes, once, and to no
/// other tenant's.
#[tokio::test(flavor = "multi_thread")]
async fn n1_a_completed_run_comes_to_its_tenants_endpoints_only() {
    let world = World::without_schedules().await;
    let sandbox = &world.sandbox;
    let other = common::tenant(sandbox, "Others", &[("ming", "admin")]).await;
    let theirs = other.api("ming");
    hook(sandbox, theirs, "theirs").await;
    common::customer_account_in(sandbox, theirs, OTHER_CUSTOMER_ACCOUNT).await;
    hook(sandbox, world.api(), "own").await;
    let flow = world.create(&world.flow()).await;
    let run = world.run(&flow).await;
    world.settled().await;
    let completed = common::eventually("the notification", || async {
        sandbox.webhooks.caught("own").into_iter().find(|caught| {
            let event = body(&caught.body);
            event["type"] == "tributary.run.completed" && event["subject"] == run["id"]
        })
    })
    .await;
    let event = body(&completed.body);
    assert_eq!(
        completed.header("content-type"),
        "application/cloudevents+json"
    );
    assert_eq!(
        completed.header("webhook-id"),
        event["id"].as_str().unwrap()
    );
    assert_eq!(event["specversion"], "1.0");
    assert_eq!(event["tenantid"], world.tenant.id.as_str());
    assert_eq!(event["data"]["flowId"], flow["id"]);
    assert!(event["time"].is_string());

    let ids: Vec<_> = sandbox.webhooks.caught("own");
    let unique: BTreeSet<&str> = ids
        .iter()
        .map(|caught| caught.header("webhook-id"))
        .collect();
    assert_eq!(unique.len(), ids.len(), "something came twice");
    // The other tenant was told of its own account, and of nothing else.
    assert!(sandbox.schedules.fire("tributary-reconcile").await);
    called(sandbox, "theirs", 1).await;
    for caught in sandbox.webhooks.caught("theirs") {
        assert_eq!(body(&caught.body)["tenantid"], other.id.as_str());
    }
    common::no_leaks(sandbox).await;
}

/// N3: an endpoint that is down for six hours gets everything afterwards, each event under one id;
/// meanwhile it is not pelted.
#[tokio::test(flavor = "multi_thread")]
async fn n3_after_six_hours_everything_is_delivered() {
    let hooks = Hooks::new().await;
    hooks.answer("down", 503);
    let down = hooks.subscribe("down").await;
    let mut sent = BTreeSet::from([hooks.test(&down).await]);
    hooks.called("down", 1).await;
    common::eventually("the endpoint to count as failing", || async {
        let shown = hooks.show(&down).await;
        shown["failingSince"].is_string().then_some(())
    })
    .await;
    for _ in 0..4 {
        sent.insert(hooks.test(&down).await);
    }
    common::eventually("all to be written", || async {
        (hooks.deliveries(&down).await.len() == sent.len()).then_some(())
    })
    .await;
    for _ in 0..12 {
        hooks.later(HOUR / 2).await;
    }
    let refused = hooks.sandbox.webhooks.caught("down");
    assert!(!refused.is_empty() && refused.iter().all(|caught| caught.status == 503));
    assert_eq!(hooks.sandbox.webhooks.most_at_once("down"), 1);

    hooks.answer("down", 204);
    hooks.until_all_are(&down, "delivered", HOUR / 2).await;
    let taken: Vec<String> = hooks
        .sandbox
        .webhooks
        .caught("down")
        .iter()
        .filter(|caught| caught.status == 204)
        .map(|caught| caught.header("webhook-id").to_owned())
        .collect();
    assert_eq!(taken.len(), sent.len(), "{taken:?}");
    assert_eq!(taken.into_iter().collect::<BTreeSet<_>>(), sent);
    let shown = hooks.show(&down).await;
    assert_eq!(shown["state"], "active");
    assert!(shown["failingSince"].is_null());
    assert!(hooks.notices(&down).await.is_empty());
    common::no_leaks(&hooks.sandbox).await;
}

/// N4: an endpoint that always fails is tried for more than a day. Then the delivery is dead, the
/// subscription is off, that is told once, and what is wanted again comes: by id, and by period.
#[tokio::test(flavor = "multi_thread")]
async fn n4_an_endpoint_that_always_fails_is_switched_off_and_can_catch_up() {
    let hooks = Hooks::new().await;
    hooks.answer("broken", 500);
    let broken = hooks.subscribe("broken").await;
    let began = hooks.sandbox.clock.now();
    let id = hooks.test(&broken).await;
    let mut attempts = 1;
    hooks.tried(&broken, attempts).await;
    for wait in [
        Duration::from_mins(1),
        Duration::from_mins(6),
        Duration::from_mins(34),
        Duration::from_mins(140),
        Duration::from_mins(340),
        Duration::from_mins(680),
    ] {
        hooks.later(wait).await;
        attempts += 1;
        let delivery = hooks.tried(&broken, attempts).await;
        assert_eq!(
            (&delivery["state"], &delivery["statusCode"]),
            (&json!("pending"), &json!(500))
        );
        assert_eq!(hooks.show(&broken).await["state"], "active");
    }
    hooks.later(Duration::from_mins(680)).await;
    let delivery = hooks.all_are(&broken, "dead", 1).await.remove(0);
    assert_eq!(delivery["attempts"], 8, "{delivery}");
    assert_eq!(hooks.sandbox.webhooks.caught("broken").len(), 8);
    let shown = hooks.show(&broken).await;
    assert_eq!(
        (&shown["state"], &shown["disabledReason"]),
        (&json!("disabled"), &json!("failing"))
    );
    let notices = hooks.notices(&broken).await;
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert_eq!(notices[0]["data"]["reason"], "failing");
    // Nothing more happens by itself, and nothing new is tried.
    hooks.later(24 * HOUR).await;
    assert_eq!(hooks.sandbox.webhooks.caught("broken").len(), 8);
    assert_eq!(hooks.notices(&broken).await.len(), 1);

    hooks.answer("broken", 204);
    let on = patch(hooks.api(), &broken, &json!({ "state": "active" })).await;
    assert_eq!(on.expect(200).unwrap()["state"], "active");
    let by_id = json!({ "eventIds": [id] });
    act(hooks.api(), &broken, "redeliver", &by_id)
        .await
        .expect(202)
        .unwrap();
    let calls = hooks.called("broken", 9).await;
    assert_eq!(calls[8].header("webhook-id"), id);
    hooks.all_are(&broken, "delivered", 1).await;

    let by_period = json!({ "from": began, "to": began + Duration::from_mins(10) });
    act(hooks.api(), &broken, "redeliver", &by_period)
        .await
        .expect(202)
        .unwrap();
    let calls = hooks.called("broken", 10).await;
    assert_eq!(calls[9].header("webhook-id"), id);
    assert_eq!(calls[9].body, calls[0].body);
    hooks.all_are(&broken, "delivered", 1).await;
    common::no_leaks(&hooks.sandbox).await;
}

/// N5: while an endpoint hangs with everything that is sent to it, others' deliveries go through.
#[tokio::test(flavor = "multi_thread")]
async fn n5_an_endpoint_that_hangs_does_not_delay_other_tenants() {
    let hooks = Hooks::new().await;
    let sandbox = &hooks.sandbox;
    let other = common::tenant(sandbox, "Others", &[("ming", "admin")]).await;
    let quick = hook(sandbox, other.api("ming"), "quick").await;
    let hangs = Reply {
        delay_seconds: 30,
        ..Reply::status(204)
    };
    sandbox.webhooks.answer("hangs", hangs);
    let slow = hooks.subscribe("hangs").await;
    for _ in 0..15 {
        hooks.test(&slow).await;
    }
    hooks.called("hangs", 2).await;
    for number in 1..=3 {
        let id = test(other.api("ming"), &quick).await;
        let calls = called(sandbox, "quick", number).await;
        assert_eq!(calls[number - 1].header("webhook-id"), id);
        assert!(
            sandbox.webhooks.under_way("hangs") > 0,
            "the endpoint did not hang long enough"
        );
    }
    // What was sent there in vain waits, and is not lost.
    hooks.answer("hangs", 204);
    hooks.until_all_are(&slow, "delivered", HOUR / 2).await;
    assert_eq!(hooks.deliveries(&slow).await.len(), 15);
    common::no_leaks(sandbox).await;
}

/// Whoever says 410 is not asked again, and its tenant is told once.
#[tokio::test(flavor = "multi_thread")]
async fn n4_an_endpoint_that_is_gone_is_switched_off_at_once() {
    let hooks = Hooks::new().await;
    hooks.answer("gone", 410);
    let gone = hooks.subscribe("gone").await;
    hooks.test(&gone).await;
    let dead = hooks.all_are(&gone, "dead", 1).await;
    assert_eq!(
        (&dead[0]["attempts"], &dead[0]["statusCode"]),
        (&json!(1), &json!(410))
    );
    let shown = hooks.show(&gone).await;
    assert_eq!(
        (&shown["state"], &shown["disabledReason"]),
        (&json!("disabled"), &json!("gone"))
    );
    let notices = common::eventually("the notice", || async {
        let notices = hooks.notices(&gone).await;
        (!notices.is_empty()).then_some(notices)
    })
    .await;
    assert_eq!(notices.len(), 1);
    assert_eq!(notices[0]["data"]["reason"], "gone");
    hooks.later(24 * HOUR).await;
    assert_eq!(hooks.sandbox.webhooks.caught("gone").len(), 1);
}

/// An endpoint that asks for a pause gets it, within the schedule.
#[tokio::test(flavor = "multi_thread")]
async fn n3_retry_after_is_respected() {
    let hooks = Hooks::new().await;
    let busy = Reply {
        retry_after: Some(200),
        ..Reply::status(429)
    };
    hooks.sandbox.webhooks.answer("busy", busy);
    let hook = hooks.subscribe("busy").await;
    hooks.test(&hook).await;
    let delivery = hooks.tried(&hook, 1).await;
    let at = |name: &str| {
        delivery[name]
            .as_str()
            .unwrap()
            .parse::<jiff::Timestamp>()
            .unwrap()
    };
    let wait = at("nextAttemptAt")
        .duration_since(at("attemptedAt"))
        .as_secs_f64();
    // Due times are in milliseconds.
    assert!((wait - 200.0).abs() < 0.01, "{delivery}");
    assert_eq!(delivery["failure"], "throttled");
    hooks.later(Duration::from_secs(100)).await;
    assert_eq!(hooks.sandbox.webhooks.caught("busy").len(), 1);
    hooks.answer("busy", 200);
    hooks.later(Duration::from_secs(110)).await;
    hooks.all_are(&hook, "delivered", 1).await;
    assert_eq!(hooks.sandbox.webhooks.caught("busy").len(), 2);
}

/// N3: whoever dies between the request and its record makes one request more, under the same id.
#[tokio::test(flavor = "multi_thread")]
async fn n3_a_worker_that_dies_after_its_request_repeats_it_under_the_same_id() {
    let hooks = Hooks::new().await;
    let slow = Reply {
        delay_seconds: 10,
        ..Reply::status(204)
    };
    hooks.sandbox.webhooks.answer("slow", slow);
    let hook = hooks.subscribe("slow").await;
    let id = hooks.test(&hook).await;
    hooks.called("slow", 1).await;
    // The claim is written by now; what comes of the request will not be.
    assert!(hooks.sandbox.runtime.kill_now("DeliveriesFunction") > 0);
    hooks.answer("slow", 204);
    hooks
        .until_all_are(&hook, "delivered", Duration::from_mins(2))
        .await;
    let ids: Vec<String> = hooks
        .sandbox
        .webhooks
        .caught("slow")
        .iter()
        .map(|caught| caught.header("webhook-id").to_owned())
        .collect();
    assert_eq!(ids, [id.clone(), id]);
}

/// N4: a redelivery of more events than one message takes goes on until the last of them.
#[tokio::test(flavor = "multi_thread")]
async fn n4_a_long_redelivery_goes_on_to_its_end() {
    let hooks = Hooks::new().await;
    let hook = hooks.subscribe("again").await;
    let id = hooks.test(&hook).await;
    hooks.all_are(&hook, "delivered", 1).await;
    // Events that are not there are passed over.
    let unknown = (0..60u32).map(|number| format!("00000000-0000-5000-8000-{number:012}"));
    let ids: Vec<String> = unknown.chain([id.clone()]).collect();
    let asked = act(hooks.api(), &hook, "redeliver", &json!({ "eventIds": ids })).await;
    asked.expect(202).unwrap();
    let calls = hooks.called("again", 2).await;
    assert_eq!(calls[1].header("webhook-id"), id);
    common::no_leaks(&hooks.sandbox).await;
}
