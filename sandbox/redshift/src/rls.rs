//! Row-level security: which rows of a relation a user sees.

use std::collections::BTreeSet;

use crate::{
    catalog::{Catalog, Conjunction, Grantee, Privilege, Table, User},
    error::SqlError,
    sql::{Token, token::render, translate::translate},
};

/// The filter over a relation for one user.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    /// A condition; none lets every row through.
    pub(crate) text: Option<String>,
    alias: Option<String>,
}

impl Filter {
    /// The name by which the condition calls the relation.
    pub(crate) fn alias(&self, table: &str) -> String {
        self.alias.clone().unwrap_or_else(|| table.to_owned())
    }
}

/// Policies attached to one of the user's grantees, in the order of their names.
fn policies<'a>(catalog: &Catalog, table: &'a Table, user: &User) -> BTreeSet<&'a String> {
    let grantees = catalog.grantees(user);
    let own = table.attached.iter();
    own.filter(|(_, grantee)| grantees.contains(grantee))
        .map(|(policy, _)| policy)
        .collect()
}

/// Which rows the user sees: `None` for none at all (security on, no policy for the user's roles).
pub(crate) fn visible(
    catalog: &Catalog,
    table: &Table,
    user: &User,
) -> Result<Option<Filter>, SqlError> {
    let Some(conjunction) = table.row_security else {
        return Ok(Some(Filter::default()));
    };
    if catalog.has_one_of(user, &catalog.ignore_rls) {
        return Ok(Some(Filter::default()));
    }
    let mut parts = Vec::new();
    let mut alias = None;
    for name in policies(catalog, table, user) {
        let policy = catalog
            .policies
            .get(name)
            .ok_or_else(|| SqlError::NoPolicy(name.clone()))?;
        let using = translate(&as_user(&policy.using, user))?;
        may_read(catalog, name, &using)?;
        parts.push(format!("({})", render(&using)));
        alias = alias.or_else(|| policy.alias.clone());
    }
    if parts.is_empty() {
        return Ok(None);
    }
    let text = parts.join(match conjunction {
        Conjunction::And => " AND ",
        Conjunction::Or => " OR ",
    });
    Ok(Some(Filter {
        text: Some(text),
        alias,
    }))
}

/// The policies' conditions as they were written, for EXPLAIN.
pub(crate) fn shown(catalog: &Catalog, table: &Table, user: &User) -> Vec<String> {
    policies(catalog, table, user)
        .into_iter()
        .filter_map(|name| {
            Some(format!(
                "{name}: {}",
                render(&catalog.policies.get(name)?.using)
            ))
        })
        .collect()
}

/// A policy runs on the superuser's connection, so the asking user's name is written into it.
fn as_user(using: &[Token], user: &User) -> Vec<Token> {
    let mut out = Vec::with_capacity(using.len());
    let mut rest = using;
    while let [token, after @ ..] = rest {
        rest = after;
        if !token.is_word("current_user") && !token.is_word("session_user") {
            out.push(token.clone());
            continue;
        }
        out.push(Token::Text(user.name.clone()));
        if let [open, close, after @ ..] = rest
            && open.is_symbol("(")
            && close.is_symbol(")")
        {
            rest = after;
        }
    }
    out
}

/// A policy reads lookup tables only if they were granted to it, and none with row-level security.
fn may_read(catalog: &Catalog, policy: &str, using: &[Token]) -> Result<(), SqlError> {
    for (schema, name) in catalog.references(using)? {
        let denied = || SqlError::denied("relation", &name);
        let table = catalog.table(&schema, &name).map_err(|_| denied())?;
        let holds = |grantee: &Grantee| table.privileges.holds(Privilege::Select, grantee);
        let granted = holds(&Grantee::Public) || holds(&Grantee::Policy(policy.to_owned()));
        if !granted || table.row_security.is_some() {
            return Err(denied());
        }
    }
    Ok(())
}
