//! `GET /v1/queries/{id}/results`: the rows of a query, in pages, as JSON or CSV.

mod format;

use axum::{
    extract::{Path, Query as QueryString, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, header};
use serde::Deserialize;
use tributary::{
    error::{Error, Kind},
    http::{Problem, Viewer},
};
use utoipa::IntoParams;

pub use format::Format;

use super::{answer::Query, query_string};
use crate::{
    App,
    query_id::{self, Place},
    session::User,
    warehouse::{CsvPage, Cut, Progress, State as QueryState, csv_page, page_within},
};

/// Which page, and how.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ResultsQuery {
    /// Where the page begins: `nextCursor` of the page before. It holds for either format and any
    /// limit.
    cursor: Option<String>,
    /// At most so many rows, 1 to 10000; as many as fit when absent. There may be fewer although
    /// there are more pages.
    #[param(minimum = 1, maximum = 10000)]
    limit: Option<u32>,
    /// `json` or `csv`; what `Accept` prefers when absent.
    #[param(inline)]
    format: Option<Format>,
}

/// Reads a page of the rows of a finished query of the caller's.
///
/// CSV follows RFC 4180, in UTF-8, with the columns' names on the first page only and the address of
/// the next page in `Link`. A null is an empty field, an empty text is `""`. Values are not altered:
/// who opens them in a spreadsheet imports them as texts.
#[utoipa::path(
    get,
    path = "/v1/queries/{id}/results",
    tag = "queries",
    params(("id" = String, Path, description = "Id of the query"), ResultsQuery),
    responses(
        (status = 200, content(
            (Query = "application/json"),
            (String = "text/csv"),
        )),
        (status = 400, description = "The cursor is not of these results, or the limit is none", body = Problem),
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
    headers: HeaderMap,
    query: Result<QueryString<ResultsQuery>, QueryRejection>,
) -> Result<Response, Error> {
    let user = User::of(&viewer.caller, viewer.tenant);
    let asked = query_string::read(query)?;
    let limit = query_string::rows(asked.limit)?;
    let format = asked.format.unwrap_or_else(|| Format::preferred(&headers));
    let role = app.sessions.role_arn();
    let statement = query_id::open(&app.sealer, &user, role, &unverified_id)?;
    let place = match asked.cursor {
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
    let cut = Cut {
        skip: place.skip,
        limit,
    };
    match format {
        Format::Json => {
            let page = page_within(answer, cut)?;
            Query::of(unverified_id, &progress, &viewer.caller.request_id)
                .with_page(page, place.token, &app.sealer, &user, &statement)
                .map(|query| axum::Json(query).into_response())
        }
        Format::Csv => {
            let is_first = place == Place::default();
            let page = csv_page(answer, cut, is_first)?;
            let next = place.next(page.cut_at, page.next_token.clone());
            let cursor = next
                .map(|next| query_id::seal_place(&app.sealer, &user, &statement, &next))
                .transpose()?;
            let link = cursor.map(|cursor| link(&unverified_id, &cursor, asked.limit));
            Ok(csv(page, is_first, link))
        }
    }
}

fn csv(page: CsvPage, is_first: bool, link: Option<String>) -> Response {
    let kind = if is_first {
        "text/csv; charset=utf-8; header=present"
    } else {
        "text/csv; charset=utf-8; header=absent"
    };
    let link = link.map(|link| [(header::LINK, link)]);
    ([(header::CONTENT_TYPE, kind)], link, page.text).into_response()
}

/// The address of the next page (RFC 8288). Ids and cursors have no character that needs escaping.
fn link(id: &str, cursor: &str, limit: Option<u32>) -> String {
    let limit = limit.map_or_else(String::new, |limit| format!("&limit={limit}"));
    format!("</v1/queries/{id}/results?cursor={cursor}&format=csv{limit}>; rel=\"next\"")
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
