//! Statements that change rows: INSERT, UPDATE, DELETE, TRUNCATE, MERGE, COPY, REFRESH MATERIALIZED
//! VIEW. Each asks for the actor's privilege first. What a statement reads, it reads from a
//! [`Scratch`](crate::scratch::Scratch) under the actor's privileges and row-level security, so
//! UPDATE and DELETE reach only rows that the actor sees; INSERT, COPY and TRUNCATE know no policies.

mod change;
mod copy;
mod insert;
mod load;
mod merge;

use std::collections::BTreeSet;

use bytes::Bytes;
use rusqlite::types::Value;

pub(crate) use load::Source;

use crate::{
    admin,
    catalog::{Actor, Catalog, Column, Columns, Kind, Privilege, Relation, Table, owns, shown},
    error::SqlError,
    query::{self, Parameters, Terms},
    scratch::{Scratch, Sight},
    sql::{Cursor, Token, translate::translate},
    warehouse::{Warehouse, quote},
};

/// Reads the objects that a COPY names, or says in Redshift's words why not.
pub(crate) type Fetch<'a> = &'a dyn Fn(&Source) -> Result<Vec<Bytes>, SqlError>;

/// For scripts, which have no account behind them.
pub(crate) fn no_loads(_: &Source) -> Result<Vec<Bytes>, SqlError> {
    Err(SqlError::Unsupported(
        "COPY outside of the Data API".to_owned(),
    ))
}

/// Runs a writing statement and answers how many rows it changed.
pub(crate) fn run(
    warehouse: &mut Warehouse,
    actor: &Actor,
    statement: &[Token],
    terms: Terms<'_>,
    fetch: Fetch<'_>,
) -> Result<u64, SqlError> {
    // A COPY has no expressions that could be translated.
    let loads = statement.first().is_some_and(|t| t.is_word("copy"));
    let tokens = if loads {
        statement.to_vec()
    } else {
        translate(statement)?
    };
    let mut cursor = Cursor::new(&tokens);
    let cursor = &mut cursor;
    let mut writer = Writer {
        warehouse,
        actor,
        terms,
    };
    if cursor.accept(&["insert", "into"]) {
        insert::run(&mut writer, cursor)
    } else if cursor.accept(&["update"]) {
        change::update(&mut writer, cursor)
    } else if cursor.accept(&["delete"]) {
        change::delete(&mut writer, cursor)
    } else if cursor.accept(&["merge", "into"]) {
        merge::run(&mut writer, cursor)
    } else if cursor.accept(&["truncate"]) {
        truncate(&mut writer, cursor)
    } else if cursor.accept(&["copy"]) {
        copy::run(&mut writer, cursor, fetch)
    } else if cursor.accept(&["refresh", "materialized", "view"]) {
        refresh(&mut writer, cursor)
    } else if cursor.accept(&["analyze"]) {
        analyze(&writer, cursor)
    } else {
        let first = tokens.first().map(Token::shown).unwrap_or_default();
        Err(SqlError::Unsupported(first.to_uppercase()))
    }
}

/// A statement that writes, with its actor.
struct Writer<'a> {
    warehouse: &'a mut Warehouse,
    actor: &'a Actor,
    terms: Terms<'a>,
}

impl Writer<'_> {
    fn catalog(&self) -> &Catalog {
        &self.warehouse.catalog
    }

    /// The table at the cursor, if the actor holds this privilege on it, and on which columns.
    fn target(
        &self,
        cursor: &mut Cursor<'_>,
        privilege: Privilege,
    ) -> Result<(Relation, Columns), SqlError> {
        let relation = cursor.relation()?;
        let reached = self.may(&relation, privilege)?;
        let table = self.table(&relation)?;
        if table.kind.query().is_some() {
            return Err(SqlError::Other(format!(
                "cannot {} {} \"{}\"",
                privilege.name().to_lowercase(),
                table.kind.name(),
                shown(&relation.0, &relation.1)
            )));
        }
        Ok((relation, reached))
    }

    fn may(&self, (schema, name): &Relation, privilege: Privilege) -> Result<Columns, SqlError> {
        match self.actor {
            Actor::Superuser => self.catalog().table(schema, name).map(|_| Columns::All),
            Actor::User(user) => self.catalog().may(user, (schema, name), privilege),
        }
    }

    fn table(&self, (schema, name): &Relation) -> Result<&Table, SqlError> {
        self.catalog().table(schema, name)
    }

    /// The columns with these names, or all.
    fn columns(&self, relation: &Relation, names: &[String]) -> Result<Vec<Column>, SqlError> {
        let table = self.table(relation)?;
        if names.is_empty() {
            return Ok(table.columns.clone());
        }
        let find = |name: &String| {
            let found = table.columns.iter().find(|column| column.name == *name);
            found
                .cloned()
                .ok_or_else(|| SqlError::NoColumn(name.clone()))
        };
        names.iter().map(find).collect()
    }

    /// What a query over the target and other relations answers to this actor.
    fn rows(
        &self,
        query: &[Token],
        target: Option<&Relation>,
    ) -> Result<Vec<Vec<Value>>, SqlError> {
        let relations: BTreeSet<Relation> = self.catalog().references(query)?;
        let stop = self.terms.stop;
        let sight = Sight::of(self.actor);
        let scratch = Scratch::build(self.warehouse, sight, &relations, target, stop)?;
        let used = used_parameters(query, self.terms.parameters);
        query::values(&scratch.connection, query, &used)
            .map_err(|error| stop.reason(scratch.explain(error)))
    }

    /// Sets columns of rows: each entry has the row id and then a value for each column.
    fn set(
        &self,
        (schema, name): &Relation,
        columns: &[Column],
        rows: Vec<Vec<Value>>,
    ) -> Result<u64, SqlError> {
        let sets: Vec<String> = columns
            .iter()
            .map(|c| format!("{} = ?", quote(&c.name)))
            .collect();
        let sql = format!(
            "UPDATE {}.{} SET {} WHERE rowid = ?",
            quote(schema),
            quote(name),
            sets.join(", ")
        );
        let mut writing = self.warehouse.connection.prepare(&sql)?;
        let mut changed = BTreeSet::new();
        for row in rows {
            let [id, values @ ..] = row.as_slice() else {
                continue;
            };
            let values = columns.iter().zip(values);
            let mut values: Vec<Value> = values
                .map(|(column, value)| column.ty.coerce(value.clone()))
                .collect::<Result<_, _>>()?;
            values.push(id.clone());
            writing.execute(rusqlite::params_from_iter(values))?;
            changed.insert(row_id(id));
        }
        Ok(changed.len() as u64)
    }

    fn remove(&self, (schema, name): &Relation, rows: &[Vec<Value>]) -> Result<u64, SqlError> {
        let sql = format!(
            "DELETE FROM {}.{} WHERE rowid = ?",
            quote(schema),
            quote(name)
        );
        let mut writing = self.warehouse.connection.prepare(&sql)?;
        let mut removed = 0;
        for id in rows.iter().filter_map(|row| row.first()) {
            removed += writing.execute([id])? as u64;
        }
        Ok(removed)
    }
}

