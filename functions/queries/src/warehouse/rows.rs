//! Rows as JSON, without losing a digit: 64-bit integers and decimals are texts.

use aws_sdk_redshiftdata::{
    operation::get_statement_result::GetStatementResultOutput,
    types::{ColumnMetadata, Field},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;
use serde_json::Value;
use tributary::error::{Error, Kind};
use utoipa::ToSchema;

/// Largest page that is sent, in bytes: below what a function may answer.
pub(super) const LARGEST_PAGE: usize = 4 * 1024 * 1024;

/// A column of a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Column {
    /// Its name, or the alias that the statement gave it.
    #[schema(example = "total")]
    pub name: String,
    /// Redshift's name of its type.
    #[serde(rename = "type")]
    #[schema(example = "numeric")]
    pub kind: String,
}

/// A page of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows; values in the order of the columns.
    pub rows: Vec<Vec<Value>>,
    /// Rows of the whole result.
    pub total: u64,
    /// How many rows of the Data API's page were skipped or are here, if more of it remain.
    pub cut_at: Option<usize>,
    /// The Data API's token of its next page.
    pub next_token: Option<String>,
}

/// Which rows of a page of the Data API are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// How many were shown before.
    pub skip: usize,
    /// How many are wanted at most.
    pub limit: usize,
}

/// A page from what the Data API answered, without its first `skip` rows.
pub fn page(answer: GetStatementResultOutput, skip: usize) -> Result<Page, Error> {
    let limit = usize::MAX;
    page_within(answer, Cut { skip, limit })
}

/// A page of these rows of what the Data API answered.
pub fn page_within(answer: GetStatementResultOutput, cut: Cut) -> Result<Page, Error> {
    let columns: Vec<Column> = answer
        .column_metadata
        .unwrap_or_default()
        .into_iter()
        .map(column)
        .collect();
    let mut rows = Vec::new();
    let mut size = 0;
    let cut_at = take(&answer.records, cut, |record| {
        let row = row(&columns, record)?;
        size += row.iter().map(length).sum::<usize>();
        if size <= LARGEST_PAGE {
            rows.push(row);
        }
        Ok(size <= LARGEST_PAGE)
    })?;
    Ok(Page {
        columns,
        rows,
        total: u64::try_from(answer.total_num_rows).unwrap_or_default(),
        cut_at,
        next_token: answer.next_token.filter(|token| !token.is_empty()),
    })
}

/// Gives the wanted rows to `show` until it takes no more; where the rest begins, if there is one.
///
/// One row is below 64 KB: a page always gets on.
pub(super) fn take(
    records: &[Vec<Field>],
    cut: Cut,
    mut show: impl FnMut(&[Field]) -> Result<bool, Error>,
) -> Result<Option<usize>, Error> {
    for (position, record) in records.iter().enumerate().skip(cut.skip) {
        if position - cut.skip >= cut.limit || !show(record)? {
            return Ok(Some(position));
        }
    }
    Ok(None)
}

/// How much of a page a value takes, with the comma after it. Of texts, at most: a character has
/// six bytes when it is escaped.
fn length(value: &Value) -> usize {
    match value {
        Value::String(text) => {
            let escaped = |byte: &u8| match byte {
                b'"' | b'\\' => 2,
                0..0x20 => 6,
                _ => 1,
            };
            text.as_bytes().iter().map(escaped).sum::<usize>() + 3
        }
        Value::Bool(_) | Value::Null => 6,
        other => other.to_string().len() + 1,
    }
}

pub(super) fn column(metadata: ColumnMetadata) -> Column {
    let label = metadata.label.filter(|label| !label.is_empty());
    Column {
        name: label.or(metadata.name).unwrap_or_default(),
        kind: metadata.type_name.unwrap_or_default(),
    }
}

fn row(columns: &[Column], record: &[Field]) -> Result<Vec<Value>, Error> {
    record
        .iter()
        .enumerate()
        .map(|(position, field)| {
            let kind = columns
                .get(position)
                .map_or("", |column| column.kind.as_str());
            value(field, kind).ok_or_else(|| unreadable(position))
        })
        .collect()
}

/// A kind of value that we do not know is an error of its column, and not the same as null.
pub(super) fn unreadable(column: usize) -> Error {
    Error::new(
        Kind::Upstream,
        "unreadable_value",
        format!(
            "Column {} has a value of a kind that is not known here.",
            column + 1
        ),
    )
}

