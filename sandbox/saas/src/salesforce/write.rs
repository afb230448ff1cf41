//! Records made, changed and deleted through the API, each checked as Salesforce checks it.

mod cell;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{
    event::{ChangeType, Commit, of_change},
    org::Org,
    table::{Access, Cell, Object},
};
use cell::assign;

/// Why a record was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) fields: Vec<String>,
}

impl Refused {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            fields: Vec::new(),
        }
    }

    /// A good record of a request that another record spoiled.
    pub(super) fn undone() -> Self {
        Self::new(
            "ALL_OR_NONE_OPERATION_ROLLED_BACK",
            "Record rolled back because not all records were valid and the request was using \
             AllOrNone",
        )
    }

    fn field(code: &'static str, message: impl Into<String>, field: &str) -> Self {
        Self {
            fields: vec![field.to_owned()],
            ..Self::new(code, message)
        }
    }
}

/// What became of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) id: String,
    pub(super) created: bool,
}

type Outcome = Result<Written, Refused>;

/// One transaction on one object. Nothing is kept before [`Transaction::commit`].
pub(super) struct Transaction {
    object: Arc<Object>,
    rows: Vec<Vec<Cell>>,
    user_id: String,
    now: Timestamp,
    /// What was done, to which row, and how the row was before.
    done: Vec<(ChangeType, usize, Vec<Cell>)>,
}

impl Transaction {
    pub(super) fn new(
        object: Arc<Object>,
        rows: Vec<Vec<Cell>>,
        user_id: &str,
        now: Timestamp,
    ) -> Self {
        Self {
            object,
            rows,
            user_id: user_id.to_owned(),
            now,
            done: Vec::new(),
        }
    }

    /// Makes a record.
    pub(super) fn create(&mut self, org: &mut Org, record: &Map<String, Value>) -> Outcome {
        self.open()?;
        let mut row = vec![Cell::Null; self.object.fields.len()];
        assign(&self.object, record, &mut row)?;
        let missing: Vec<String> = self
            .object
            .fields
            .iter()
            .zip(&row)
            .filter(|(f, cell)| f.is_writable() && !f.nillable && **cell == Cell::Null)
            .map(|(f, _)| f.name.to_string())
            .collect();
        if !missing.is_empty() {
            return Err(Refused {
                fields: missing.clone(),
                ..Refused::new(
                    "REQUIRED_FIELD_MISSING",
                    format!("Required fields are missing: [{}]", missing.join(", ")),
                )
            });
        }
        self.refuse_duplicates(&row, None)?;
        let id = org.next_id(&self.object);
        self.set(&mut row, "Id", Cell::Text(id.clone()));
        self.set(&mut row, "CreatedDate", Cell::Time(self.now));
        self.set(&mut row, "LastModifiedDate", Cell::Time(self.now));
        self.set(&mut row, "IsDeleted", Cell::Bool(false));
        self.done
            .push((ChangeType::Create, self.rows.len(), Vec::new()));
        self.rows.push(row);
        Ok(Written { id, created: true })
    }

    /// Changes a record by id.
    pub(super) fn update(&mut self, id: &str, record: &Map<String, Value>) -> Outcome {
        self.open()?;
        let at = self.find(id)?;
        self.change(at, record)
    }

    /// Changes the record that has this value in the external id field, or makes it. The record's
    /// own `Id` serves too: with one it is an update, without one a creation.
    pub(super) fn upsert(
        &mut self,
        org: &mut Org,
        field: &str,
        record: &Map<String, Value>,
    ) -> Outcome {
        self.open()?;
        if field.eq_ignore_ascii_case("Id") {
            return match record.get("Id").and_then(Value::as_str) {
                Some(id) => self.update(id, record),
                None => self.create(org, record),
            };
        }
        let key = self
            .object
            .position(field)
            .filter(|at| self.object.fields[*at].access == Access::ExternalId)
            .ok_or_else(|| {
                let message = format!(
                    "Field name provided, {field} is not an External ID for {}",
                    self.object.name
                );
                Refused::field("INVALID_FIELD", message, field)
            })?;
        let name = self.object.fields[key].name.to_string();
        let value = record.get(&name).and_then(Value::as_str).unwrap_or("");
        if value.is_empty() {
            let message = format!("{name} not specified");
            return Err(Refused::field("MISSING_ARGUMENT", message, &name));
        }
        match self.holder(key, value, None) {
            Some(at) => self.change(at, record),
            None => self.create(org, record),
        }
    }

