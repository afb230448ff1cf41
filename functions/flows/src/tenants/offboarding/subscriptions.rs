//! Subscriptions: nothing of the tenant's is sent anywhere any more.

use tributary::error::Error;

use super::{
    Offboarding,
    thing::{LeftBehind, ThingKind, leave, meet},
};
use crate::{
    TenantApp, subscriptions,
    tenants::work::{Budget, Outcome},
};

/// Ends every subscription. What the topic does not let go of in a day is listed: its filter policy lets
/// nothing of other tenants through.
pub(super) async fn remove(
    app: &TenantApp,
    job: &Offboarding,
    budget: Budget,
) -> Result<Outcome, Error> {
    let (tenant, kind) = (job.tenant_id, ThingKind::Subscription);
    let mut failed = false;
    for subscription in subscriptions::all(app, tenant).await? {
        if !budget.is_left() {
            return Ok(Outcome::More);
        }
        let name = subscription.id.to_string();
        meet(&app.store, tenant, kind, &name).await?;
        let Err(error) = subscriptions::remove(app, &subscription).await else {
            continue;
        };
        tracing::warn!(tenant.id = %tenant, subscription.id = name, error.code = error.code(), error.chain = error.chain(), "a subscription could not be ended yet");
        if !job.is_out_of_patience(budget.now) {
            failed = true;
            continue;
        }
        let place = subscription
            .topic_subscription
            .unwrap_or_else(|| name.clone());
        let left = LeftBehind::new(
            "topicSubscription",
            place,
            "It could not be ended for a day. The operator of this service can end it at the topic.",
        );
        leave(&app.store, tenant, kind, &name, vec![left]).await?;
    }
    Ok(if failed {
        Outcome::Failed
    } else {
        Outcome::Done
    })
}
