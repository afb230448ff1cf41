//! One database: the connection that holds all rows (the superuser's), and its catalogue.

use rusqlite::{Connection, types::Value};
use sandbox_core::Clock;

use crate::{
    admin,
    catalog::{Catalog, Column, PUBLIC_SCHEMA},
    error::SqlError,
    functions,
    query::{self, Parameters, ResultSet},
    sql::{
        Token,
        token::{render, statements, tokenise},
        translate::translate,
    },
};

/// What the superuser is called.
pub(crate) const SUPERUSER: &str = "IAM:root";

/// A database with everything in it.
pub(crate) struct Warehouse {
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
    pub(crate) fn new(clock: &Clock) -> Result<Self, SqlError> {
        let connection = Connection::open_in_memory()?;
        query::harden(&connection)?;
        functions::register(&connection, SUPERUSER, clock)?;
        attach(&connection, PUBLIC_SCHEMA)?;
        Ok(Self {
            connection,
            catalog: Catalog::default(),
        })
    }

    /// Runs a script as the superuser; all of it or nothing.
    pub(crate) fn script(&mut self, sql: &str) -> Result<u64, SqlError> {
        self.transaction(|warehouse| {
            let mut changed = 0;
            for statement in statements(&tokenise(sql)?) {
                if let Outcome::Changed(rows) = warehouse.run(&statement, &Parameters::new())? {
                    changed += rows;
                }
            }
            Ok(changed)
        })
    }

    /// Runs one statement as the superuser, whom row-level security does not concern.
    pub(crate) fn run(
        &mut self,
        statement: &[Token],
        parameters: &Parameters,
    ) -> Result<Outcome, SqlError> {
        if let Some(done) = admin::define(self, statement) {
            return done.map(|()| Outcome::Changed(0));
        }
        let tokens = translate(statement)?;
        let Some(first) = tokens.first() else {
            return Err(SqlError::Other("syntax error at end of input".to_owned()));
        };
        if first.is_word("select") || first.is_word("with") {
            let scope = self.catalog.scope(&self.catalog.references(&tokens)?);
            return query::run(&self.connection, &tokens, &scope, parameters).map(Outcome::Rows);
        }
        let writes = ["insert", "update", "delete"]
            .iter()
            .any(|w| first.is_word(w));
        if !writes {
            return Err(SqlError::Unsupported(first.shown().to_uppercase()));
        }
        let mut prepared = self.connection.prepare(&render(&tokens))?;
        query::bind(&mut prepared, parameters)?;
        let changed = prepared.raw_execute()?;
        Ok(Outcome::Changed(changed as u64))
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
        let sql = insertion(schema, table, &targets);
        self.transaction(|warehouse| {
            let mut prepared = warehouse.connection.prepare(&sql)?;
            for row in rows {
                if row.len() != targets.len() {
                    return Err(SqlError::Other(format!(
                        "INSERT has {} values for {} columns",
                        row.len(),
                        targets.len()
                    )));
                }
                let values = targets.iter().zip(row).map(|(column, value)| {
                    let value = value.clone().map_or(Value::Null, Value::Text);
                    column.ty.coerce(value)
                });
                let values: Vec<Value> = values.collect::<Result<_, _>>()?;
                prepared.execute(rusqlite::params_from_iter(values))?;
            }
            Ok(rows.len() as u64)
        })
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
