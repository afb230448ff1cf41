//! One target, one subscription.
//!
//! SNS has one subscription for each topic and endpoint, with one filter policy: a second one for the
//! same endpoint, of the same tenant or of another, would take over the first. So a target is claimed
//! before it is subscribed. Who is refused because of another tenant learns no more than that.

use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::IgnoredAny};
use tributary::{
    error::{Error, Kind},
    id::{SubscriptionId, TenantId},
    store::{Key, StoreError, Update},
    subscription::Subscription,
};

use super::target::protocol;
use crate::TenantApp;

/// How long a claim holds that nobody went on with, in seconds.
const CLAIMED: i64 = 3600;

/// Whose a target is.
#[derive(Debug, Serialize, Deserialize)]
struct Guard {
    tenant_id: TenantId,
    subscription_id: SubscriptionId,
    /// Absent once the topic knows the subscription.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
}

/// What is the same for two spellings of one target.
fn key(subscription: &Subscription) -> Option<Key> {
    let (protocol, endpoint) = protocol(&subscription.target)?;
    Some(Key::subscription_target(&format!(
        "{protocol}\n{}",
        endpoint.to_lowercase()
    )))
}

/// Claims the target of a subscription that is about to be made.
pub(super) async fn claim(app: &TenantApp, subscription: &Subscription) -> Result<(), Error> {
    let Some(key) = key(subscription) else {
        return Ok(());
    };
    let guard = Guard {
        tenant_id: subscription.tenant_id,
        subscription_id: subscription.id,
        expires_at: Some(Timestamp::now().as_second() + CLAIMED),
    };
    let current = match app.shared.insert(&key, &guard).await {
        Ok(()) => return Ok(()),
        Err(StoreError::Condition {
            current: Some(current),
        }) => tributary::store::from_item::<Guard>(*current)?,
        Err(error) => return Err(error.into()),
    };
    if current.subscription_id == subscription.id {
        return Ok(());
    }
    Err(if current.tenant_id == subscription.tenant_id {
        taken(current.subscription_id)
    } else {
        unavailable()
    })
}

/// Holds the target for as long as the subscription is there.
pub(super) async fn keep(app: &TenantApp, subscription: &Subscription) -> Result<(), Error> {
    let Some(key) = key(subscription) else {
        return Ok(());
    };
    let kept = Update::new()
        .remove("expires_at")
        .when_equal("subscription_id", subscription.id);
    match app.shared.update::<IgnoredAny>(&key, kept).await {
        Ok(_) => Ok(()),
        Err(StoreError::Condition { .. }) => Err(unavailable()),
        Err(error) => Err(error.into()),
    }
}

/// Gives the target back, if it is this subscription's.
pub(super) async fn release(app: &TenantApp, subscription: &Subscription) -> Result<(), Error> {
    if let Some(key) = key(subscription) {
        let id = subscription.id;
        app.shared.take_if(&key, "subscription_id", id).await?;
    }
    Ok(())
}

fn taken(by: SubscriptionId) -> Error {
    Error::new(
        Kind::Conflict,
        "target_taken",
        format!("{by} has this target already. Change its filter, or delete it."),
    )
}

/// The answer where another tenant has the target, or somebody else has subscribed it to the topic.
pub(super) fn unavailable() -> Error {
    Error::new(
        Kind::Conflict,
        "target_unavailable",
        "This target cannot be subscribed. Take another one.",
    )
}
