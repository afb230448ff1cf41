//! `GET /v1/warehouse/schemas/{schema}/tables`: the tables that the caller may see.

use axum::extract::{Path, Query as QueryString, State, rejection::QueryRejection};
use serde::Deserialize;
use tributary::{
    error::Error,
    http::{List, Problem, Viewer},
};
use utoipa::IntoParams;

use super::page::ListOf;
use crate::{
    App,
    api::query_string,
    session::User,
    warehouse::{Name, Table},
};

/// Which tables.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TablesQuery {
    /// Only tables whose names have this in them.
    #[param(example = "sales")]
    search: Option<String>,
    /// At most so many, 1 to 1000; 100 when absent. There may be fewer although there are more pages.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<String>,
    /// Where the page begins: `nextCursor` of the page before.
    cursor: Option<String>,
}

/// Lists the tables and views of a schema that the caller may see.
#[utoipa::path(
    get,
    path = "/v1/warehouse/schemas/{schema}/tables",
    tag = "queries",
    params(("schema" = String, Path, description = "Name of the schema", example = "public"), TablesQuery),
    responses(
        (status = 200, body = List<Table>),
        (status = 400, body = Problem),
        (status = 401, description = "`identity_required`: call /v1/identity; `reauthenticate`", body = Problem),
        (status = 404, description = "There is no such schema, or not for the caller", body = Problem),
        (status = 429, body = Problem),
        (status = 503, body = Problem),
        (status = 504, description = "`warehouse_timeout`", body = Problem),
    )
)]
pub async fn list_warehouse_tables(
    State(app): State<App>,
    viewer: Viewer,
    Path(unverified_schema): Path<String>,
    query: Result<QueryString<TablesQuery>, QueryRejection>,
) -> Result<axum::Json<List<Table>>, Error> {
    let user = User::of(&viewer.caller, viewer.tenant);
    let TablesQuery {
        search,
        limit,
        cursor,
    } = query_string::read(query)?;
    let schema = Name::parse(&unverified_schema)?;
    let wanted = search.as_deref().unwrap_or_default();
    let question = ["tables", schema.as_str(), wanted];
    let list = ListOf::new(&app.sealer, &user, &question);
    let asked = list.asked(limit.as_deref(), cursor.as_deref(), search.as_deref())?;
    let is_first = asked.token.is_none();
    let current = app.sessions.of(&viewer.scope).current(&user).await?;
    let warehouse = app.warehouse.as_user(&current);
    let found = warehouse
        .tables(&schema, asked.search.as_ref(), asked.limit, asked.token)
        .await?;
    let is_empty = is_first && found.items.is_empty() && found.next_token.is_none();
    // An empty list is the answer for a schema that is empty, and for no other.
    if is_empty && !warehouse.has_schema(&schema).await? {
        return Err(Error::not_found());
    }
    Ok(axum::Json(List {
        items: found.items,
        next_cursor: list.cursor(found.next_token)?,
    }))
}
