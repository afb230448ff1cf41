//! COPY from S3. Row-level security has no say in it.

use bytes::Bytes;
use rusqlite::types::Value;

use super::{
    Fetch, Writer,
    insert::columns,
    load::{self, Format, Load},
};
use crate::{
    catalog::{Column, Privilege},
    error::SqlError,
    sql::Cursor,
    types::SqlType,
};

/// `table [(columns)] FROM ...`.
pub(super) fn run(
    writer: &mut Writer<'_>,
    cursor: &mut Cursor<'_>,
    fetch: Fetch<'_>,
) -> Result<u64, SqlError> {
    let (relation, _) = writer.target(cursor, Privilege::Insert)?;
    let names = columns(cursor)?;
    let targets = writer.columns(&relation, &names)?;
    let load = load::read(cursor, &relation)?;
    let objects = fetch(&load.source)?;
    let failed = |_| {
        SqlError::Other(format!(
            "Load into table '{}' failed. Check 'sys_load_error_detail' system table for details.",
            relation.1
        ))
    };
    let mut loaded = 0;
    for object in objects {
        let rows = match load.format {
            Format::Json => json_rows(&object, &targets),
            Format::Csv(delimiter) => text_rows(&object, &targets, &load, delimiter, true),
            Format::Delimited(delimiter) => text_rows(&object, &targets, &load, delimiter, false),
        };
        let (schema, name) = (relation.0.as_str(), relation.1.as_str());
        loaded += writer
            .warehouse
            .append((schema, name), &targets, rows.map_err(failed)?.into_iter())
            .map_err(failed)?;
        writer.terms.stop.check()?;
    }
    Ok(loaded)
}

type Rows = Result<Vec<Vec<Value>>, SqlError>;

fn malformed(what: &impl std::fmt::Display) -> SqlError {
    SqlError::Other(what.to_string())
}

fn text_rows(
    object: &Bytes,
    targets: &[Column],
    load: &Load,
    delimiter: u8,
    quoting: bool,
) -> Rows {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .quoting(quoting)
        .has_headers(false)
        .flexible(true)
        .from_reader(object.as_ref());
    let records = reader.records().skip(load.skipped_lines);
    records
        .map(|record| {
            let record = record.map_err(|error| malformed(&error))?;
            let fields = targets.iter().zip(record.iter());
            let row: Vec<Value> = fields
                .map(|(column, text)| field(column, text, load))
                .collect();
            if record.len() == targets.len() {
                Ok(row)
            } else {
                Err(malformed(&"Delimiter not found"))
            }
        })
        .collect()
}

/// Empty is null for everything but text.
fn field(column: &Column, text: &str, load: &Load) -> Value {
    let is_text = matches!(column.ty, SqlType::Varchar(_) | SqlType::Char(_));
    let is_null =
        load.null.as_deref() == Some(text) || (text.is_empty() && (!is_text || load.empty_is_null));
    if is_null {
        Value::Null
    } else {
        Value::Text(text.to_owned())
    }
}

/// One object after the other; members are matched with the columns by name.
fn json_rows(object: &Bytes, targets: &[Column]) -> Rows {
    let objects = serde_json::Deserializer::from_slice(object);
    objects
        .into_iter::<serde_json::Value>()
        .map(|object| {
            let object = object.map_err(|error| malformed(&error))?;
            let member = |column: &Column| match &object[&column.name] {
                serde_json::Value::Null => Value::Null,
                serde_json::Value::String(text) => Value::Text(text.clone()),
                other => Value::Text(other.to_string()),
            };
            Ok(targets.iter().map(member).collect())
        })
        .collect()
}
