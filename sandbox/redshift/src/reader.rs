//! Queries: SELECT, SHOW and EXPLAIN, of users and of the superuser.
//!
//! A user's statement never meets the connection that holds the rows: it runs on a [`Scratch`].

use crate::{
    catalog::{Actor, Relation, Table, User, shown},
    error::SqlError,
    query::{self, Cell, ResultColumn, ResultSet, Stop, Terms},
    rls,
    scratch::{Scratch, Sight},
    sql::{Token, infer::Scope, translate::translate},
    system,
    types::SqlType,
    warehouse::Warehouse,
};

/// A query with the private database it will run on.
pub(crate) struct Prepared {
    scratch: Scratch,
    tokens: Vec<Token>,
    scope: Scope,
    /// The plan, if that is all that is asked for.
    plan: Option<Vec<String>>,
}

/// Whether a statement only reads.
pub(crate) fn reads(statement: &[Token]) -> bool {
    statement.first().is_none_or(|first| {
        first.is_symbol("(")
            || ["select", "with", "show", "explain", "values"]
                .iter()
                .any(|word| first.is_word(word))
    })
}

/// Checks the actor's privileges and copies what the query may see.
pub(crate) fn prepare(
    warehouse: &Warehouse,
    actor: &Actor,
    statement: &[Token],
    stop: &Stop,
) -> Result<Prepared, SqlError> {
    let explained = statement.first().is_some_and(|t| t.is_word("explain"));
    let mut tokens = translate(&statement[usize::from(explained)..])?;
    if explained && tokens.first().is_some_and(|t| t.is_word("verbose")) {
        tokens.remove(0);
    }
    if !reads(&tokens) {
        let words = tokens.first().map(Token::shown).unwrap_or_default();
        return Err(SqlError::Unsupported(format!("EXPLAIN {words}")));
    }
    let relations = warehouse.catalog.references(&tokens)?;
    let scratch = Scratch::build(warehouse, Sight::of(actor), &relations, None, stop)?;
    let plan = explained.then(|| {
        let lines = relations.iter().map(|name| plan(warehouse, actor, name));
        lines.collect::<Vec<_>>().concat()
    });
    Ok(Prepared {
        scratch,
        scope: warehouse.catalog.scope(&relations),
        tokens,
        plan,
    })
}

impl Prepared {
    /// Runs the query until it ends or has to stop.
    pub(crate) fn run(self, terms: Terms<'_>) -> Result<ResultSet, SqlError> {
        if let Some(lines) = self.plan {
            return Ok(one_column("query plan", lines));
        }
        if self.tokens.first().is_some_and(|t| t.is_word("show")) {
            return show(&self.tokens);
        }
        query::run(&self.scratch.connection, &self.tokens, &self.scope, terms)
            .map_err(|error| terms.stop.reason(self.scratch.explain(error)))
    }
}

/// What EXPLAIN says of one relation: policies only to those who may see them.
fn plan(warehouse: &Warehouse, actor: &Actor, (schema, name): &Relation) -> Vec<String> {
    let catalog = &warehouse.catalog;
    let scan = format!("XN Seq Scan on {}", shown(schema, name));
    let secured = |user: &User, table: &Table| {
        let ignores = catalog.has_one_of(user, &catalog.ignore_rls);
        if table.row_security.is_none() || ignores {
            return vec![scan.clone()];
        }
        let mut lines = vec![format!("XN RLS SecureScan {}", shown(schema, name))];
        if catalog.has_one_of(user, &catalog.explain_rls) {
            let filters = rls::shown(catalog, table, user);
            lines.extend(filters.into_iter().map(|f| format!("  RLS Filter: {f}")));
        }
        lines
    };
    match (actor, catalog.table(schema, name)) {
        (Actor::User(user), Ok(table)) if !system::has(schema, name) => secured(user, table),
        _ => vec![scan],
    }
}

fn one_column(label: &str, lines: Vec<String>) -> ResultSet {
    ResultSet {
        columns: vec![ResultColumn {
            label: label.to_owned(),
            ty: SqlType::Varchar(65535),
        }],
        bytes: lines.iter().map(String::len).sum(),
        rows: lines
            .into_iter()
            .map(|line| vec![Cell::Text(line)])
            .collect(),
    }
}

/// What a user may run at all: queries, and writes, for which privileges are asked later. The rest
/// is refused as Redshift refuses it to a user without the privilege.
pub(crate) fn admit(statement: &[Token]) -> Result<(), SqlError> {
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
        "select" | "with" | "show" | "explain" | "values" | "insert" | "update" | "delete"
        | "truncate" | "merge" | "copy" | "refresh" | "analyze" => Ok(()),
        "unload" => Err(SqlError::Forbidden("unload data")),
        "set" | "reset" if statement.get(1).is_some_and(|t| t.is_word("session")) => {
            Err(SqlError::Forbidden("set session authorization"))
        }
        "set" | "reset" => Err(SqlError::Forbidden("set this parameter")),
        "create" | "drop" | "alter" => Err(SqlError::denied("schema", &target())),
        "grant" | "revoke" => Err(SqlError::Forbidden("grant or revoke privileges")),
        "attach" | "detach" => Err(SqlError::Forbidden("change row-level security")),
        // Procedures cannot be made here, so there is none to call.
        "call" => Err(SqlError::Other(format!(
            "procedure {}() does not exist",
            target()
        ))),
        "begin" | "commit" | "rollback" | "prepare" | "execute" | "declare" | "vacuum" | "lock"
        | "pragma" => Err(SqlError::Forbidden("run this command")),
        _ => Err(SqlError::Syntax(word.clone())),
    }
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
        bytes: value.len(),
        rows: vec![vec![Cell::Text(value.to_owned())]],
    })
}
