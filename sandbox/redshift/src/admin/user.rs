//! CREATE, ALTER and DROP USER, and CREATE IDENTITY PROVIDER.

use super::{exists, forget};
use crate::{
    catalog::{Grantee, Login, NAMESPACE},
    error::SqlError,
    sql::{Cursor, Token},
    warehouse::Warehouse,
};

/// `name [WITH] PASSWORD 'text' | PASSWORD DISABLE [CREATEUSER | NOCREATEUSER ...]`.
pub(super) fn create(warehouse: &mut Warehouse, cursor: &mut Cursor<'_>) -> Result<(), SqlError> {
    let name = cursor.role()?;
    if warehouse.catalog.logins.contains_key(&name) {
        return exists(false, "user", name);
    }
    let mut login = Login::default();
    if !attributes(cursor, &mut login)? {
        return Err(SqlError::Other("a PASSWORD is required".to_owned()));
    }
    warehouse.catalog.logins.insert(name, login);
    Ok(())
}

/// `name [WITH] PASSWORD ... | CREATEUSER | NOCREATEUSER`.
pub(super) fn alter(warehouse: &mut Warehouse, cursor: &mut Cursor<'_>) -> Result<(), SqlError> {
    let name = cursor.role()?;
    let missing = || SqlError::NoUser(name.clone());
    let mut login = warehouse
        .catalog
        .logins
        .get(&name)
        .cloned()
        .ok_or_else(missing)?;
    attributes(cursor, &mut login)?;
    warehouse.catalog.logins.insert(name, login);
    Ok(())
}

/// `[IF EXISTS] name, ...`; a user who owns something stays.
pub(super) fn drop(warehouse: &mut Warehouse, cursor: &mut Cursor<'_>) -> Result<(), SqlError> {
    let lenient = cursor.accept(&["if", "exists"]);
    let mut names = vec![cursor.role()?];
    while cursor.accept_symbol(",") {
        names.push(cursor.role()?);
    }
    cursor.end()?;
    for name in names {
        let catalog = &warehouse.catalog;
        let owner = Some(&name);
        let owns = catalog
            .schemas
            .values()
            .any(|schema| schema.owner.as_ref() == owner)
            || catalog
                .relations()
                .any(|(_, _, table)| table.owner.as_ref() == owner);
        if owns {
            return Err(SqlError::Other(format!(
                "user \"{name}\" cannot be dropped because the user owns some object"
            )));
        }
        if warehouse.catalog.logins.remove(&name).is_none() && !lenient {
            return Err(SqlError::NoUser(name));
        }
        forget(warehouse, &Grantee::User(name));
    }
    Ok(())
}

/// Reads attributes to the end; answers whether a password was among them.
fn attributes(cursor: &mut Cursor<'_>, login: &mut Login) -> Result<bool, SqlError> {
    cursor.accept(&["with"]);
    let mut decided = false;
    while !cursor.is_done() {
        if cursor.accept(&["password", "disable"]) {
            login.password = None;
            decided = true;
        } else if cursor.accept(&["password"]) {
            login.password = Some(password(cursor)?);
            decided = true;
        } else if cursor.accept(&["createuser"]) {
            login.superuser = true;
        } else if cursor.accept(&["nocreateuser"]) {
            login.superuser = false;
        } else {
            let what = cursor.peek().map(Token::shown).unwrap_or_default();
            return Err(SqlError::Unsupported(format!("user attribute {what}")));
        }
    }
    Ok(decided)
}

/// A password in clear; Redshift's rules for it hold.
fn password(cursor: &mut Cursor<'_>) -> Result<String, SqlError> {
    let Some(Token::Text(text)) = cursor.peek() else {
        return Err(cursor.unexpected());
    };
    cursor.next();
    if text.starts_with("md5") || text.starts_with("sha256|") {
        return Err(SqlError::Unsupported("a hashed password".to_owned()));
    }
    let has = |test: fn(char) -> bool| text.chars().any(test);
    let valid = (8..=64).contains(&text.len())
        && has(|c| c.is_ascii_uppercase())
        && has(|c| c.is_ascii_lowercase())
        && has(|c| c.is_ascii_digit())
        && text
            .chars()
            .all(|c| c.is_ascii_graphic() && !"'\"\\/@".contains(c));
    if valid {
        Ok(text.clone())
    } else {
        Err(SqlError::Other(
            "a password has 8 to 64 characters with an upper-case letter, a lower-case letter and a \
             number, and none of ' \" \\ / @ or space"
                .to_owned(),
        ))
    }
}

/// `name TYPE AWSIDC NAMESPACE 'AWSIDC' [APPLICATION_ARN '...'] [IAM_ROLE '...'] [AUTO_CREATE_ROLES
/// TRUE | FALSE]`. The namespace is fixed here, as the default one is in Redshift's console.
pub(super) fn identity_provider(
    warehouse: &mut Warehouse,
    cursor: &mut Cursor<'_>,
) -> Result<(), SqlError> {
    let name = cursor.name()?;
    cursor.expect("type")?;
    cursor.expect("awsidc")?;
    cursor.expect("namespace")?;
    match cursor.next() {
        Some(Token::Text(namespace)) if namespace == NAMESPACE => {}
        _ => return Err(SqlError::Unsupported("a NAMESPACE but 'AWSIDC'".to_owned())),
    }
    let mut makes_roles = false;
    while !cursor.is_done() {
        if cursor.accept(&["application_arn"]) || cursor.accept(&["iam_role"]) {
            if !matches!(cursor.next(), Some(Token::Text(_))) {
                return Err(SqlError::Syntax(name));
            }
        } else if cursor.accept(&["auto_create_roles", "true"]) {
            makes_roles = true;
        } else if !cursor.accept(&["auto_create_roles", "false"]) {
            return Err(SqlError::Unsupported(cursor.shown()));
        }
    }
    if warehouse.catalog.identity_providers.contains_key(&name) {
        return exists(false, "identity provider", name);
    }
    warehouse
        .catalog
        .identity_providers
        .insert(name, makes_roles);
    Ok(())
}
