//! CREATE, ALTER and DROP SCHEMA.

use super::{exists, table};
use crate::{
    catalog::Schema,
    error::SqlError,
    sql::Cursor,
    warehouse::{Warehouse, attach},
};

/// `[IF NOT EXISTS] name [AUTHORIZATION owner]`.
pub(super) fn create(warehouse: &mut Warehouse, cursor: &mut Cursor<'_>) -> Result<(), SqlError> {
    let lenient = cursor.accept(&["if", "not", "exists"]);
    let name = cursor.name()?;
    let owner = if cursor.accept(&["authorization"]) {
        table::owner(warehouse, cursor)?
    } else {
        None
    };
    cursor.end()?;
    if warehouse.catalog.schemas.contains_key(&name) {
        return exists(lenient, "schema", name);
    }
    attach(&warehouse.connection, &name)?;
    let schema = Schema {
        owner,
        ..Schema::default()
    };
    warehouse.catalog.schemas.insert(name, schema);
    Ok(())
}

/// `name OWNER TO user`.
pub(super) fn alter(warehouse: &mut Warehouse, cursor: &mut Cursor<'_>) -> Result<(), SqlError> {
    let name = cursor.name()?;
    if !cursor.accept(&["owner", "to"]) {
        return Err(SqlError::Unsupported(cursor.shown()));
    }
    let owner = table::owner(warehouse, cursor)?;
    warehouse.catalog.schema_mut(&name)?.owner = owner;
    Ok(())
}

/// `[IF EXISTS] name [CASCADE | RESTRICT]`.
pub(super) fn drop(warehouse: &mut Warehouse, cursor: &mut Cursor<'_>) -> Result<(), SqlError> {
    let lenient = cursor.accept(&["if", "exists"]);
    let name = cursor.name()?;
    let cascade = cursor.accept(&["cascade"]);
    if !cascade {
        cursor.accept(&["restrict"]);
    }
    cursor.end()?;
    let Some(schema) = warehouse.catalog.schemas.get(&name) else {
        return if lenient {
            Ok(())
        } else {
            Err(SqlError::NoSchema(name))
        };
    };
    if !schema.tables.is_empty() && !cascade {
        return Err(SqlError::Other(format!(
            "cannot drop schema {name} because other objects depend on it"
        )));
    }
    let tables: Vec<String> = schema.tables.keys().cloned().collect();
    for table in tables {
        // A view may have gone with its table.
        if warehouse.catalog.table(&name, &table).is_ok() {
            table::drop_one(warehouse, &name, &table, true)?;
        }
    }
    warehouse.catalog.schemas.remove(&name);
    Ok(())
}
