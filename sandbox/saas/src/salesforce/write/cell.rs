//! JSON values as cells: a value that does not fit its field is refused.

use serde_json::{Map, Value};

use super::Refused;
use crate::salesforce::table::{Cell, Field, Kind, Object};

/// Writes a record's members over a row.
pub(super) fn assign(
    object: &Object,
    record: &Map<String, Value>,
    row: &mut [Cell],
) -> Result<(), Refused> {
    let members = record
        .iter()
        .filter(|(name, _)| *name != "attributes" && !name.eq_ignore_ascii_case("Id"));
    for (name, value) in members {
        let at = object.position(name).ok_or_else(|| {
            let message = format!("No such column '{name}' on sobject of type {}", object.name);
            Refused::field("INVALID_FIELD", message, name)
        })?;
        let field = &object.fields[at];
        if !field.is_writable() {
            let message = format!(
                "Unable to create/update fields: {name}. Please check the security settings of this field and verify that it is read/write for your profile or permission set."
            );
            return Err(Refused::field(
                "INVALID_FIELD_FOR_INSERT_UPDATE",
                message,
                name,
            ));
        }
        row[at] = cell(field, value)?;
    }
    Ok(())
}

fn cell(field: &Field, value: &Value) -> Result<Cell, Refused> {
    let name = field.name.as_ref();
    let wrong = || {
        let message = format!("{}: value not of required type: {value}", field.label);
        Refused::field("INVALID_TYPE_ON_FIELD_IN_RECORD", message, name)
    };
    // An empty text clears a field, as null does.
    if value.is_null() || value == "" {
        if field.nillable {
            return Ok(Cell::Null);
        }
        let message = format!("Required fields are missing: [{name}]");
        return Err(Refused::field("REQUIRED_FIELD_MISSING", message, name));
    }
    match field.kind {
        Kind::Text(_) | Kind::Email => {
            let text = value.as_str().ok_or_else(wrong)?;
            let longest = field.kind.length() as usize;
            if text.chars().count() > longest {
                let message = format!(
                    "{}: data value too large: {text} (max length={longest})",
                    field.label
                );
                return Err(Refused::field("STRING_TOO_LONG", message, name));
            }
            if field.kind == Kind::Email && !text.contains('@') {
                let message = format!("{}: invalid email address: {text}", field.label);
                return Err(Refused::field("INVALID_EMAIL_ADDRESS", message, name));
            }
            Ok(Cell::Text(text.to_owned()))
        }
        Kind::Boolean => value.as_bool().map(Cell::Bool).ok_or_else(wrong),
        Kind::Int => whole(value).map(Cell::Int).ok_or_else(wrong),
        Kind::Currency => cents(value).map(Cell::Cents).ok_or_else(wrong),
        Kind::Datetime => value
            .as_str()
            .and_then(|text| text.parse().ok())
            .map(Cell::Time)
            .ok_or_else(wrong),
        Kind::Id | Kind::Complex => Err(wrong()),
    }
}

fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| integer(value.as_f64()?))
}

/// Money, to the nearest cent.
fn cents(value: &Value) -> Option<i64> {
    integer((value.as_f64()? * 100.0).round())
}

/// A float without fraction as an integer; text in between, because a cast would hide overflow.
fn integer(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < 9e15)
        .then(|| format!("{number:.0}").parse().ok())
        .flatten()
}
