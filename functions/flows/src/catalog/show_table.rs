//! `GET /v1/catalog/databases/{database}/tables/{table}`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use tributary::{error::Error, http::Problem};

use super::{Place, name_in_path, query::PlaceQuery, view::TableView, writers::Writers};
use crate::{
    App,
    connections::ask::Ask,
    edge::{Viewer, json},
};

/// Shows a table with its columns and the flows of the tenant that write it. Where its files are, and
/// what else is written down about it, stays in the account.
#[utoipa::path(get, path = "/v1/catalog/databases/{database}/tables/{table}", tag = "catalog", params(
    ("database" = String, Path, description = "Name of the database", example = "crm"),
    ("table" = String, Path, description = "Name of the table", example = "orders"),
    PlaceQuery,
), responses(
    (status = 200, body = TableView),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn show_table(
    State(app): State<App>,
    viewer: Viewer,
    Path((database, table)): Path<(String, String)>,
    Ask(query): Ask<PlaceQuery>,
) -> Result<Response, Error> {
    let app = app.within(&viewer.scope);
    let account_id = query.read()?;
    let (database, table) = (name_in_path(&database)?, name_in_path(&table)?);
    let place = Place::find(&app, viewer.tenant, &account_id).await?;
    let found = place.glue.table(&database, &table).await?;
    let names = [found.name.as_str()].into_iter();
    let writers = Writers::of(&app, viewer.tenant, place.account, &database, names).await?;
    let view = TableView::of(found, database.as_str(), &writers);
    json(StatusCode::OK, &view)
}
