//! Somebody wants events once more: those of a list, or those of a period that pass the filter.

use jiff::{SignedDuration, Timestamp};
use tributary::{
    error::Result,
    outbox::{EventPointer, LoggedEvent},
    store::{Key, PageRequest, Store, StoreError, Update},
    subscription::{
        DELIVER_TO, DELIVERY_SHARD, Delivery, DeliveryState, Subscription, SubscriptionState,
        TO_ALL, Target,
    },
};

use crate::{
    App, fan_out,
    message::{Attempt, Redeliver},
    rules::later,
};

/// Events of one message; the rest goes on in another.
const PAGE: usize = 50;

pub(crate) async fn run(app: &App, mut asked: Redeliver) -> Result<()> {
    let scope = app.scopes.of(asked.tenant_id).await?;
    let store = scope.store();
    let key = Key::subscription(asked.tenant_id, asked.subscription_id);
    let subscription: Option<Subscription> = store.get(&key).await?;
    let Some(subscription) = subscription.filter(|it| it.state == SubscriptionState::Active) else {
        tracing::info!(tenant.id = %asked.tenant_id, subscription.id = %asked.subscription_id, "nothing is redelivered to a subscription that is off");
        return Ok(());
    };
    let (ids, goes_on) = if asked.event_ids.is_empty() {
        of_period(store, &mut asked).await?
    } else {
        let rest = asked.event_ids.split_off(asked.event_ids.len().min(PAGE));
        (
            std::mem::replace(&mut asked.event_ids, rest),
            !asked.event_ids.is_empty(),
        )
    };
    let by_name = asked.from.is_none();
    let now = Timestamp::now();
    let mut attempts = Vec::new();
    for id in &ids {
        let Some(logged) = LoggedEvent::load(store, asked.tenant_id, id).await? else {
            continue;
        };
        let wanted = is_for(&subscription, &logged) && fan_out::fits(&subscription, &logged);
        if !by_name && !wanted {
            continue;
        }
        match subscription.target {
            Target::Https { .. } => {
                attempts.extend(once_more(store, &subscription, &logged, now).await?);
            }
            // The topic delivers, to this subscription alone.
            Target::Queue { .. } | Target::Lambda { .. } | Target::Email { .. } => {
                app.outbox.publish_again(logged, subscription.id).await?;
            }
        }
    }
    tracing::info!(tenant.id = %asked.tenant_id, subscription.id = %asked.subscription_id, events = ids.len(), goes_on, "redelivery");
    app.enqueue(attempts, 0).await?;
    if goes_on {
        app.go_on(asked).await?;
    }
    Ok(())
}

/// The next events of a period, and whether there are more. What is to be read next is noted.
async fn of_period(store: &Store, asked: &mut Redeliver) -> Result<(Vec<String>, bool)> {
    let (Some(from), Some(to)) = (asked.from, asked.to) else {
        return Ok((Vec::new(), false));
    };
    let partition = Key::events_partition(asked.tenant_id);
    // Sorts before every event of the first millisecond and after those of the one before.
    let before = Key::event_at(
        asked.tenant_id,
        later(from, SignedDuration::from_millis(-1)),
        "~",
    );
    let page = PageRequest {
        limit: PAGE,
        after: Some(asked.after.take().unwrap_or(before.sk)),
        newest_first: false,
    };
    let found = store
        .query::<EventPointer>(&partition, EventPointer::PREFIX, &page)
        .await?;
    let read = found.items.len();
    let ids: Vec<String> = found
        .items
        .into_iter()
        .take_while(|pointer| pointer.time < to)
        .filter(|pointer| pointer.time >= from)
        .map(|pointer| pointer.event_id)
        .collect();
    asked.after = found.next;
    let goes_on = asked.after.is_some() && ids.len() == read;
    Ok((ids, goes_on))
}

/// Whether an event was for this subscription when it was decided.
fn is_for(subscription: &Subscription, logged: &LoggedEvent) -> bool {
    logged
        .attributes
        .get(DELIVER_TO)
        .is_none_or(|to| to == TO_ALL || *to == subscription.id.to_string())
}

/// Makes a delivery pending, whether there was one or not; one that is pending is left to itself.
async fn once_more(
    store: &Store,
    subscription: &Subscription,
    logged: &LoggedEvent,
    now: Timestamp,
) -> Result<Option<Attempt>> {
    let fresh = fan_out::delivery(subscription, logged, now);
    let attempt = fan_out::attempt(&fresh, now);
    let key = attempt.key();
    let current = match store.insert(&key, &fresh).await {
        Ok(()) => return Ok(Some(attempt)),
        Err(StoreError::Condition { .. }) => store.get::<Delivery>(&key).await?,
        Err(error) => return Err(error.into()),
    };
    let Some(current) = current else {
        return Ok(None);
    };
    let update = Update::new()
        .set("state", DeliveryState::Pending)
        .set("attempts_before", current.attempts)
        .set("due_shard", DELIVERY_SHARD)
        .set("due_at", attempt.due_at)
        .set("expires_at", fresh.expires_at)
        .remove("failure")
        .when_one_of("state", [DeliveryState::Delivered, DeliveryState::Dead])
        .when_equal("attempts", current.attempts);
    match store.update::<Delivery>(&key, update).await {
        Ok(_) => Ok(Some(attempt)),
        Err(StoreError::Condition { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
