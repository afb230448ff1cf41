//! A notification: for each endpoint of its tenant that is meant, a delivery is written and enqueued.

use jiff::{SignedDuration, Timestamp};
use tributary::{
    error::Result,
    id::FlowId,
    outbox::LoggedEvent,
    store::{Key, PageRequest, Store, StoreError},
    subscription::{
        DELIVERY_SHARD, Delivery, DeliveryState, EventType, Subscription, SubscriptionState,
        TO_ALL, Target,
    },
};

use crate::{App, message::Attempt, message::Notification, rules::later, unknown_event};

/// When a tick finds a delivery whose message was lost.
pub(crate) const MESSAGE_LOST: SignedDuration = SignedDuration::from_mins(2);
/// Subscriptions that are read at a time.
const PAGE: usize = 100;

pub(crate) async fn run(
    app: &App,
    notification: &Notification,
    deliver_to: Option<&str>,
) -> Result<()> {
    let tenant = notification.tenantid;
    let scope = app.scopes.of(tenant).await?;
    let store = scope.store();
    let Some(logged) = LoggedEvent::load(store, tenant, &notification.id).await? else {
        return Err(unknown_event("an event is not in its tenant's log"));
    };
    let now = Timestamp::now();
    let deliver_to = deliver_to.unwrap_or(TO_ALL);
    let mut attempts = Vec::new();
    for subscription in subscriptions(store, &notification.tenantid).await? {
        if !is_meant(&subscription, &logged, deliver_to) {
            continue;
        }
        let delivery = delivery(&subscription, &logged, now);
        let attempt = attempt(&delivery, now);
        match store.insert(&attempt.key(), &delivery).await {
            Ok(()) => attempts.push(attempt),
            // The message came twice. If the first time ended here, a tick finds the delivery.
            Err(StoreError::Condition { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    if !attempts.is_empty() {
        tracing::info!(tenant.id = %tenant, event.id = notification.id, deliveries = attempts.len(), "notification fanned out");
        app.enqueue(attempts, 0).await?;
    }
    Ok(())
}

async fn subscriptions(
    store: &Store,
    tenant: &tributary::id::TenantId,
) -> Result<Vec<Subscription>> {
    let partition = Key::tenant_partition(*tenant);
    let mut page = PageRequest::first(PAGE);
    let mut all = Vec::new();
    loop {
        let found = store.query(&partition, Key::SUBSCRIPTIONS, &page).await?;
        all.extend(found.items);
        if found.next.is_none() {
            return Ok(all);
        }
        page.after = found.next;
    }
}

/// Whether an endpoint gets an event: its own filter decides, unless the message is for one alone.
fn is_meant(subscription: &Subscription, logged: &LoggedEvent, deliver_to: &str) -> bool {
    let is_ours = matches!(subscription.target, Target::Https { .. })
        && subscription.state == SubscriptionState::Active;
    is_ours
        && if deliver_to == TO_ALL {
            fits(subscription, logged)
        } else {
            deliver_to == subscription.id.to_string()
        }
}

/// Whether an event passes a subscription's filter. That a subscription was switched off is told to
/// the others, also if it is on again by the time that the message comes.
pub(crate) fn fits(subscription: &Subscription, logged: &LoggedEvent) -> bool {
    let is_own_end = logged.event.kind == EventType::SubscriptionDisabled.as_str()
        && logged.event.subject == subscription.id.to_string();
    if is_own_end {
        return false;
    }
    let flow: Option<FlowId> = logged
        .attributes
        .get("flowId")
        .and_then(|flow| flow.parse().ok());
    subscription.filter.fits(&logged.event, flow)
}

/// A delivery that nobody has tried yet.
pub(crate) fn delivery(
    subscription: &Subscription,
    logged: &LoggedEvent,
    now: Timestamp,
) -> Delivery {
    Delivery {
        tenant_id: subscription.tenant_id,
        subscription_id: subscription.id,
        event_id: logged.event.id.clone(),
        event_type: logged.event.kind.clone(),
        event_time: logged.event.time,
        state: DeliveryState::Pending,
        attempts: 0,
        attempts_before: 0,
        attempted_at: None,
        status_code: None,
        failure: None,
        claimed_until: None,
        due_shard: Some(DELIVERY_SHARD.to_owned()),
        due_at: Some(later(now, MESSAGE_LOST).as_millisecond()),
        created_at: now,
        expires_at: logged.expires_at,
    }
}

/// The message that has a delivery tried at once.
pub(crate) fn attempt(delivery: &Delivery, now: Timestamp) -> Attempt {
    Attempt {
        tenant_id: delivery.tenant_id,
        subscription_id: delivery.subscription_id,
        event_time: delivery.event_time,
        event_id: delivery.event_id.clone(),
        due_at: delivery.due_at.unwrap_or_default(),
        at: now,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;
    use tributary::{
        id::{SubscriptionId, TenantId},
        subscription::Filter,
    };

    use super::*;

    fn logged(tenant: TenantId) -> LoggedEvent {
        LoggedEvent {
            event: serde_json::from_value(json!({
                "specversion": "1.0", "id": "e-1", "source": "/s", "type": "tributary.run.failed",
                "subject": "run_1", "time": "2026-01-01T00:00:00Z", "datacontenttype": "application/json",
                "tenantid": tenant, "data": {},
            }))
            .unwrap(),
            attributes: BTreeMap::new(),
            expires_at: 1,
        }
    }

    fn subscription(tenant: TenantId, target: Target, state: SubscriptionState) -> Subscription {
        Subscription {
            id: SubscriptionId::new(),
            tenant_id: tenant,
            name: "ours".to_owned(),
            target,
            filter: Filter::default(),
            state,
            disabled_reason: None,
            topic_subscription: None,
            keys: Vec::new(),
            failing_since: None,
            created_at: Timestamp::UNIX_EPOCH,
            created_by: "ming".to_owned(),
            updated_at: Timestamp::UNIX_EPOCH,
            version: 1,
        }
    }

    #[test]
    fn n1_endpoints_get_what_is_for_all_and_fits_or_for_them_alone() {
        use SubscriptionState::{Active, Disabled, Pending};
        let tenant = TenantId::new();
        let logged = logged(tenant);
        let https = || Target::Https {
            url: "https://hooks.example.com/".to_owned(),
        };
        let ours = subscription(tenant, https(), Active);
        assert!(is_meant(&ours, &logged, TO_ALL));
        assert!(is_meant(&ours, &logged, &ours.id.to_string()));
        assert!(!is_meant(
            &ours,
            &logged,
            &SubscriptionId::new().to_string()
        ));
        for state in [Disabled, Pending] {
            let other = subscription(tenant, https(), state);
            assert!(!is_meant(&other, &logged, TO_ALL));
            assert!(!is_meant(&other, &logged, &other.id.to_string()));
        }
        // The topic delivers to queues itself.
        let queue_arn = "arn:aws:sqs:eu-central-1:111111111111:q".to_owned();
        let queue = subscription(tenant, Target::Queue { queue_arn }, Active);
        assert!(!is_meant(&queue, &logged, TO_ALL));
        let mut picky = subscription(tenant, https(), Active);
        picky.filter =
            serde_json::from_value(json!({"eventTypes": ["tributary.run.completed"]})).unwrap();
        assert!(!is_meant(&picky, &logged, TO_ALL));
        assert!(is_meant(&picky, &logged, &picky.id.to_string()));
    }

    #[test]
    fn n4_the_end_of_an_endpoint_is_told_to_the_others() {
        let tenant = TenantId::new();
        let target = || Target::Https {
            url: "https://hooks.example.com/".to_owned(),
        };
        let ours = subscription(tenant, target(), SubscriptionState::Active);
        let other = subscription(tenant, target(), SubscriptionState::Active);
        let mut logged = logged(tenant);
        logged.event.kind = EventType::SubscriptionDisabled.as_str().to_owned();
        logged.event.subject = ours.id.to_string();
        assert!(!is_meant(&ours, &logged, TO_ALL));
        assert!(is_meant(&other, &logged, TO_ALL));
    }
}
