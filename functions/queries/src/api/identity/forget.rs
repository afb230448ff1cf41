//! `DELETE /v1/identity`: forgets the caller's session with the warehouse.

use axum::extract::State;
use http::StatusCode;
use tributary::{
    error::Error,
    http::{Problem, Viewer},
};

use crate::{App, session::User};

/// Forgets the caller's credentials for the warehouse, and what would renew them.
///
/// Call it when the person signs out. Statements that run go on; their results are readable again
/// after the next `POST /v1/identity`. Doing it twice is fine.
#[utoipa::path(
    delete,
    path = "/v1/identity",
    tag = "queries",
    responses(
        (status = 204, description = "There is no session any more"),
        (status = 401, body = Problem),
        (status = 503, body = Problem),
    )
)]
pub async fn forget_identity(State(app): State<App>, viewer: Viewer) -> Result<StatusCode, Error> {
    let user = User::of(&viewer.caller, viewer.tenant);
    app.sessions.of(&viewer.scope).forget(&user).await?;
    Ok(StatusCode::NO_CONTENT)
}
