//! Schemas, relations, users, roles, privileges and row-level security policies of one database.

mod people;
mod privileges;
mod references;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use people::{Login, Membership, NAMESPACE};
pub(crate) use privileges::{Columns, Privilege, Privileges, owns};

use crate::{
    error::SqlError,
    sql::{Token, infer::Scope},
    types::SqlType,
};

/// The schema of names without one. Everybody may use it, as in Redshift.
pub(crate) const PUBLIC_SCHEMA: &str = "public";

/// Schema and name of a relation, in lower case.
pub(crate) type Relation = (String, String);

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

impl Conjunction {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::And => "and",
            Self::Or => "or",
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) ty: SqlType,
    pub(crate) required: bool,
}

/// What a relation is.
#[derive(Debug, Clone, Default)]
pub(crate) enum Kind {
    #[default]
    Table,
    /// A query that runs whenever the view is read.
    View { query: Vec<Token> },
    /// A query whose rows were kept when the view was made or refreshed.
    Materialized { query: Vec<Token> },
}

impl Kind {
    /// As the catalogue's views call it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::View { .. } => "view",
            Self::Materialized { .. } => "materialized view",
        }
    }

    /// The query of a view.
    pub(crate) fn query(&self) -> Option<&[Token]> {
        match self {
            Self::Table => None,
            Self::View { query } | Self::Materialized { query } => Some(query),
        }
    }
}

/// A table or view.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    pub(crate) kind: Kind,
    pub(crate) columns: Vec<Column>,
    /// The user who owns it; the superuser if nobody does.
    pub(crate) owner: Option<String>,
    pub(crate) privileges: Privileges,
    /// Whether row-level security is on, and how policies combine.
    pub(crate) row_security: Option<Conjunction>,
    /// Policies and whom they apply to.
    pub(crate) attached: BTreeSet<(String, Grantee)>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Schema {
    pub(crate) owner: Option<String>,
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
    /// `AWSIDC:<user name>` for a person of the directory, else the name of a database user.
    pub(crate) name: String,
    /// Names of the directory groups.
    pub(crate) groups: Vec<String>,
}

/// For whom a statement runs.
#[derive(Debug, Clone)]
pub(crate) enum Actor {
    /// Whom neither privileges nor row-level security concern.
    Superuser,
    User(User),
}

#[derive(Debug, Clone)]
pub(crate) struct Catalog {
    pub(crate) schemas: BTreeMap<String, Schema>,
    pub(crate) roles: BTreeSet<String>,
    pub(crate) policies: BTreeMap<String, Policy>,
    /// Users with a password of their own.
    pub(crate) logins: BTreeMap<String, Login>,
    pub(crate) membership: Membership,
    /// Roles whom row-level security does not concern, on any table.
    pub(crate) ignore_rls: BTreeSet<String>,
    /// Roles to whom EXPLAIN shows the policies.
    pub(crate) explain_rls: BTreeSet<String>,
    /// Names of identity providers, and whether they make the roles of groups.
    pub(crate) identity_providers: BTreeMap<String, bool>,
}

impl Default for Catalog {
    fn default() -> Self {
        let public = Schema {
            usage: [Grantee::Public].into(),
            ..Schema::default()
        };
        Self {
            schemas: [(PUBLIC_SCHEMA.to_owned(), public)].into(),
            roles: BTreeSet::new(),
            policies: BTreeMap::new(),
            logins: BTreeMap::new(),
            membership: Membership::default(),
            ignore_rls: BTreeSet::new(),
            explain_rls: BTreeSet::new(),
            identity_providers: BTreeMap::new(),
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

    /// Every relation with its schema and name.
    pub(crate) fn relations(&self) -> impl Iterator<Item = (&str, &str, &Table)> {
        self.schemas.iter().flat_map(|(schema, content)| {
            let tables = content.tables.iter();
            tables.map(move |(name, table)| (schema.as_str(), name.as_str(), table))
        })
    }

    /// Views that read a relation, directly or through other views.
    pub(crate) fn readers_of(&self, relation: &Relation) -> BTreeSet<Relation> {
        let mut found = BTreeSet::new();
        let mut todo = vec![relation.clone()];
        while let Some(next) = todo.pop() {
            for (schema, name, table) in self.relations() {
                let view = (schema.to_owned(), name.to_owned());
                let reads = table.kind.query().is_some_and(|query| {
                    self.references(query)
                        .is_ok_and(|names| names.contains(&next))
                });
                if reads && found.insert(view.clone()) {
                    todo.push(view);
                }
            }
        }
        found
    }

    /// Types of the columns of these tables, by name.
    pub(crate) fn scope(&self, tables: &BTreeSet<Relation>) -> Scope {
        let mut scope = Scope::new();
        for (schema, table) in tables {
            for column in self.table(schema, table).iter().flat_map(|t| &t.columns) {
                scope.entry(column.name.clone()).or_insert(column.ty);
            }
            for (name, ty) in crate::system::columns(schema, table) {
                scope.entry((*name).to_owned()).or_insert(*ty);
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
