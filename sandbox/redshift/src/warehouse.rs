//! One database: the connection that holds all rows (the superuser's), and its catalogue.

use rusqlite::{Connection, types::Value};
use sandbox_core::Clock;

use crate::{
    admin,
    catalog::{Actor, Catalog, Column, Kind, PUBLIC_SCHEMA},
    error::SqlError,
    functions,
    query::{self, Parameters, ResultSet, Stop, Terms},
    reader,
    sql::{
        Token,
        token::{statements, tokenise},
        translate::translate,
    },
    system, write,
};

/// What the superuser is called.
pub(crate) const SUPERUSER: &str = "IAM:root";

/// A database with everything in it.
pub(crate) struct Warehouse {
    pub(crate) name: String,
    pub(crate) clock: Clock,
    pub(crate) connection: Connection,
    pub(crate) catalog: Catalog,
}

/// What a statement did.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It has a result set.
    Rows(ResultSet),
    /// It changed this many rows, or is a definition.
    Changed(u64),
}

impl Warehouse {
    pub(crate) fn new(name: &str, clock: &Clock) -> Result<Self, SqlError> {
        let connection = Connection::open_in_memory()?;
        query::harden(&connection)?;
        functions::register(&connection, SUPERUSER, name, clock)?;
        attach(&connection, PUBLIC_SCHEMA)?;
        Ok(Self {
            name: name.to_owned(),
            clock: clock.clone(),
            connection,
            catalog: Catalog::default(),
        })
    }

    /// Runs a script as the superuser; all of it or nothing.
    pub(crate) fn script(&mut self, sql: &str) -> Result<u64, SqlError> {
        let terms = Terms {
            parameters: &Parameters::new(),
            stop: &Stop::default(),
            most_bytes: usize::MAX,
        };
        self.transaction(|warehouse| {
            let mut changed = 0;
            for statement in statements(&tokenise(sql)?) {
                let outcome =
                    warehouse.run(&Actor::Superuser, &statement, terms, &write::no_loads)?;
                if let Outcome::Changed(rows) = outcome {
                    changed += rows;
                }
            }
            Ok(changed)
        })
    }

    /// Runs one statement for somebody, with that actor's rights.
    pub(crate) fn run(
        &mut self,
        actor: &Actor,
        statement: &[Token],
        terms: Terms<'_>,
        fetch: write::Fetch<'_>,
    ) -> Result<Outcome, SqlError> {
        match actor {
            Actor::Superuser => {
                if let Some(done) = admin::define(self, statement) {
                    return done.map(|()| Outcome::Changed(0));
                }
            }
            Actor::User(user) => {
                self.catalog.arrive(user);
                reader::admit(statement)?;
            }
        }
        if !reader::reads(statement) {
            return write::run(self, actor, statement, terms, fetch).map(Outcome::Changed);
        }
        if let Actor::Superuser = actor
            && let Some(rows) = self.read_directly(statement, terms)?
        {
            return Ok(Outcome::Rows(rows));
        }
        let prepared = reader::prepare(self, actor, statement, terms.stop)?;
        prepared.run(terms).map(Outcome::Rows)
    }

    /// A superuser's query over tables needs no copies of them.
    fn read_directly(
        &mut self,
        statement: &[Token],
        terms: Terms<'_>,
    ) -> Result<Option<ResultSet>, SqlError> {
        let tokens = translate(statement)?;
        let relations = self.catalog.references(&tokens)?;
        let is_stored = |(schema, name): &(String, String)| {
            !system::has(schema, name)
                && self
                    .catalog
                    .table(schema, name)
                    .is_ok_and(|table| !matches!(table.kind, Kind::View { .. }))
        };
        let queries = ["select", "with", "values"];
        let is_query = tokens
            .first()
            .is_some_and(|first| queries.iter().any(|word| first.is_word(word)));
        if !is_query || !relations.iter().all(is_stored) {
            return Ok(None);
        }
        let scope = self.catalog.scope(&relations);
        query::stop_when(&mut self.connection, Some(terms.stop))?;
        let rows = query::run(&self.connection, &tokens, &scope, terms);
        query::stop_when(&mut self.connection, None)?;
        rows.map(Some).map_err(|error| terms.stop.reason(error))
    }

