//! A query of an end user.
//!
//! The user's statement never meets the connection that holds the rows. For each table that it
//! names, the columns the user may read and the rows the policies let through are copied into a
//! private in-memory database, and the statement runs there. What a policy hides is not present, so
//! no comment, second statement, view, function or qualified name can reach it. An authorizer
//! refuses everything but reading on top of that.

use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::AtomicBool},
};

use rusqlite::{
    Connection,
    hooks::{AuthAction, AuthContext, Authorization},
    types::Value,
};
use sandbox_core::Clock;

use crate::{
    catalog::{Catalog, Conjunction, Grantee, Table, User},
    error::SqlError,
    functions,
    query::{self, Cell, Parameters, ResultColumn, ResultSet},
    sql::{Token, infer::Scope, token::render, translate::translate},
    types::SqlType,
    warehouse::{Warehouse, attach, definition, insertion, quote},
};

/// A user's statement with the private database it will run on.
pub(crate) struct Prepared {
    connection: Connection,
    tokens: Vec<Token>,
    scope: Scope,
    /// Columns that exist in the tables but are not the user's to read, with their table.
    hidden: Vec<(String, String)>,
}

/// Checks the user's privileges and copies what the statement may see.
pub(crate) fn prepare(
    warehouse: &Warehouse,
    user: &User,
    statement: &[Token],
    clock: &Clock,
) -> Result<Prepared, SqlError> {
    admit(statement)?;
    let tokens = translate(statement)?;
    let catalog = &warehouse.catalog;
    let tables = catalog.references(&tokens)?;
    let mut connection = Connection::open_in_memory()?;
    query::harden(&connection)?;
    functions::register(&connection, &user.name, clock)?;
    let mut hidden = Vec::new();
    for (schema, table) in &tables {
        let columns = catalog.readable(user, schema, table)?;
        let relation = catalog.table(schema, table)?;
        for column in &relation.columns {
            if !columns.iter().any(|c| c.name == column.name) {
                hidden.push((column.name.clone(), table.clone()));
            }
        }
        attach(&connection, schema)?;
        connection.execute_batch(&definition(schema, table, &columns))?;
        let Some(condition) = visible(catalog, relation, user)? else {
            continue;
        };
        let names: Vec<String> = columns
            .iter()
            .map(|c| format!("{}.{}", quote(&condition.alias(table)), quote(&c.name)))
            .collect();
        let source = format!(
            "SELECT {} FROM {}.{} AS {} WHERE {}",
            names.join(", "),
            quote(schema),
            quote(table),
            quote(&condition.alias(table)),
            condition.text,
        );
        copy(
            &warehouse.connection,
            &source,
            &connection,
            &insertion(schema, table, &columns),
            columns.len(),
        )?;
    }
    connection.authorizer(Some(authorize))?;
    Ok(Prepared {
        connection,
        scope: catalog.scope(&tables),
        tokens,
        hidden,
    })
}

impl Prepared {
    /// Runs the statement until it ends or is cancelled.
    pub(crate) fn run(
        mut self,
        parameters: &Parameters,
        cancelled: &Arc<AtomicBool>,
    ) -> Result<ResultSet, SqlError> {
        query::stop_when(&mut self.connection, Some(cancelled))?;
        if self.tokens.first().is_some_and(|t| t.is_word("show")) {
            return show(&self.tokens);
        }
        query::run(&self.connection, &self.tokens, &self.scope, parameters).map_err(|error| {
            let SqlError::NoColumn(name) = &error else {
                return error;
            };
            let last = name.rsplit('.').next().unwrap_or(name);
            let table = self
                .hidden
                .iter()
                .find(|(column, _)| column.eq_ignore_ascii_case(last));
            table.map_or_else(|| error.clone(), |(_, t)| SqlError::denied("relation", t))
        })
    }
}

