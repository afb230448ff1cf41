//! CREATE and DROP ROLE.

use super::{exists, forget};
use crate::{catalog::Grantee, error::SqlError, sql::Cursor, warehouse::Warehouse};

pub(super) fn create(warehouse: &mut Warehouse, cursor: &mut Cursor<'_>) -> Result<(), SqlError> {
    let name = cursor.role()?;
    cursor.end()?;
    if !warehouse.catalog.roles.insert(name.clone()) {
        return exists(false, "role", name);
    }
    Ok(())
}

/// `name [FORCE | RESTRICT]`.
pub(super) fn drop(warehouse: &mut Warehouse, cursor: &mut Cursor<'_>) -> Result<(), SqlError> {
    let name = cursor.role()?;
    let force = cursor.accept(&["force"]);
    if !force {
        cursor.accept(&["restrict"]);
    }
    cursor.end()?;
    if !warehouse.catalog.roles.contains(&name) {
        return Err(SqlError::NoRole(name));
    }
    let members = warehouse.catalog.membership.granted.values();
    if !force && members.flatten().any(|role| *role == name) {
        return Err(SqlError::Other(format!(
            "cannot drop role {name} because it is granted to a user or role"
        )));
    }
    warehouse.catalog.roles.remove(&name);
    forget(warehouse, &Grantee::Role(name));
    Ok(())
}
