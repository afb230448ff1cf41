//! Running a query on a connection and reading its result in Redshift's types.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use rusqlite::{
    Connection, Statement,
    config::DbConfig,
    types::{Value, ValueRef},
};

use crate::{
    decimal::Decimal,
    error::SqlError,
    sql::{
        Token,
        infer::{Item, Scope, select_list},
        token::render,
    },
    types::SqlType,
};

/// Named parameters; every value is text.
pub(crate) type Parameters = BTreeMap<String, String>;

/// Steps of SQLite's machine between two looks at the flag that cancels.
const STEPS: i32 = 10_000;

/// The longest row of a result.
const MOST_ROW_BYTES: usize = 64 * 1024;

/// When a statement must end, whether it is done or not.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop {
    /// Set when the statement is cancelled.
    pub(crate) cancelled: Arc<AtomicBool>,
    /// The end of its time, if that is limited.
    pub(crate) deadline: Option<Instant>,
}

impl Stop {
    fn is_late(&self) -> bool {
        self.deadline.is_some_and(|end| Instant::now() >= end)
    }

    /// Ends with an error once the statement must stop.
    pub(crate) fn check(&self) -> Result<(), SqlError> {
        if self.cancelled.load(Ordering::SeqCst) {
            Err(SqlError::Cancelled)
        } else if self.is_late() {
            Err(SqlError::TimedOut)
        } else {
            Ok(())
        }
    }

    /// What SQLite calls an interruption, with its reason.
    pub(crate) fn reason(&self, error: SqlError) -> SqlError {
        if error == SqlError::Cancelled {
            self.check().err().unwrap_or(error)
        } else {
            error
        }
    }
}

/// What a statement runs with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms<'a> {
    pub(crate) parameters: &'a Parameters,
    pub(crate) stop: &'a Stop,
    /// The largest result.
    pub(crate) most_bytes: usize,
}

/// One value of a result.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Null,
    Boolean(bool),
    Long(i64),
    Double(f64),
    Text(String),
    Blob(Vec<u8>),
}

impl Cell {
    /// The value as text; null has none.
    pub(crate) fn text(&self) -> Option<String> {
        Some(match self {
            Self::Null => return None,
            Self::Boolean(b) => b.to_string(),
            Self::Long(i) => i.to_string(),
            Self::Double(d) => d.to_string(),
            Self::Text(text) => text.clone(),
            Self::Blob(bytes) => bytes.iter().fold(String::new(), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            }),
        })
    }

    /// How many bytes the value counts for in `ResultSize`.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Null => 0,
            Self::Boolean(_) => 1,
            Self::Long(_) | Self::Double(_) => 8,
            Self::Text(text) => text.len(),
            Self::Blob(bytes) => bytes.len(),
        }
    }
}

/// A column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ResultColumn {
    pub(crate) label: String,
    pub(crate) ty: SqlType,
}

/// All rows of a query.
#[derive(Debug, Clone, Default)]
pub(crate) struct ResultSet {
    pub(crate) columns: Vec<ResultColumn>,
    pub(crate) rows: Vec<Vec<Cell>>,
    /// What all rows count for in `ResultSize`.
    pub(crate) bytes: usize,
}

/// Settings that make SQLite as strict as Redshift: `"x"` is never a string, LIKE minds the case.
pub(crate) fn harden(connection: &Connection) -> Result<(), SqlError> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    connection.execute_batch("PRAGMA case_sensitive_like = ON")?;
    Ok(())
}

/// Stops whatever runs on the connection once it must end; `None` takes the watch away. An
/// interrupt handle would miss a statement that is about to start.
pub(crate) fn stop_when(connection: &mut Connection, stop: Option<&Stop>) -> Result<(), SqlError> {
    let watch = stop.cloned().map(|stop| move || stop.check().is_err());
    connection.progress_handler(STEPS, watch)?;
    Ok(())
}

pub(crate) fn bind(statement: &mut Statement<'_>, parameters: &Parameters) -> Result<(), SqlError> {
    for (name, value) in parameters {
        if let Some(index) = statement.parameter_index(&format!(":{name}"))? {
            statement.raw_bind_parameter(index, value)?;
        }
    }
    Ok(())
}

/// Runs a translated query and reads all of it.
pub(crate) fn run(
    connection: &Connection,
    tokens: &[Token],
    scope: &Scope,
    terms: Terms<'_>,
) -> Result<ResultSet, SqlError> {
    let mut statement = connection.prepare(&render(tokens))?;
    let names: Vec<String> = statement.column_names().map(str::to_lowercase).collect();
    let typed = align(&names, &select_list(tokens, scope), scope);
    bind(&mut statement, terms.parameters)?;
    let mut types: Vec<Option<SqlType>> = typed.iter().map(|(_, ty)| *ty).collect();
    let mut rows = Vec::new();
    let mut bytes = 0;
    let mut source = statement.raw_query();
    while let Some(row) = source.next()? {
        let mut cells = Vec::with_capacity(types.len());
        for (index, ty) in types.iter_mut().enumerate() {
            let value = row.get_ref(index)?;
            if ty.is_none() {
                *ty = dynamic(value);
            }
            cells.push(cell(value, *ty)?);
        }
        let size: usize = cells.iter().map(Cell::size).sum();
        if size > MOST_ROW_BYTES {
            return Err(SqlError::Other("Packet for query is too large".to_owned()));
        }
        bytes += size;
        if bytes > terms.most_bytes {
            return Err(SqlError::Other(
                "Database response exceeded size limit".to_owned(),
            ));
        }
        rows.push(cells);
    }
    let columns = typed
        .into_iter()
        .zip(types)
        .map(|((label, _), ty)| ResultColumn {
            label,
            ty: ty.unwrap_or(SqlType::Varchar(65535)),
        })
        .collect();
    Ok(ResultSet {
        columns,
        rows,
        bytes,
    })
}

