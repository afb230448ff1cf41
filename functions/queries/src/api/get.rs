//! `GET /v1/queries/{id}`: how far a query is.

use axum::extract::{Path, Query as QueryString, State, rejection::QueryRejection};
use serde::Deserialize;
use tributary::{
    error::Error,
    http::{Problem, Viewer},
};
use utoipa::IntoParams;

use super::{answer::Query, query_string};
use crate::{App, history::History, query_id, session::User};

/// How to ask.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct GetQuery {
    /// How long to wait for the end, 0 to 20 seconds; 0 when absent.
    #[param(minimum = 0, maximum = 20)]
    wait_seconds: Option<i32>,
}

/// Tells how far a query of the caller's is.
#[utoipa::path(
    get,
    path = "/v1/queries/{id}",
    tag = "queries",
    params(("id" = String, Path, description = "Id of the query"), GetQuery),
    responses(
        (status = 200, body = Query),
        (status = 401, body = Problem),
        (status = 404, description = "Not there, not yours, or older than a day", body = Problem),
        (status = 503, body = Problem),
    )
)]
pub async fn get_query(
    State(app): State<App>,
    viewer: Viewer,
    Path(unverified_id): Path<String>,
    query: Result<QueryString<GetQuery>, QueryRejection>,
) -> Result<axum::Json<Query>, Error> {
    let user = User::of(&viewer.caller, viewer.tenant);
    let wait_seconds = query_string::read(query)?.wait_seconds;
    let wait = query_string::wait("query:waitSeconds", wait_seconds, 0)?;
    let role = app.sessions.role_arn();
    let asked = query_id::asked(&app.sealer, &user, role, &unverified_id)?;
    let session = app.sessions.of(&viewer.scope).current(&user).await?;
    let progress = app
        .warehouse
        .as_user(&session)
        .describe(&asked.statement, wait)
        .await?;
    History::of(viewer.store(), &user, role)
        .saw(&asked, &progress)
        .await;
    Ok(axum::Json(Query::of(
        unverified_id,
        &progress,
        &viewer.caller.request_id,
    )))
}
