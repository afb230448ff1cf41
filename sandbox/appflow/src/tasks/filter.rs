//! One condition of a flow, and its evaluation here when the source cannot evaluate it.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::Value;

use super::{one_field, property};
use crate::definition::Task;

/// `field op (value or value or ..)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) field: String,
    pub(crate) comparison: Comparison,
    pub(crate) data_type: String,
    /// One or more values; exactly lower and upper bound for `Between`.
    pub(crate) values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    /// Both bounds excluded.
    Between,
    Contains,
}

/// How values of a data type compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Number,
    Boolean,
    DateTime,
    Date,
}

impl Kind {
    /// The kind behind a connector's data type name.
    pub(crate) fn of(data_type: &str) -> Self {
        let name = data_type.trim_start_matches("Edm.").to_ascii_lowercase();
        match name.as_str() {
            "boolean" => Self::Boolean,
            "date" => Self::Date,
            "datetime" | "datetimeoffset" | "timestamp" | "glide_date_time" => Self::DateTime,
            "int" | "integer" | "long" | "short" | "double" | "float" | "decimal" | "currency"
            | "percent" | "number" | "biginteger" | "bigdecimal" | "int16" | "int32" | "int64"
            | "byte" | "single" => Self::Number,
            _ => Self::Text,
        }
    }
}

impl Filter {
    /// Reads a Filter task that is not a projection.
    pub(crate) fn of(task: &Task, operator: &str) -> Result<Self, String> {
        let comparison = match operator {
            "EQUAL_TO" => Comparison::Equal,
            "NOT_EQUAL_TO" => Comparison::NotEqual,
            "LESS_THAN" => Comparison::Less,
            "LESS_THAN_OR_EQUAL_TO" => Comparison::LessOrEqual,
            "GREATER_THAN" => Comparison::Greater,
            "GREATER_THAN_OR_EQUAL_TO" => Comparison::GreaterOrEqual,
            "BETWEEN" => Comparison::Between,
            "CONTAINS" => Comparison::Contains,
            other => {
                return Err(format!(
                    "The operator {other} is not valid for filtering tasks.  The task \
                     sourceConnectorType is FILTERING and the task operator is {other}"
                ));
            }
        };
        let needed = |name: &str| {
            property(task, name)
                .map(str::to_owned)
                .ok_or_else(|| format!("{name} is required for the operator {operator}"))
        };
        let values = if comparison == Comparison::Between {
            vec![needed("LOWER_BOUND")?, needed("UPPER_BOUND")?]
        } else if let Some(list) = property(task, "VALUES") {
            list.split(',').map(|v| v.trim().to_owned()).collect()
        } else {
            // A comma list in VALUE is one literal.
            vec![needed("VALUE")?]
        };
        let filter = Self {
            field: one_field(task)?.to_owned(),
            comparison,
            data_type: needed("DATA_TYPE")?,
            values,
        };
        if let Some(bad) = filter.values.iter().find(|v| !filter.readable(v)) {
            return Err(format!(
                "The value {bad} is not valid for the data type {}",
                filter.data_type
            ));
        }
        Ok(filter)
    }

    fn readable(&self, value: &str) -> bool {
        match Kind::of(&self.data_type) {
            Kind::Text => true,
            Kind::Number => value.parse::<f64>().is_ok_and(f64::is_finite),
            Kind::Boolean => matches!(value, "true" | "false"),
            Kind::DateTime | Kind::Date => instant(value).is_some(),
        }
    }

    /// Whether a record's value passes. Null equals nothing and passes only "not equal".
    pub(crate) fn passes(&self, value: &Value) -> bool {
        let kind = Kind::of(&self.data_type);
        let compared = |to: &str| compare(kind, value, to);
        match self.comparison {
            Comparison::NotEqual => !self
                .values
                .iter()
                .any(|v| compared(v) == Some(Ordering::Equal)),
            Comparison::Between => {
                compared(&self.values[0]) == Some(Ordering::Greater)
                    && compared(&self.values[1]) == Some(Ordering::Less)
            }
            Comparison::Contains => {
                text(value).is_some_and(|t| self.values.iter().any(|v| t.contains(v.as_str())))
            }
            _ => self.values.iter().any(|v| {
                compared(v).is_some_and(|order| match self.comparison {
                    Comparison::Less => order.is_lt(),
                    Comparison::LessOrEqual => order.is_le(),
                    Comparison::Greater => order.is_gt(),
                    Comparison::GreaterOrEqual => order.is_ge(),
                    _ => order.is_eq(),
                })
            }),
        }
    }
}

/// A filter's time: epoch milliseconds, or ISO 8601.
pub(crate) fn instant(value: &str) -> Option<Timestamp> {
    if let Ok(millis) = value.parse::<i64>() {
        return Timestamp::from_millisecond(millis).ok();
    }
    // Salesforce writes offsets as `+0000`.
    let iso = value
        .strip_suffix("+0000")
        .map_or_else(|| value.to_owned(), |local| format!("{local}Z"));
    iso.parse().ok().or_else(|| {
        let date: jiff::civil::Date = value.parse().ok()?;
        jiff::tz::TimeZone::UTC.to_timestamp(date.into()).ok()
    })
}

/// A value as text; null has none.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// A value as a number, whether it is one or spells one.
pub(crate) fn numeric(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
    .filter(|n: &f64| n.is_finite())
}

fn compare(kind: Kind, value: &Value, to: &str) -> Option<Ordering> {
    match kind {
        Kind::Number => numeric(value)?.partial_cmp(&to.parse().ok()?),
        Kind::DateTime | Kind::Date => Some(instant(&text(value)?)?.cmp(&instant(to)?)),
        Kind::Boolean | Kind::Text => Some(text(value)?.as_str().cmp(to)),
    }
}
