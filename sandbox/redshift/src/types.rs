//! Redshift's column types: their names, how SQLite stores them, and how a value becomes one.

use rusqlite::types::Value;

use crate::{
    decimal::{DIGITS, Decimal},
    error::SqlError,
    sql::{Cursor, Token},
};

/// A column type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SqlType {
    SmallInt,
    Integer,
    BigInt,
    Real,
    Double,
    Decimal { precision: u32, scale: u32 },
    Boolean,
    Date,
    Time,
    Timestamp,
    TimestampTz,
    Char(u32),
    Varchar(u32),
    Super,
    Varbyte(u32),
}

impl SqlType {
    /// Reads a type name at the cursor.
    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Self, SqlError> {
        let Some(Token::Word(word)) = cursor.peek() else {
            return Err(cursor.unexpected());
        };
        let word = word.to_lowercase();
        cursor.next();
        let numbers = |cursor: &mut Cursor<'_>| -> Result<Vec<u32>, SqlError> {
            if !cursor.peek().is_some_and(|t| t.is_symbol("(")) {
                return Ok(Vec::new());
            }
            let group = cursor.group()?;
            Ok(group
                .iter()
                .filter_map(|token| match token {
                    Token::Number(n) => n.parse().ok(),
                    Token::Word(max) if max.eq_ignore_ascii_case("max") => Some(65535),
                    _ => None,
                })
                .collect())
        };
        let first = |list: &[u32], default| list.first().copied().unwrap_or(default);
        Ok(match word.as_str() {
            "smallint" | "int2" => Self::SmallInt,
            "integer" | "int" | "int4" => Self::Integer,
            "bigint" | "int8" => Self::BigInt,
            "real" | "float4" => Self::Real,
            "float" | "float8" => Self::Double,
            "double" => {
                cursor.expect("precision")?;
                Self::Double
            }
            "decimal" | "numeric" => {
                let list = numbers(cursor)?;
                Self::Decimal {
                    precision: first(&list, 18),
                    scale: list.get(1).copied().unwrap_or(0),
                }
            }
            "boolean" | "bool" => Self::Boolean,
            "date" => Self::Date,
            "time" | "timestamp" => {
                numbers(cursor)?;
                let zoned = cursor.accept(&["with", "time", "zone"]);
                if !zoned {
                    cursor.accept(&["without", "time", "zone"]);
                }
                match (word.as_str(), zoned) {
                    ("time", false) => Self::Time,
                    ("timestamp", false) => Self::Timestamp,
                    ("timestamp", true) => Self::TimestampTz,
                    _ => return Err(SqlError::Unsupported("TIME WITH TIME ZONE".to_owned())),
                }
            }
            "timestamptz" => Self::TimestampTz,
            "char" | "bpchar" => Self::Char(first(&numbers(cursor)?, 1)),
            "character" | "nchar" => {
                if cursor.accept(&["varying"]) {
                    Self::Varchar(first(&numbers(cursor)?, 256))
                } else {
                    Self::Char(first(&numbers(cursor)?, 1))
                }
            }
            "varchar" | "nvarchar" | "text" => Self::Varchar(first(&numbers(cursor)?, 256)),
            "super" => Self::Super,
            "varbyte" | "varbinary" => Self::Varbyte(first(&numbers(cursor)?, 64000)),
            _ => return Err(SqlError::Other(format!("type \"{word}\" does not exist"))),
        })
    }

    /// `typeName` of the Data API.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::SmallInt => "int2",
            Self::Integer => "int4",
            Self::BigInt => "int8",
            Self::Real => "float4",
            Self::Double => "float8",
            Self::Decimal { .. } => "numeric",
            Self::Boolean => "bool",
            Self::Date => "date",
            Self::Time => "time",
            Self::Timestamp => "timestamp",
            Self::TimestampTz => "timestamptz",
            Self::Char(_) => "bpchar",
            Self::Varchar(_) => "varchar",
            Self::Super => "super",
            Self::Varbyte(_) => "varbyte",
        }
    }

    /// `precision` and `scale` of the Data API.
    pub(crate) fn precision_and_scale(self) -> (u32, u32) {
        match self {
            Self::SmallInt => (5, 0),
            Self::Integer => (10, 0),
            Self::BigInt => (19, 0),
            Self::Real => (8, 8),
            Self::Double => (17, 17),
            Self::Decimal { precision, scale } => (precision, scale),
            Self::Boolean => (1, 0),
            Self::Date => (13, 0),
            Self::Time => (15, 6),
            Self::Timestamp => (29, 6),
            Self::TimestampTz => (35, 6),
            Self::Char(n) | Self::Varchar(n) | Self::Varbyte(n) => (n, 0),
            Self::Super => (0, 0),
        }
    }

    pub(crate) fn is_integer(self) -> bool {
        matches!(self, Self::SmallInt | Self::Integer | Self::BigInt)
    }

    /// `isSigned` of the Data API (timestamps count as signed there).
    pub(crate) fn is_signed(self) -> bool {
        self.is_integer()
            || matches!(
                self,
                Self::Real | Self::Double | Self::Decimal { .. } | Self::Timestamp
            )
    }

    /// The type as text that [`SqlType::read`] reads back.
    pub(crate) fn text(self) -> String {
        match self {
            Self::Decimal { precision, scale } => format!("numeric({precision},{scale})"),
            Self::Char(n) => format!("char({n})"),
            Self::Varchar(n) => format!("varchar({n})"),
            Self::Varbyte(n) => format!("varbyte({n})"),
            other => other.name().to_owned(),
        }
    }

    /// The declaration that gives SQLite the right affinity. DECIMAL is REAL there, because
    /// NUMERIC affinity would turn 12.00 into an integer and divide as integers do.
    pub(crate) fn storage(self) -> &'static str {
        match self {
            Self::SmallInt | Self::Integer | Self::BigInt | Self::Boolean => "INTEGER",
            Self::Real | Self::Double | Self::Decimal { .. } => "REAL",
            Self::Varbyte(_) => "BLOB",
            _ => "TEXT",
        }
    }

    /// Turns a value into one of this type, as a cast or an assignment would.
    pub(crate) fn coerce(self, value: Value) -> Result<Value, SqlError> {
        let text = match &value {
            Value::Null => return Ok(Value::Null),
            // The common cases, which need no text in between.
            Value::Integer(i) if self.holds(*i) => return Ok(value),
            Value::Real(_) if matches!(self, Self::Real | Self::Double) => return Ok(value),
            Value::Integer(i) => i.to_string(),
            Value::Real(r) => r.to_string(),
            Value::Text(text) => text.clone(),
            Value::Blob(_) if matches!(self, Self::Varbyte(_)) => return Ok(value),
            Value::Blob(_) => return Err(self.invalid("binary")),
        };
        let trimmed = text.trim();
        Ok(match self {
            Self::SmallInt => self.integer(trimmed, i64::from(i16::MIN), i64::from(i16::MAX))?,
            Self::Integer => self.integer(trimmed, i64::from(i32::MIN), i64::from(i32::MAX))?,
            Self::BigInt => self.integer(trimmed, i64::MIN, i64::MAX)?,
            Self::Real | Self::Double => {
                Value::Real(trimmed.parse().map_err(|_| self.invalid(&text))?)
            }
            Self::Decimal { precision, scale } => {
                let parsed = Decimal::parse(trimmed).ok_or_else(|| self.invalid(&text))?;
                Value::Real(fitting(parsed, precision, scale)?.to_f64())
            }
            Self::Boolean => Value::Integer(match trimmed.to_lowercase().as_str() {
                "true" | "t" | "1" | "yes" | "y" => 1,
                "false" | "f" | "0" | "no" | "n" => 0,
                _ => return Err(self.invalid(&text)),
            }),
            Self::Date => Value::Text(
                date_time(trimmed)
                    .ok_or_else(|| self.invalid(&text))?
                    .date()
                    .to_string(),
            ),
            Self::Timestamp => Value::Text(shown(date_time(trimmed), "", &text, self)?),
            Self::TimestampTz => Value::Text(shown(date_time(trimmed), "+00", &text, self)?),
            Self::Time => {
                let time: jiff::civil::Time = trimmed.parse().map_err(|_| self.invalid(&text))?;
                Value::Text(time.to_string())
            }
            Self::Char(n) | Self::Varchar(n) => {
                if text.len() > n as usize {
                    return Err(SqlError::Other(format!(
                        "value too long for type character varying({n})"
                    )));
                }
                Value::Text(text)
            }
            Self::Super => Value::Text(text),
            Self::Varbyte(_) => Value::Blob(text.into_bytes()),
        })
    }

    /// Whether this is an integer type that has the number.
    fn holds(self, number: i64) -> bool {
        match self {
            Self::SmallInt => i16::try_from(number).is_ok(),
            Self::Integer => i32::try_from(number).is_ok(),
            Self::BigInt => true,
            _ => false,
        }
    }

    fn integer(self, text: &str, least: i64, most: i64) -> Result<Value, SqlError> {
        let rounded = Decimal::parse(text)
            .and_then(|decimal| decimal.rescale(0))
            .ok_or_else(|| self.invalid(text))?;
        let number: i64 = rounded
            .to_string()
            .parse()
            .ok()
            .filter(|number| (least..=most).contains(number))
            .ok_or_else(|| {
                SqlError::Other(format!(
                    "value \"{text}\" is out of range for {}",
                    self.name()
                ))
            })?;
        Ok(Value::Integer(number))
    }

    fn invalid(self, text: &str) -> SqlError {
        SqlError::Other(format!(
            "invalid input syntax for type {}: \"{text}\"",
            self.name()
        ))
    }
}

