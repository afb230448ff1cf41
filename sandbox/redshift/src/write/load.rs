//! COPY's statement, read.

use crate::{
    catalog::Relation,
    error::SqlError,
    sql::{Cursor, Token},
};

/// Where a COPY reads, and under which role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    /// `None` for `IAM_ROLE default`.
    pub(crate) role: Option<String>,
    pub(crate) bucket: String,
    pub(crate) prefix: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Delimited(u8),
    Csv(u8),
    Json,
}

/// What a COPY asks for.
#[derive(Debug)]
pub(super) struct Load {
    pub(super) source: Source,
    pub(super) format: Format,
    pub(super) skipped_lines: usize,
    /// Text that stands for null.
    pub(super) null: Option<String>,
    /// Empty text columns are null.
    pub(super) empty_is_null: bool,
}

/// `FROM 's3://bucket/prefix' IAM_ROLE 'arn' | default, [FORMAT [AS]] CSV | JSON 'auto', ...`.
pub(super) fn read(cursor: &mut Cursor<'_>, target: &Relation) -> Result<Load, SqlError> {
    cursor.expect("from")?;
    let url = text(cursor)?;
    let place = url
        .strip_prefix("s3://")
        .and_then(|rest| rest.split_once('/'));
    let (bucket, prefix) = place.ok_or_else(|| {
        SqlError::Unsupported(format!("COPY {} from anything but s3://", target.1))
    })?;
    let mut role = None;
    let (mut csv, mut json, mut delimiter) = (false, false, None);
    let mut load = Load {
        source: Source {
            role: None,
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
        },
        format: Format::Delimited(b'|'),
        skipped_lines: 0,
        null: None,
        empty_is_null: false,
    };
    while !cursor.is_done() {
        if cursor.accept(&["iam_role"]) {
            role = Some(if cursor.accept(&["default"]) {
                None
            } else {
                Some(text(cursor)?)
            });
        } else if cursor.accept(&["csv"]) {
            csv = true;
        } else if cursor.accept(&["json"]) {
            cursor.accept(&["as"]);
            let paths = text(cursor)?;
            if paths != "auto" {
                return Err(SqlError::Unsupported(
                    "JSON with a jsonpaths file".to_owned(),
                ));
            }
            json = true;
        } else if cursor.accept(&["format"]) {
            cursor.accept(&["as"]);
        } else if cursor.accept(&["delimiter"]) {
            cursor.accept(&["as"]);
            delimiter = single(&text(cursor)?);
        } else if cursor.accept(&["ignoreheader"]) {
            cursor.accept(&["as"]);
            load.skipped_lines = number(cursor)?;
        } else if cursor.accept(&["null"]) {
            cursor.accept(&["as"]);
            load.null = Some(text(cursor)?);
        } else if cursor.accept(&["emptyasnull"]) {
            load.empty_is_null = true;
        } else if cursor.accept(&["region"]) {
            cursor.accept(&["as"]);
            text(cursor)?;
        } else if cursor.accept(&["timeformat"]) || cursor.accept(&["dateformat"]) {
            cursor.accept(&["as"]);
            if text(cursor)? != "auto" {
                return Err(SqlError::Unsupported("a TIMEFORMAT but 'auto'".to_owned()));
            }
        } else {
            let what = cursor.peek().map(Token::shown).unwrap_or_default();
            return Err(SqlError::Unsupported(format!("COPY with {what}")));
        }
    }
    load.source.role = role.ok_or_else(|| {
        SqlError::Other("CREDENTIALS argument is required but not supplied".to_owned())
    })?;
    load.format = match (json, csv, delimiter) {
        (true, ..) => Format::Json,
        (_, true, delimiter) => Format::Csv(delimiter.unwrap_or(b',')),
        (_, _, delimiter) => Format::Delimited(delimiter.unwrap_or(b'|')),
    };
    Ok(load)
}

fn text(cursor: &mut Cursor<'_>) -> Result<String, SqlError> {
    match cursor.peek() {
        Some(Token::Text(text)) => {
            cursor.next();
            Ok(text.clone())
        }
        _ => Err(cursor.unexpected()),
    }
}

fn number(cursor: &mut Cursor<'_>) -> Result<usize, SqlError> {
    match cursor.peek() {
        Some(Token::Number(number)) => {
            cursor.next();
            number.parse().map_err(|_| SqlError::Syntax(number.clone()))
        }
        _ => Err(cursor.unexpected()),
    }
}

fn single(text: &str) -> Option<u8> {
    match text.as_bytes() {
        [one] => Some(*one),
        b"\\t" => Some(b'\t'),
        _ => None,
    }
}
