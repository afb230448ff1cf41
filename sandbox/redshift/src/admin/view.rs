//! CREATE and DROP of views and materialized views.

use super::{exists, table::drop_one};
use crate::{
    catalog::{Actor, Column, Kind, Relation, Table, shown},
    error::SqlError,
    query::{Parameters, ResultSet, Stop, Terms},
    reader,
    scratch::{Sight, view_rows},
    sql::{Cursor, Token, cursor::items, translate::translate},
    warehouse::{Warehouse, definition, quote},
};

pub(super) fn create(warehouse: &mut Warehouse, cursor: &mut Cursor<'_>) -> Result<(), SqlError> {
    make(warehouse, cursor, false)
}

pub(super) fn replace(warehouse: &mut Warehouse, cursor: &mut Cursor<'_>) -> Result<(), SqlError> {
    make(warehouse, cursor, true)
}

/// `name [(columns)] AS query`. Whoever reads the view needs no privilege on what it reads; their
/// row-level security holds nevertheless.
fn make(
    warehouse: &mut Warehouse,
    cursor: &mut Cursor<'_>,
    replaces: bool,
) -> Result<(), SqlError> {
    let relation = cursor.relation()?;
    let (schema, name) = &relation;
    let names = names(cursor)?;
    cursor.expect("as")?;
    let query = query(cursor.rest())?;
    let earlier = warehouse.catalog.schema(schema)?.tables.get(name).cloned();
    let is_view = |table: &Table| matches!(table.kind, Kind::View { .. });
    if earlier
        .as_ref()
        .is_some_and(|table| !replaces || !is_view(table))
    {
        return exists(false, "relation", shown(schema, name));
    }
    let columns = columns(warehouse, &query, names)?;
    if warehouse.catalog.references(&query)?.contains(&relation) {
        return Err(SqlError::NoRelation(shown(schema, name)));
    }
    // What was granted on the view stays.
    let table = Table {
        kind: Kind::View { query },
        columns,
        ..earlier.unwrap_or_default()
    };
    let tables = &mut warehouse.catalog.schema_mut(schema)?.tables;
    tables.insert(name.clone(), table);
    Ok(())
}

/// `name [options] [(columns)] AS query`: the rows are kept until the next refresh.
pub(super) fn materialize(
    warehouse: &mut Warehouse,
    cursor: &mut Cursor<'_>,
) -> Result<(), SqlError> {
    let relation = cursor.relation()?;
    let (schema, name) = &relation;
    if warehouse.catalog.schema(schema)?.tables.contains_key(name) {
        return exists(false, "relation", shown(schema, name));
    }
    let names = names(cursor)?;
    options(cursor)?;
    let query = query(cursor.rest())?;
    for (schema, name) in warehouse.catalog.references(&query)? {
        let base = warehouse.catalog.table(&schema, &name)?;
        if base.row_security.is_some() || !base.attached.is_empty() {
            return Err(SqlError::Other(format!(
                "a materialized view cannot read relation {name}, which row-level security protects"
            )));
        }
    }
    let columns = columns(warehouse, &query, names)?;
    warehouse
        .connection
        .execute_batch(&definition(schema, name, &columns))?;
    let table = Table {
        kind: Kind::Materialized { query },
        columns,
        ..Table::default()
    };
    let tables = &mut warehouse.catalog.schema_mut(schema)?.tables;
    tables.insert(name.clone(), table);
    fill(warehouse, &relation, &Stop::default())
}

/// Runs a materialized view's query and keeps its rows in place of the ones before.
pub(crate) fn fill(
    warehouse: &mut Warehouse,
    (schema, name): &Relation,
    stop: &Stop,
) -> Result<(), SqlError> {
    let table = warehouse.catalog.table(schema, name)?;
    let query = table.kind.query().unwrap_or_default();
    let rows =
        view_rows(warehouse, query, Sight::Everything, stop).map_err(|error| stop.reason(error))?;
    let sql = format!("DELETE FROM {}.{}", quote(schema), quote(name));
    warehouse.connection.execute_batch(&sql)?;
    warehouse.append((schema, name), &table.columns, rows.into_iter())?;
    Ok(())
}

