//! A private database with what one statement may see.
//!
//! For each relation that the statement names, the columns the actor may read and the rows that
//! row-level security lets through are copied here, and the statement runs here. What is hidden is
//! not present, so no comment, function or qualified name can reach it.

use std::collections::BTreeSet;

use rusqlite::{
    Connection,
    hooks::{AuthAction, AuthContext, Authorization},
    types::Value,
};

use crate::{
    catalog::{Actor, Column, Kind, Relation, Table, User},
    error::SqlError,
    functions,
    query::{self, Parameters, Stop},
    rls, system,
    warehouse::{SUPERUSER, Warehouse, attach, quote},
};

/// With whose eyes relations are looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sight<'a> {
    /// Every row and column.
    Everything,
    /// With the user's own privileges.
    As(&'a User),
    /// Through a view: its owner's privileges, the asking user's row-level security.
    ThroughView(&'a User),
}

impl<'a> Sight<'a> {
    pub(crate) fn of(actor: &'a Actor) -> Self {
        match actor {
            Actor::Superuser => Self::Everything,
            Actor::User(user) => Self::As(user),
        }
    }

    fn user(self) -> Option<&'a User> {
        match self {
            Self::Everything => None,
            Self::As(user) | Self::ThroughView(user) => Some(user),
        }
    }

    fn through_view(self) -> Self {
        self.user().map_or(Self::Everything, Self::ThroughView)
    }
}

/// The private database.
pub(crate) struct Scratch {
    pub(crate) connection: Connection,
    /// Columns that exist but are not the user's to read, with their relation.
    hidden: Vec<(String, String)>,
}

impl Scratch {
    /// Copies what these relations show. The `target` of a write may be unreadable: then it is
    /// there without its columns. Row ids are those of the warehouse.
    pub(crate) fn build(
        warehouse: &Warehouse,
        sight: Sight<'_>,
        relations: &BTreeSet<Relation>,
        target: Option<&Relation>,
        stop: &Stop,
    ) -> Result<Self, SqlError> {
        let connection = Connection::open_in_memory()?;
        query::harden(&connection)?;
        let name = sight.user().map_or(SUPERUSER, |user| &user.name);
        functions::register(&connection, name, &warehouse.name, &warehouse.clock)?;
        let mut scratch = Self {
            connection,
            hidden: Vec::new(),
        };
        for relation in relations {
            let (schema, name) = (relation.0.as_str(), relation.1.as_str());
            attach(&scratch.connection, schema)?;
            if system::has(schema, name) {
                scratch.fill_system(warehouse, sight, name)?;
                continue;
            }
            let table = warehouse.catalog.table(schema, name)?;
            let columns = match sight {
                Sight::As(user) => match warehouse.catalog.readable(user, schema, name) {
                    Err(SqlError::Denied { .. }) if target == Some(relation) => Vec::new(),
                    columns => columns?,
                },
                Sight::Everything | Sight::ThroughView(_) => table.columns.clone(),
            };
            let hidden = table.columns.iter().filter(|c| !named(&columns, &c.name));
            let hidden = hidden.map(|column| (column.name.clone(), name.to_owned()));
            scratch.hidden.extend(hidden);
            scratch
                .connection
                .execute_batch(&definition(schema, name, &columns))?;
            let rows = match &table.kind {
                Kind::View { query } => {
                    let rows = view_rows(warehouse, query, sight.through_view(), stop)?;
                    project(rows, table, &columns)
                }
                Kind::Table | Kind::Materialized { .. } => {
                    stored(warehouse, relation, table, &columns, sight)?
                }
            };
            scratch.fill(relation, &columns, rows)?;
            stop.check()?;
        }
        // The second wall: from here on only reading is possible.
        scratch.connection.authorizer(Some(authorize))?;
        query::stop_when(&mut scratch.connection, Some(stop))?;
        Ok(scratch)
    }

    /// Says of a column that is there but hidden that it is denied, and not that it is missing.
    pub(crate) fn explain(&self, error: SqlError) -> SqlError {
        let SqlError::NoColumn(name) = &error else {
            return error;
        };
        let last = name.rsplit('.').next().unwrap_or(name);
        let hidden = self.hidden.iter();
        hidden
            .clone()
            .find(|(column, _)| column.eq_ignore_ascii_case(last))
            .map_or_else(|| error.clone(), |(_, t)| SqlError::denied("relation", t))
    }

