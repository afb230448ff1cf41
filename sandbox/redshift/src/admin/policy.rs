//! CREATE, ALTER, DROP, ATTACH and DETACH RLS POLICY.

use super::{exists, grant::grantees, table::may_be_secured};
use crate::{
    catalog::{Catalog, Grantee, Policy, Relation},
    error::SqlError,
    sql::{Cursor, cursor::items},
    types::SqlType,
    warehouse::Warehouse,
};

/// `name [WITH (column type, ...) [[AS] alias]] USING (condition)`.
pub(super) fn create(warehouse: &mut Warehouse, cursor: &mut Cursor<'_>) -> Result<(), SqlError> {
    let name = cursor.name()?;
    if warehouse.catalog.policies.contains_key(&name) {
        return exists(false, "RLS policy", name);
    }
    let mut columns = Vec::new();
    let mut alias = None;
    if cursor.accept(&["with"]) {
        for item in items(cursor.group()?) {
            let mut item = Cursor::new(item);
            let column = item.name()?;
            columns.push((column, SqlType::read(&mut item)?));
            item.end()?;
        }
        if cursor.accept(&["as"]) || !cursor.peek().is_some_and(|t| t.is_word("using")) {
            alias = Some(cursor.name()?);
        }
    }
    cursor.expect("using")?;
    let using = cursor.group()?.to_vec();
    cursor.end()?;
    let policy = Policy {
        columns,
        alias,
        using,
    };
    warehouse.catalog.policies.insert(name, policy);
    Ok(())
}

pub(super) fn drop(warehouse: &mut Warehouse, cursor: &mut Cursor<'_>) -> Result<(), SqlError> {
    let lenient = cursor.accept(&["if", "exists"]);
    let name = cursor.name()?;
    let cascade = cursor.accept(&["cascade"]);
    if !cascade {
        cursor.accept(&["restrict"]);
    }
    cursor.end()?;
    if !warehouse.catalog.policies.contains_key(&name) {
        return if lenient {
            Ok(())
        } else {
            Err(SqlError::NoPolicy(name))
        };
    }
    let tables = || {
        let schemas = warehouse.catalog.schemas.values();
        schemas.flat_map(|schema| schema.tables.values())
    };
    if !cascade && tables().any(|t| t.attached.iter().any(|(policy, _)| *policy == name)) {
        return Err(SqlError::Other(format!(
            "cannot drop RLS policy {name} because it is attached to a relation"
        )));
    }
    for schema in warehouse.catalog.schemas.values_mut() {
        for table in schema.tables.values_mut() {
            table.attached.retain(|(policy, _)| *policy != name);
            table.privileges.forget(&Grantee::Policy(name.clone()));
        }
    }
    warehouse.catalog.policies.remove(&name);
    Ok(())
}

/// `name USING (condition)`: the columns and the alias stay.
pub(super) fn alter(warehouse: &mut Warehouse, cursor: &mut Cursor<'_>) -> Result<(), SqlError> {
    let name = cursor.name()?;
    cursor.expect("using")?;
    let using = cursor.group()?.to_vec();
    cursor.end()?;
    let policy = warehouse.catalog.policies.get_mut(&name);
    policy.ok_or(SqlError::NoPolicy(name))?.using = using;
    Ok(())
}

pub(super) fn attach(warehouse: &mut Warehouse, cursor: &mut Cursor<'_>) -> Result<(), SqlError> {
    change(warehouse, cursor, "to")
}

pub(super) fn detach(warehouse: &mut Warehouse, cursor: &mut Cursor<'_>) -> Result<(), SqlError> {
    change(warehouse, cursor, "from")
}

/// `name ON [TABLE] table, ... TO|FROM role, ...`.
fn change(
    warehouse: &mut Warehouse,
    cursor: &mut Cursor<'_>,
    direction: &str,
) -> Result<(), SqlError> {
    let name = cursor.name()?;
    cursor.expect("on")?;
    cursor.accept(&["table"]);
    let mut relations = vec![cursor.relation()?];
    while cursor.accept_symbol(",") {
        relations.push(cursor.relation()?);
    }
    cursor.expect(direction)?;
    let grantees = grantees(&warehouse.catalog, cursor)?;
    let policy = warehouse
        .catalog
        .policies
        .get(&name)
        .cloned()
        .ok_or_else(|| SqlError::NoPolicy(name.clone()))?;
    for (schema, table) in relations {
        if direction == "to" {
            let place = (schema.clone(), table.clone());
            may_be_secured(&warehouse.catalog, &place)?;
            one_alias(&warehouse.catalog, &place, &policy)?;
        }
        let relation = warehouse.catalog.table_mut(&schema, &table)?;
        for (column, ty) in &policy.columns {
            let fits = relation
                .columns
                .iter()
                .any(|c| c.name == *column && c.ty == *ty);
            if !fits {
                return Err(SqlError::Other(format!(
                    "column \"{column}\" of RLS policy \"{name}\" does not match a column of relation \"{table}\""
                )));
            }
        }
        for grantee in &grantees {
            let entry = (name.clone(), grantee.clone());
            if direction == "to" {
                relation.attached.insert(entry);
            } else if !relation.attached.remove(&entry) {
                return Err(SqlError::Other(format!(
                    "RLS policy \"{name}\" is not attached to relation \"{table}\" for this user or role"
                )));
            }
        }
    }
    Ok(())
}

/// Policies of one relation must call it by the same name.
fn one_alias(
    catalog: &Catalog,
    (schema, name): &Relation,
    policy: &Policy,
) -> Result<(), SqlError> {
    let attached = &catalog.table(schema, name)?.attached;
    let others = attached
        .iter()
        .filter_map(|(other, _)| catalog.policies.get(other));
    let aliases = |other: &Policy| other.alias.is_some() && policy.alias.is_some();
    if others
        .clone()
        .any(|other| aliases(other) && other.alias != policy.alias)
    {
        return Err(SqlError::Other(format!(
            "RLS policies on relation \"{name}\" must use the same alias"
        )));
    }
    Ok(())
}
