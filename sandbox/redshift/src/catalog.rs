//! Schemas, tables, roles, privileges and row-level security policies of one database.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    error::SqlError,
    sql::{Token, infer::Scope},
    types::SqlType,
};

/// The schema of names without one. Everybody may use it, as in Redshift.
pub(crate) const PUBLIC_SCHEMA: &str = "public";

/// Who can hold a privilege.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Grantee {
    Public,
    Role(String),
    User(String),
    /// A policy that reads a lookup table.
    Policy(String),
}

/// How several policies of one user combine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conjunction {
    And,
    Or,
}

#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) ty: SqlType,
    pub(crate) required: bool,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    pub(crate) columns: Vec<Column>,
    /// Who may read every column.
    pub(crate) select: BTreeSet<Grantee>,
    /// Who may read some columns.
    pub(crate) select_columns: BTreeMap<Grantee, BTreeSet<String>>,
    /// Whether row-level security is on, and how policies combine.
    pub(crate) row_security: Option<Conjunction>,
    /// Policies and whom they apply to.
    pub(crate) attached: BTreeSet<(String, Grantee)>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Schema {
    pub(crate) usage: BTreeSet<Grantee>,
    pub(crate) tables: BTreeMap<String, Table>,
}

#[derive(Debug, Clone)]
pub(crate) struct Policy {
    pub(crate) columns: Vec<(String, SqlType)>,
    pub(crate) alias: Option<String>,
    pub(crate) using: Vec<Token>,
}

/// A user of the database with what applies to them.
#[derive(Debug, Clone)]
pub(crate) struct User {
    /// `AWSIDC:<user name>`.
    pub(crate) name: String,
    /// Names of the directory groups.
    pub(crate) groups: Vec<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Catalog {
    pub(crate) schemas: BTreeMap<String, Schema>,
    pub(crate) roles: BTreeSet<String>,
    pub(crate) policies: BTreeMap<String, Policy>,
}

impl Default for Catalog {
    fn default() -> Self {
        let public = Schema {
            usage: [Grantee::Public].into(),
            tables: BTreeMap::new(),
        };
        Self {
            schemas: [(PUBLIC_SCHEMA.to_owned(), public)].into(),
            roles: BTreeSet::new(),
            policies: BTreeMap::new(),
        }
    }
}

impl Catalog {
    pub(crate) fn schema(&self, name: &str) -> Result<&Schema, SqlError> {
        self.schemas
            .get(name)
            .ok_or_else(|| SqlError::NoSchema(name.to_owned()))
    }

    pub(crate) fn schema_mut(&mut self, name: &str) -> Result<&mut Schema, SqlError> {
        self.schemas
            .get_mut(name)
            .ok_or_else(|| SqlError::NoSchema(name.to_owned()))
    }

    pub(crate) fn table(&self, schema: &str, table: &str) -> Result<&Table, SqlError> {
        self.schema(schema)?
            .tables
            .get(table)
            .ok_or_else(|| SqlError::NoRelation(shown(schema, table)))
    }

    pub(crate) fn table_mut(&mut self, schema: &str, table: &str) -> Result<&mut Table, SqlError> {
        self.schema_mut(schema)?
            .tables
            .get_mut(table)
            .ok_or_else(|| SqlError::NoRelation(shown(schema, table)))
    }

    /// What the user holds: itself, PUBLIC, and the role `AWSIDC:<group>` of each group that has one.
    pub(crate) fn grantees(&self, user: &User) -> BTreeSet<Grantee> {
        let roles = user
            .groups
            .iter()
            .map(|group| format!("AWSIDC:{group}"))
            .filter(|role| self.roles.contains(role))
            .map(Grantee::Role);
        [Grantee::Public, Grantee::User(user.name.clone())]
            .into_iter()
            .chain(roles)
            .collect()
    }

