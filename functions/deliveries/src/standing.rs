//! How an endpoint stands: whether it takes anything, and who may find that out.
//!
//! While nothing gets through, one attempt at a time goes out and the others make way, so that an
//! endpoint that is down or hangs costs us little and is not flooded when it comes back.

use jiff::{SignedDuration, Timestamp};
use serde::de::IgnoredAny;
use serde_json::json;
use tributary::{
    error::Result,
    event::{CloudEvent, Fact, Sequence},
    outbox::Entry,
    store::{Key, Store, StoreError, Update},
    subscription::{DisabledReason, EventType, Subscription, SubscriptionState},
    telemetry::{self, Metric},
};

use crate::{App, rules::later};

/// How long the turn at a failing endpoint lasts if nobody gives it back.
const TURN: SignedDuration = SignedDuration::from_secs(60);
/// The attribute that says until when somebody has the turn.
const TURN_UNTIL: &str = "turn_until";

/// The right to call an endpoint.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    store: &'a Store,
    key: Key,
    /// Until when the turn is ours, if turns are taken.
    until: Option<i64>,
    /// Since when the endpoint takes nothing, epoch milliseconds.
    failing_since: Option<i64>,
}

impl<'a> Turn<'a> {
    /// Takes the turn; nothing if the endpoint fails and somebody else is at it.
    pub(crate) async fn take(
        store: &'a Store,
        subscription: &Subscription,
    ) -> Result<Option<Self>> {
        // Who is calling right now is a matter of the machine's time.
        let now = Timestamp::now();
        let key = Key::subscription(subscription.tenant_id, subscription.id);
        let failing_since = subscription.failing_since;
        let turn = |key, until| Self {
            store,
            key,
            until,
            failing_since,
        };
        if failing_since.is_none() {
            return Ok(Some(turn(key, None)));
        }
        let until = later(now, TURN).as_millisecond();
        let update = Update::new()
            .set(TURN_UNTIL, until)
            .when_absent_or_less(TURN_UNTIL, now.as_millisecond());
        let taken = held(store.update::<IgnoredAny>(&key, update).await)?;
        Ok(taken.then(|| turn(key, Some(until))))
    }

    /// The endpoint took something.
    pub(crate) async fn works(self) -> Result<()> {
        if self.failing_since.is_none() {
            return Ok(());
        }
        let update = Update::new().remove("failing_since").remove(TURN_UNTIL);
        held(self.store.update::<IgnoredAny>(&self.key, update).await)?;
        Ok(())
    }

    /// The endpoint took nothing, this time again or for the first time.
    pub(crate) async fn fails(self, now: Timestamp) -> Result<()> {
        if self.until.is_some() {
            return self.give_back().await;
        }
        let update = Update::new()
            .set("failing_since", now.as_millisecond())
            .when_equal("state", SubscriptionState::Active)
            .when_absent("failing_since");
        held(self.store.update::<IgnoredAny>(&self.key, update).await)?;
        Ok(())
    }

    /// Nothing was found out.
    pub(crate) async fn give_back(self) -> Result<()> {
        if let Some(until) = self.until {
            let update = Update::new()
                .remove(TURN_UNTIL)
                .when_equal(TURN_UNTIL, until);
            held(self.store.update::<IgnoredAny>(&self.key, update).await)?;
        }
        Ok(())
    }
}

/// Switches a subscription off and tells its tenant, in one decision: of several who find the same
/// one does it, and if something was delivered meanwhile nobody.
pub(crate) async fn switch_off(
    app: &App,
    store: &Store,
    subscription: &Subscription,
    reason: DisabledReason,
    now: Timestamp,
) -> Result<()> {
    let update = Update::new()
        .set("state", SubscriptionState::Disabled)
        .set("disabled_reason", reason)
        .set("updated_at", now)
        .remove("failing_since")
        .remove(TURN_UNTIL)
        .when_equal("state", SubscriptionState::Active);
    let update = match (reason, subscription.failing_since) {
        (DisabledReason::Failing, Some(since)) => update.when_equal("failing_since", since),
        _ => update,
    };
    let entry = notice(&app.config.stage, subscription, reason, now);
    let outbox_key = entry.key();
    let key = Key::subscription(subscription.tenant_id, subscription.id);
    match store.update_with(&key, update, &entry.items(now)).await {
        Ok(()) => {}
        Err(StoreError::Condition { .. }) => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    tracing::warn!(
        tenant.id = %subscription.tenant_id,
        subscription.id = %subscription.id,
        reason = ?reason,
        "a subscription was switched off because of its endpoint"
    );
    telemetry::count(Metric::SubscriptionDisabled);
    // What fails here is published by whoever looks after the outbox.
    if let Err(error) = app.outbox.publish(&outbox_key).await {
        tracing::warn!(
            error.code = error.code(),
            error.chain = error.chain(),
            "the notice of a disabled subscription waits in the outbox"
        );
    }
    Ok(())
}

/// What the tenant is told. One time of failing makes one notice.
fn notice(
    stage: &str,
    subscription: &Subscription,
    reason: DisabledReason,
    now: Timestamp,
) -> Entry {
    let since = subscription
        .failing_since
        .and_then(|since| Timestamp::from_millisecond(since).ok());
    let mut data = json!({
        "subscriptionId": subscription.id,
        "name": subscription.name,
        "reason": reason,
    });
    if let Some(since) = since {
        data["failingSince"] = json!(since);
    }
    let fact = Fact {
        kind: EventType::SubscriptionDisabled,
        subject: subscription.id.to_string(),
        name: &format!("disabled/{}", since.unwrap_or(now)),
        sequence: Sequence::of_time(now, 0),
        time: now,
        data,
    };
    let event = CloudEvent::new(stage, subscription.tenant_id, fact);
    Entry::new(event, "disabled")
}

fn held(written: std::result::Result<IgnoredAny, StoreError>) -> Result<bool> {
    match written {
        Ok(_) => Ok(true),
        Err(StoreError::Condition { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
