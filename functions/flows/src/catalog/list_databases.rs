//! `GET /v1/catalog/databases`

use axum::{extract::State, response::Response};
use http::StatusCode;
use tributary::{
    error::Error,
    http::{List, Problem},
};

use super::{Place, pages::gather, query::CatalogQuery, view::DatabaseView};
use crate::{
    App,
    connections::ask::Ask,
    edge::{Viewer, json},
    glue::Database,
};

/// Lists the databases of an account's Glue Data Catalog, as its role may see them.
#[utoipa::path(get, path = "/v1/catalog/databases", tag = "catalog", params(CatalogQuery), responses(
    (status = 200, body = List<DatabaseView>),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn list_databases(
    State(app): State<App>,
    viewer: Viewer,
    Ask(query): Ask<CatalogQuery>,
) -> Result<Response, Error> {
    let app = app.within(&viewer.scope);
    let asked = query.read(&app, viewer.tenant, "databases")?;
    let place = Place::find(&app, viewer.tenant, &asked.account_id).await?;
    let found = gather(
        asked.page.limit,
        asked.page.after.as_deref(),
        |database: &Database| database.name.to_lowercase().contains(&asked.search),
        |most, token| {
            let glue = &place.glue;
            async move { glue.databases(most, token.as_deref()).await }
        },
    );
    let found = found.await?;
    let list = List::of(
        found,
        &app.sealer,
        viewer.tenant,
        &asked.list,
        DatabaseView::of,
    )?;
    json(StatusCode::OK, &list)
}
