//! What the table says and what the topic has, brought together.
//!
//! People confirm and unsubscribe at SNS, and whoever was making or changing a subscription may have
//! died between the table and the topic. Whoever reads a subscription next makes up for it.

use jiff::{SignedDuration, Timestamp};
use tributary::{
    error::Error,
    store::{Key, Update},
    subscription::{DisabledReason, Subscription, SubscriptionState},
};

use super::{
    guard, target,
    topic::{self, Seen},
};
use crate::TenantApp;

/// How long SNS may not know yet what it was just told.
const SPREADS_WITHIN: SignedDuration = SignedDuration::from_mins(5);

/// What is to be done about a subscription that the topic has, or has no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Difference {
    /// The state that it comes to.
    state: Option<SubscriptionState>,
    /// The topic has another filter policy.
    refilter: bool,
    /// The topic does not know it.
    is_lost: bool,
}

/// The difference between a subscription and what the topic has of it.
fn difference(subscription: &Subscription, seen: Option<&Seen>, now: Timestamp) -> Difference {
    let none = Difference::default();
    let Some(seen) = seen else {
        let is_new = now.duration_since(subscription.updated_at) < SPREADS_WITHIN;
        return match subscription.state {
            SubscriptionState::Disabled => Difference {
                is_lost: true,
                ..none
            },
            _ if is_new => none,
            _ => Difference {
                state: Some(SubscriptionState::Disabled),
                is_lost: true,
                ..none
            },
        };
    };
    let confirms = subscription.state == SubscriptionState::Pending && seen.is_confirmed;
    Difference {
        state: confirms.then_some(SubscriptionState::Active),
        refilter: seen.policy != topic::policy(subscription),
        is_lost: false,
    }
}

/// Brings both together, and answers the subscription as it is then.
pub(super) async fn settle(
    app: &TenantApp,
    subscription: Subscription,
) -> Result<Subscription, Error> {
    if !target::is_native(&subscription.target) {
        return Ok(subscription);
    }
    let Some(arn) = subscription.topic_subscription.clone() else {
        return match subscription.state {
            SubscriptionState::Pending => subscribe(app, subscription).await,
            _ => Ok(subscription),
        };
    };
    let seen = topic::look(app, &arn).await?;
    let now = Timestamp::now();
    let difference = difference(&subscription, seen.as_ref(), now);
    if difference.refilter {
        topic::filter(app, &arn, &subscription).await?;
    }
    if difference.state.is_none() && !difference.is_lost {
        return Ok(subscription);
    }
    let mut update = Update::new()
        .set("updated_at", now)
        .when_equal("state", subscription.state)
        .when_equal("topic_subscription", &arn);
    if let Some(state) = difference.state {
        let gone = (state == SubscriptionState::Disabled).then_some(DisabledReason::Gone);
        update = update
            .set("state", state)
            .set_or_remove("disabled_reason", gone);
    }
    if difference.is_lost {
        update = update.remove("topic_subscription");
    }
    write(app, subscription, update).await
}

/// Makes the subscription at the topic that was only written down.
async fn subscribe(app: &TenantApp, subscription: Subscription) -> Result<Subscription, Error> {
    guard::claim(app, &subscription).await?;
    let arn = topic::subscribe(app, &subscription).await?;
    guard::keep(app, &subscription).await?;
    // Only queues and functions of the topic's own account need not confirm.
    let update = Update::new()
        .set("topic_subscription", arn)
        .set("updated_at", Timestamp::now())
        .when_absent("topic_subscription");
    write(app, subscription, update).await
}

/// Somebody else who settled it meanwhile is as good.
async fn write(
    app: &TenantApp,
    subscription: Subscription,
    update: Update,
) -> Result<Subscription, Error> {
    let key = Key::subscription(subscription.tenant_id, subscription.id);
    match app.store.update(&key, update).await {
        Ok(settled) => Ok(settled),
        Err(error) if error.is_condition() => {
            super::find(app, subscription.tenant_id, subscription.id).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Like [`settle`], for who only reads: what cannot be settled now is shown as it is.
pub(super) async fn settled(app: &TenantApp, subscription: Subscription) -> Subscription {
    match settle(app, subscription.clone()).await {
        Ok(settled) => settled,
        Err(error) => {
            tracing::warn!(
                tenant.id = %subscription.tenant_id, subscription.id = %subscription.id,
                error.code = error.code(), error.chain = error.chain(),
                "a subscription could not be compared with the topic"
            );
            subscription
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tributary::id::{SubscriptionId, TenantId};

    use super::*;

    fn subscription(state: SubscriptionState) -> Subscription {
        serde_json::from_value(json!({
            "id": SubscriptionId::new(), "tenant_id": TenantId::new(), "name": "n",
            "target": { "kind": "email", "address": "ann@customer.example" },
            "state": state, "topic_subscription": "arn:aws:sns:us-east-1:1:t:s",
            "created_at": "2026-01-01T00:00:00Z", "created_by": "s",
            "updated_at": "2026-01-01T00:00:00Z", "version": 1,
        }))
        .unwrap()
    }

    fn seen(is_confirmed: bool, policy: Value) -> Seen {
        Seen {
            is_confirmed,
            policy,
        }
    }

    #[test]
    fn a_confirmed_subscription_becomes_active_and_an_unconfirmed_one_does_not() {
        let now = Timestamp::now();
        let pending = subscription(SubscriptionState::Pending);
        let policy = topic::policy(&pending);
        let confirmed = difference(&pending, Some(&seen(true, policy.clone())), now);
        assert_eq!(confirmed.state, Some(SubscriptionState::Active));
        let waiting = difference(&pending, Some(&seen(false, policy)), now);
        assert_eq!(waiting, Difference::default());
    }

    #[test]
    fn another_filter_policy_is_replaced_also_of_one_that_is_off() {
        let now = Timestamp::now();
        for state in [SubscriptionState::Active, SubscriptionState::Disabled] {
            let subscription = subscription(state);
            let other = difference(&subscription, Some(&seen(true, Value::Null)), now);
            assert!(other.refilter, "{state:?}");
            let same = seen(true, topic::policy(&subscription));
            assert!(!difference(&subscription, Some(&same), now).refilter);
        }
    }

    #[test]
    fn one_that_the_topic_forgot_is_off_unless_it_is_quite_new() {
        let active = subscription(SubscriptionState::Active);
        let lost = difference(&active, None, Timestamp::now());
        assert_eq!(
            (lost.state, lost.is_lost),
            (Some(SubscriptionState::Disabled), true)
        );
        let at_once = active.updated_at + SignedDuration::from_mins(1);
        assert_eq!(difference(&active, None, at_once), Difference::default());
        let off = subscription(SubscriptionState::Disabled);
        assert!(difference(&off, None, Timestamp::now()).is_lost);
    }

    #[test]
    fn one_that_is_off_gets_nothing_and_never_anothers() {
        let off = subscription(SubscriptionState::Disabled);
        let policy = topic::policy(&off);
        assert_eq!(policy["tenantId"], json!([off.tenant_id]));
        assert_eq!(policy["deliverTo"], json!(["nobody"]));
    }
}
