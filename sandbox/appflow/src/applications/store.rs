//! The records of every profile, in memory.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{Owner, Write, find, write};
use crate::tasks::apply::Record;

type ByEntity = BTreeMap<String, Vec<Record>>;

/// All applications.
#[derive(Debug, Default)]
pub(crate) struct Applications(Mutex<BTreeMap<Owner, ByEntity>>);

impl Applications {
    fn look(&self) -> MutexGuard<'_, BTreeMap<Owner, ByEntity>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The records of an entity: the table's, until somebody changes them.
    pub(crate) fn records(&self, owner: &Owner, entity: &str) -> Vec<Record> {
        let kept = self.look().get(owner).and_then(|e| e.get(entity)).cloned();
        kept.unwrap_or_else(|| first(entity))
    }

    /// Replaces the records of an entity.
    pub(crate) fn set(&self, owner: &Owner, entity: &str, records: Vec<Record>) {
        let mut all = self.look();
        let entities = all.entry(owner.clone()).or_default();
        entities.insert(entity.to_owned(), records);
    }

    /// Writes records in order, each with its own outcome; with `stop` none after a refused one.
    pub(crate) fn write(
        &self,
        owner: &Owner,
        entity: &str,
        asked: &Write<'_>,
        records: &[Record],
    ) -> Vec<Result<(), String>> {
        let mut all = self.look();
        let entities = all.entry(owner.clone()).or_default();
        let kept = entities
            .entry(entity.to_owned())
            .or_insert_with(|| first(entity));
        let mut outcomes = Vec::with_capacity(records.len());
        for record in records {
            let outcome = write::one(find(entity), kept, asked, record);
            let refused = outcome.is_err();
            outcomes.push(outcome);
            if refused && asked.stop {
                break;
            }
        }
        outcomes
    }
}

/// The table's records of an entity.
fn first(entity: &str) -> Vec<Record> {
    find(entity).map_or_else(Vec::new, |e| {
        // The table is part of the program; a test reads it whole.
        serde_json::from_str(e.records).unwrap_or_default()
    })
}
