//! Reading evaluated properties: whatever is not asked for and not declared irrelevant is a fault.

use serde_json::{Map, Value};

use super::{evaluate::scalar_text, fault::Faults, yaml::below};

/// The properties of one thing, and its place in the template.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    pub(crate) at: &'a str,
    map: Option<&'a Map<String, Value>>,
    faults: &'a Faults,
}

impl<'a> Fields<'a> {
    /// Takes a mapping; refuses properties that are in neither list.
    pub(crate) fn new(
        at: &'a str,
        value: &'a Value,
        understood: &[&str],
        irrelevant: &[&str],
        faults: &'a Faults,
    ) -> Self {
        let map = match value {
            Value::Object(map) => Some(map),
            Value::Null => None,
            _ => {
                faults.add(at, "not a mapping");
                None
            }
        };
        for key in map.into_iter().flat_map(Map::keys) {
            if !understood.contains(&key.as_str()) && !irrelevant.contains(&key.as_str()) {
                faults.add(
                    &below(at, key),
                    "a property that the sandbox does not understand",
                );
            }
        }
        Self { at, map, faults }
    }

    pub(crate) fn fault(&self, what: impl Into<String>) {
        self.faults.add(self.at, what);
    }

    pub(crate) fn value(&self, key: &str) -> Option<&'a Value> {
        self.map?.get(key).filter(|value| !value.is_null())
    }

    pub(crate) fn text(&self, key: &str) -> Option<String> {
        let text = scalar_text(self.value(key)?);
        if text.is_none() {
            self.faults.add(&below(self.at, key), "not a text");
        }
        text
    }

    pub(crate) fn required(&self, key: &str) -> String {
        self.text(key).unwrap_or_else(|| {
            self.faults.add(&below(self.at, key), "is required");
            String::new()
        })
    }

    pub(crate) fn number(&self, key: &str) -> Option<u32> {
        let number = self.text(key)?.parse().ok();
        if number.is_none() {
            self.faults.add(&below(self.at, key), "not a whole number");
        }
        number
    }

    pub(crate) fn flag(&self, key: &str) -> Option<bool> {
        let flag = self.text(key)?.parse().ok();
        if flag.is_none() {
            self.faults
                .add(&below(self.at, key), "neither true nor false");
        }
        flag
    }

    pub(crate) fn list(&self, key: &str) -> Vec<String> {
        match self.value(key) {
            None => Vec::new(),
            Some(Value::Array(items)) => items.iter().filter_map(scalar_text).collect(),
            Some(_) => {
                self.faults.add(&below(self.at, key), "not a list");
                Vec::new()
            }
        }
    }
}
