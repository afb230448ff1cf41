//! GRANT and REVOKE.

use crate::{
    catalog::{Catalog, Grantee, Privilege, Relation},
    error::SqlError,
    sql::{Cursor, cursor::items},
    warehouse::Warehouse,
};

/// What names of people of the directory begin with.
const PERSON: &str = "AWSIDC:";

/// One entry of a list of privileges.
struct Entry {
    /// A privilege on relations; `None` is one that relations do not have.
    privilege: Option<Privilege>,
    word: String,
    columns: Vec<String>,
}

pub(super) fn grant(warehouse: &mut Warehouse, cursor: &mut Cursor<'_>) -> Result<(), SqlError> {
    change(warehouse, cursor, true)
}

pub(super) fn revoke(warehouse: &mut Warehouse, cursor: &mut Cursor<'_>) -> Result<(), SqlError> {
    change(warehouse, cursor, false)
}

fn direction(grants: bool) -> &'static str {
    if grants { "to" } else { "from" }
}

fn change(
    warehouse: &mut Warehouse,
    cursor: &mut Cursor<'_>,
    grants: bool,
) -> Result<(), SqlError> {
    if cursor.accept(&["role"]) {
        return membership(&mut warehouse.catalog, cursor, grants);
    }
    if cursor.accept(&["ignore", "rls"]) {
        let roles = roles(&warehouse.catalog, cursor, grants)?;
        alter(&mut warehouse.catalog.ignore_rls, roles, grants);
        return Ok(());
    }
    if cursor.accept(&["explain", "rls"]) {
        let roles = roles(&warehouse.catalog, cursor, grants)?;
        alter(&mut warehouse.catalog.explain_rls, roles, grants);
        return Ok(());
    }
    let entries = entries(cursor)?;
    cursor.expect("on")?;
    if cursor.accept(&["schema"]) {
        return on_schemas(&mut warehouse.catalog, cursor, &entries, grants);
    }
    on_relations(&mut warehouse.catalog, cursor, &entries, grants)
}

/// `r, ... TO|FROM user | ROLE other, ...`.
fn membership(
    catalog: &mut Catalog,
    cursor: &mut Cursor<'_>,
    grants: bool,
) -> Result<(), SqlError> {
    let roles = list(cursor, Cursor::role)?;
    for role in &roles {
        if !catalog.roles.contains(role) {
            return Err(SqlError::NoRole(role.clone()));
        }
    }
    cursor.expect(direction(grants))?;
    for holder in grantees(catalog, cursor)? {
        if !matches!(holder, Grantee::User(_) | Grantee::Role(_)) {
            return Err(SqlError::Unsupported(cursor.shown()));
        }
        if let Grantee::Role(holder) = &holder
            && grants
            && roles.iter().any(|role| reaches(catalog, role, holder))
        {
            return Err(SqlError::Other("role cycles are not permitted".to_owned()));
        }
        let held = catalog.membership.granted.entry(holder).or_default();
        alter(held, roles.clone(), grants);
    }
    Ok(())
}

/// Whether a role is another one, or has it granted somehow.
fn reaches(catalog: &Catalog, from: &str, to: &str) -> bool {
    let granted = &catalog.membership.granted;
    from == to
        || granted
            .get(&Grantee::Role(from.to_owned()))
            .into_iter()
            .flatten()
            .any(|next| reaches(catalog, next, to))
}

/// `TO|FROM ROLE r, ...`: row-level security's own permissions are for roles only.
fn roles(
    catalog: &Catalog,
    cursor: &mut Cursor<'_>,
    grants: bool,
) -> Result<Vec<String>, SqlError> {
    cursor.expect(direction(grants))?;
    grantees(catalog, cursor)?
        .into_iter()
        .map(|grantee| match grantee {
            Grantee::Role(role) => Ok(role),
            _ => Err(SqlError::Syntax(direction(grants).to_owned())),
        })
        .collect()
}

fn alter<T: Ord>(held: &mut std::collections::BTreeSet<T>, those: Vec<T>, grants: bool) {
    for one in those {
        if grants {
            held.insert(one);
        } else {
            held.remove(&one);
        }
    }
}

