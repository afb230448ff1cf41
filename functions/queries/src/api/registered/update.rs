//! `PUT /v1/registered-queries/{name}`

use axum::{extract::Path, response::Response};
use http::StatusCode;
use jiff::Timestamp;
use tributary::{
    error::Error,
    http::{Admin, IfMatch, Json, Problem, stale},
    query::{Purpose, QueryDefinition, QueryName, RegisteredQuery, check},
    store::{Key, Update},
};

use super::view::{RegisteredQueryView, Sql};
use crate::{
    registered::{Listed, changeable, unused},
    statement::invalid,
};

/// Replaces a registered query of the tenant's own. Who runs it next runs the new statement.
#[utoipa::path(
    put,
    path = "/v1/registered-queries/{name}",
    tag = "queries",
    params(
        ("name" = QueryName, Path, description = "Its name"),
        ("if-match" = String, Header, description = "ETag of the version that is to be replaced"),
    ),
    request_body = QueryDefinition,
    responses(
        (status = 200, body = RegisteredQueryView, headers(("etag" = String))),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn update_registered_query(
    admin: Admin,
    if_match: IfMatch,
    Path(unverified_name): Path<String>,
    Json { value, .. }: Json<QueryDefinition>,
) -> Result<Response, Error> {
    let query = changeable(&admin.scope, &unverified_name).await?;
    if_match.holds_for(query.version)?;
    let faults = check(&value, admin.tenant);
    if !faults.is_empty() {
        return Err(invalid(faults));
    }
    if value.purpose != Purpose::AfterRun {
        unused(&admin.scope, &query).await?;
    }
    let replaced = replace(&admin, &query, &value).await?;
    tracing::info!(tenant.id = %admin.tenant, query.name = %replaced.name, query.version = replaced.version, "registered query replaced");
    RegisteredQueryView::of(&Listed::Own(Box::new(replaced)), Sql::Shown).tagged(StatusCode::OK)
}

async fn replace(
    admin: &Admin,
    query: &RegisteredQuery,
    definition: &QueryDefinition,
) -> Result<RegisteredQuery, Error> {
    let text = serde_json::to_string(definition).map_err(|error| {
        Error::internal("definition_text", "a definition could not be written").with_source(error)
    })?;
    let update = Update::new()
        .set("definition", text)
        .set("version", query.version + 1)
        .set("updated_at", Timestamp::now())
        .when_equal("version", query.version);
    let key = Key::registered_query(admin.tenant, &query.name);
    match admin.store().update(&key, update).await {
        Ok(replaced) => Ok(replaced),
        Err(error) if error.is_condition() => Err(stale()),
        Err(error) => Err(error.into()),
    }
}
