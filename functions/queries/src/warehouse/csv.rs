//! Rows as CSV (RFC 4180): what a value is in JSON, as a text.
//!
//! A null is an empty field and an empty text is `""`, so that both can be told apart. Nothing is
//! altered: a text that a spreadsheet takes for a formula stays what it is (`docs/API.md`).

use aws_sdk_redshiftdata::{
    operation::get_statement_result::GetStatementResultOutput, types::Field,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use tributary::error::Error;

use super::rows::{Cut, LARGEST_PAGE, column, take, unreadable};

/// A page of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvPage {
    /// The lines, each with its end.
    pub text: String,
    /// Where the rest of the Data API's page begins, if more of it remains.
    pub cut_at: Option<usize>,
    /// The Data API's token of its next page.
    pub next_token: Option<String>,
}

/// A page of these rows of what the Data API answered, below the columns' names if they are wanted.
pub fn csv_page(
    answer: GetStatementResultOutput,
    cut: Cut,
    has_header: bool,
) -> Result<CsvPage, Error> {
    let mut text = String::new();
    if has_header {
        let columns = answer.column_metadata.unwrap_or_default();
        let names = columns.into_iter().map(|metadata| column(metadata).name);
        for (position, name) in names.enumerate() {
            separate(&mut text, position);
            quote(&mut text, &name);
        }
        text.push_str("\r\n");
    }
    let cut_at = take(&answer.records, cut, |record| {
        let before = text.len();
        for (position, field) in record.iter().enumerate() {
            separate(&mut text, position);
            write(&mut text, field).ok_or_else(|| unreadable(position))?;
        }
        text.push_str("\r\n");
        let fits = text.len() <= LARGEST_PAGE;
        if !fits {
            text.truncate(before);
        }
        Ok(fits)
    })?;
    Ok(CsvPage {
        text,
        cut_at,
        next_token: answer.next_token.filter(|token| !token.is_empty()),
    })
}

fn separate(text: &mut String, position: usize) {
    if position > 0 {
        text.push(',');
    }
}

/// Writes a value; nothing for a kind of field that we do not know.
fn write(text: &mut String, field: &Field) -> Option<()> {
    match field {
        Field::IsNull(_) => {}
        Field::BooleanValue(truth) => text.push_str(if *truth { "true" } else { "false" }),
        Field::LongValue(number) => text.push_str(&number.to_string()),
        // The shortest text that reads back as the same number, as in JSON.
        Field::DoubleValue(number) => match serde_json::Number::from_f64(*number) {
            Some(number) => text.push_str(&number.to_string()),
            None => text.push_str(&number.to_string()),
        },
        Field::StringValue(value) => quote(text, value),
        Field::BlobValue(blob) => text.push_str(&STANDARD.encode(blob.as_ref())),
        _ => return None,
    }
    Some(())
}

/// Writes a text, in quotes where it is empty or would be read as something else.
fn quote(text: &mut String, value: &str) {
    let is_plain = !value.is_empty() && !value.contains([',', '"', '\r', '\n']);
    if is_plain {
        text.push_str(value);
        return;
    }
    text.push('"');
    text.push_str(&value.replace('"', "\"\""));
    text.push('"');
}

#[cfg(test)]
mod tests {
    use aws_sdk_redshiftdata::{primitives::Blob, types::ColumnMetadata};

    use super::*;

    const ALL: Cut = Cut {
        skip: 0,
        limit: usize::MAX,
    };

    fn answer(records: Vec<Vec<Field>>) -> GetStatementResultOutput {
        let column = |label: &str| ColumnMetadata::builder().label(label).build();
        GetStatementResultOutput::builder()
            .set_records(Some(records))
            .column_metadata(column("city"))
            .column_metadata(column("total, \"net\""))
            .build()
            .unwrap()
    }

    fn text(value: &str) -> Field {
        Field::StringValue(value.to_owned())
    }

    #[test]
    fn values_are_exact_and_null_is_not_the_empty_text() {
        for (field, expected) in [
            (Field::IsNull(true), ""),
            (text(""), "\"\""),
            (text("Berlin"), "Berlin"),
            (text("12.30"), "12.30"),
            (text("a,b"), "\"a,b\""),
            (text("say \"so\""), "\"say \"\"so\"\"\""),
            (text("two\r\nlines"), "\"two\r\nlines\""),
            (text(" kept "), " kept "),
            (text("=1+1"), "=1+1"),
            (text("null"), "null"),
            (Field::LongValue(9_007_199_254_740_993), "9007199254740993"),
            (Field::DoubleValue(0.1), "0.1"),
            (Field::DoubleValue(1e300), "1e+300"),
            (Field::DoubleValue(f64::NAN), "NaN"),
            (Field::BooleanValue(false), "false"),
            (Field::BlobValue(Blob::new([1, 2])), "AQI="),
        ] {
            let mut written = String::new();
            write(&mut written, &field).unwrap();
            assert_eq!(written, expected, "{field:?}");
        }
    }

    #[test]
    fn the_names_stand_on_the_first_line_if_they_are_wanted() {
        let row = vec![text("Berlin"), Field::IsNull(true)];
        let page = csv_page(answer(vec![row.clone()]), ALL, true).unwrap();
        assert_eq!(page.text, "city,\"total, \"\"net\"\"\"\r\nBerlin,\r\n");
        let page = csv_page(answer(vec![row]), ALL, false).unwrap();
        assert_eq!(page.text, "Berlin,\r\n");
    }

    #[test]
    fn q9_a_page_too_large_is_cut_at_a_whole_row() {
        let row = |n: i64| vec![text(&"\"".repeat(30_000)), Field::LongValue(n)];
        let records: Vec<_> = (0..200).map(row).collect();
        let (mut skip, mut numbers) = (0, Vec::new());
        loop {
            let cut = Cut {
                skip,
                limit: usize::MAX,
            };
            let page = csv_page(answer(records.clone()), cut, false).unwrap();
            assert!(page.text.len() <= LARGEST_PAGE);
            let lines = page.text.lines();
            numbers.extend(lines.map(|line| line.rsplit_once(',').unwrap().1.to_owned()));
            match page.cut_at {
                Some(at) => skip = at,
                None => break,
            }
        }
        let expected: Vec<String> = (0..200).map(|n| n.to_string()).collect();
        assert_eq!(numbers, expected);
    }
}
