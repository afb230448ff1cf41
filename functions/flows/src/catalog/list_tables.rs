//! `GET /v1/catalog/databases/{database}/tables`

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use tributary::{
    error::Error,
    http::{List, Problem},
};

use super::{
    Place, name_in_path, pages::gather, query::CatalogQuery, view::TableSummary, writers::Writers,
};
use crate::{
    App,
    connections::ask::Ask,
    edge::{Viewer, json},
    glue::Table,
};

/// Lists the tables of a database, as the account's role may see them, each with the flows of the
/// tenant that write it.
#[utoipa::path(get, path = "/v1/catalog/databases/{database}/tables", tag = "catalog", params(
    ("database" = String, Path, description = "Name of the database", example = "crm"),
    CatalogQuery,
), responses(
    (status = 200, body = List<TableSummary>),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn list_tables(
    State(app): State<App>,
    viewer: Viewer,
    Path(database): Path<String>,
    Ask(query): Ask<CatalogQuery>,
) -> Result<Response, Error> {
    let app = app.within(&viewer.scope);
    let asked = query.read(&app, viewer.tenant, &format!("{database}/tables"))?;
    let database = name_in_path(&database)?;
    let place = Place::find(&app, viewer.tenant, &asked.account_id).await?;
    let found = gather(
        asked.page.limit,
        asked.page.after.as_deref(),
        |table: &Table| table.name.to_lowercase().contains(&asked.search),
        |most, token| {
            let (glue, database) = (&place.glue, &database);
            async move { glue.tables(database, most, token.as_deref()).await }
        },
    );
    let found = found.await?;
    let names = found.items.iter().map(|table| table.name.as_str());
    let writers = Writers::of(&app, viewer.tenant, place.account, &database, names).await?;
    let show = |table| TableSummary::of(table, &writers);
    let list = List::of(found, &app.sealer, viewer.tenant, &asked.list, show)?;
    json(StatusCode::OK, &list)
}
