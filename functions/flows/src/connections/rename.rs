//! `PATCH /v1/connections/{id}`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use tributary::{
    connection::Connection,
    error::Error,
    http::{Json, Problem},
    id::ConnectionId,
    store::{Key, Update},
};
use utoipa::ToSchema;

use super::{find, name_fault, view::ConnectionView};
use crate::{
    App,
    edge::{Editor, id_in_path, json},
};

/// What can be changed about a connection.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ConnectionPatch {
    /// What people call it.
    name: String,
}

/// Renames a connection.
#[utoipa::path(patch, path = "/v1/connections/{id}", tag = "connections", params(
    ("id" = ConnectionId, Path, description = "The connection"),
), request_body = ConnectionPatch, responses(
    (status = 200, body = ConnectionView),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn rename_connection(
    State(app): State<App>,
    editor: Editor,
    Path(id): Path<String>,
    Json { value, .. }: Json<ConnectionPatch>,
) -> Result<Response, Error> {
    let app = app.within(&editor.scope);
    let connection = find(&app, editor.tenant, id_in_path(&id)?).await?;
    let ConnectionPatch { name } = value;
    if let Some(fault) = name_fault(&name) {
        return Err(Error::unprocessable(
            "invalid_connection",
            "The connection breaks rules.",
            vec![fault],
        ));
    }
    let update = Update::new()
        .set("name", name)
        .set("updated_at", Timestamp::now())
        .add("version", 1);
    let renamed: Connection = app
        .store
        .update(&Key::connection(editor.tenant, connection.id), update)
        .await?;
    json(StatusCode::OK, &ConnectionView::of(&renamed))
}