/// Runs a translated query for its plain values, as a source of rows to write.
pub(crate) fn values(
    connection: &Connection,
    tokens: &[Token],
    parameters: &Parameters,
) -> Result<Vec<Vec<Value>>, SqlError> {
    let mut statement = connection.prepare(&render(tokens))?;
    let width = statement.column_count();
    bind(&mut statement, parameters)?;
    let mut rows = Vec::new();
    let mut source = statement.raw_query();
    while let Some(row) = source.next()? {
        let values = (0..width).map(|index| row.get::<_, Value>(index));
        rows.push(values.collect::<Result<_, _>>()?);
    }
    Ok(rows)
}

/// Puts the select list beside SQLite's columns: from the left up to the first star, from the right
/// down to the last one; what a star brings is looked up by name.
fn align(names: &[String], list: &[Item], scope: &Scope) -> Vec<(String, Option<SqlType>)> {
    let by_name = |name: &String| (name.clone(), scope.get(name).copied());
    let mut columns: Vec<(String, Option<SqlType>)> = names.iter().map(by_name).collect();
    let stars = list.iter().filter(|item| **item == Item::Star).count();
    if stars == 0 && list.len() != names.len() {
        return columns;
    }
    let take = |item: &Item, column: &mut (String, Option<SqlType>)| {
        if let Item::Column { label, ty } = item {
            *column = (label.clone(), *ty);
        }
        *item != Item::Star
    };
    for (item, column) in list.iter().zip(&mut columns) {
        if !take(item, column) {
            break;
        }
    }
    if stars > 0 {
        for (item, column) in list.iter().rev().zip(columns.iter_mut().rev()) {
            if !take(item, column) {
                break;
            }
        }
    }
    columns
}

fn dynamic(value: ValueRef<'_>) -> Option<SqlType> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(_) => Some(SqlType::BigInt),
        ValueRef::Real(_) => Some(SqlType::Double),
        ValueRef::Text(_) => Some(SqlType::Varchar(65535)),
        ValueRef::Blob(_) => Some(SqlType::Varbyte(64000)),
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "these are SQL's own conversions between whole and floating-point numbers"
)]
fn cell(value: ValueRef<'_>, ty: Option<SqlType>) -> Result<Cell, SqlError> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(match (value, ty) {
        (ValueRef::Null, _) => Cell::Null,
        (ValueRef::Integer(i), Some(SqlType::Boolean)) => Cell::Boolean(i != 0),
        (ValueRef::Integer(i), Some(SqlType::Decimal { scale, .. })) => {
            decimal(Decimal::from_integer(i), scale)?
        }
        (ValueRef::Real(r), Some(SqlType::Decimal { scale, .. })) => {
            let exact = Decimal::from_f64(r)
                .ok_or_else(|| SqlError::Other("Numeric data overflow".to_owned()))?;
            // Beyond 15 digits a double no longer gives the decimal back. Only quotients have more
            // than six decimals, and those are padded, being inexact anyway.
            if scale <= 6 && r.abs() * 10_f64.powi(scale as i32) >= 1e15 {
                return Err(SqlError::Other(
                    "Numeric data overflow (the stand-in keeps 15 significant digits)".to_owned(),
                ));
            }
            decimal(exact, scale)?
        }
        (ValueRef::Integer(i), Some(SqlType::Real | SqlType::Double)) => Cell::Double(i as f64),
        (ValueRef::Real(r), Some(ty)) if ty.is_integer() => Cell::Long(r as i64),
        (ValueRef::Integer(i), Some(SqlType::Varchar(_) | SqlType::Char(_))) => {
            Cell::Text(i.to_string())
        }
        (ValueRef::Integer(i), _) => Cell::Long(i),
        (ValueRef::Real(r), _) => Cell::Double(r),
        (ValueRef::Text(bytes), _) => Cell::Text(text(bytes)),
        (ValueRef::Blob(bytes), _) => Cell::Blob(bytes.to_vec()),
    })
}

fn decimal(value: Decimal, scale: u32) -> Result<Cell, SqlError> {
    value
        .rescale(scale)
        .map(|value| Cell::Text(value.to_string()))
        .ok_or_else(|| SqlError::Other("Numeric data overflow".to_owned()))
}
