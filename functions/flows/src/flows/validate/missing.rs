//! Which fields a flow uses that its source does not have.

use std::collections::BTreeSet;

use crate::model::{FlowDefinition, Trigger};

/// Pointer and name of each source field that is not among the known ones.
pub(super) fn missing(flow: &FlowDefinition, known: &BTreeSet<String>) -> Vec<(String, String)> {
    let mapped = flow
        .mappings
        .iter()
        .enumerate()
        .flat_map(|(index, mapping)| {
            let named = mapping.named_fields().into_iter();
            named.map(move |(member, field)| (format!("/mappings/{index}/{member}"), field))
        });
    let filtered = flow
        .filters
        .iter()
        .enumerate()
        .map(|(index, filter)| (format!("/filters/{index}/field"), &filter.field));
    let changed = flow
        .transforms
        .iter()
        .enumerate()
        .map(|(index, transform)| (format!("/transforms/{index}/field"), transform.field()));
    let validated = flow
        .validations
        .iter()
        .enumerate()
        .map(|(index, rule)| (format!("/validations/{index}/field"), &rule.field));
    let timestamp = match &flow.trigger {
        Trigger::Scheduled(scheduled) => scheduled.timestamp_field.as_ref(),
        Trigger::OnDemand(_) | Trigger::Event(_) => None,
    };
    mapped
        .chain(filtered)
        .chain(changed)
        .chain(validated)
        .chain(timestamp.map(|field| ("/trigger/timestampField".to_owned(), field)))
        .filter(|(_, field)| !known.contains(*field))
        .map(|(pointer, field)| (pointer, field.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::samples::{flow, full_flow};

    #[test]
    fn f5_each_use_of_a_deleted_field_is_named() {
        let known = ["Id", "Name"].map(str::to_owned).into();
        let definition = flow(|flow| {
            *flow = full_flow();
        });
        let found: Vec<String> = missing(&definition, &known)
            .into_iter()
            .map(|(pointer, field)| format!("{pointer} {field}"))
            .collect();
        assert!(
            found.contains(&"/mappings/2/from Email".to_owned()),
            "{found:?}"
        );
        assert!(
            found.contains(&"/transforms/0/field Email".to_owned()),
            "{found:?}"
        );
        assert!(!found.iter().any(|line| line.ends_with(" Id")), "{found:?}");
    }
}
