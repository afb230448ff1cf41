//! CREATE, DROP, TRUNCATE and ALTER TABLE.

use super::exists;
use crate::{
    catalog::{Column, Conjunction, Table, shown},
    error::SqlError,
    sql::{Cursor, cursor::items},
    types::SqlType,
    warehouse::{Warehouse, definition, quote},
};

pub(super) fn create(warehouse: &mut Warehouse, cursor: &mut Cursor<'_>) -> Result<(), SqlError> {
    let lenient = cursor.accept(&["if", "not", "exists"]);
    let (schema, name) = cursor.relation()?;
    if warehouse
        .catalog
        .schema(&schema)?
        .tables
        .contains_key(&name)
    {
        return exists(lenient, "relation", shown(&schema, &name));
    }
    let mut columns: Vec<Column> = Vec::new();
    for item in items(cursor.group()?) {
        if let Some(column) = column(&mut Cursor::new(item))? {
            if columns.iter().any(|c| c.name == column.name) {
                return Err(SqlError::Exists {
                    kind: "column",
                    name: column.name,
                });
            }
            columns.push(column);
        }
    }
    // What follows (DISTSTYLE, DISTKEY, SORTKEY, BACKUP) places data and changes no answer.
    let placement = [
        "diststyle",
        "distkey",
        "compound",
        "interleaved",
        "sortkey",
        "backup",
    ];
    if !cursor.is_done() && !placement.iter().any(|word| cursor.accept(&[word])) {
        return Err(cursor.unexpected());
    }
    warehouse
        .connection
        .execute_batch(&definition(&schema, &name, &columns))?;
    let table = Table {
        columns,
        ..Table::default()
    };
    warehouse
        .catalog
        .schema_mut(&schema)?
        .tables
        .insert(name, table);
    Ok(())
}

/// A column definition; table constraints, which Redshift does not enforce, are `None`.
fn column(cursor: &mut Cursor<'_>) -> Result<Option<Column>, SqlError> {
    for words in [
        &["primary", "key"][..],
        &["foreign", "key"],
        &["unique"],
        &["constraint"],
    ] {
        if cursor.accept(words) {
            return Ok(None);
        }
    }
    let name = cursor.name()?;
    let ty = SqlType::read(cursor)?;
    let mut required = false;
    while !cursor.is_done() {
        if cursor.accept(&["not", "null"]) || cursor.accept(&["primary", "key"]) {
            required = true;
        } else if cursor.accept(&["encode"]) {
            cursor.name()?;
        } else if !["null", "unique", "distkey", "sortkey"]
            .iter()
            .any(|word| cursor.accept(&[word]))
        {
            return Err(SqlError::Unsupported(format!(
                "column attribute in {}",
                cursor.shown()
            )));
        }
    }
    Ok(Some(Column { name, ty, required }))
}

pub(super) fn drop(warehouse: &mut Warehouse, cursor: &mut Cursor<'_>) -> Result<(), SqlError> {
    let lenient = cursor.accept(&["if", "exists"]);
    let (schema, name) = cursor.relation()?;
    if !cursor.accept(&["cascade"]) {
        cursor.accept(&["restrict"]);
    }
    cursor.end()?;
    if lenient && warehouse.catalog.table(&schema, &name).is_err() {
        return Ok(());
    }
    drop_one(warehouse, &schema, &name)
}

pub(super) fn drop_one(
    warehouse: &mut Warehouse,
    schema: &str,
    name: &str,
) -> Result<(), SqlError> {
    warehouse.catalog.table(schema, name)?;
    let sql = format!("DROP TABLE {}.{}", quote(schema), quote(name));
    warehouse.connection.execute_batch(&sql)?;
    warehouse.catalog.schema_mut(schema)?.tables.remove(name);
    Ok(())
}

pub(super) fn truncate(warehouse: &mut Warehouse, cursor: &mut Cursor<'_>) -> Result<(), SqlError> {
    cursor.accept(&["table"]);
    let (schema, name) = cursor.relation()?;
    cursor.end()?;
    warehouse.catalog.table(&schema, &name)?;
    let sql = format!("DELETE FROM {}.{}", quote(&schema), quote(&name));
    warehouse.connection.execute_batch(&sql)?;
    Ok(())
}

/// `ROW LEVEL SECURITY ON|OFF [CONJUNCTION TYPE AND|OR]` and `ADD COLUMN`.
pub(super) fn alter(warehouse: &mut Warehouse, cursor: &mut Cursor<'_>) -> Result<(), SqlError> {
    let (schema, name) = cursor.relation()?;
    let table = warehouse.catalog.table_mut(&schema, &name)?;
    if cursor.accept(&["row", "level", "security"]) {
        if cursor.accept(&["off"]) {
            cursor.end()?;
            table.row_security = None;
            return Ok(());
        }
        cursor.expect("on")?;
        let mut conjunction = Conjunction::And;
        if cursor.accept(&["conjunction", "type"]) {
            if cursor.accept(&["or"]) {
                conjunction = Conjunction::Or;
            } else {
                cursor.expect("and")?;
            }
        }
        cursor.end()?;
        table.row_security = Some(conjunction);
        return Ok(());
    }
    if cursor.accept(&["add"]) {
        cursor.accept(&["column"]);
        let added = column(cursor)?.ok_or_else(|| cursor.unexpected())?;
        if added.required {
            return Err(SqlError::Other(
                "ALTER TABLE ADD COLUMN defined as NOT NULL must have a default".to_owned(),
            ));
        }
        let sql = format!(
            "ALTER TABLE {}.{} ADD COLUMN {} {}",
            quote(&schema),
            quote(&name),
            quote(&added.name),
            added.ty.storage()
        );
        warehouse.connection.execute_batch(&sql)?;
        warehouse
            .catalog
            .table_mut(&schema, &name)?
            .columns
            .push(added);
        return Ok(());
    }
    Err(SqlError::Unsupported(cursor.shown()))
}
