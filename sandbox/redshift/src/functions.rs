//! SQL functions that SQLite lacks or answers differently: exact SUM and AVG, casts that refuse bad
//! text, ILIKE, dates, and who is asking.

use std::panic::{RefUnwindSafe, UnwindSafe};

use rusqlite::{
    Connection, Error, Result,
    functions::{Aggregate, Context, FunctionFlags, WindowAggregate},
    types::{Value, ValueRef},
};
use sandbox_core::Clock;

use crate::{
    decimal::Decimal,
    error::SqlError,
    sql::{Cursor, token::tokenise},
    types::SqlType,
};

const PURE: FunctionFlags = FunctionFlags::SQLITE_UTF8.union(FunctionFlags::SQLITE_DETERMINISTIC);

/// Makes the functions known to a connection of a database that acts for `user`.
pub(crate) fn register(
    connection: &Connection,
    user: &str,
    database: &str,
    clock: &Clock,
) -> Result<()> {
    let sum = |ending| Sum { ending };
    connection.create_window_function("sum", 1, PURE, sum(Ending::Total))?;
    connection.create_window_function("avg", 1, PURE, sum(Ending::Average))?;
    connection.create_scalar_function("redshift_cast", 2, PURE, cast)?;
    connection.create_scalar_function("regexp", 2, PURE, ilike)?;
    connection.create_scalar_function("round", 1, PURE, round)?;
    connection.create_scalar_function("round", 2, PURE, round)?;
    connection.create_scalar_function("date_part", 2, PURE, date_part)?;
    connection.create_scalar_function("date_trunc", 2, PURE, date_trunc)?;
    for (name, step) in [("floor", -1_i8), ("ceil", 1), ("ceiling", 1)] {
        connection.create_scalar_function(name, 1, PURE, move |context| {
            Ok(match context.get::<Value>(0)? {
                Value::Real(x) if step < 0 => Value::Real(x.floor()),
                Value::Real(x) => Value::Real(x.ceil()),
                other => other,
            })
        })?;
    }
    for (name, from_left) in [("left", true), ("right", false)] {
        connection.create_scalar_function(name, 2, PURE, move |context| {
            let text: String = context.get(0)?;
            let most = usize::try_from(context.get::<i64>(1)?).unwrap_or(0);
            let skipped = text.chars().count().saturating_sub(most);
            Ok(if from_left {
                text.chars().take(most).collect::<String>()
            } else {
                text.chars().skip(skipped).collect()
            })
        })?;
    }
    let name = user.to_owned();
    connection
        .create_scalar_function("redshift_current_user", 0, PURE, move |_| Ok(name.clone()))?;
    let name = database.to_owned();
    connection.create_scalar_function("redshift_database", 0, PURE, move |_| Ok(name.clone()))?;
    let now = clock.clone();
    connection.create_scalar_function(
        "redshift_now",
        0,
        FunctionFlags::SQLITE_UTF8,
        move |_| Ok(now.now().strftime("%Y-%m-%d %H:%M:%S").to_string()),
    )?;
    let now = clock.clone();
    connection.create_scalar_function("redshift_today", 0, FunctionFlags::SQLITE_UTF8, move |_| {
        Ok(now.now().strftime("%Y-%m-%d").to_string())
    })
}

fn failed(error: SqlError) -> Error {
    Error::UserFunctionError(Box::new(error))
}

fn cast(context: &Context<'_>) -> Result<Value> {
    let target: String = context.get(1)?;
    let tokens = tokenise(&target).map_err(failed)?;
    let ty = SqlType::read(&mut Cursor::new(&tokens)).map_err(failed)?;
    ty.coerce(context.get(0)?).map_err(failed)
}

fn round(context: &Context<'_>) -> Result<Value> {
    let places = if context.len() > 1 {
        context.get::<u32>(1)?
    } else {
        0
    };
    let Value::Real(x) = context.get::<Value>(0)? else {
        return context.get(0);
    };
    let rounded = Decimal::from_f64(x).and_then(|d| d.rescale(places));
    Ok(Value::Real(rounded.map_or(x, Decimal::to_f64)))
}

/// `text ILIKE pattern` arrives as `regexp(pattern, text)`.
fn ilike(context: &Context<'_>) -> Result<Option<bool>> {
    let pattern: Option<String> = context.get(0)?;
    let text: Option<String> = context.get(1)?;
    Ok(pattern.zip(text).map(|(pattern, text)| {
        like(
            &pattern.to_lowercase().chars().collect::<Vec<_>>(),
            &text.to_lowercase().chars().collect::<Vec<_>>(),
        )
    }))
}

/// LIKE's wildcards: `%` any text, `_` any character.
pub(crate) fn like(pattern: &[char], text: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['%', rest @ ..] => (0..=text.len()).any(|skip| like(rest, &text[skip..])),
        ['_', rest @ ..] => !text.is_empty() && like(rest, &text[1..]),
        [c, rest @ ..] => text.first() == Some(c) && like(rest, &text[1..]),
    }
}

fn moment(context: &Context<'_>) -> Result<Option<(String, jiff::civil::DateTime)>> {
    let part: String = context.get(0)?;
    let Some(text) = context.get::<Option<String>>(1)? else {
        return Ok(None);
    };
    let at = text.trim_end_matches("+00").parse().map_err(|_| {
        failed(SqlError::Other(format!(
            "invalid input syntax for type timestamp: \"{text}\""
        )))
    })?;
    Ok(Some((part.to_lowercase(), at)))
}

