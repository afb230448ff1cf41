//! One record written: checked against its entity, if the application has one of that name. A
//! destination without entities of its own (a warehouse table, a domain) takes whatever comes.

use jiff::Timestamp;
use serde_json::{Number, Value};

use super::data::{Entity, Field, Kind, Role};
use crate::{
    tasks::{
        apply::Record,
        filter::{instant, text},
    },
    wire::iso,
};

/// `writeOperationType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Insert,
    Update,
    Upsert,
    Delete,
}

impl Operation {
    /// INSERT is the default.
    pub(crate) fn of(word: Option<&str>) -> Self {
        match word {
            Some("UPDATE") => Self::Update,
            Some("UPSERT") => Self::Upsert,
            Some("DELETE") => Self::Delete,
            _ => Self::Insert,
        }
    }
}

/// How records are written.
#[derive(Debug, Clone)]
pub(crate) struct Write<'a> {
    pub(crate) operation: Operation,
    /// Fields that find the record; none for the entity's key.
    pub(crate) ids: Vec<&'a str>,
    pub(crate) stop: bool,
    pub(crate) now: Timestamp,
}

pub(super) fn one(
    entity: Option<&Entity>,
    kept: &mut Vec<Record>,
    asked: &Write<'_>,
    record: &Record,
) -> Result<(), String> {
    let Some(entity) = entity else {
        kept.push(record.clone());
        return Ok(());
    };
    let fitted = fit(entity, record)?;
    let ids = if asked.ids.is_empty() {
        vec![entity.fields[0].name]
    } else {
        asked.ids.clone()
    };
    let named = ids
        .iter()
        .all(|id| fitted.get(*id).is_some_and(|v| !v.is_null()));
    let found = named.then(|| {
        let same = |other: &Record| ids.iter().all(|id| other.get(*id) == fitted.get(*id));
        kept.iter().position(same)
    });
    match (asked.operation, found.flatten()) {
        (Operation::Insert, None) => create(entity, kept, asked, fitted),
        (Operation::Insert, Some(_)) => Err("a record with this key exists".to_owned()),
        (_, _) if !named => Err(format!("{} is missing", ids.join(", "))),
        (Operation::Upsert, None) => create(entity, kept, asked, fitted),
        (Operation::Update | Operation::Delete, None) => {
            Err("the record does not exist".to_owned())
        }
        (Operation::Delete, Some(at)) => {
            kept.remove(at);
            Ok(())
        }
        (Operation::Update | Operation::Upsert, Some(at)) => {
            kept[at].extend(fitted);
            touch(entity, &mut kept[at], asked.now);
            Ok(())
        }
    }
}

fn create(
    entity: &Entity,
    kept: &mut Vec<Record>,
    asked: &Write<'_>,
    mut fitted: Record,
) -> Result<(), String> {
    let mut made = Record::new();
    for field in entity.fields {
        let mut value = fitted.remove(field.name).unwrap_or_default();
        if value.is_null() {
            match field.role {
                Role::Key => value = Value::from(format!("new-{}", kept.len() + 1)),
                Role::Required => return Err(format!("the field {} is required", field.name)),
                Role::Optional | Role::Changed => {}
            }
        }
        made.insert(field.name.to_owned(), value);
    }
    touch(entity, &mut made, asked.now);
    kept.push(made);
    Ok(())
}

fn touch(entity: &Entity, record: &mut Record, now: Timestamp) {
    if let Some(field) = entity.timestamp() {
        record.insert(field.to_owned(), Value::from(iso(now)));
    }
}

/// The record's values as the fields have them.
fn fit(entity: &Entity, record: &Record) -> Result<Record, String> {
    record
        .iter()
        .map(|(name, value)| {
            let field = entity
                .field(name)
                .ok_or_else(|| format!("there is no field {name}"))?;
            let value = fitted(field, value)
                .ok_or_else(|| format!("{value} is no value for the field {name}"))?;
            Ok((name.clone(), value))
        })
        .collect()
}

fn fitted(field: &Field, value: &Value) -> Option<Value> {
    let Some(read) = text(value) else {
        return Some(Value::Null);
    };
    match field.kind {
        Kind::Text => Some(Value::from(read)),
        Kind::Whole => read.parse::<i64>().ok().map(Value::from),
        Kind::Decimal => serde_json::from_str::<Number>(&read)
            .ok()
            .map(Value::Number),
        Kind::Boolean => read.parse::<bool>().ok().map(Value::from),
        Kind::Time => instant(&read).map(|_| Value::from(read)),
    }
}