fn row_id(value: &Value) -> i64 {
    match value {
        Value::Integer(id) => *id,
        _ => 0,
    }
}

/// The parameters that these tokens name: SQLite knows no others.
fn used_parameters(tokens: &[Token], all: &Parameters) -> Parameters {
    let names: BTreeSet<&String> = tokens
        .iter()
        .filter_map(|token| match token {
            Token::Parameter(name) => Some(name),
            _ => None,
        })
        .collect();
    let used = all.iter().filter(|(name, _)| names.contains(name));
    used.map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// `[TABLE] name`: all rows go, whatever the policies say.
fn truncate(writer: &mut Writer<'_>, cursor: &mut Cursor<'_>) -> Result<u64, SqlError> {
    cursor.accept(&["table"]);
    let ((schema, name), _) = writer.target(cursor, Privilege::Truncate)?;
    cursor.end()?;
    let sql = format!("DELETE FROM {}.{}", quote(&schema), quote(&name));
    writer.warehouse.connection.execute_batch(&sql)?;
    Ok(0)
}

/// `name [RESTRICT | CASCADE]`, by the view's owner.
fn refresh(writer: &mut Writer<'_>, cursor: &mut Cursor<'_>) -> Result<u64, SqlError> {
    let relation = cursor.relation()?;
    if !cursor.accept(&["restrict"]) {
        cursor.accept(&["cascade"]);
    }
    cursor.end()?;
    let (schema, name) = (&relation.0, &relation.1);
    if let Actor::User(user) = writer.actor {
        writer.catalog().may_use(user, schema)?;
        if !owns(writer.table(&relation)?, user) {
            return Err(SqlError::Other(format!("must be owner of relation {name}")));
        }
    }
    if !matches!(writer.table(&relation)?.kind, Kind::Materialized { .. }) {
        return Err(SqlError::Other(format!(
            "\"{name}\" is not a materialized view"
        )));
    }
    admin::view::fill(writer.warehouse, &relation, writer.terms.stop)?;
    Ok(0)
}

/// Statistics change no answer. Tables that are not the actor's own are skipped, as Redshift does.
fn analyze(writer: &Writer<'_>, cursor: &mut Cursor<'_>) -> Result<u64, SqlError> {
    cursor.accept(&["verbose"]);
    if cursor.is_done() {
        return Ok(0);
    }
    let relation = cursor.relation()?;
    if let Actor::User(user) = writer.actor {
        writer.catalog().may_use(user, &relation.0)?;
    }
    writer.table(&relation)?;
    if cursor.peek().is_some_and(|t| t.is_symbol("(")) {
        cursor.group()?;
    }
    cursor.end()?;
    Ok(0)
}

fn word(word: &str) -> Token {
    Token::Word(word.to_owned())
}

/// `schema.name AS alias`.
fn aliased((schema, name): &Relation, alias: &Token) -> [Token; 5] {
    [
        Token::Quoted(schema.clone()),
        Token::Symbol("."),
        Token::Quoted(name.clone()),
        word("AS"),
        alias.clone(),
    ]
}

/// `[AS] alias` after a relation, unless one of these keywords follows; else the relation's name.
fn alias(cursor: &mut Cursor<'_>, name: &str, keywords: &[&str]) -> Result<Token, SqlError> {
    let named = cursor.accept(&["as"]);
    let ends = cursor
        .peek()
        .is_none_or(|t| t.name().is_none() || keywords.iter().any(|word| t.is_word(word)));
    if named || !ends {
        return cursor.name().map(Token::Quoted);
    }
    Ok(Token::Quoted(name.to_owned()))
}