    /// Moves a record into the recycle bin.
    pub(super) fn delete(&mut self, id: &str) -> Outcome {
        self.open()?;
        let at = self.find(id)?;
        let before = self.rows[at].clone();
        let mut row = before.clone();
        self.set(&mut row, "IsDeleted", Cell::Bool(true));
        self.set(&mut row, "LastModifiedDate", Cell::Time(self.now));
        self.rows[at] = row;
        self.done.push((ChangeType::Delete, at, before));
        Ok(self.written(at))
    }

    /// Keeps what was done and tells subscribers.
    pub(super) fn commit(self, org: &mut Org) {
        if self.done.is_empty() {
            return;
        }
        let number = org.next_commit();
        for (sequence, (change, at, before)) in (1..).zip(&self.done) {
            let row = &self.rows[*at];
            let Some(Cell::Text(id)) = row.first() else {
                continue;
            };
            org.put(&self.object, id, row.clone());
            let commit = Commit {
                number,
                sequence,
                user_id: self.user_id.clone(),
                at: self.now,
            };
            let event = of_change(&self.object, *change, before, row, &commit);
            if let Some(event) = event.filter(|_| self.object.captured) {
                org.publish(event);
            }
        }
    }

    fn open(&self) -> Result<(), Refused> {
        if self.object.is_writable() {
            return Ok(());
        }
        Err(Refused::new(
            "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
            format!("entity type {} does not support writes", self.object.name),
        ))
    }

    fn change(&mut self, at: usize, record: &Map<String, Value>) -> Outcome {
        let before = self.rows[at].clone();
        let mut row = before.clone();
        assign(&self.object, record, &mut row)?;
        self.refuse_duplicates(&row, Some(at))?;
        self.set(&mut row, "LastModifiedDate", Cell::Time(self.now));
        self.rows[at] = row;
        self.done.push((ChangeType::Update, at, before));
        Ok(self.written(at))
    }

    fn written(&self, at: usize) -> Written {
        let id = match &self.rows[at][0] {
            Cell::Text(id) => id.clone(),
            _ => String::new(),
        };
        Written { id, created: false }
    }

    /// A live record by id, of 18 characters or the first 15 of them.
    fn find(&self, id: &str) -> Result<usize, Refused> {
        if !matches!(id.len(), 15 | 18) || !id.bytes().all(|b| b.is_ascii_alphanumeric()) {
            let message = format!("{} ID: id value of incorrect type: {id}", self.object.label);
            return Err(Refused::field("MALFORMED_ID", message, "Id"));
        }
        let at = self
            .rows
            .iter()
            .position(|row| matches!(&row[0], Cell::Text(known) if known.starts_with(id)))
            .ok_or_else(|| Refused::new("NOT_FOUND", "The requested resource does not exist"))?;
        if self.is_deleted(at) {
            return Err(Refused::new("ENTITY_IS_DELETED", "entity is deleted"));
        }
        Ok(at)
    }

    fn is_deleted(&self, at: usize) -> bool {
        let bin = self.object.position("IsDeleted");
        bin.is_some_and(|bin| self.rows[at][bin] == Cell::Bool(true))
    }

    /// The live record with this value in a field, but for one.
    fn holder(&self, field: usize, value: &str, except: Option<usize>) -> Option<usize> {
        (0..self.rows.len()).find(|at| {
            Some(*at) != except
                && matches!(&self.rows[*at][field], Cell::Text(known) if known.eq_ignore_ascii_case(value))
                && !self.is_deleted(*at)
        })
    }

    fn refuse_duplicates(&self, row: &[Cell], except: Option<usize>) -> Result<(), Refused> {
        for (at, field) in self.object.fields.iter().enumerate() {
            let (Access::ExternalId, Cell::Text(value)) = (field.access, &row[at]) else {
                continue;
            };
            if let Some(holder) = self.holder(at, value, except) {
                let message = format!(
                    "duplicate value found: {} duplicates value on record with id: {}",
                    field.name,
                    self.written(holder).id
                );
                return Err(Refused::field("DUPLICATE_VALUE", message, &field.name));
            }
        }
        Ok(())
    }

    fn set(&self, row: &mut [Cell], field: &str, cell: Cell) {
        if let Some(at) = self.object.position(field) {
            row[at] = cell;
        }
    }
}

#[cfg(test)]
mod tests;
