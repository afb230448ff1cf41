//! The metadata cache: what the SaaS said about its objects, for an hour.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

const LIFETIME: SignedDuration = SignedDuration::from_hours(1);

/// Answers by profile and entity; no entity is the list of entities.
#[derive(Debug, Default)]
pub(crate) struct MetadataCache(HashMap<(String, Option<String>), (Value, Timestamp)>);

impl MetadataCache {
    pub(crate) fn get(&self, profile: &str, entity: Option<&str>, now: Timestamp) -> Option<Value> {
        let key = (profile.to_owned(), entity.map(str::to_owned));
        let (value, until) = self.0.get(&key)?;
        (*until > now).then(|| value.clone())
    }

    pub(crate) fn put(
        &mut self,
        profile: &str,
        entity: Option<&str>,
        value: Value,
        now: Timestamp,
    ) {
        let key = (profile.to_owned(), entity.map(str::to_owned));
        self.0.insert(key, (value, now + LIFETIME));
    }

    /// Forgets one entity's fields, or without an entity the list of names.
    pub(crate) fn reset(&mut self, profile: &str, entity: Option<&str>) {
        self.0
            .remove(&(profile.to_owned(), entity.map(str::to_owned)));
    }

    /// Forgets everything of a profile that changed.
    pub(crate) fn forget(&mut self, profile: &str) {
        self.0.retain(|(name, _), _| name != profile);
    }
}
