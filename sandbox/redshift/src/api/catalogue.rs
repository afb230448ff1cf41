//! ListDatabases, ListSchemas, ListTables and DescribeTable, as far as the caller's privileges go.

use serde_json::{Value, json};

use super::{Acting, ApiError, Asked, page, result::column_metadata};
use crate::{
    Inner,
    catalog::{Catalog, Column},
    error::SqlError,
    functions::like,
    lock,
};

pub(super) fn databases(inner: &Inner, asked: &Asked) -> Result<Value, ApiError> {
    catalog(inner, asked)?;
    let names = inner.database_names(&asked.principal.account);
    let (names, next) = page(inner, asked, "databases", size(asked)?, names)?;
    Ok(json!({ "Databases": names, "NextToken": next }))
}

pub(super) fn schemas(inner: &Inner, asked: &Asked) -> Result<Value, ApiError> {
    let catalog = catalog(inner, asked)?;
    let names: Vec<String> = catalog
        .schemas
        .iter()
        .filter(|(name, schema)| {
            matches(asked, "SchemaPattern", name)
                && match Acting::of(&asked.principal) {
                    Acting::User(user) => !schema.usage.is_disjoint(&catalog.grantees(&user)),
                    _ => true,
                }
        })
        .map(|(name, _)| name.clone())
        .collect();
    let scope = scope(asked, "schemas");
    let (names, next) = page(inner, asked, &scope, size(asked)?, names)?;
    Ok(json!({ "Schemas": names, "NextToken": next }))
}

pub(super) fn tables(inner: &Inner, asked: &Asked) -> Result<Value, ApiError> {
    let catalog = catalog(inner, asked)?;
    let mut list = Vec::new();
    for (schema, content) in &catalog.schemas {
        for table in content.tables.keys() {
            let wanted = matches(asked, "SchemaPattern", schema)
                && matches(asked, "TablePattern", table)
                && readable(&catalog, asked, schema, table).is_ok();
            if wanted {
                list.push(json!({ "name": table, "schema": schema, "type": "TABLE" }));
            }
        }
    }
    let scope = scope(asked, "tables");
    let (list, next) = page(inner, asked, &scope, size(asked)?, list)?;
    Ok(json!({ "Tables": list, "NextToken": next }))
}

pub(super) fn columns(inner: &Inner, asked: &Asked) -> Result<Value, ApiError> {
    let catalog = catalog(inner, asked)?;
    let schema = asked.text("Schema").unwrap_or("public").to_lowercase();
    let table = asked.required("Table")?.to_lowercase();
    // What the caller may not read looks like what is not there.
    let columns = readable(&catalog, asked, &schema, &table).unwrap_or_default();
    let list: Vec<Value> = columns
        .iter()
        .map(|c| column_metadata(&c.name, c.ty, u8::from(!c.required), &schema, &table))
        .collect();
    let scope = format!("columns:{schema}.{table}");
    let (list, next) = page(inner, asked, &scope, size(asked)?, list)?;
    Ok(json!({ "TableName": table, "ColumnList": list, "NextToken": next }))
}

/// The catalogue of the database asked for.
fn catalog(inner: &Inner, asked: &Asked) -> Result<Catalog, ApiError> {
    asked.target()?;
    let database = asked
        .text("ConnectedDatabase")
        .map_or_else(|| asked.required("Database"), Ok)?;
    if matches!(Acting::of(&asked.principal), Acting::Nobody) {
        return Err(ApiError::no_connection());
    }
    let warehouse = inner
        .database(&asked.principal.account, database)
        .map_err(|error| ApiError::validation(error.to_string()))?;
    let catalog = lock(&warehouse).catalog.clone();
    Ok(catalog)
}

fn readable(
    catalog: &Catalog,
    asked: &Asked,
    schema: &str,
    table: &str,
) -> Result<Vec<Column>, SqlError> {
    match Acting::of(&asked.principal) {
        Acting::User(user) => catalog.readable(&user, schema, table),
        Acting::Superuser | Acting::Nobody => Ok(catalog.table(schema, table)?.columns.clone()),
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
