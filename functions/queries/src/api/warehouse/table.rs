//! `GET /v1/warehouse/schemas/{schema}/tables/{table}`: the columns of a table.

use axum::extract::{Path, State};
use serde::Serialize;
use tributary::{
    error::Error,
    http::{Problem, Viewer},
};
use utoipa::ToSchema;

use crate::{
    App,
    session::User,
    warehouse::{Name, TableColumn},
};

/// A table with its columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = WarehouseTableView)]
pub struct TableView {
    /// Its schema.
    #[schema(example = "public")]
    pub schema: String,
    /// Its name.
    #[schema(example = "city_sales")]
    pub name: String,
    /// The columns that the caller may see, all of them, in the table's order.
    pub columns: Vec<TableColumn>,
}

/// Shows the columns of a table or view that the caller may see.
#[utoipa::path(
    get,
    path = "/v1/warehouse/schemas/{schema}/tables/{table}",
    tag = "queries",
    params(
        ("schema" = String, Path, description = "Name of the schema", example = "public"),
        ("table" = String, Path, description = "Name of the table", example = "city_sales"),
    ),
    responses(
        (status = 200, body = TableView),
        (status = 401, description = "`identity_required`: call /v1/identity; `reauthenticate`", body = Problem),
        (status = 404, description = "There is no such table, or not for the caller", body = Problem),
        (status = 429, body = Problem),
        (status = 503, body = Problem),
        (status = 504, description = "`warehouse_timeout`", body = Problem),
    )
)]
pub async fn show_warehouse_table(
    State(app): State<App>,
    viewer: Viewer,
    Path((unverified_schema, unverified_table)): Path<(String, String)>,
) -> Result<axum::Json<TableView>, Error> {
    let user = User::of(&viewer.caller, viewer.tenant);
    let schema = Name::parse(&unverified_schema)?;
    let table = Name::parse(&unverified_table)?;
    let current = app.sessions.of(&viewer.scope).current(&user).await?;
    let columns = app
        .warehouse
        .as_user(&current)
        .columns(&schema, &table)
        .await?;
    Ok(axum::Json(TableView {
        schema: schema.as_str().to_owned(),
        name: table.as_str().to_owned(),
        columns,
    }))
}