/// `names TO|FROM grantees`. Users cannot create anything here, so of a schema only USAGE counts.
fn on_schemas(
    catalog: &mut Catalog,
    cursor: &mut Cursor<'_>,
    entries: &[Entry],
    grants: bool,
) -> Result<(), SqlError> {
    let names = list(cursor, Cursor::name)?;
    cursor.expect(direction(grants))?;
    let grantees = grantees(catalog, cursor)?;
    for entry in entries {
        match entry.word.as_str() {
            "usage" | "all" => {}
            "create" if !grants => {}
            _ => {
                return Err(SqlError::Unsupported(format!(
                    "{} on a schema",
                    entry.word.to_uppercase()
                )));
            }
        }
    }
    let usage = |entry: &Entry| entry.word != "create";
    for name in names {
        let schema = catalog.schema_mut(&name)?;
        if entries.iter().any(usage) {
            alter(&mut schema.usage, grantees.clone(), grants);
        }
    }
    Ok(())
}

/// `[TABLE] names | ALL TABLES IN SCHEMA names TO|FROM grantees`.
fn on_relations(
    catalog: &mut Catalog,
    cursor: &mut Cursor<'_>,
    entries: &[Entry],
    grants: bool,
) -> Result<(), SqlError> {
    let relations = relations(catalog, cursor)?;
    cursor.expect(direction(grants))?;
    let grantees = grantees(catalog, cursor)?;
    for (schema, name) in relations {
        let table = catalog.table_mut(&schema, &name)?;
        for entry in entries {
            let known = |column: &&String| !table.columns.iter().any(|c| c.name == **column);
            if let Some(missing) = entry.columns.iter().find(known) {
                return Err(SqlError::NoColumn(missing.clone()));
            }
            let privileges = match entry.privilege {
                Some(privilege) => vec![privilege],
                None if entry.word == "all" => Privilege::ALL.to_vec(),
                None => return Err(SqlError::Syntax(entry.word.clone())),
            };
            for privilege in privileges {
                for grantee in &grantees {
                    if grants {
                        table.privileges.grant(privilege, grantee, &entry.columns);
                    } else {
                        table.privileges.revoke(privilege, grantee, &entry.columns);
                    }
                }
            }
        }
    }
    Ok(())
}

fn relations(catalog: &Catalog, cursor: &mut Cursor<'_>) -> Result<Vec<Relation>, SqlError> {
    if !cursor.accept(&["all", "tables", "in", "schema"]) {
        cursor.accept(&["table"]);
        return list(cursor, Cursor::relation);
    }
    let mut relations = Vec::new();
    for schema in list(cursor, Cursor::name)? {
        let names = catalog.schema(&schema)?.tables.keys();
        relations.extend(names.map(|table| (schema.clone(), table.clone())));
    }
    Ok(relations)
}

/// Privileges; only SELECT and UPDATE can be of columns.
fn entries(cursor: &mut Cursor<'_>) -> Result<Vec<Entry>, SqlError> {
    list(cursor, |cursor| {
        let word = cursor.name()?;
        let privilege = Privilege::named(&word);
        if privilege.is_none() && !["all", "usage", "create"].contains(&word.as_str()) {
            return Err(SqlError::Unsupported(cursor.shown()));
        }
        if word == "all" {
            cursor.accept(&["privileges"]);
        }
        let mut columns = Vec::new();
        if cursor.peek().is_some_and(|t| t.is_symbol("(")) {
            if !matches!(privilege, Some(Privilege::Select | Privilege::Update)) {
                return Err(cursor.unexpected());
            }
            for item in items(cursor.group()?) {
                let mut item = Cursor::new(item);
                columns.push(item.name()?);
                item.end()?;
            }
        }
        Ok(Entry {
            privilege,
            word,
            columns,
        })
    })
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
        let name = cursor.role()?;
        // People of the directory may be named before they came for the first time.
        let known = catalog.logins.contains_key(&name) || name.starts_with(PERSON);
        if known {
            Ok(Grantee::User(name))
        } else {
            Err(SqlError::NoUser(name))
        }
    })?;
    cursor.end()?;
    Ok(grantees)
}
