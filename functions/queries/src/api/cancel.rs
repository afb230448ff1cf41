//! `POST /v1/queries/{id}/cancel`: stops a query.

use axum::extract::{Path, State};
use http::StatusCode;
use tributary::{
    error::Error,
    http::{Problem, Viewer},
};

use super::answer::Query;
use crate::{App, history::History, query_id, session::User};

/// Asks for a query of the caller's to be stopped. Asking twice is fine, also after its end.
#[utoipa::path(
    post,
    path = "/v1/queries/{id}/cancel",
    tag = "queries",
    params(("id" = String, Path, description = "Id of the query")),
    responses(
        (status = 202, body = Query),
        (status = 401, body = Problem),
        (status = 404, description = "Not there, not yours, or older than a day", body = Problem),
        (status = 503, body = Problem),
    )
)]
pub async fn cancel_query(
    State(app): State<App>,
    viewer: Viewer,
    Path(unverified_id): Path<String>,
) -> Result<(StatusCode, axum::Json<Query>), Error> {
    let user = User::of(&viewer.caller, viewer.tenant);
    let role = app.sessions.role_arn();
    let asked = query_id::asked(&app.sealer, &user, role, &unverified_id)?;
    let warehouse = app
        .warehouse
        .as_user(&app.sessions.of(&viewer.scope).current(&user).await?);
    warehouse.cancel(&asked.statement).await?;
    let progress = warehouse.describe(&asked.statement, 0).await?;
    History::of(viewer.store(), &user, role)
        .saw(&asked, &progress)
        .await;
    let query = Query::of(unverified_id, &progress, &viewer.caller.request_id);
    Ok((StatusCode::ACCEPTED, axum::Json(query)))
}
