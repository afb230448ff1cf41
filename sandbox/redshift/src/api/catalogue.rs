//! ListDatabases, ListSchemas, ListTables and DescribeTable, as far as the caller's privileges go.

use serde_json::{Value, json};

use super::{ApiError, Asked, acting, page, result::column_metadata};
use crate::{
    Inner,
    catalog::{Actor, Catalog, Column},
    error::SqlError,
    functions::like,
    lock,
};

pub(super) async fn databases(inner: &Inner, asked: &Asked) -> Result<Value, ApiError> {
    catalog(inner, asked).await?;
    let names = inner.database_names(&asked.principal.account);
    let (names, next) = page(inner, asked, "databases", size(asked)?, names)?;
    Ok(json!({ "Databases": names, "NextToken": next }))
}

pub(super) async fn schemas(inner: &Inner, asked: &Asked) -> Result<Value, ApiError> {
    let (catalog, actor) = catalog(inner, asked).await?;
    let names: Vec<String> = catalog
        .schemas
        .iter()
        .filter(|(name, _)| {
            matches(asked, "SchemaPattern", name)
                && match &actor {
                    Actor::User(user) => catalog.may_use(user, name).is_ok(),
                    Actor::Superuser => true,
                }
        })
        .map(|(name, _)| name.clone())
        .collect();
    let scope = scope(asked, "schemas");
    let (names, next) = page(inner, asked, &scope, size(asked)?, names)?;
    Ok(json!({ "Schemas": names, "NextToken": next }))
}

pub(super) async fn tables(inner: &Inner, asked: &Asked) -> Result<Value, ApiError> {
    let (catalog, actor) = catalog(inner, asked).await?;
    let mut list = Vec::new();
    for (schema, name, table) in catalog.relations() {
        let wanted = matches(asked, "SchemaPattern", schema)
            && matches(asked, "TablePattern", name)
            && readable(&catalog, &actor, schema, name).is_ok();
        if wanted {
            let kind = if table.kind.query().is_some() {
                "VIEW"
            } else {
                "TABLE"
            };
            list.push(json!({ "name": name, "schema": schema, "type": kind }));
        }
    }
    let scope = scope(asked, "tables");
    let (list, next) = page(inner, asked, &scope, size(asked)?, list)?;
    Ok(json!({ "Tables": list, "NextToken": next }))
}

pub(super) async fn columns(inner: &Inner, asked: &Asked) -> Result<Value, ApiError> {
    let (catalog, actor) = catalog(inner, asked).await?;
    let schema = asked.text("Schema").unwrap_or("public").to_lowercase();
    let table = asked.required("Table")?.to_lowercase();
    // What the caller may not read looks like what is not there.
    let columns = readable(&catalog, &actor, &schema, &table).unwrap_or_default();
    let list: Vec<Value> = columns
        .iter()
        .map(|c| column_metadata(&c.name, c.ty, u8::from(!c.required), &schema, &table))
        .collect();
    let scope = format!("columns:{schema}.{table}");
    let (list, next) = page(inner, asked, &scope, size(asked)?, list)?;
    Ok(json!({ "TableName": table, "ColumnList": list, "NextToken": next }))
}

/// The catalogue of the database asked for, and who looks at it.
async fn catalog(inner: &Inner, asked: &Asked) -> Result<(Catalog, Actor), ApiError> {
    asked.target()?;
    let database = asked
        .text("ConnectedDatabase")
        .map_or_else(|| asked.required("Database"), Ok)?;
    let acting = acting::of(inner, asked, database).await;
    let acting = acting.map_err(|refused| refused.into_error("DatabaseConnectionException"))?;
    let warehouse = inner
        .database(&asked.principal.account, database)
        .map_err(|error| ApiError::validation(error.to_string()))?;
    let mut warehouse = lock(&warehouse);
    if let Actor::User(user) = &acting.actor {
        warehouse.catalog.arrive(user);
    }
    Ok((warehouse.catalog.clone(), acting.actor))
}

fn readable(
    catalog: &Catalog,
    actor: &Actor,
    schema: &str,
    table: &str,
) -> Result<Vec<Column>, SqlError> {
    match actor {
        Actor::User(user) => catalog.readable(user, schema, table),
        Actor::Superuser => Ok(catalog.table(schema, table)?.columns.clone()),
    }
}

fn matches(asked: &Asked, member: &str, name: &str) -> bool {
    asked.text(member).is_none_or(|pattern| {
        let pattern: Vec<char> = pattern.chars().collect();
        like(&pattern, &name.chars().collect::<Vec<char>>())
    })
}

fn size(asked: &Asked) -> Result<usize, ApiError> {
    let most = asked
        .number("MaxResults", 0, 1000)?
        .filter(|most| *most > 0);
    Ok(usize::try_from(most.unwrap_or(1000)).unwrap_or(1000))
}

fn scope(asked: &Asked, kind: &str) -> String {
    let pattern = |member| asked.text(member).unwrap_or("%");
    format!(
        "{kind}:{}:{}",
        pattern("SchemaPattern"),
        pattern("TablePattern")
    )
}
