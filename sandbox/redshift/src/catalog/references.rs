//! Which relations a statement names.

use std::collections::BTreeSet;

use super::{Catalog, PUBLIC_SCHEMA, Relation};
use crate::{error::SqlError, sql::Token, system};

impl Catalog {
    /// Relations that a (translated) statement names. Names after FROM and JOIN that are nothing at
    /// all are errors, as they would be in Redshift.
    pub(crate) fn references(&self, tokens: &[Token]) -> Result<BTreeSet<Relation>, SqlError> {
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
                    if dot.is_symbol(".") && (opens || self.knows_relation(&name, &table)) =>
                {
                    if !system::has(&name, &table) {
                        self.table(&name, &table)?;
                    }
                    found.insert((name, table));
                }
                // A column of an alias: `t.city`.
                (Some(dot), _) if dot.is_symbol(".") => {}
                (Some(paren), _) if paren.is_symbol("(") => {}
                _ if named.contains(&name) || !(opens || follows_comma) => {}
                _ if self.table(PUBLIC_SCHEMA, &name).is_ok() => {
                    found.insert((PUBLIC_SCHEMA.to_owned(), name));
                }
                _ if system::has(system::SCHEMA, &name) => {
                    found.insert((system::SCHEMA.to_owned(), name));
                }
                _ if opens && !token.is_word("lateral") => {
                    return Err(SqlError::NoRelation(name));
                }
                _ => {}
            }
        }
        Ok(found)
    }

    fn knows_relation(&self, schema: &str, name: &str) -> bool {
        system::has(schema, name) || self.table(schema, name).is_ok()
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