    /// Appends rows whose values are text, as a load would: coerced to the columns' types.
    pub(crate) fn insert(
        &mut self,
        schema: &str,
        table: &str,
        columns: &[String],
        rows: &[Vec<Option<String>>],
    ) -> Result<u64, SqlError> {
        let relation = self.catalog.table(schema, table)?;
        let targets: Vec<Column> = columns
            .iter()
            .map(|name| {
                relation
                    .columns
                    .iter()
                    .find(|column| column.name.eq_ignore_ascii_case(name))
                    .cloned()
                    .ok_or_else(|| SqlError::NoColumn(name.clone()))
            })
            .collect::<Result<_, _>>()?;
        let rows = rows.iter().map(|row| {
            let value = |text: &Option<String>| text.clone().map_or(Value::Null, Value::Text);
            row.iter().map(value).collect()
        });
        self.transaction(|warehouse| warehouse.append((schema, table), &targets, rows))
    }

    /// Appends rows, each value coerced to its column's type.
    pub(crate) fn append(
        &self,
        (schema, table): (&str, &str),
        targets: &[Column],
        rows: impl Iterator<Item = Vec<Value>>,
    ) -> Result<u64, SqlError> {
        let mut prepared = self
            .connection
            .prepare(&insertion(schema, table, targets))?;
        let mut appended = 0;
        for row in rows {
            if row.len() != targets.len() {
                return Err(SqlError::Other(format!(
                    "INSERT has {} values for {} columns",
                    row.len(),
                    targets.len()
                )));
            }
            let values = targets.iter().zip(row);
            let values: Vec<Value> = values
                .map(|(column, value)| column.ty.coerce(value))
                .collect::<Result<_, _>>()?;
            prepared.execute(rusqlite::params_from_iter(values))?;
            appended += 1;
        }
        Ok(appended)
    }

    /// Runs `work`; on an error rows and catalogue are as before.
    pub(crate) fn transaction<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, SqlError>,
    ) -> Result<T, SqlError> {
        let before = self.catalog.clone();
        self.connection.execute_batch("SAVEPOINT work")?;
        match work(self) {
            Ok(done) => {
                self.connection.execute_batch("RELEASE work")?;
                Ok(done)
            }
            Err(error) => {
                self.connection
                    .execute_batch("ROLLBACK TO work; RELEASE work")?;
                self.catalog = before;
                Err(error)
            }
        }
    }
}

/// Gives a connection a schema: an attached database of its own, in memory.
pub(crate) fn attach(connection: &Connection, schema: &str) -> Result<(), SqlError> {
    let attached = {
        let mut list = connection.prepare("SELECT 1 FROM pragma_database_list WHERE name = ?1")?;
        list.exists([schema])?
    };
    if !attached {
        // SQLite has ten of them at most.
        connection.execute_batch(&format!("ATTACH ':memory:' AS {}", quote(schema)))?;
    }
    Ok(())
}

/// SQLite's side of a table definition.
pub(crate) fn definition(schema: &str, table: &str, columns: &[Column]) -> String {
    let columns: Vec<String> = columns
        .iter()
        .map(|column| {
            let required = if column.required { " NOT NULL" } else { "" };
            format!("{} {}{required}", quote(&column.name), column.ty.storage())
        })
        .collect();
    format!(
        "CREATE TABLE {}.{} ({})",
        quote(schema),
        quote(table),
        columns.join(", ")
    )
}

pub(crate) fn insertion(schema: &str, table: &str, columns: &[Column]) -> String {
    let names: Vec<String> = columns.iter().map(|column| quote(&column.name)).collect();
    format!(
        "INSERT INTO {}.{} ({}) VALUES ({})",
        quote(schema),
        quote(table),
        names.join(", "),
        vec!["?"; columns.len()].join(", ")
    )
}

pub(crate) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
