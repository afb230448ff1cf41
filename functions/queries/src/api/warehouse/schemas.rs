//! `GET /v1/warehouse/schemas`: the schemas that the caller may use.

use axum::extract::{Query as QueryString, State, rejection::QueryRejection};
use serde::{Deserialize, Serialize};
use tributary::{
    error::Error,
    http::{List, Problem, Viewer},
};
use utoipa::{IntoParams, ToSchema};

use super::page::ListOf;
use crate::{App, api::query_string, session::User};

/// Which schemas.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SchemasQuery {
    /// Only schemas whose names have this in them.
    #[param(example = "sports")]
    search: Option<String>,
    /// Whether Redshift's own schemas are listed too.
    #[serde(default)]
    #[param(default = false)]
    system: bool,
    /// At most so many, 1 to 1000; 100 when absent. There may be fewer although there are more pages.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<String>,
    /// Where the page begins: `nextCursor` of the page before.
    cursor: Option<String>,
}

/// A schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = WarehouseSchema)]
pub struct Schema {
    /// Its name.
    #[schema(example = "public")]
    pub name: String,
}

/// Lists the schemas of the warehouse that the caller may use.
#[utoipa::path(
    get,
    path = "/v1/warehouse/schemas",
    tag = "queries",
    params(SchemasQuery),
    responses(
        (status = 200, body = List<Schema>),
        (status = 400, body = Problem),
        (status = 401, description = "`identity_required`: call /v1/identity; `reauthenticate`", body = Problem),
        (status = 429, body = Problem),
        (status = 503, body = Problem),
        (status = 504, description = "`warehouse_timeout`", body = Problem),
    )
)]
pub async fn list_warehouse_schemas(
    State(app): State<App>,
    viewer: Viewer,
    query: Result<QueryString<SchemasQuery>, QueryRejection>,
) -> Result<axum::Json<List<Schema>>, Error> {
    let user = User::of(&viewer.caller, viewer.tenant);
    let SchemasQuery {
        search,
        system,
        limit,
        cursor,
    } = query_string::read(query)?;
    let kind = if system { "all-schemas" } else { "schemas" };
    let question = [kind, search.as_deref().unwrap_or_default()];
    let list = ListOf::new(&app.sealer, &user, &question);
    let asked = list.asked(limit.as_deref(), cursor.as_deref(), search.as_deref())?;
    let current = app.sessions.of(&viewer.scope).current(&user).await?;
    let warehouse = app.warehouse.as_user(&current);
    let found = warehouse
        .schemas(asked.search.as_ref(), system, asked.limit, asked.token)
        .await?;
    let schemas = found.items.into_iter().map(|name| Schema { name });
    Ok(axum::Json(List {
        items: schemas.collect(),
        next_cursor: list.cursor(found.next_token)?,
    }))
}
