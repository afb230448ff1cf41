//! Whatever else is kept of the tenant: runs, operations, sessions, repeated requests.

use serde::{Deserialize, de::IgnoredAny};
use tokio::task::JoinSet;
use tributary::{
    error::Error,
    id::{FlowId, SubscriptionId, TenantId},
    store::{Key, PageRequest, Store, StoreError, Update},
};

use super::{
    Offboarding,
    thing::{ThingKind, all},
};
use crate::{
    TenantApp,
    tenants::work::{Budget, Outcome},
};

/// What stays: that an account was this tenant's once, and who did what.
const STAYING: [&str; 2] = ["AWSACCOUNT#", "AUDIT#"];

/// An item, as far as it matters here.
#[derive(Debug, Deserialize)]
struct Found {
    pk: String,
    sk: String,
}

/// Empties the tenant's partitions.
pub(super) async fn remove(
    app: &TenantApp,
    job: &Offboarding,
    budget: Budget,
) -> Result<Outcome, Error> {
    let tenant = job.tenant_id;
    for partition in partitions(&app.store, tenant).await? {
        if !empty(app, job, &partition, budget).await? {
            return Ok(Outcome::More);
        }
    }
    Ok(Outcome::Done)
}

/// The tenant's own partition, and those of the runs of its flows, of its events, and of what was
/// delivered.
async fn partitions(store: &Store, tenant: TenantId) -> Result<Vec<String>, Error> {
    let things = all(store, tenant).await?;
    let flows = things
        .iter()
        .filter(|thing| thing.kind == ThingKind::Flow)
        .filter_map(|thing| thing.name.parse::<FlowId>().ok());
    let subscriptions = things
        .iter()
        .filter(|thing| thing.kind == ThingKind::Subscription)
        .filter_map(|thing| thing.name.parse::<SubscriptionId>().ok());
    Ok(flows
        .map(|flow| Key::runs_partition(tenant, flow))
        .chain(subscriptions.map(|id| Key::deliveries_partition(tenant, id)))
        .chain([Key::events_partition(tenant), Key::tenant_partition(tenant)])
        .collect())
}

/// Deletes what does not stay; false when the time is over before the end is reached.
async fn empty(
    app: &TenantApp,
    job: &Offboarding,
    partition: &str,
    budget: Budget,
) -> Result<bool, Error> {
    let mut page = PageRequest::first(100);
    loop {
        if !budget.is_left() {
            return Ok(false);
        }
        let found = app.store.query::<Found>(partition, "", &page).await?;
        let stays = |found: &Found| STAYING.iter().any(|prefix| found.sk.starts_with(prefix));
        let mut deletions: JoinSet<Result<(), StoreError>> = JoinSet::new();
        for Found { pk, sk } in found.items.into_iter().filter(|found| !stays(found)) {
            let store = app.store.clone();
            deletions.spawn(async move { store.delete(&Key { pk, sk }).await });
        }
        let number = i64::try_from(deletions.len()).unwrap_or(i64::MAX);
        for deleted in deletions.join_all().await {
            deleted?;
        }
        if number > 0 {
            let counted = Update::new().add("items", number);
            app.store.update::<IgnoredAny>(&job.key(), counted).await?;
        }
        if found.next.is_none() {
            return Ok(true);
        }
        page.after = found.next;
    }
}
