//! Condition keys of a request.

use std::collections::BTreeMap;

/// The condition keys that a request carries, and which keys exist at all in its kind of request.
/// Key names are compared without regard to case, as in IAM.
#[derive(Debug, Clone, Default)]
pub(crate) struct Context {
    known: Vec<String>,
    known_prefixes: Vec<String>,
    values: BTreeMap<String, Vec<String>>,
}

impl Context {
    /// A request in which exactly these keys can occur; a name that ends in `/` or `:` stands for
    /// all keys below it.
    pub(crate) fn with_known_keys(keys: &[&str]) -> Self {
        let (prefixes, exact) = keys
            .iter()
            .map(|key| key.to_ascii_lowercase())
            .partition(|key| key.ends_with(['/', ':']));
        Self {
            known: exact,
            known_prefixes: prefixes,
            values: BTreeMap::new(),
        }
    }

    /// Sets a key; a key without values counts as absent.
    pub(crate) fn set(&mut self, key: &str, values: impl IntoIterator<Item = String>) {
        let values: Vec<String> = values.into_iter().collect();
        if !values.is_empty() {
            self.values.insert(key.to_ascii_lowercase(), values);
        }
    }

    /// Values of a key of this kind of request, `None` when the request does not carry it.
    pub(super) fn get(&self, key: &str) -> Option<&[String]> {
        self.values
            .get(&key.to_ascii_lowercase())
            .map(Vec::as_slice)
    }

    /// Whether the key can occur in this kind of request.
    pub(super) fn knows(&self, key: &str) -> bool {
        let key = key.to_ascii_lowercase();
        self.known.contains(&key)
            || self
                .known_prefixes
                .iter()
                .any(|prefix| key.len() > prefix.len() && key.starts_with(prefix))
    }
}
