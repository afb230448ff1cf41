//! Whatever else is kept of the tenant: runs, operations, sessions, repeated requests.

use std::collections::BTreeSet;

use serde::{Deserialize, de::IgnoredAny};
use tokio::task::JoinSet;
use tributary::{
    error::Error,
    id::{FlowId, SubscriptionId, TenantId},
    run::ListedRun,
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
    if !empty_lists_of_runs(app, job, budget).await? {
        return Ok(Outcome::More);
    }
    Ok(Outcome::Done)
}

/// Deletes the lists of runs, and before each part of them the runs of the flows that it names: those
/// of flows that were deleted before are known from here only.
async fn empty_lists_of_runs(
    app: &TenantApp,
    job: &Offboarding,
    budget: Budget,
) -> Result<bool, Error> {
    let tenant = job.tenant_id;
    let lists = Key::listed_runs_partition(tenant);
    loop {
        let page = PageRequest::first(100);
        let listed = app
            .store
            .query::<ListedRun>(&lists, Key::listed_runs(None), &page)
            .await?
            .items;
        if listed.is_empty() {
            return empty(app, job, &lists, budget).await;
        }
        let flows: BTreeSet<FlowId> = listed.iter().map(|listed| listed.flow_id).collect();
        for flow in flows {
            if !empty(app, job, &Key::runs_partition(tenant, flow), budget).await? {
                return Ok(false);
            }
        }
        let keys = listed
            .iter()
            .map(|listed| Key::listed_run(tenant, None, listed.run_id));
        delete(app, job, keys.collect()).await?;
    }
}

async fn delete(app: &TenantApp, job: &Offboarding, keys: Vec<Key>) -> Result<(), Error> {
    let mut deletions: JoinSet<Result<(), StoreError>> = JoinSet::new();
    for key in keys {
        let store = app.store.clone();
        deletions.spawn(async move { store.delete(&key).await });
    }
    let number = i64::try_from(deletions.len()).unwrap_or(i64::MAX);
    for deleted in deletions.join_all().await {
        deleted?;
    }
    if number > 0 {
        let counted = Update::new().add("items", number);
        app.store.update::<IgnoredAny>(&job.key(), counted).await?;
    }
    Ok(())
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
        let keys = found
            .items
            .into_iter()
            .filter(|found| !stays(found))
            .map(|Found { pk, sk }| Key { pk, sk });
        delete(app, job, keys.collect()).await?;
        if found.next.is_none() {
            return Ok(true);
        }
        page.after = found.next;
    }
}