fn unknown_part(part: &str) -> Error {
    failed(SqlError::Other(format!(
        "timestamp units \"{part}\" not recognized"
    )))
}

fn date_part(context: &Context<'_>) -> Result<Option<i64>> {
    let Some((part, at)) = moment(context)? else {
        return Ok(None);
    };
    Ok(Some(match part.as_str() {
        "year" => at.year().into(),
        "quarter" => i64::from((at.month() - 1) / 3 + 1),
        "month" => at.month().into(),
        "day" => at.day().into(),
        "hour" => at.hour().into(),
        "minute" => at.minute().into(),
        "second" => at.second().into(),
        "dow" => at.weekday().to_sunday_zero_offset().into(),
        "doy" => at.day_of_year().into(),
        _ => return Err(unknown_part(&part)),
    }))
}

fn date_trunc(context: &Context<'_>) -> Result<Option<String>> {
    let Some((part, at)) = moment(context)? else {
        return Ok(None);
    };
    let date = at.date();
    let midnight = jiff::civil::Time::midnight();
    let truncated = match part.as_str() {
        "year" => date.first_of_year().to_datetime(midnight),
        "month" => date.first_of_month().to_datetime(midnight),
        "day" => date.to_datetime(midnight),
        "hour" => date.at(at.hour(), 0, 0, 0),
        "minute" => date.at(at.hour(), at.minute(), 0, 0),
        _ => return Err(unknown_part(&part)),
    };
    Ok(Some(format!("{} {}", truncated.date(), truncated.time())))
}

#[derive(Debug, Clone, Copy)]
enum Ending {
    Total,
    Average,
}

/// SUM and AVG: exact for integers and decimals.
struct Sum {
    ending: Ending,
}

/// What has been added up so far, exactly if every value is a short decimal, and as a
/// compensated floating-point sum for the rest.
struct Running {
    exact: Option<Decimal>,
    float: f64,
    lost: f64,
    count: i64,
    only_integers: bool,
}

impl Running {
    fn add(&mut self, value: ValueRef<'_>, removes: bool) -> Result<()> {
        let (decimal, float) = match value {
            ValueRef::Null => return Ok(()),
            #[expect(
                clippy::cast_precision_loss,
                reason = "the exact sum is kept beside it"
            )]
            ValueRef::Integer(i) => (Some(Decimal::from_integer(i)), i as f64),
            ValueRef::Real(r) => {
                self.only_integers = false;
                // More than ten decimals is what binary fractions look like, not prices.
                (Decimal::from_f64(r).filter(|d| d.decimals() <= 10), r)
            }
            ValueRef::Text(_) | ValueRef::Blob(_) => {
                return Err(failed(SqlError::Other(
                    "function sum(character varying) does not exist".to_owned(),
                )));
            }
        };
        let (decimal, float, one) = if removes {
            (decimal.map(Decimal::negated), -float, -1)
        } else {
            (decimal, float, 1)
        };
        self.exact = self.exact.zip(decimal).and_then(|(sum, d)| sum.plus(d));
        let sum = self.float + float;
        self.lost += if self.float.abs() >= float.abs() {
            (self.float - sum) + float
        } else {
            (float - sum) + self.float
        };
        self.float = sum;
        self.count += one;
        Ok(())
    }

    fn result(&self, ending: Ending) -> Result<Value> {
        if self.count == 0 {
            return Ok(Value::Null);
        }
        let total = self.exact.map_or(self.float + self.lost, Decimal::to_f64);
        if self.only_integers {
            let whole: i64 = self
                .exact
                .and_then(|sum| sum.to_string().parse().ok())
                .ok_or_else(|| failed(SqlError::Other("Numeric data overflow".to_owned())))?;
            return Ok(Value::Integer(match ending {
                Ending::Total => whole,
                Ending::Average => whole / self.count,
            }));
        }
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
        Ok(Value::Real(match ending {
            Ending::Total => total,
            Ending::Average => total / self.count as f64,
        }))
    }
}

impl RefUnwindSafe for Running {}
impl UnwindSafe for Running {}

impl Aggregate<Running, Value> for Sum {
    fn init(&self, _: &mut Context<'_>) -> Result<Running> {
        Ok(Running {
            exact: Some(Decimal::ZERO),
            float: 0.0,
            lost: 0.0,
            count: 0,
            only_integers: true,
        })
    }

    fn step(&self, context: &mut Context<'_>, running: &mut Running) -> Result<()> {
        running.add(context.get_raw(0), false)
    }

    fn finalize(&self, _: &mut Context<'_>, running: Option<Running>) -> Result<Value> {
        running.map_or(Ok(Value::Null), |running| running.result(self.ending))
    }
}

impl WindowAggregate<Running, Value> for Sum {
    fn value(&self, running: Option<&mut Running>) -> Result<Value> {
        running.map_or(Ok(Value::Null), |running| running.result(self.ending))
    }

    fn inverse(&self, context: &mut Context<'_>, running: &mut Running) -> Result<()> {
        running.add(context.get_raw(0), true)
    }
}
