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

/// Largest page that is sent, as JSON, in bytes: below what a function may answer.
const LARGEST_PAGE: usize = 4 * 1024 * 1024;

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

/// A page from what the Data API answered, without its first `skip` rows.
pub fn page(answer: GetStatementResultOutput, skip: usize) -> Result<Page, Error> {
    let columns: Vec<Column> = answer
        .column_metadata
        .unwrap_or_default()
        .into_iter()
        .map(column)
        .collect();
    let mut rows = Vec::new();
    let mut size = 0;
    let mut cut_at = None;
    for (position, record) in answer.records.iter().enumerate().skip(skip) {
        let row = row(&columns, record)?;
        size += row
            .iter()
            .map(|value| value.to_string().len() + 1)
            .sum::<usize>();
        // One row is below 64 KB: a page always gets on.
        if size > LARGEST_PAGE {
            cut_at = Some(position);
            break;
        }
        rows.push(row);
    }
    Ok(Page {
        columns,
        rows,
        total: u64::try_from(answer.total_num_rows).unwrap_or_default(),
        cut_at,
        next_token: answer.next_token.filter(|token| !token.is_empty()),
    })
}

fn column(metadata: ColumnMetadata) -> Column {
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
            value(field, kind).ok_or_else(|| {
                Error::new(
                    Kind::Upstream,
                    "unreadable_value",
                    "The warehouse answered a value of a kind that is not known here.",
                )
            })
        })
        .collect()
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
