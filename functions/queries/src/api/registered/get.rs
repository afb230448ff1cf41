//! `GET /v1/registered-queries/{name}`

use axum::{extract::Path, response::Response};
use http::StatusCode;
use tributary::{
    error::Error,
    http::{Problem, Viewer},
    identity::Role,
    query::QueryName,
};

use super::view::{RegisteredQueryView, Sql};
use crate::{
    registered::{Listed, find},
    statement::built_in,
};

/// Shows a registered query: what it takes, and to editors and admins its SQL.
#[utoipa::path(
    get,
    path = "/v1/registered-queries/{name}",
    tag = "queries",
    params(("name" = QueryName, Path, description = "Its name")),
    responses(
        (status = 200, body = RegisteredQueryView, headers(("etag" = String))),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn get_registered_query(
    viewer: Viewer,
    Path(unverified_name): Path<String>,
) -> Result<Response, Error> {
    let sql = match viewer.caller.require(Role::Editor) {
        Ok(_) => Sql::Shown,
        Err(_) => Sql::Hidden,
    };
    let query = if let Some(ours) = built_in(&unverified_name) {
        Listed::BuiltIn(ours)
    } else {
        let name = unverified_name.parse().map_err(|_| Error::not_found())?;
        let own = find(&viewer.scope, &name).await?;
        Listed::Own(Box::new(own.ok_or_else(Error::not_found)?))
    };
    RegisteredQueryView::of(&query, sql).tagged(StatusCode::OK)
}
