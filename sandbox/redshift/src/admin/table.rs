//! CREATE, DROP, TRUNCATE and ALTER TABLE.

use super::exists;
use crate::{
    catalog::{Catalog, Column, Conjunction, Kind, Relation, Table, shown},
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
    let cascade = cursor.accept(&["cascade"]);
    if !cascade {
        cursor.accept(&["restrict"]);
    }
    cursor.end()?;
    match warehouse.catalog.table(&schema, &name) {
        Err(_) if lenient => return Ok(()),
        Ok(table) if table.kind.query().is_some() => {
            return Err(SqlError::Other(format!("\"{name}\" is not a table")));
        }
        _ => {}
    }
    drop_one(warehouse, &schema, &name, cascade)
}

/// Drops a relation, with the views that read it if that is wanted.
pub(super) fn drop_one(
    warehouse: &mut Warehouse,
    schema: &str,
    name: &str,
    cascade: bool,
) -> Result<(), SqlError> {
    let relation = (schema.to_owned(), name.to_owned());
    let mut all = warehouse.catalog.readers_of(&relation);
    if !all.is_empty() && !cascade {
        return Err(SqlError::Other(format!(
            "cannot drop {} because other objects depend on it",
            shown(schema, name)
        )));
    }
    all.insert(relation);
    for (schema, name) in all {
        let table = warehouse.catalog.table(&schema, &name)?;
        if !matches!(table.kind, Kind::View { .. }) {
            let sql = format!("DROP TABLE {}.{}", quote(&schema), quote(&name));
            warehouse.connection.execute_batch(&sql)?;
        }
        warehouse.catalog.schema_mut(&schema)?.tables.remove(&name);
    }
    Ok(())
}

/// `ROW LEVEL SECURITY ON|OFF [CONJUNCTION TYPE AND|OR]`, `OWNER TO` and `ADD COLUMN`.
pub(super) fn alter(warehouse: &mut Warehouse, cursor: &mut Cursor<'_>) -> Result<(), SqlError> {
    let (schema, name) = cursor.relation()?;
    if cursor.accept(&["owner", "to"]) {
        let owner = owner(warehouse, cursor)?;
        warehouse.catalog.table_mut(&schema, &name)?.owner = owner;
        return Ok(());
    }
    let secures = cursor.accept(&["row", "level", "security"]);
    if secures {
        may_be_secured(&warehouse.catalog, &(schema.clone(), name.clone()))?;
    }
    let table = warehouse.catalog.table_mut(&schema, &name)?;
    if secures {
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

/// The user who is to own something; the superuser is `None`.
pub(super) fn owner(
    warehouse: &Warehouse,
    cursor: &mut Cursor<'_>,
) -> Result<Option<String>, SqlError> {
    let name = cursor.role()?;
    cursor.end()?;
    match warehouse.catalog.logins.get(&name) {
        Some(login) if login.superuser => Ok(None),
        Some(_) => Ok(Some(name)),
        None => Err(SqlError::NoUser(name)),
    }
}

/// Redshift attaches no policy to a base table of a materialized view; this stand-in plays none on
/// views, whose rows are not stored.
pub(super) fn may_be_secured(catalog: &Catalog, relation: &Relation) -> Result<(), SqlError> {
    let (schema, name) = relation;
    if matches!(catalog.table(schema, name)?.kind, Kind::View { .. }) {
        return Err(SqlError::Unsupported(format!(
            "row-level security on view {name} itself"
        )));
    }
    let materialized = |(schema, name): &Relation| {
        let table = catalog.table(schema, name);
        table.is_ok_and(|table| matches!(table.kind, Kind::Materialized { .. }))
    };
    if catalog.readers_of(relation).iter().any(materialized) {
        return Err(SqlError::Other(format!(
            "RLS cannot protect relation {name}: it is a base table of a materialized view"
        )));
    }
    Ok(())
}
