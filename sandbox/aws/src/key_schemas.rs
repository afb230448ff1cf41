//! The partition keys of tables and their indexes, remembered: a table never changes them.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use serde_json::Value;

/// Partition key by table ARN and index (empty for the table itself).
#[derive(Default)]
pub(crate) struct KeySchemas(Mutex<BTreeMap<(String, String), String>>);

impl KeySchemas {
    /// The partition key of a table or of one of its indexes, if it is known.
    pub(crate) fn partition(&self, table: &str, index: Option<&str>) -> Option<String> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = (table.to_owned(), index.unwrap_or_default().to_owned());
        known.get(&place).cloned()
    }

    /// Remembers what `DescribeTable` says of a table.
    pub(crate) fn keep(&self, table: &str, described: &Value) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut keep = |index: &str, schema: &Value| {
            let elements = schema.as_array().into_iter().flatten();
            let mut hash = elements.filter(|element| element["KeyType"] == "HASH");
            if let Some(name) = hash.find_map(|element| element["AttributeName"].as_str()) {
                known.insert((table.to_owned(), index.to_owned()), name.to_owned());
            }
        };
        keep("", &described["KeySchema"]);
        for kind in ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"] {
            for index in described[kind].as_array().into_iter().flatten() {
                let name = index["IndexName"].as_str().unwrap_or_default();
                keep(name, &index["KeySchema"]);
            }
        }
    }
}
