//! GetStatementResult (JSON) and GetStatementResultV2 (CSV).

use std::{ops::Range, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use super::{ApiError, Asked, statement};
use crate::{
    Inner, Limits,
    query::{Cell, ResultColumn, ResultSet},
    statements::{Format, Status},
    types::SqlType,
};

pub(super) async fn json(inner: &Inner, asked: &Asked) -> Result<Value, ApiError> {
    let (result, page, next) = page(inner, asked, Format::Json).await?;
    let records: Vec<Value> = result.rows[page]
        .iter()
        .map(|row| row.iter().map(field).collect::<Vec<Value>>().into())
        .collect();
    Ok(answer(&result, records.into(), next))
}

pub(super) async fn csv(inner: &Inner, asked: &Asked) -> Result<Value, ApiError> {
    let (result, page, next) = page(inner, asked, Format::Csv).await?;
    let mut text = String::new();
    if page.start == 0 {
        line(
            &mut text,
            result.columns.iter().map(|column| column.label.clone()),
        );
    }
    for row in &result.rows[page] {
        line(
            &mut text,
            row.iter().map(|cell| cell.text().unwrap_or_default()),
        );
    }
    let mut body = answer(&result, json!([{ "CSVRecords": text }]), next);
    body["ResultFormat"] = "CSV".into();
    Ok(body)
}

type Page = (Arc<ResultSet>, Range<usize>, Option<String>);

/// The page that was asked for.
async fn page(inner: &Inner, asked: &Asked, format: Format) -> Result<Page, ApiError> {
    let (found, part) = statement(inner, asked).await?;
    let status = part.map_or(found.status, |index| found.parts[index].status);
    if found.request.format != format {
        return Err(ApiError::validation(match format {
            Format::Json => "The result is CSV: read it with GetStatementResultV2.",
            Format::Csv => "The result is JSON: read it with GetStatementResult.",
        }));
    }
    if status != Status::Finished {
        return Err(ApiError::validation(format!(
            "Query is not finished: its status is {}.",
            status.name()
        )));
    }
    let index = match part {
        None if found.request.batch => {
            return Err(ApiError::validation(
                "A batch's results are read by sub-statement id.",
            ));
        }
        part => part.unwrap_or(0),
    };
    let result = found.parts[index].result.clone().ok_or_else(|| {
        ApiError::validation(
            "Query does not have result. Please check query status with DescribeStatement.",
        )
    })?;
    let scope = format!("{}:{index}", found.id);
    let offset = match asked.text("NextToken") {
        None => 0,
        Some(token) => inner
            .statements
            .offset(&scope, token)
            .ok_or_else(|| ApiError::validation("NextToken is invalid."))?,
    };
    let end = page_end(&result.rows, offset, &inner.limits());
    let next = (end < result.rows.len()).then(|| inner.statements.page_token(&scope, end));
    Ok((result, offset..end, next))
}

/// Where the page ends that starts here: after so many rows, or with the row that fills it.
fn page_end(rows: &[Vec<Cell>], start: usize, limits: &Limits) -> usize {
    let mut bytes = 0;
    let mut end = start;
    for row in rows.iter().skip(start).take(limits.page_rows.max(1)) {
        end += 1;
        // A field counts with the name of its member.
        bytes += row.iter().map(|cell| cell.size() + 20).sum::<usize>();
        if bytes >= limits.page_bytes {
            break;
        }
    }
    end
}

fn answer(result: &ResultSet, records: Value, next: Option<String>) -> Value {
    let columns: Vec<Value> = result.columns.iter().map(metadata).collect();
    let mut body = Map::new();
    body.insert("ColumnMetadata".into(), columns.into());
    body.insert("Records".into(), records);
    body.insert("TotalNumRows".into(), result.rows.len().into());
    if let Some(next) = next {
        body.insert("NextToken".into(), next.into());
    }
    Value::Object(body)
}

fn metadata(column: &ResultColumn) -> Value {
    column_metadata(&column.label, column.ty, 1, "", "")
}

/// `ColumnMetadata`; `nullable` is 0 for no and 1 for yes.
pub(super) fn column_metadata(
    name: &str,
    ty: SqlType,
    nullable: u8,
    schema: &str,
    table: &str,
) -> Value {
    let (precision, scale) = ty.precision_and_scale();
    json!({
        "columnDefault": "",
        "isCaseSensitive": matches!(ty, SqlType::Varchar(_) | SqlType::Char(_)),
        "isCurrency": false,
        "isSigned": ty.is_signed(),
        "label": name,
        "length": 0,
        "name": name,
        "nullable": nullable,
        "precision": precision,
        "scale": scale,
        "schemaName": schema,
        "tableName": table,
        "typeName": ty.name(),
    })
}

fn field(cell: &Cell) -> Value {
    match cell {
        Cell::Null => json!({ "isNull": true }),
        Cell::Boolean(value) => json!({ "booleanValue": value }),
        Cell::Long(value) => json!({ "longValue": value }),
        Cell::Double(value) => json!({ "doubleValue": value }),
        Cell::Text(value) => json!({ "stringValue": value }),
        Cell::Blob(value) => json!({ "blobValue": STANDARD.encode(value) }),
    }
}

/// A line of RFC 4180.
fn line(text: &mut String, fields: impl Iterator<Item = String>) {
    let quoted: Vec<String> = fields
        .map(|field| {
            if field.contains([',', '"', '\n', '\r']) {
                format!("\"{}\"", field.replace('"', "\"\""))
            } else {
                field
            }
        })
        .collect();
    text.push_str(&quoted.join(","));
    text.push('\n');
}
