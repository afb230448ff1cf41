//! What is done with records at the destination (flow-model section 9).

use std::collections::HashSet;

use super::{Faults, mappings::Fields, text};
use crate::model::{Destination, FlowDefinition, WriteOperation};

pub(super) fn check(faults: &mut Faults, definition: &FlowDefinition, fields: &Fields<'_>) {
    let Some((write, id_fields)) = chosen(&definition.destination) else {
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
        if !fields.fills(field) {
            faults.add(pointer, "not_mapped", "No mapping fills this field.");
        }
    }
}

/// What the flow says is done, where it has a choice.
fn chosen(destination: &Destination) -> Option<(WriteOperation, &[String])> {
    match destination {
        Destination::Salesforce(to) => Some((to.write, &to.id_fields)),
        Destination::Zendesk(to) => Some((to.write, &to.id_fields)),
        Destination::SapOData(to) => Some((to.write, &to.id_fields)),
        Destination::GoogleBigQuery(to)
        | Destination::HubSpot(to)
        | Destination::Jdbc(to)
        | Destination::RdsPostgreSql(to)
        | Destination::Custom(to) => Some((to.write, &to.id_fields)),
        Destination::S3(_)
        | Destination::Redshift(_)
        | Destination::Snowflake(_)
        | Destination::EventBridge(_)
        | Destination::Marketo(_)
        | Destination::CustomerProfiles(_)
        | Destination::Upsolver(_)
        | Destination::LookoutMetrics(_)
        | Destination::Honeycode(_) => None,
    }
}
