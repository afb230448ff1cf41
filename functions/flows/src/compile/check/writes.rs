//! What is done with records at the destination (flow-model section 9).

use std::collections::HashSet;

use super::{Faults, mappings::Fields, text};
use crate::model::{FlowDefinition, WriteOperation};

pub(super) fn check(faults: &mut Faults, definition: &FlowDefinition, fields: &Fields<'_>) {
    let Some((write, id_fields)) = definition.destination.writes() else {
        return;
    };
    let row = definition.destination.row();
    if !row.writes.contains(&write) {
        let offered = serde_json::json!(row.writes);
        faults.add(
            "/destination/write",
            "write_not_offered",
            format!("{} takes only {offered}.", row.label),
        );
    }
    // Ids with an insert tell nothing apart and harm nothing: AppFlow takes them, and so do we.
    if write != WriteOperation::Insert && id_fields.is_empty() {
        faults.add(
            "/destination/idFields",
            "required",
            "Name the fields by which the destination finds a record.",
        );
    }
    let mut seen = HashSet::new();
    for (position, field) in id_fields.iter().enumerate() {
        let pointer = format!("/destination/idFields/{position}");
        if !text::is_word(field, 128) {
            faults.add(
                &pointer,
                "invalid_field",
                "1 to 128 characters without blanks.",
            );
        }
        if !seen.insert(field) {
            faults.add(&pointer, "repeated", "Name each field once.");
        }
        // Without its id no record would be found: each would fail, or be added again.
        if write != WriteOperation::Insert && !fields.fills(field) {
            faults.add(pointer, "not_mapped", "No mapping fills this field.");
        }
    }
}
