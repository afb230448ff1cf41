//! The administrator's definitions: schemas, relations, users, roles, privileges, row-level security.

mod grant;
mod policy;
mod role;
mod schema;
mod table;
mod user;
pub(crate) mod view;

use crate::{
    catalog::Grantee,
    error::SqlError,
    sql::{Cursor, Token},
    warehouse::Warehouse,
};

/// Reads a definition behind its keywords and carries it out.
type Definition = fn(&mut Warehouse, &mut Cursor<'_>) -> Result<(), SqlError>;

/// The definitions by their keywords; longer ones stand before shorter ones.
const DEFINITIONS: [(&[&str], Definition); 34] = [
    (&["create", "schema"], schema::create),
    (&["alter", "schema"], schema::alter),
    (&["drop", "schema"], schema::drop),
    (&["create", "table"], table::create),
    (&["drop", "table"], table::drop),
    (&["alter", "table"], table::alter),
    (&["create", "or", "replace", "view"], view::replace),
    (&["create", "view"], view::create),
    (&["drop", "view"], view::drop),
    (&["create", "materialized", "view"], view::materialize),
    (&["alter", "materialized", "view"], table::alter),
    (&["drop", "materialized", "view"], view::drop),
    (&["create", "user"], user::create),
    (&["alter", "user"], user::alter),
    (&["drop", "user"], user::drop),
    (&["create", "role"], role::create),
    (&["drop", "role"], role::drop),
    (&["create", "identity", "provider"], user::identity_provider),
    (&["create", "rls", "policy"], policy::create),
    (&["alter", "rls", "policy"], policy::alter),
    (&["drop", "rls", "policy"], policy::drop),
    (&["attach", "rls", "policy"], policy::attach),
    (&["detach", "rls", "policy"], policy::detach),
    (&["create", "masking", "policy"], no_masking),
    (&["attach", "masking", "policy"], no_masking),
    (&["detach", "masking", "policy"], no_masking),
    (&["grant"], grant::grant),
    (&["revoke"], grant::revoke),
    (&["alter", "system", "set"], system_setting),
    (&["create"], unsupported),
    (&["drop"], unsupported),
    (&["alter"], unsupported),
    (&["attach"], unsupported),
    (&["detach"], unsupported),
];

/// Runs a statement if it is a definition; `None` leaves it to the query side.
pub(crate) fn define(warehouse: &mut Warehouse, tokens: &[Token]) -> Option<Result<(), SqlError>> {
    let mut cursor = Cursor::new(tokens);
    let found = DEFINITIONS
        .iter()
        .find(|(keywords, _)| cursor.accept(keywords));
    found.map(|(_, definition)| definition(warehouse, &mut cursor))
}

fn unsupported(_: &mut Warehouse, cursor: &mut Cursor<'_>) -> Result<(), SqlError> {
    Err(SqlError::Unsupported(cursor.shown()))
}

fn no_masking(_: &mut Warehouse, _: &mut Cursor<'_>) -> Result<(), SqlError> {
    Err(SqlError::Unsupported(
        "dynamic data masking (a masking policy)".to_owned(),
    ))
}

/// `metadata_security = TRUE`: what a user may not use, its system views do not show. They never do
/// here, so the setting can be made and not taken back.
fn system_setting(_: &mut Warehouse, cursor: &mut Cursor<'_>) -> Result<(), SqlError> {
    cursor.expect("metadata_security")?;
    cursor.accept_symbol("=");
    cursor.expect("true")?;
    cursor.end()
}

/// Forgets a role or user that is dropped, wherever it holds something.
fn forget(warehouse: &mut Warehouse, gone: &Grantee) {
    let catalog = &mut warehouse.catalog;
    for schema in catalog.schemas.values_mut() {
        schema.usage.remove(gone);
        for table in schema.tables.values_mut() {
            table.privileges.forget(gone);
            table.attached.retain(|(_, grantee)| grantee != gone);
        }
    }
    catalog.membership.granted.remove(gone);
    if let Grantee::Role(role) = gone {
        for held in catalog.membership.granted.values_mut() {
            held.remove(role);
        }
        for held in catalog.membership.of_directory.values_mut() {
            held.remove(role);
        }
        catalog.ignore_rls.remove(role);
        catalog.explain_rls.remove(role);
    }
}

/// What to say of something that is there already.
fn exists(lenient: bool, kind: &'static str, name: String) -> Result<(), SqlError> {
    if lenient {
        Ok(())
    } else {
        Err(SqlError::Exists { kind, name })
    }
}