/// What an end user may run at all: SELECT and SHOW. Everything else is refused as Redshift refuses
/// it to a user without the privilege.
fn admit(statement: &[Token]) -> Result<(), SqlError> {
    let Some(first) = statement.first() else {
        return Err(SqlError::Other("syntax error at end of input".to_owned()));
    };
    for pair in statement.windows(2) {
        if pair[0].is_word("set_config") && pair[1].is_symbol("(") {
            return Err(SqlError::denied("function", "set_config"));
        }
    }
    let Token::Word(word) = first else {
        return if first.is_symbol("(") {
            Ok(())
        } else {
            Err(SqlError::Syntax(first.shown()))
        };
    };
    let target = || {
        let words: Vec<String> = statement
            .iter()
            .skip(1)
            .filter_map(Token::name)
            .filter(|w| !["into", "from", "table", "on", "only"].contains(&w.as_str()))
            .take(2)
            .collect();
        words.last().cloned().unwrap_or_default()
    };
    match word.to_lowercase().as_str() {
        "select" | "with" if statement.iter().any(|t| t.is_word("into")) => {
            Err(SqlError::denied("database", "dev"))
        }
        "select" | "with" | "show" => Ok(()),
        "insert" | "update" | "delete" | "truncate" | "merge" | "copy" => {
            Err(SqlError::denied("relation", &target()))
        }
        "unload" => Err(SqlError::Forbidden("unload data")),
        "set" | "reset" if statement.get(1).is_some_and(|t| t.is_word("session")) => {
            Err(SqlError::Forbidden("set session authorization"))
        }
        "set" | "reset" => Err(SqlError::Forbidden("set this parameter")),
        "create" | "drop" | "alter" => Err(SqlError::denied("schema", &target())),
        "grant" | "revoke" => Err(SqlError::Forbidden("grant or revoke privileges")),
        "attach" | "detach" => Err(SqlError::Forbidden("change row-level security")),
        "begin" | "commit" | "rollback" | "call" | "explain" | "prepare" | "execute"
        | "declare" | "analyze" | "vacuum" | "lock" | "pragma" => {
            Err(SqlError::Forbidden("run this command"))
        }
        _ => Err(SqlError::Syntax(word.clone())),
    }
}

/// The second wall: on the user's own connection only reading is possible.
fn authorize(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Select | AuthAction::Recursive => Authorization::Allow,
        AuthAction::Read { table_name, .. } if !table_name.starts_with("sqlite_") => {
            Authorization::Allow
        }
        AuthAction::Function { function_name } if function_name != "load_extension" => {
            Authorization::Allow
        }
        _ => Authorization::Deny,
    }
}

/// The filter over a table for one user.
struct Condition {
    text: String,
    alias: Option<String>,
}

impl Condition {
    fn alias(&self, table: &str) -> String {
        self.alias.clone().unwrap_or_else(|| table.to_owned())
    }
}

/// Which rows the user sees: `None` for none at all (security on, no policy for the user's roles).
fn visible(catalog: &Catalog, table: &Table, user: &User) -> Result<Option<Condition>, SqlError> {
    let Some(conjunction) = table.row_security else {
        return Ok(Some(Condition {
            text: "TRUE".to_owned(),
            alias: None,
        }));
    };
    let grantees = catalog.grantees(user);
    let names: BTreeSet<&String> = table
        .attached
        .iter()
        .filter(|(_, grantee)| grantees.contains(grantee))
        .map(|(policy, _)| policy)
        .collect();
    let mut parts = Vec::new();
    let mut alias = None;
    for name in names {
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
    Ok(Some(Condition { text, alias }))
}

/// A policy runs on the superuser's connection, so the asking user's name is written into it.
fn as_user(using: &[Token], user: &User) -> Vec<Token> {
    using
        .iter()
        .map(|token| {
            if token.is_word("current_user") || token.is_word("session_user") {
                Token::Text(user.name.clone())
            } else {
                token.clone()
            }
        })
        .collect()
}

/// A policy reads lookup tables only if they were granted to it, and none with row-level security.
fn may_read(catalog: &Catalog, policy: &str, using: &[Token]) -> Result<(), SqlError> {
    for (schema, table) in catalog.references(using)? {
        let relation = catalog.table(&schema, &table)?;
        let granted = relation.select.contains(&Grantee::Public)
            || relation
                .select
                .contains(&Grantee::Policy(policy.to_owned()));
        if !granted || relation.row_security.is_some() {
            return Err(SqlError::denied("relation", &table));
        }
    }
    Ok(())
}

fn copy(
    from: &Connection,
    source: &str,
    to: &Connection,
    target: &str,
    width: usize,
) -> Result<(), SqlError> {
    let mut reading = from.prepare(source)?;
    let mut writing = to.prepare(target)?;
    to.execute_batch("BEGIN")?;
    let mut rows = reading.query([])?;
    while let Some(row) = rows.next()? {
        for index in 0..width {
            writing.raw_bind_parameter(index + 1, row.get::<_, Value>(index)?)?;
        }
        writing.raw_execute()?;
    }
    to.execute_batch("COMMIT")?;
    Ok(())
}

/// The harmless part of SHOW.
fn show(tokens: &[Token]) -> Result<ResultSet, SqlError> {
    let name = match tokens {
        [_, name] => name.name().unwrap_or_default(),
        _ => return Err(SqlError::Unsupported("this SHOW".to_owned())),
    };
    let value = match name.as_str() {
        "search_path" => "\"$user\", public",
        "timezone" => "UTC",
        _ => {
            return Err(SqlError::Other(format!(
                "unrecognized configuration parameter \"{name}\""
            )));
        }
    };
    Ok(ResultSet {
        columns: vec![ResultColumn {
            label: name,
            ty: SqlType::Varchar(256),
        }],
        rows: vec![vec![Cell::Text(value.to_owned())]],
    })
}