/// Rounds to the scale and refuses what does not fit the precision, or this stand-in's 15 digits.
pub(crate) fn fitting(value: Decimal, precision: u32, scale: u32) -> Result<Decimal, SqlError> {
    let overflow = |detail: &str| SqlError::Other(format!("Numeric data overflow ({detail})"));
    let value = value
        .rescale(scale)
        .ok_or_else(|| overflow("result precision"))?;
    let digits = value
        .to_string()
        .chars()
        .filter(char::is_ascii_digit)
        .count();
    if digits > precision.max(scale + 1) as usize {
        return Err(overflow("result precision"));
    }
    if value.digits() > DIGITS {
        return Err(overflow("the stand-in keeps 15 significant digits"));
    }
    Ok(value)
}

/// Reads `2026-11-20`, `2026-11-20 10:15:00[.5]`, and ISO 8601 with `T`, `Z` or an offset (as UTC).
fn date_time(text: &str) -> Option<jiff::civil::DateTime> {
    let zoned = text
        .replacen(' ', "T", 1)
        .parse::<jiff::Timestamp>()
        .map(|timestamp| timestamp.to_zoned(jiff::tz::TimeZone::UTC).datetime());
    zoned.or_else(|_| text.parse()).ok()
}

fn shown(
    value: Option<jiff::civil::DateTime>,
    suffix: &str,
    text: &str,
    ty: SqlType,
) -> Result<String, SqlError> {
    let value = value.ok_or_else(|| ty.invalid(text))?;
    Ok(format!("{} {}{suffix}", value.date(), value.time()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::token::tokenise;

    fn read(text: &str) -> SqlType {
        SqlType::read(&mut Cursor::new(&tokenise(text).unwrap())).unwrap()
    }

    #[test]
    fn types_read_back_what_they_write() {
        for text in [
            "int2",
            "int4",
            "int8",
            "float4",
            "float8",
            "numeric(10,2)",
            "bool",
            "date",
            "time",
            "timestamp",
            "timestamptz",
            "char(3)",
            "varchar(50)",
            "super",
            "varbyte(64)",
        ] {
            assert_eq!(read(text).text(), text);
        }
        assert_eq!(read("DOUBLE PRECISION"), SqlType::Double);
        assert_eq!(read("TIMESTAMP WITHOUT TIME ZONE"), SqlType::Timestamp);
    }

    #[test]
    fn values_become_the_column_type_or_are_refused() {
        let coerce = |ty: &str, text: &str| read(ty).coerce(Value::Text(text.to_owned()));
        assert_eq!(coerce("int", "42"), Ok(Value::Integer(42)));
        assert!(coerce("int", "3000000000").is_err());
        assert!(coerce("int", "abc").is_err());
        assert_eq!(coerce("decimal(10,2)", "12.345"), Ok(Value::Real(12.35)));
        assert!(coerce("decimal(4,2)", "123.45").is_err());
        assert!(coerce("decimal(38,2)", "12345678901234567.89").is_err());
        assert_eq!(coerce("bool", "TRUE"), Ok(Value::Integer(1)));
        assert!(coerce("varchar(3)", "long").is_err());
        assert_eq!(
            coerce("timestamp", "2026-11-20T10:15:00Z"),
            Ok(Value::Text("2026-11-20 10:15:00".to_owned()))
        );
        assert_eq!(
            coerce("date", "2026-11-20"),
            Ok(Value::Text("2026-11-20".to_owned()))
        );
    }
}
