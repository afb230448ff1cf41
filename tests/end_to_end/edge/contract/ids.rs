//! Ids to fill requests with.

use std::collections::BTreeMap;

use serde_json::Value;

use super::table;

/// An id of each kind.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ids(BTreeMap<String, String>);

impl Ids {
    /// Well-formed ids of things that never were.
    pub(crate) fn unknown() -> Self {
        let document = super::document();
        let mut ids = Self::default();
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            let pattern = schema["pattern"].as_str().unwrap_or_default();
            if let Some(prefix) = pattern.strip_prefix('^').and_then(|p| p.split_once('_')) {
                let id = format!("{}_0193d3f0aaaa7bbb8cccdddddddddddd", prefix.0);
                ids.set(name, &id);
            }
        }
        for (kind, value) in table::UNKNOWN {
            ids.set(kind, value);
        }
        ids
    }

    /// Says what the id of a kind is.
    pub(crate) fn set(&mut self, kind: &str, id: &str) {
        self.0.insert(kind.to_owned(), id.to_owned());
    }

    /// The id of a kind. Of what is everybody's there is one value for all.
    pub(crate) fn get(&self, operation: &str, kind: &str) -> &str {
        if let Some(value) = table::everybodys(kind) {
            return value;
        }
        let id = self.0.get(kind);
        id.unwrap_or_else(|| panic!("{operation}: there is no {kind} to name"))
    }

    /// All ids, by kind.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(kind, id)| (kind.as_str(), id.as_str()))
    }

    /// A body from its sample, in which kinds stand in braces: `{"accountId":"{AccountId}"}`.
    pub(super) fn fill(&self, operation: &str, sample: &str) -> Value {
        let mut text = sample.to_owned();
        for (kind, id) in &self.0 {
            text = text.replace(&format!("\"{{{kind}}}"), &format!("\"{id}"));
        }
        assert!(
            !text.contains("\"{"),
            "{operation}: its body names what is not there: {text}"
        );
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{operation}: {error}: {text}"))
    }
}

impl std::ops::Index<&str> for Ids {
    type Output = str;

    fn index(&self, kind: &str) -> &str {
        self.get("a test", kind)
    }
}
