//! The administrator's definitions: schemas, tables, roles, privileges, row-level security.

mod grant;
mod policy;
mod table;

use crate::{
    error::SqlError,
    sql::{Cursor, Token},
    warehouse::{Warehouse, attach},
};

/// Runs a statement if it is a definition; `None` leaves it to the query side.
pub(crate) fn define(warehouse: &mut Warehouse, tokens: &[Token]) -> Option<Result<(), SqlError>> {
    let mut cursor = Cursor::new(tokens);
    let cursor = &mut cursor;
    Some(if cursor.accept(&["create", "schema"]) {
        create_schema(warehouse, cursor)
    } else if cursor.accept(&["drop", "schema"]) {
        drop_schema(warehouse, cursor)
    } else if cursor.accept(&["create", "table"]) {
        table::create(warehouse, cursor)
    } else if cursor.accept(&["drop", "table"]) {
        table::drop(warehouse, cursor)
    } else if cursor.accept(&["truncate"]) {
        table::truncate(warehouse, cursor)
    } else if cursor.accept(&["alter", "table"]) {
        table::alter(warehouse, cursor)
    } else if cursor.accept(&["create", "role"]) {
        create_role(warehouse, cursor)
    } else if cursor.accept(&["drop", "role"]) {
        drop_role(warehouse, cursor)
    } else if cursor.accept(&["create", "rls", "policy"]) {
        policy::create(warehouse, cursor)
    } else if cursor.accept(&["drop", "rls", "policy"]) {
        policy::drop(warehouse, cursor)
    } else if cursor.accept(&["attach", "rls", "policy"]) {
        policy::attach(warehouse, cursor, "to")
    } else if cursor.accept(&["detach", "rls", "policy"]) {
        policy::attach(warehouse, cursor, "from")
    } else if cursor.accept(&["grant"]) {
        grant::change(warehouse, cursor, "to")
    } else if cursor.accept(&["revoke"]) {
        grant::change(warehouse, cursor, "from")
    } else if ["create", "drop", "alter", "attach", "detach"]
        .iter()
        .any(|word| cursor.accept(&[word]))
    {
        Err(SqlError::Unsupported(cursor.shown()))
    } else {
        return None;
    })
}

fn create_schema(warehouse: &mut Warehouse, cursor: &mut Cursor<'_>) -> Result<(), SqlError> {
    let lenient = cursor.accept(&["if", "not", "exists"]);
    let name = cursor.name()?;
    cursor.end()?;
    if warehouse.catalog.schemas.contains_key(&name) {
        return exists(lenient, "schema", name);
    }
    attach(&warehouse.connection, &name)?;
    warehouse.catalog.schemas.entry(name).or_default();
    Ok(())
}

fn drop_schema(warehouse: &mut Warehouse, cursor: &mut Cursor<'_>) -> Result<(), SqlError> {
    let lenient = cursor.accept(&["if", "exists"]);
    let name = cursor.name()?;
    let cascade = cursor.accept(&["cascade"]);
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
        table::drop_one(warehouse, &name, &table)?;
    }
    warehouse.catalog.schemas.remove(&name);
    Ok(())
}

fn create_role(warehouse: &mut Warehouse, cursor: &mut Cursor<'_>) -> Result<(), SqlError> {
    let name = cursor.role()?;
    cursor.end()?;
    if !warehouse.catalog.roles.insert(name.clone()) {
        return exists(false, "role", name);
    }
    Ok(())
}

fn drop_role(warehouse: &mut Warehouse, cursor: &mut Cursor<'_>) -> Result<(), SqlError> {
    let name = cursor.role()?;
    let force = cursor.accept(&["force"]);
    if !force {
        cursor.accept(&["restrict"]);
    }
    cursor.end()?;
    if !warehouse.catalog.roles.remove(&name) {
        return Err(SqlError::NoRole(name));
    }
    let gone = crate::catalog::Grantee::Role(name);
    for schema in warehouse.catalog.schemas.values_mut() {
        schema.usage.remove(&gone);
        for table in schema.tables.values_mut() {
            table.select.remove(&gone);
            table.select_columns.remove(&gone);
            table.attached.retain(|(_, grantee)| *grantee != gone);
        }
    }
    Ok(())
}

/// What to say of something that is there already.
fn exists(lenient: bool, kind: &'static str, name: String) -> Result<(), SqlError> {
    if lenient {
        Ok(())
    } else {
        Err(SqlError::Exists { kind, name })
    }
}
