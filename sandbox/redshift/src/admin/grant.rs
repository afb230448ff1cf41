//! GRANT and REVOKE of what end users need: USAGE on schemas, SELECT on tables and columns.

use std::collections::BTreeSet;

use crate::{
    catalog::{Catalog, Grantee},
    error::SqlError,
    sql::{Cursor, cursor::items},
    warehouse::Warehouse,
};

/// One privilege of a list, with its columns.
struct Privilege {
    word: String,
    columns: Vec<String>,
}

/// `privileges ON SCHEMA|[TABLE]|ALL TABLES IN SCHEMA names TO|FROM grantees`.
pub(super) fn change(
    warehouse: &mut Warehouse,
    cursor: &mut Cursor<'_>,
    direction: &str,
) -> Result<(), SqlError> {
    let grants = direction == "to";
    let privileges = privileges(cursor)?;
    cursor.expect("on")?;
    if cursor.accept(&["schema"]) {
        let schemas = list(cursor, Cursor::name)?;
        cursor.expect(direction)?;
        let grantees = grantees(&warehouse.catalog, cursor)?;
        for name in schemas {
            let schema = warehouse.catalog.schema_mut(&name)?;
            if privileges
                .iter()
                .any(|p| p.word == "usage" || p.word == "all")
            {
                alter(&mut schema.usage, &grantees, grants);
            }
        }
        return Ok(());
    }
    let tables = if cursor.accept(&["all", "tables", "in", "schema"]) {
        let mut tables = Vec::new();
        for schema in list(cursor, Cursor::name)? {
            let names = warehouse.catalog.schema(&schema)?.tables.keys();
            tables.extend(names.map(|table| (schema.clone(), table.clone())));
        }
        tables
    } else {
        cursor.accept(&["table"]);
        list(cursor, Cursor::relation)?
    };
    cursor.expect(direction)?;
    let grantees = grantees(&warehouse.catalog, cursor)?;
    for (schema, name) in tables {
        let table = warehouse.catalog.table_mut(&schema, &name)?;
        for privilege in &privileges {
            let reads = privilege.word == "select" || privilege.word == "all";
            if reads && privilege.columns.is_empty() {
                alter(&mut table.select, &grantees, grants);
                if !grants {
                    // Taking SELECT from the table takes it from its columns, too.
                    table
                        .select_columns
                        .retain(|grantee, _| !grantees.contains(grantee));
                }
            } else if reads {
                for column in &privilege.columns {
                    if !table.columns.iter().any(|c| c.name == *column) {
                        return Err(SqlError::NoColumn(column.clone()));
                    }
                    for grantee in &grantees {
                        let held = table.select_columns.entry(grantee.clone()).or_default();
                        if grants {
                            held.insert(column.clone());
                        } else {
                            held.remove(column);
                        }
                    }
                }
            }
        }
    }
    Ok(())
}

fn alter(held: &mut BTreeSet<Grantee>, grantees: &[Grantee], grants: bool) {
    for grantee in grantees {
        if grants {
            held.insert(grantee.clone());
        } else {
            held.remove(grantee);
        }
    }
}

fn privileges(cursor: &mut Cursor<'_>) -> Result<Vec<Privilege>, SqlError> {
    const KNOWN: [&str; 9] = [
        "all",
        "select",
        "insert",
        "update",
        "delete",
        "references",
        "usage",
        "create",
        "drop",
    ];
    let mut list = Vec::new();
    loop {
        let word = cursor.name()?;
        if !KNOWN.contains(&word.as_str()) {
            return Err(SqlError::Unsupported(cursor.shown()));
        }
        if word == "all" {
            cursor.accept(&["privileges"]);
        }
        let mut columns = Vec::new();
        if cursor.peek().is_some_and(|t| t.is_symbol("(")) {
            for item in items(cursor.group()?) {
                let mut item = Cursor::new(item);
                columns.push(item.name()?);
                item.end()?;
            }
        }
        list.push(Privilege { word, columns });
        if !cursor.accept_symbol(",") {
            return Ok(list);
        }
    }
}

fn list<'a, T>(
    cursor: &mut Cursor<'a>,
    read: impl Fn(&mut Cursor<'a>) -> Result<T, SqlError>,
) -> Result<Vec<T>, SqlError> {
    let mut list = vec![read(cursor)?];
    while cursor.accept_symbol(",") {
        list.push(read(cursor)?);
    }
    Ok(list)
}

/// `ROLE r`, `RLS POLICY p`, `PUBLIC` or a user, separated by commas, to the end of the statement.
pub(super) fn grantees(
    catalog: &Catalog,
    cursor: &mut Cursor<'_>,
) -> Result<Vec<Grantee>, SqlError> {
    let grantees = list(cursor, |cursor| {
        if cursor.accept(&["role"]) {
            let name = cursor.role()?;
            if !catalog.roles.contains(&name) {
                return Err(SqlError::NoRole(name));
            }
            return Ok(Grantee::Role(name));
        }
        if cursor.accept(&["rls", "policy"]) {
            let name = cursor.name()?;
            if !catalog.policies.contains_key(&name) {
                return Err(SqlError::NoPolicy(name));
            }
            return Ok(Grantee::Policy(name));
        }
        if cursor.accept(&["public"]) {
            return Ok(Grantee::Public);
        }
        cursor.role().map(Grantee::User)
    })?;
    cursor.end()?;
    Ok(grantees)
}
