//! `DELETE /v1/subscriptions/{id}`

use axum::{
    extract::{Path, State},
    response::Response,
};
use tributary::{
    error::{Error, Kind},
    http::Problem,
    id::SubscriptionId,
    store::Key,
    subscription::{Subscription, SubscriptionState},
};

use super::{find, guard, target, topic};
use crate::{
    App, TenantApp,
    edge::{Admin, id_in_path, no_content},
};

/// Ends a subscription. What it was to get and has not got is not delivered any more.
#[utoipa::path(delete, path = "/v1/subscriptions/{id}", tag = "subscriptions", params(
    ("id" = SubscriptionId, Path, description = "The subscription"),
), responses(
    (status = 204),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn delete_subscription(
    State(app): State<App>,
    admin: Admin,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let app = app.within(&admin.scope);
    let found = find(&app, admin.tenant, id_in_path(&id)?).await?;
    remove(&app, &found).await?;
    tracing::info!(tenant.id = %admin.tenant, subscription.id = %found.id, user.subject = admin.subject(), "subscription deleted");
    Ok(no_content())
}

/// Ends a subscription: at the topic first, so that what is left to do is written down until it is
/// done.
pub(crate) async fn remove(app: &TenantApp, subscription: &Subscription) -> Result<(), Error> {
    if let Some(arn) = at_topic(app, subscription).await? {
        topic::unsubscribe(app, &arn).await?;
    }
    guard::release(app, subscription).await?;
    let key = Key::subscription(subscription.tenant_id, subscription.id);
    Ok(app.store.delete(&key).await?)
}

/// The topic's name for it. Who died while making it may have left it there without a note of its
/// name, and asking for the same once more tells it.
async fn at_topic(app: &TenantApp, subscription: &Subscription) -> Result<Option<String>, Error> {
    let is_unknown = subscription.topic_subscription.is_none()
        && subscription.state == SubscriptionState::Pending
        && target::is_native(&subscription.target);
    if !is_unknown {
        return Ok(subscription.topic_subscription.clone());
    }
    match topic::subscribe(app, subscription).await {
        Ok(arn) => Ok(Some(arn)),
        // The topic never took it.
        Err(error) if matches!(error.kind(), Kind::Conflict | Kind::Unprocessable) => Ok(None),
        Err(error) => Err(error),
    }
}
