//! `GET /v1/queries/{id}/results`: the rows of a query, in pages.

use axum::extract::{Path, Query as QueryString, State, rejection::QueryRejection};
use serde::Deserialize;
use tributary::{
    error::{Error, Kind},
    http::{Problem, Viewer},
};
use utoipa::IntoParams;

use super::{answer::Query, query_string};
use crate::{
    App,
    query_id::{self, Place},
    session::User,
    warehouse::{Progress, State as QueryState, page},
};

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ResultsQuery {
    /// Where the page begins: `nextCursor` of the page before.
    cursor: Option<String>,
}

/// Reads a page of the rows of a finished query of the caller's.
#[utoipa::path(
    get,
    path = "/v1/queries/{id}/results",
    tag = "queries",
    params(("id" = String, Path, description = "Id of the query"), ResultsQuery),
    responses(
        (status = 200, body = Query),
        (status = 400, description = "The cursor is not of these results", body = Problem),
        (status = 401, body = Problem),
        (status = 404, description = "Not there, not yours, or older than a day", body = Problem),
        (status = 409, description = "`query_not_ready`: it runs, failed, or has no rows", body = Problem),
        (status = 503, body = Problem),
    )
)]
pub async fn get_query_results(
    State(app): State<App>,
    viewer: Viewer,
    Path(unverified_id): Path<String>,
    query: Result<QueryString<ResultsQuery>, QueryRejection>,
) -> Result<axum::Json<Query>, Error> {
    let user = User::of(&viewer.caller, viewer.tenant);
    let unverified_cursor = query_string::read(query)?.cursor;
    let role = app.sessions.role_arn();
    let statement = query_id::open(&app.sealer, &user, role, &unverified_id)?;
    let place = match unverified_cursor {
        Some(cursor) => query_id::open_place(&app.sealer, &user, &statement, &cursor)?,
        None => Place::default(),
    };
    let warehouse = app
        .warehouse
        .as_user(&app.sessions.of(&viewer.scope).current(&user).await?);
    let progress = match place.token {
        // A cursor exists because the statement finished.
        Some(_) => finished(&statement),
        None => ready(warehouse.describe(&statement, 0).await?)?,
    };
    let answer = warehouse.results(&statement, place.token.clone()).await?;
    let page = page(answer, place.skip)?;
    Query::of(unverified_id, &progress, &viewer.caller.request_id)
        .with_page(page, place.token, &app.sealer, &user, &statement)
        .map(axum::Json)
}

fn finished(statement: &str) -> Progress {
    Progress {
        statement: statement.to_owned(),
        state: QueryState::Finished,
        has_rows: true,
        row_count: None,
        failure: None,
    }
}

/// The Data API refuses to read what has not finished; the answer says so without asking it.
fn ready(progress: Progress) -> Result<Progress, Error> {
    if progress.has_rows {
        return Ok(progress);
    }
    Err(Error::new(
        Kind::Conflict,
        "query_not_ready",
        "The query has no rows to read, or not yet.",
    ))
}
