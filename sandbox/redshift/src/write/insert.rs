//! INSERT.

use rusqlite::types::Value;

use super::Writer;
use crate::{
    catalog::{Column, Privilege},
    error::SqlError,
    sql::{Cursor, cursor::items},
};

/// `table [(columns)] VALUES (...), ... | query`.
pub(super) fn run(writer: &mut Writer<'_>, cursor: &mut Cursor<'_>) -> Result<u64, SqlError> {
    let (relation, _) = writer.target(cursor, Privilege::Insert)?;
    let columns = columns(cursor)?;
    let targets = writer.columns(&relation, &columns)?;
    let mut query = cursor.clone();
    // SQLite wants no parentheses around a whole query.
    let source = match query.group() {
        Ok(inside) if query.is_done() => inside,
        _ => cursor.rest(),
    };
    let rows = writer.rows(source, None)?;
    append(writer, &relation, &targets, rows, !columns.is_empty())
}

/// Without a list of columns, a row may be shorter than the table.
fn append(
    writer: &Writer<'_>,
    (schema, name): &crate::catalog::Relation,
    targets: &[Column],
    rows: Vec<Vec<Value>>,
    listed: bool,
) -> Result<u64, SqlError> {
    let width = rows.first().map_or(targets.len(), Vec::len);
    let targets = if listed {
        targets
    } else {
        &targets[..width.min(targets.len())]
    };
    writer
        .warehouse
        .append((schema, name), targets, rows.into_iter())
}

/// `(a, b)` in front of VALUES or a query; a query in parentheses is none.
pub(super) fn columns(cursor: &mut Cursor<'_>) -> Result<Vec<String>, SqlError> {
    let mut ahead = cursor.clone();
    let Ok(group) = ahead.group() else {
        return Ok(Vec::new());
    };
    if group
        .first()
        .is_some_and(|t| t.is_word("select") || t.is_word("with") || t.is_symbol("("))
    {
        return Ok(Vec::new());
    }
    *cursor = ahead;
    items(group)
        .into_iter()
        .map(|item| {
            let mut item = Cursor::new(item);
            let name = item.name()?;
            item.end()?;
            Ok(name)
        })
        .collect()
}
