//! `POST /v1/registered-queries`

use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use jiff::Timestamp;
use serde::Deserialize;
use tributary::{
    error::{Error, Fault, Kind},
    http::{Admin, IdempotencyKey, Json, Problem},
    id::TenantId,
    query::{Parameter, Purpose, QueryDefinition, QueryName, RegisteredQuery, check},
    store::Key,
    tenancy::TenantScope,
};
use utoipa::ToSchema;

use super::view::{RegisteredQueryView, Sql};
use crate::{
    registered::{Listed, room},
    statement::{built_in, invalid},
};

const OPERATION: &str = "create-registered-query";

/// A registered query to be.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewRegisteredQuery {
    /// Its name: 1 to 63 lower-case letters, digits and hyphens. It never changes.
    #[schema(example = "sales-by-country")]
    name: String,
    /// What it is for.
    purpose: Purpose,
    /// What people call it; at most 256 characters.
    #[serde(default)]
    #[schema(example = "Sales by country")]
    title: Option<String>,
    /// What it answers; at most 2,048 characters.
    #[serde(default)]
    #[schema(example = "Cities of a country with their sales")]
    description: Option<String>,
    /// One statement; parameters stand in it as `:name`.
    #[schema(example = "SELECT city, amount FROM public.city_sales WHERE country = :country")]
    sql: String,
    /// The parameters that the statement names, each once.
    #[serde(default)]
    parameters: Vec<Parameter>,
}

/// Registers a query of the tenant's own.
#[utoipa::path(
    post,
    path = "/v1/registered-queries",
    tag = "queries",
    params(IdempotencyKey),
    request_body = NewRegisteredQuery,
    responses(
        (status = 201, body = RegisteredQueryView, headers(("etag" = String), ("location" = String))),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn create_registered_query(
    admin: Admin,
    key: IdempotencyKey,
    body: Json<NewRegisteredQuery>,
) -> Result<Response, Error> {
    let (name, definition) = sound(&body.value, admin.tenant)?;
    let work = register(&admin, name, definition);
    key.once(
        admin.store(),
        &admin.partition(),
        OPERATION,
        admin.subject(),
        &body.bytes,
        work,
    )
    .await
}

/// The name and the definition, or every rule that they break.
fn sound(
    new: &NewRegisteredQuery,
    tenant: TenantId,
) -> Result<(QueryName, QueryDefinition), Error> {
    let NewRegisteredQuery {
        name,
        purpose,
        title,
        description,
        sql,
        parameters,
    } = new.clone();
    let definition = QueryDefinition {
        purpose,
        title,
        description,
        sql,
        parameters,
    };
    let mut faults = check(&definition, tenant);
    match name.parse::<QueryName>() {
        Ok(name) if faults.is_empty() => return Ok((name, definition)),
        Ok(_) => {}
        Err(error) => faults.insert(0, Fault::new("/name", "invalid_name", error.to_string())),
    }
    Err(invalid(faults))
}

async fn register(
    admin: &Admin,
    name: QueryName,
    definition: QueryDefinition,
) -> Result<Response, Error> {
    if built_in(name.as_str()).is_some() {
        return Err(taken());
    }
    room(&admin.scope).await?;
    let now = Timestamp::now();
    let query = RegisteredQuery {
        name,
        definition,
        version: 1,
        created_by: admin.subject().to_owned(),
        created_at: now,
        updated_at: now,
    };
    keep(&admin.scope, &query).await?;
    tracing::info!(tenant.id = %admin.tenant, query.name = %query.name, "query registered");
    let location = format!("/v1/registered-queries/{}", query.name);
    let shown = Listed::Own(Box::new(query));
    let mut response = RegisteredQueryView::of(&shown, Sql::Shown).tagged(StatusCode::CREATED)?;
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

async fn keep(scope: &TenantScope, query: &RegisteredQuery) -> Result<(), Error> {
    let key = Key::registered_query(scope.tenant(), &query.name);
    match scope.store().insert(&key, query).await {
        Ok(()) => Ok(()),
        Err(error) if error.is_condition() => Err(taken()),
        Err(error) => Err(error.into()),
    }
}

fn taken() -> Error {
    Error::new(
        Kind::Conflict,
        "name_taken",
        "There is a registered query of this name.",
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_name_and_the_definition_are_judged_together() {
        let new = json!({ "name": "No Name", "purpose": "query", "sql": "DROP TABLE t" });
        let error = sound(&serde_json::from_value(new).unwrap(), TenantId::new()).unwrap_err();
        let found: Vec<(&str, &str)> = error
            .faults()
            .iter()
            .map(|fault| (fault.pointer.as_str(), fault.code.as_str()))
            .collect();
        assert_eq!(
            found,
            [("/name", "invalid_name"), ("/sql", "wrong_statement")]
        );
    }
}
