//! `GET /v1/connections/{id}/attempts/{attempt}`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use tributary::{
    connection::attempt::{Attempt, AttemptState},
    error::Error,
    http::Problem,
    id::{AttemptId, ConnectionId},
};
use utoipa::ToSchema;

use super::find;
use crate::{
    App,
    edge::{Viewer, id_in_path, json},
};

/// What came of an attempt to get a consent.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AttemptView {
    /// Its id.
    id: AttemptId,
    /// Where it stands.
    state: AttemptState,
    /// `connected`, `limited`, `unconfirmed`, `denied` or `failed`, when it is finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "connected")]
    result: Option<String>,
    /// Stable code of the result.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "account_mismatch")]
    code: Option<String>,
    /// When it came to stand there.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// Says what came of an attempt, for whoever waits for it without the window in which it was made.
#[utoipa::path(get, path = "/v1/connections/{id}/attempts/{attempt}", tag = "connections", params(
    ("id" = ConnectionId, Path, description = "The connection"),
    ("attempt" = AttemptId, Path, description = "The attempt"),
), responses(
    (status = 200, body = AttemptView),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get_attempt(
    State(app): State<App>,
    viewer: Viewer,
    Path((id, attempt)): Path<(String, String)>,
) -> Result<Response, Error> {
    let app = app.within(&viewer.scope);
    let connection = find(&app, viewer.tenant, id_in_path(&id)?).await?;
    let attempt = id_in_path(&attempt)?;
    let Attempt {
        id,
        connection_id: _,
        state,
        result,
        code,
        at,
        expires_at: _,
    } = Attempt::load(&app.store, viewer.tenant, connection.id, attempt)
        .await?
        .ok_or_else(Error::not_found)?;
    json(
        StatusCode::OK,
        &AttemptView {
            id,
            state,
            result,
            code,
            at,
        },
    )
}
