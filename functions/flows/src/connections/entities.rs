//! `GET /v1/connections/{id}/entities`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use serde::Serialize;
use tributary::{
    error::Error,
    http::{List, ListQuery, Problem},
    id::ConnectionId,
    store::Page,
};
use utoipa::ToSchema;

use super::{appflow, find};
use crate::{
    App,
    appflow::failed,
    edge::{Listing, Viewer, id_in_path, json},
};

/// An object of an application.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entity {
    /// Its name, as flows use it.
    name: String,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    /// Whether there are further objects below it.
    has_nested: bool,
}

/// Lists the objects of the application, as AppFlow knows them.
#[utoipa::path(get, path = "/v1/connections/{id}/entities", tag = "connections", params(
    ("id" = ConnectionId, Path, description = "The connection"),
    ListQuery,
), responses(
    (status = 200, body = List<Entity>),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list_entities(
    State(app): State<App>,
    viewer: Viewer,
    Path(id): Path<String>,
    Listing(query): Listing,
) -> Result<Response, Error> {
    let connection = find(&app, viewer.tenant, id_in_path(&id)?).await?;
    let list = format!("entities/{}", connection.id);
    let page = query.page(&app.sealer, viewer.tenant, &list)?;
    let found = appflow(&app, &connection)
        .await?
        .list_connector_entities()
        .connector_profile_name(&connection.profile_name)
        .max_results(i32::try_from(page.limit).unwrap_or(i32::MAX))
        .set_next_token(page.after)
        .send()
        .await
        .map_err(|error| failed("ListConnectorEntities", &error))?;
    let mut items: Vec<Entity> = found
        .connector_entity_map
        .into_values()
        .flatten()
        .map(|entity| Entity {
            name: entity.name,
            label: entity.label,
            has_nested: entity.has_nested_entities,
        })
        .collect();
    // Groups come in no order; within a page, names do.
    items.sort_by(|one, other| one.name.cmp(&other.name));
    let page = Page {
        items,
        next: found.next_token,
    };
    let list = List::of(page, &app.sealer, viewer.tenant, &list, |entity| entity)?;
    json(StatusCode::OK, &list)
}
