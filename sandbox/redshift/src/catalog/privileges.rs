//! What users may do with relations.

use std::collections::{BTreeMap, BTreeSet};

use super::{Catalog, Column, Grantee, Table, User};
use crate::error::SqlError;

/// A privilege on a relation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Privilege {
    Select,
    Insert,
    Update,
    Delete,
    Truncate,
    Drop,
    Alter,
    References,
}

impl Privilege {
    pub(crate) const ALL: [Self; 8] = [
        Self::Select,
        Self::Insert,
        Self::Update,
        Self::Delete,
        Self::Truncate,
        Self::Drop,
        Self::Alter,
        Self::References,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Select => "SELECT",
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Truncate => "TRUNCATE",
            Self::Drop => "DROP",
            Self::Alter => "ALTER",
            Self::References => "REFERENCES",
        }
    }

    pub(crate) fn named(word: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|privilege| privilege.name().eq_ignore_ascii_case(word))
    }
}

/// Which columns a privilege reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Columns {
    All,
    Only(BTreeSet<String>),
}

impl Columns {
    pub(crate) fn has(&self, column: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.contains(column),
        }
    }
}

/// Who holds which privilege on one relation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Privileges {
    pub(crate) whole: BTreeMap<Privilege, BTreeSet<Grantee>>,
    /// SELECT and UPDATE of some columns.
    pub(crate) of_columns: BTreeMap<(Privilege, Grantee), BTreeSet<String>>,
}

impl Privileges {
    /// Whether this very grantee holds the privilege on the whole relation.
    pub(crate) fn holds(&self, privilege: Privilege, grantee: &Grantee) -> bool {
        self.whole
            .get(&privilege)
            .is_some_and(|held| held.contains(grantee))
    }

    pub(crate) fn grant(&mut self, privilege: Privilege, grantee: &Grantee, columns: &[String]) {
        if columns.is_empty() {
            self.whole
                .entry(privilege)
                .or_default()
                .insert(grantee.clone());
        } else {
            self.of_columns
                .entry((privilege, grantee.clone()))
                .or_default()
                .extend(columns.iter().cloned());
        }
    }

    /// Taking a privilege from the relation takes it from its columns, too.
    pub(crate) fn revoke(&mut self, privilege: Privilege, grantee: &Grantee, columns: &[String]) {
        let key = (privilege, grantee.clone());
        if columns.is_empty() {
            if let Some(held) = self.whole.get_mut(&privilege) {
                held.remove(grantee);
            }
            self.of_columns.remove(&key);
        } else if let Some(held) = self.of_columns.get_mut(&key) {
            held.retain(|column| !columns.contains(column));
        }
    }

    /// Forgets a grantee that is dropped.
    pub(crate) fn forget(&mut self, grantee: &Grantee) {
        for held in self.whole.values_mut() {
            held.remove(grantee);
        }
        self.of_columns.retain(|(_, holder), _| holder != grantee);
    }

    fn reached(&self, privilege: Privilege, grantees: &BTreeSet<Grantee>) -> Option<Columns> {
        let whole = self.whole.get(&privilege);
        if whole.is_some_and(|held| !held.is_disjoint(grantees)) {
            return Some(Columns::All);
        }
        let columns: BTreeSet<String> = self
            .of_columns
            .iter()
            .filter(|((of, holder), _)| *of == privilege && grantees.contains(holder))
            .flat_map(|(_, columns)| columns.iter().cloned())
            .collect();
        (!columns.is_empty()).then_some(Columns::Only(columns))
    }
}

impl Catalog {
    /// Whether the user may name things of a schema.
    pub(crate) fn may_use(&self, user: &User, schema: &str) -> Result<(), SqlError> {
        let content = self.schema(schema)?;
        let owns = content.owner.as_ref() == Some(&user.name);
        if owns || !content.usage.is_disjoint(&self.grantees(user)) {
            Ok(())
        } else {
            Err(SqlError::denied("schema", schema))
        }
    }

    /// The columns on which the user holds a privilege, or why on none.
    pub(crate) fn may(
        &self,
        user: &User,
        (schema, name): (&str, &str),
        privilege: Privilege,
    ) -> Result<Columns, SqlError> {
        self.may_use(user, schema)?;
        let table = self.table(schema, name)?;
        if owns(table, user) {
            return Ok(Columns::All);
        }
        table
            .privileges
            .reached(privilege, &self.grantees(user))
            .ok_or_else(|| SqlError::denied("relation", name))
    }

    /// Columns of a relation that the user may read, or why none.
    pub(crate) fn readable(
        &self,
        user: &User,
        schema: &str,
        name: &str,
    ) -> Result<Vec<Column>, SqlError> {
        let reached = self.may(user, (schema, name), Privilege::Select)?;
        let columns = self.table(schema, name)?.columns.iter();
        Ok(columns
            .filter(|column| reached.has(&column.name))
            .cloned()
            .collect())
    }

    /// Whether the user holds anything at all on a relation.
    pub(crate) fn knows(&self, user: &User, schema: &str, name: &str) -> bool {
        Privilege::ALL
            .into_iter()
            .any(|privilege| self.may(user, (schema, name), privilege).is_ok())
    }
}

/// Whether the relation is the user's own.
pub(crate) fn owns(table: &Table, user: &User) -> bool {
    table.owner.as_ref() == Some(&user.name)
}
