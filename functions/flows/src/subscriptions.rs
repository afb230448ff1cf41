//! `/v1/subscriptions`: who of a tenant is told what, and where.
//!
//! A subscription is first written down and then made at the topic, so that whoever dies in between
//! has not forgotten anything: the next read of it goes on ([`settle`]).

mod check;
mod confirm;
mod confirmation;
mod create;
mod delete;
mod deliveries;
mod get;
mod guard;
mod keys;
mod list;
mod redeliver;
mod rotate_secret;
mod settle;
mod target;
mod test;
mod topic;
mod update;
mod view;

use tributary::{
    error::{Error, Kind},
    id::{SubscriptionId, TenantId},
    store::{Key, PageRequest},
    subscription::{Subscription, SubscriptionState},
};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) use delete::remove;

use crate::{App, TenantApp};

/// Subscriptions of a tenant.
const MOST: usize = 20;
/// What their sort keys begin with.
const PREFIX: &str = "SUBSCRIPTION#";

/// Routes of subscriptions.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(
            create::create_subscription,
            list::list_subscriptions
        ))
        .routes(routes!(
            get::get_subscription,
            update::update_subscription,
            delete::delete_subscription
        ))
        .routes(routes!(confirm::confirm_subscription))
        .routes(routes!(test::test_subscription))
        .routes(routes!(rotate_secret::rotate_secret))
        .routes(routes!(redeliver::redeliver))
        .routes(routes!(deliveries::list_deliveries))
}

/// A subscription of the tenant, or the answer for what does not exist.
async fn find(
    app: &TenantApp,
    tenant: TenantId,
    id: SubscriptionId,
) -> Result<Subscription, Error> {
    let found: Option<Subscription> = app.store.get(&Key::subscription(tenant, id)).await?;
    found.ok_or_else(Error::not_found)
}

/// Every subscription of the tenant.
pub(crate) async fn all(app: &TenantApp, tenant: TenantId) -> Result<Vec<Subscription>, Error> {
    let partition = Key::tenant_partition(tenant);
    let mut page = PageRequest::first(100);
    let mut all = Vec::new();
    loop {
        let found = app
            .store
            .query::<Subscription>(&partition, PREFIX, &page)
            .await?;
        all.extend(found.items);
        if found.next.is_none() {
            return Ok(all);
        }
        page.after = found.next;
    }
}

/// Refuses what only makes sense for a subscription that gets notifications.
fn active(subscription: &Subscription) -> Result<(), Error> {
    if subscription.state == SubscriptionState::Active {
        return Ok(());
    }
    Err(Error::new(
        Kind::Conflict,
        "subscription_not_active",
        "This subscription gets nothing now: it is not confirmed yet, or it is off.",
    ))
}

/// Refuses what only HTTPS endpoints have.
fn https(subscription: &Subscription) -> Result<(), Error> {
    if target::is_native(&subscription.target) {
        return Err(Error::new(
            Kind::Conflict,
            "not_an_endpoint",
            "Only subscriptions of HTTPS endpoints have this.",
        ));
    }
    Ok(())
}
