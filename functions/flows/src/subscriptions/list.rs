//! `GET /v1/subscriptions`

use axum::{extract::State, response::Response};
use http::StatusCode;
use tributary::{
    error::Error,
    http::{List, ListQuery, Problem},
    store::Key,
    subscription::{Subscription, SubscriptionState},
};

use super::{PREFIX, settle::settled, view::SubscriptionView};
use crate::{
    App,
    edge::{Listing, Viewer, json},
};

/// Lists the tenant's subscriptions, newest first.
#[utoipa::path(get, path = "/v1/subscriptions", tag = "subscriptions", params(ListQuery), responses(
    (status = 200, body = List<SubscriptionView>),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list_subscriptions(
    State(app): State<App>,
    viewer: Viewer,
    Listing(query): Listing,
) -> Result<Response, Error> {
    let app = app.within(&viewer.scope);
    let page = query.page(&app.sealer, viewer.tenant, "subscriptions")?;
    let partition = Key::tenant_partition(viewer.tenant);
    let mut found = app
        .store
        .query::<Subscription>(&partition, PREFIX, &page)
        .await?;
    for subscription in &mut found.items {
        // Nobody tells us of a confirmation by a link.
        if subscription.state == SubscriptionState::Pending {
            *subscription = settled(&app, subscription.clone()).await;
        }
    }
    let config = &app.config.notifications;
    let show = |subscription: Subscription| SubscriptionView::of(&subscription, config);
    let list = List::of(found, &app.sealer, viewer.tenant, "subscriptions", show)?;
    json(StatusCode::OK, &list)
}