    fn fill(
        &self,
        (schema, name): &Relation,
        columns: &[Column],
        rows: Vec<Vec<Value>>,
    ) -> Result<(), SqlError> {
        let names: Vec<String> = columns.iter().map(|c| quote(&c.name)).collect();
        let names = [vec!["rowid".to_owned()], names].concat();
        let sql = format!(
            "INSERT INTO {}.{} ({}) VALUES ({})",
            quote(schema),
            quote(name),
            names.join(", "),
            vec!["?"; names.len()].join(", ")
        );
        let mut writing = self.connection.prepare(&sql)?;
        self.connection.execute_batch("BEGIN")?;
        for row in rows {
            writing.execute(rusqlite::params_from_iter(row))?;
        }
        self.connection.execute_batch("COMMIT")?;
        Ok(())
    }

    fn fill_system(
        &self,
        warehouse: &Warehouse,
        sight: Sight<'_>,
        name: &str,
    ) -> Result<(), SqlError> {
        let actor = sight.user().cloned().map_or(Actor::Superuser, Actor::User);
        let rows = system::rows(&warehouse.catalog, &warehouse.name, &actor, name)?;
        let columns: Vec<Column> = system::columns(system::SCHEMA, name)
            .iter()
            .map(|(name, ty)| Column {
                name: (*name).to_owned(),
                ty: *ty,
                required: false,
            })
            .collect();
        self.connection
            .execute_batch(&definition(system::SCHEMA, name, &columns))?;
        let relation = (system::SCHEMA.to_owned(), name.to_owned());
        self.fill(&relation, &columns, numbered(rows))
    }
}

fn named(columns: &[Column], name: &str) -> bool {
    columns.iter().any(|column| column.name == name)
}

/// SQLite wants at least one column.
fn definition(schema: &str, name: &str, columns: &[Column]) -> String {
    if columns.is_empty() {
        return format!(
            "CREATE TABLE {}.{} (\"redshift row\" INTEGER)",
            quote(schema),
            quote(name)
        );
    }
    crate::warehouse::definition(schema, name, columns)
}

/// Puts row ids in front.
fn numbered(rows: Vec<Vec<Value>>) -> Vec<Vec<Value>> {
    (1..)
        .zip(rows)
        .map(|(id, row)| [vec![Value::Integer(id)], row].concat())
        .collect()
}

/// Rows of a view's query as this sight shows its relations.
pub(crate) fn view_rows(
    warehouse: &Warehouse,
    query: &[crate::sql::Token],
    sight: Sight<'_>,
    stop: &Stop,
) -> Result<Vec<Vec<Value>>, SqlError> {
    let relations = warehouse.catalog.references(query)?;
    let scratch = Scratch::build(warehouse, sight, &relations, None, stop)?;
    query::values(&scratch.connection, query, &Parameters::new())
}

/// The wanted columns of a view's rows, with row ids.
fn project(rows: Vec<Vec<Value>>, view: &Table, columns: &[Column]) -> Vec<Vec<Value>> {
    let kept: Vec<usize> = (0..view.columns.len())
        .filter(|at| named(columns, &view.columns[*at].name))
        .collect();
    let row = |row: Vec<Value>| {
        let kept = kept.iter().filter_map(|at| row.get(*at));
        kept.cloned().collect()
    };
    numbered(rows.into_iter().map(row).collect())
}

/// Rows that the warehouse holds, as far as row-level security lets them through.
fn stored(
    warehouse: &Warehouse,
    (schema, name): &Relation,
    table: &Table,
    columns: &[Column],
    sight: Sight<'_>,
) -> Result<Vec<Vec<Value>>, SqlError> {
    let filter = match sight.user() {
        None => Some(rls::Filter::default()),
        Some(user) => rls::visible(&warehouse.catalog, table, user)?,
    };
    let Some(filter) = filter else {
        return Ok(Vec::new());
    };
    let alias = quote(&filter.alias(name));
    let names: Vec<String> = columns
        .iter()
        .map(|c| format!("{alias}.{}", quote(&c.name)))
        .collect();
    let names = [vec![format!("{alias}.rowid")], names].concat();
    let sql = format!(
        "SELECT {} FROM {}.{} AS {alias} WHERE {}",
        names.join(", "),
        quote(schema),
        quote(name),
        filter.text.as_deref().unwrap_or("TRUE"),
    );
    let mut reading = warehouse.connection.prepare(&sql)?;
    let mut found = Vec::new();
    let mut rows = reading.query([])?;
    while let Some(row) = rows.next()? {
        let values = (0..names.len()).map(|index| row.get::<_, Value>(index));
        found.push(values.collect::<Result<_, _>>()?);
    }
    Ok(found)
}

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
