//! `GET /v1/subscriptions/{id}/deliveries`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tributary::{
    error::Error,
    http::{List, ListQuery, Problem},
    id::SubscriptionId,
    store::Key,
    subscription::{Delivery, DeliveryState},
};
use utoipa::{IntoParams, ToSchema};

use super::{find, https};
use crate::{
    App,
    edge::{Typed, Viewer, id_in_path, json},
};

/// Which deliveries are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeliveryFilter {
    /// Only deliveries in this state.
    #[param(inline)]
    state: Option<DeliveryState>,
    #[param(ignore)]
    limit: Option<String>,
    #[param(ignore)]
    cursor: Option<String>,
}

/// One notification on its way to the endpoint.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeliveryView {
    /// The event's id.
    event_id: String,
    /// The event's type.
    event_type: String,
    /// When the fact happened.
    #[schema(value_type = String, format = DateTime)]
    event_time: Timestamp,
    /// How far it is.
    state: DeliveryState,
    /// How often it was tried.
    attempts: u32,
    /// When it was tried last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    attempted_at: Option<Timestamp>,
    /// What the endpoint answered last.
    #[serde(skip_serializing_if = "Option::is_none")]
    status_code: Option<u16>,
    /// Why the last attempt failed, a stable code.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    /// When it is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    next_attempt_at: Option<Timestamp>,
}

impl DeliveryView {
    fn of(delivery: Delivery) -> Self {
        Self {
            event_id: delivery.event_id,
            event_type: delivery.event_type,
            event_time: delivery.event_time,
            state: delivery.state,
            attempts: delivery.attempts,
            attempted_at: delivery.attempted_at,
            status_code: delivery.status_code,
            failure: delivery.failure,
            next_attempt_at: delivery
                .due_at
                .and_then(|due| Timestamp::from_millisecond(due).ok()),
        }
    }
}

/// Lists what was delivered to an HTTPS endpoint, or is to be, latest events first. A page may be short
/// where others were left out.
#[utoipa::path(get, path = "/v1/subscriptions/{id}/deliveries", tag = "subscriptions", params(
    ("id" = SubscriptionId, Path, description = "The subscription"),
    DeliveryFilter,
    ListQuery,
), responses(
    (status = 200, body = List<DeliveryView>),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list_deliveries(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    Typed(filter): Typed<DeliveryFilter>,
) -> Result<Response, Error> {
    let app = app.within(&viewer.scope);
    let DeliveryFilter {
        state,
        limit,
        cursor,
    } = filter;
    let found = find(&app, viewer.tenant, id_in_path(&id)?).await?;
    let list = format!("deliveries/{}", found.id);
    let page = ListQuery::new(limit, cursor).page(&app.sealer, viewer.tenant, &list)?;
    https(&found)?;
    let partition = Key::deliveries_partition(viewer.tenant, found.id);
    let mut read = app
        .store
        .query::<Delivery>(&partition, "DELIVERY#", &page)
        .await?;
    read.items
        .retain(|delivery| state.is_none_or(|state| delivery.state == state));
    let list = List::of(read, &app.sealer, viewer.tenant, &list, DeliveryView::of)?;
    json(StatusCode::OK, &list)
}