    /// Columns of a table that the user may read, or why none.
    pub(crate) fn readable(
        &self,
        user: &User,
        schema: &str,
        table: &str,
    ) -> Result<Vec<Column>, SqlError> {
        let grantees = self.grantees(user);
        if self.schema(schema)?.usage.is_disjoint(&grantees) {
            return Err(SqlError::denied("schema", schema));
        }
        let relation = self.table(schema, table)?;
        if !relation.select.is_disjoint(&grantees) {
            return Ok(relation.columns.clone());
        }
        let granted: BTreeSet<&String> = grantees
            .iter()
            .filter_map(|grantee| relation.select_columns.get(grantee))
            .flatten()
            .collect();
        let columns: Vec<Column> = relation
            .columns
            .iter()
            .filter(|column| granted.contains(&column.name))
            .cloned()
            .collect();
        if columns.is_empty() {
            return Err(SqlError::denied("relation", table));
        }
        Ok(columns)
    }

    /// Tables that a (translated) statement names. Names after FROM and JOIN that are nothing at
    /// all are errors, as they would be in Redshift.
    pub(crate) fn references(
        &self,
        tokens: &[Token],
    ) -> Result<BTreeSet<(String, String)>, SqlError> {
        let named = common_tables(tokens);
        let mut found = BTreeSet::new();
        for (at, token) in tokens.iter().enumerate() {
            let before = at.checked_sub(1).map(|b| &tokens[b]);
            let Some(name) = token.name() else { continue };
            if before.is_some_and(|t| t.is_symbol(".")) {
                continue;
            }
            let opens = before.is_some_and(|t| t.is_word("from") || t.is_word("join"))
                && !at
                    .checked_sub(2)
                    .is_some_and(|b| tokens[b].is_word("distinct"));
            let follows_comma = before.is_some_and(|t| t.is_symbol(","));
            match (tokens.get(at + 1), tokens.get(at + 2).and_then(Token::name)) {
                (Some(dot), Some(table))
                    if dot.is_symbol(".") && (opens || self.table(&name, &table).is_ok()) =>
                {
                    self.table(&name, &table)?;
                    found.insert((name, table));
                }
                // A column of an alias: `t.city`.
                (Some(dot), _) if dot.is_symbol(".") => {}
                (Some(paren), _) if paren.is_symbol("(") => {}
                _ if named.contains(&name) || !(opens || follows_comma) => {}
                _ if self.table(PUBLIC_SCHEMA, &name).is_ok() => {
                    found.insert((PUBLIC_SCHEMA.to_owned(), name));
                }
                _ if opens && !token.is_word("lateral") => {
                    return Err(SqlError::NoRelation(name));
                }
                _ => {}
            }
        }
        Ok(found)
    }

    /// Types of the columns of these tables, by name.
    pub(crate) fn scope(&self, tables: &BTreeSet<(String, String)>) -> Scope {
        let mut scope = Scope::new();
        for (schema, table) in tables {
            for column in self.table(schema, table).iter().flat_map(|t| &t.columns) {
                scope.entry(column.name.clone()).or_insert(column.ty);
            }
        }
        scope
    }
}

/// `app.sales`, or `sales` for one in `public`.
pub(crate) fn shown(schema: &str, table: &str) -> String {
    if schema == PUBLIC_SCHEMA {
        table.to_owned()
    } else {
        format!("{schema}.{table}")
    }
}

/// Names of common table expressions: `name AS (` and `name (columns) AS (`.
fn common_tables(tokens: &[Token]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, token) in tokens.iter().enumerate() {
        let starts = at.checked_sub(1).is_some_and(|before| {
            let before = &tokens[before];
            before.is_word("with") || before.is_word("recursive") || before.is_symbol(",")
        });
        let Some(name) = token.name().filter(|_| starts) else {
            continue;
        };
        let after = match tokens.get(at + 1) {
            Some(open) if open.is_symbol("(") => {
                crate::sql::token::closing(tokens, at + 1).map_or(at + 1, |close| close + 1)
            }
            _ => at + 1,
        };
        let is_common = tokens.get(after).is_some_and(|t| t.is_word("as"))
            && tokens.get(after + 1).is_some_and(|t| t.is_symbol("("));
        if is_common {
            names.insert(name);
        }
    }
    names
}