/// `[IF EXISTS] name [CASCADE | RESTRICT]`, of either kind.
pub(super) fn drop(warehouse: &mut Warehouse, cursor: &mut Cursor<'_>) -> Result<(), SqlError> {
    let lenient = cursor.accept(&["if", "exists"]);
    let (schema, name) = cursor.relation()?;
    let cascade = cursor.accept(&["cascade"]);
    if !cascade {
        cursor.accept(&["restrict"]);
    }
    cursor.end()?;
    match warehouse.catalog.table(&schema, &name) {
        Err(_) if lenient => Ok(()),
        Ok(table) if table.kind.query().is_none() => {
            Err(SqlError::Other(format!("\"{name}\" is not a view")))
        }
        _ => drop_one(warehouse, &schema, &name, cascade),
    }
}

fn names(cursor: &mut Cursor<'_>) -> Result<Option<Vec<String>>, SqlError> {
    if !cursor.peek().is_some_and(|t| t.is_symbol("(")) {
        return Ok(None);
    }
    let group = items(cursor.group()?);
    let names = group.into_iter().map(|item| Cursor::new(item).name());
    names.collect::<Result<_, _>>().map(Some)
}

/// What places rows changes no answer; refreshing on its own would.
fn options(cursor: &mut Cursor<'_>) -> Result<(), SqlError> {
    while !cursor.accept(&["as"]) {
        if cursor.accept(&["auto", "refresh", "yes"]) {
            return Err(SqlError::Unsupported("AUTO REFRESH YES".to_owned()));
        }
        if cursor.next().is_none() {
            return Err(cursor.unexpected());
        }
    }
    Ok(())
}

/// The query of a view, translated.
fn query(tokens: &[Token]) -> Result<Vec<Token>, SqlError> {
    if let [query @ .., with, no, schema, binding] = tokens
        && with.is_word("with")
        && no.is_word("no")
        && schema.is_word("schema")
        && binding.is_word("binding")
    {
        let shown = crate::sql::token::render(query);
        return Err(SqlError::Unsupported(format!("late binding of {shown}")));
    }
    let is_query = tokens
        .first()
        .is_some_and(|first| first.is_word("select") || first.is_word("with"));
    if !is_query {
        return Err(Cursor::new(tokens).unexpected());
    }
    if tokens.iter().any(|t| matches!(t, Token::Parameter(_))) {
        return Err(SqlError::Other("a view has no parameters".to_owned()));
    }
    translate(tokens)
}

/// Names and types of what the query answers.
fn columns(
    warehouse: &Warehouse,
    query: &[Token],
    names: Option<Vec<String>>,
) -> Result<Vec<Column>, SqlError> {
    let stop = Stop::default();
    let terms = Terms {
        parameters: &Parameters::new(),
        stop: &stop,
        most_bytes: usize::MAX,
    };
    // Translating twice changes nothing: no word that is translated is left.
    let prepared = reader::prepare(warehouse, &Actor::Superuser, query, &stop)?;
    let ResultSet { columns, .. } = prepared.run(terms)?;
    let names = names.unwrap_or_else(|| columns.iter().map(|c| c.label.clone()).collect());
    if names.len() != columns.len() {
        return Err(SqlError::Other(
            "CREATE VIEW specifies more or fewer column names than columns".to_owned(),
        ));
    }
    let column = |(name, column): (String, crate::query::ResultColumn)| Column {
        name,
        ty: column.ty,
        required: false,
    };
    let columns: Vec<Column> = names.into_iter().zip(columns).map(column).collect();
    for (at, column) in columns.iter().enumerate() {
        if columns[..at].iter().any(|other| other.name == column.name) {
            let name = column.name.clone();
            return Err(SqlError::Exists {
                kind: "column",
                name,
            });
        }
    }
    Ok(columns)
}
