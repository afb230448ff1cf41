//! `GET /v1/subscriptions/{id}`

use axum::{
    extract::{Path, State},
    response::Response,
};
use tributary::{error::Error, http::Problem, id::SubscriptionId};

use super::{
    find,
    settle::settled,
    view::{SubscriptionView, tagged},
};
use crate::{
    App,
    edge::{Viewer, id_in_path},
};

/// Shows a subscription, as the topic has it now.
#[utoipa::path(get, path = "/v1/subscriptions/{id}", tag = "subscriptions", params(
    ("id" = SubscriptionId, Path, description = "The subscription"),
), responses(
    (status = 200, body = SubscriptionView, headers(("etag" = String))),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get_subscription(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let app = app.within(&viewer.scope);
    let found = find(&app, viewer.tenant, id_in_path(&id)?).await?;
    tagged(&settled(&app, found).await, &app.config.notifications)
}
