//! Endpoints of tenants, and what becomes of deliveries to them as time goes by.

use std::{sync::Arc, time::Duration};

use sandbox::{Options, Sandbox, client::Api};
use sandbox_saas::catcher::{Caught, Reply};
use serde_json::{Value, json};

use super::world::{act, path, show, subscribe};
use crate::common::{self, Tenant};

/// A tenant whose admin subscribes endpoints, in a sandbox where schedules fire when a test says so.
pub(super) struct Hooks {
    pub(super) sandbox: Arc<Sandbox>,
    pub(super) tenant: Tenant,
}

impl Hooks {
    pub(super) async fn new() -> Self {
        let options = Options {
            run_schedules: false,
            ..Options::default()
        };
        let sandbox = common::start_with(options).await;
        let tenant = common::tenant(&sandbox, "Sports Gear", &[("frank", "admin")]).await;
        Self { sandbox, tenant }
    }

    pub(super) fn api(&self) -> &Api {
        self.tenant.api("frank")
    }

    /// Subscribes an endpoint of this name; its signing key is in the answer.
    pub(super) async fn subscribe(&self, name: &str) -> Value {
        hook(&self.sandbox, self.api(), name).await
    }

    /// Lets an endpoint answer with this status from now on.
    pub(super) fn answer(&self, name: &str, status: u16) {
        self.sandbox.webhooks.answer(name, Reply::status(status));
    }

    /// Asks for a test message and answers the event's id.
    pub(super) async fn test(&self, hook: &Value) -> String {
        test(self.api(), hook).await
    }

    /// Waits until an endpoint was called so often, and answers the calls.
    pub(super) async fn called(&self, name: &str, times: usize) -> Vec<Caught> {
        called(&self.sandbox, name, times).await
    }

    /// The clock moves, and the schedule fires.
    pub(super) async fn later(&self, by: Duration) {
        self.sandbox.clock.advance(by);
        assert!(self.sandbox.schedules.fire("tributary-deliveries").await);
        self.sandbox.runtime.settled().await;
    }

    /// The deliveries of a subscription, oldest event first.
    pub(super) async fn deliveries(&self, hook: &Value) -> Vec<Value> {
        let answer = self.api().get(&format!("{}/deliveries", path(hook))).await;
        let list = answer.unwrap().expect(200).unwrap();
        list["items"].as_array().unwrap().clone()
    }

    /// Waits until a subscription's only delivery was tried so often and that is written down.
    pub(super) async fn tried(&self, hook: &Value, times: usize) -> Value {
        common::eventually("an attempt", || async {
            let delivery = self.deliveries(hook).await.pop()?;
            let is_written = delivery["attempts"] == times
                && (delivery["statusCode"].is_number() || delivery["failure"].is_string())
                && self.sandbox.webhooks.all().len() >= times;
            let is_over = delivery["state"] != "pending";
            let waits = delivery["nextAttemptAt"].as_str() > delivery["attemptedAt"].as_str();
            (is_written && (is_over || waits) && !under_claim(&delivery)).then_some(delivery)
        })
        .await
    }

    /// Waits until a subscription's deliveries are all in this state.
    pub(super) async fn all_are(&self, hook: &Value, state: &str, number: usize) -> Vec<Value> {
        common::eventually(state, || async {
            let deliveries = self.deliveries(hook).await;
            let fits = deliveries.iter().all(|delivery| delivery["state"] == state);
            (fits && deliveries.len() == number).then_some(deliveries)
        })
        .await
    }

    /// Lets time go by in steps until a subscription's deliveries are all in this state.
    pub(super) async fn until_all_are(&self, hook: &Value, state: &str, step: Duration) {
        common::eventually(state, || async {
            let deliveries = self.deliveries(hook).await;
            if deliveries.iter().all(|delivery| delivery["state"] == state) {
                return Some(());
            }
            self.later(step).await;
            None
        })
        .await;
    }

    /// Notices that this subscription was switched off, which subscribers of everything got.
    pub(super) async fn notices(&self, hook: &Value) -> Vec<Value> {
        self.sandbox.sns.settled().await;
        let mut all = self.sandbox.notifications().await;
        all.retain(|event| {
            event["type"] == "tributary.subscription.disabled" && event["subject"] == hook["id"]
        });
        all
    }

    pub(super) async fn show(&self, hook: &Value) -> Value {
        show(self.api(), hook).await
    }
}

/// A claim makes a delivery due when it lapses: ninety seconds after the attempt began.
fn under_claim(delivery: &Value) -> bool {
    let at = |name: &str| {
        let text = delivery[name].as_str().unwrap_or_default();
        text.parse::<jiff::Timestamp>().ok()
    };
    match (at("attemptedAt"), at("nextAttemptAt")) {
        (Some(began), Some(next)) => next.duration_since(began).as_secs() == 90,
        _ => false,
    }
}

/// Subscribes an endpoint of the sandbox's.
pub(super) async fn hook(sandbox: &Sandbox, api: &Api, name: &str) -> Value {
    let url = sandbox.webhooks.url(name);
    let made = subscribe(api, &json!({ "kind": "https", "url": url })).await;
    assert_eq!(made["state"], "active", "{made}");
    made
}

pub(super) async fn test(api: &Api, hook: &Value) -> String {
    let sent = act(api, hook, "test", &json!({})).await;
    let sent = sent.expect(202).unwrap();
    sent["eventId"].as_str().unwrap().to_owned()
}

pub(super) async fn called(sandbox: &Sandbox, name: &str, times: usize) -> Vec<Caught> {
    common::eventually(name, || async {
        let caught = sandbox.webhooks.caught(name);
        (caught.len() >= times).then_some(caught)
    })
    .await
}
