//! `DELETE /v1/registered-queries/{name}`

use axum::extract::Path;
use http::StatusCode;
use tributary::{
    error::Error,
    http::{Admin, IfMatch, Problem, stale},
    query::QueryName,
    store::Key,
};

use crate::registered::{changeable, unused};

/// Deletes a registered query of the tenant's own. What runs already ends by itself.
#[utoipa::path(
    delete,
    path = "/v1/registered-queries/{name}",
    tag = "queries",
    params(
        ("name" = QueryName, Path, description = "Its name"),
        ("if-match" = String, Header, description = "ETag of the version that is to be deleted"),
    ),
    responses(
        (status = 204),
        (status = 409, description = "`in_use` by flows, which `errors` names; `built_in`", body = Problem),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn delete_registered_query(
    admin: Admin,
    if_match: IfMatch,
    Path(unverified_name): Path<String>,
) -> Result<StatusCode, Error> {
    let query = changeable(&admin.scope, &unverified_name).await?;
    if_match.holds_for(query.version)?;
    unused(&admin.scope, &query).await?;
    let key = Key::registered_query(admin.tenant, &query.name);
    if !admin
        .store()
        .take_if(&key, "version", query.version)
        .await?
    {
        return Err(stale());
    }
    tracing::info!(tenant.id = %admin.tenant, query.name = %query.name, "registered query deleted");
    Ok(StatusCode::NO_CONTENT)
}
