//! `GET /v1/events/{id}`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use tributary::{error::Error, event::CloudEvent, http::Problem, outbox::LoggedEvent};
use uuid::Uuid;

use crate::{
    App,
    edge::{Viewer, id_in_path, json},
};

/// Shows an event with all that there is to say; `dataref` of a large notification leads here. Events
/// are kept for thirty days.
#[utoipa::path(get, path = "/v1/events/{id}", tag = "events", params(
    ("id" = String, Path, description = "The event"),
), responses(
    (status = 200, body = CloudEvent),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get_event(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let app = app.within(&viewer.scope);
    let id: Uuid = id_in_path(&id)?;
    let found = LoggedEvent::load(&app.store, viewer.tenant, &id.to_string()).await?;
    let logged = found.ok_or_else(Error::not_found)?;
    json(StatusCode::OK, &logged.event)
}