/// A value as JSON; nothing for a kind of field that we do not know, which is not the same as null.
fn value(field: &Field, kind: &str) -> Option<Value> {
    Some(match field {
        Field::IsNull(_) => Value::Null,
        Field::BooleanValue(truth) => Value::from(*truth),
        // A browser's numbers end at 2^53.
        Field::LongValue(number) if is_wide(kind) => Value::from(number.to_string()),
        Field::LongValue(number) => Value::from(*number),
        Field::DoubleValue(number) => serde_json::Number::from_f64(*number)
            .map_or_else(|| Value::from(number.to_string()), Value::Number),
        Field::StringValue(text) => Value::from(text.as_str()),
        Field::BlobValue(blob) => Value::from(STANDARD.encode(blob.as_ref())),
        _ => return None,
    })
}

/// Whether a type of integers may hold more than a browser's numbers do.
fn is_wide(kind: &str) -> bool {
    !matches!(kind, "int2" | "int4" | "smallint" | "integer" | "int")
}

#[cfg(test)]
mod tests {
    use aws_sdk_redshiftdata::primitives::Blob;
    use serde_json::json;

    use super::*;

    fn answer(records: Vec<Vec<Field>>) -> GetStatementResultOutput {
        let column = |name: &str, kind: &str| {
            ColumnMetadata::builder()
                .name("x")
                .label(name)
                .type_name(kind)
                .build()
        };
        GetStatementResultOutput::builder()
            .set_records(Some(records))
            .column_metadata(column("city", "varchar"))
            .column_metadata(column("total", "numeric"))
            .total_num_rows(1)
            .build()
            .unwrap()
    }

    #[test]
    fn values_keep_their_digits_and_their_absence() {
        let cases = [
            (
                Field::LongValue(9_007_199_254_740_993),
                "int8",
                json!("9007199254740993"),
            ),
            (Field::LongValue(7), "int4", json!(7)),
            (Field::LongValue(7), "oid", json!("7")),
            (Field::DoubleValue(0.5), "float8", json!(0.5)),
            (Field::DoubleValue(f64::NAN), "float8", json!("NaN")),
            (
                Field::StringValue("12.30".to_owned()),
                "numeric",
                json!("12.30"),
            ),
            (Field::StringValue(String::new()), "varchar", json!("")),
            (Field::BooleanValue(false), "bool", json!(false)),
            (Field::IsNull(true), "varchar", json!(null)),
            (
                Field::BlobValue(Blob::new([1, 2])),
                "varbyte",
                json!("AQI="),
            ),
        ];
        for (field, kind, expected) in cases {
            assert_eq!(value(&field, kind), Some(expected), "{field:?} {kind}");
        }
    }

    #[test]
    fn columns_have_the_statements_names() {
        let row = vec![
            Field::StringValue("Berlin".to_owned()),
            Field::StringValue("12.30".to_owned()),
        ];
        let page = page(answer(vec![row]), 0).unwrap();
        let names: Vec<&str> = page
            .columns
            .iter()
            .map(|column| column.name.as_str())
            .collect();
        assert_eq!(names, ["city", "total"]);
        assert_eq!(page.rows, [[json!("Berlin"), json!("12.30")]]);
        assert_eq!((page.cut_at, page.next_token), (None, None));
    }

    #[test]
    fn a_value_of_an_unknown_kind_is_an_error_of_its_column() {
        // No such value can be made here: the SDK keeps its variant to itself.
        let error = unreadable(1);
        assert_eq!(error.code(), "unreadable_value");
        assert!(error.caller_message().starts_with("Column 2 "), "{error:?}");
    }

    #[test]
    fn a_value_takes_no_less_than_its_json() {
        for value in [
            json!("a\"b\\c\n\u{1}ü😀"),
            json!(""),
            json!(-12.5),
            json!(true),
            json!(false),
            json!(null),
        ] {
            assert!(length(&value) > value.to_string().len(), "{value}");
        }
    }

    #[test]
    fn q9_a_page_too_large_is_cut_and_each_row_comes_once() {
        let text = "x".repeat(60_000);
        let rows = 200;
        let record = |n: usize| {
            vec![
                Field::StringValue(text.clone()),
                Field::StringValue(n.to_string()),
            ]
        };
        let (mut seen, mut skip, mut pages) = (Vec::new(), 0, 0);
        loop {
            let part = page(answer((0..rows).map(record).collect()), skip).unwrap();
            pages += 1;
            seen.extend(
                part.rows
                    .iter()
                    .map(|row| row[1].as_str().unwrap().to_owned()),
            );
            match part.cut_at {
                Some(at) => skip = at,
                None => break,
            }
        }
        let expected: Vec<String> = (0..rows).map(|n| n.to_string()).collect();
        assert_eq!(seen, expected);
        assert!(pages > 1);
    }
}
