//! Rules for mappings, transforms and validations (flow-model section 3).

use std::collections::BTreeSet;

use super::{Faults, text};
use crate::model::{FlowDefinition, Mapping, Mask, MaskPart, Transform};

/// Longest value of a task property.
const PROPERTY_LIMIT: usize = 2048;

pub(super) fn mappings(faults: &mut Faults, mappings: &[Mapping]) {
    if mappings.is_empty() {
        faults.add("/mappings", "required", "Bring at least one field.");
    }
    let mut targets = BTreeSet::new();
    let mut all = 0;
    for (index, mapping) in mappings.iter().enumerate() {
        match mapping {
            Mapping::All(fields) => {
                all += 1;
                if all > 1 {
                    faults.add(
                        format!("/mappings/{index}"),
                        "repeated",
                        "One mapping of all fields is enough.",
                    );
                }
                for (position, field) in fields.exclude.iter().enumerate() {
                    let pointer = format!("/mappings/{index}/exclude/{position}");
                    text::source_field(faults, &pointer, field);
                }
                let list = serde_json::to_string(&fields.exclude).unwrap_or_default();
                if list.chars().count() > PROPERTY_LIMIT {
                    faults.add(
                        format!("/mappings/{index}/exclude"),
                        "too_long",
                        "The excluded names together are longer than AppFlow takes; map the fields you want instead.",
                    );
                }
            }
            Mapping::Field(field) => {
                text::source_field(faults, &format!("/mappings/{index}/from"), &field.from);
                text::destination_field(faults, &format!("/mappings/{index}/to"), &field.to);
                for (name, data_type) in
                    [("fromType", &field.from_type), ("toType", &field.to_type)]
                {
                    if let Some(data_type) = data_type {
                        text::data_type(faults, &format!("/mappings/{index}/{name}"), data_type);
                    }
                }
            }
            Mapping::Concatenate(_) | Mapping::Calculate(_) => {}
        }
        if let Some(target) = mapping.target()
            && !targets.insert(target)
        {
            faults.add(
                format!("/mappings/{index}/to"),
                "repeated",
                "Another mapping fills this field already.",
            );
        }
    }
}

pub(super) fn transforms(faults: &mut Faults, definition: &FlowDefinition) {
    for (index, transform) in definition.transforms.iter().enumerate() {
        let pointer = format!("/transforms/{index}/field");
        text::source_field(faults, &pointer, transform.field());
        // A mask on a misspelt field would let the value through unmasked.
        if !is_mapped(&definition.mappings, transform.field()) {
            faults.add(
                &pointer,
                "not_mapped",
                "No mapping brings this source field.",
            );
        }
        match transform {
            Transform::Mask(rule) => mask(faults, index, rule),
            Transform::Truncate(rule) => {
                if rule.length == 0 {
                    faults.add(
                        format!("/transforms/{index}/length"),
                        "out_of_range",
                        "At least 1 character.",
                    );
                }
            }
        }
    }
}

fn mask(faults: &mut Faults, index: usize, mask: &Mask) {
    let pointer = format!("/transforms/{index}/length");
    match (mask.part, mask.length) {
        (MaskPart::All, Some(_)) => faults.add(
            pointer,
            "not_for_all",
            "A full mask has no length; leave it out.",
        ),
        (MaskPart::First | MaskPart::Last, None) => {
            faults.add(pointer, "required", "How many characters are masked?");
        }
        (MaskPart::First | MaskPart::Last, Some(0)) => {
            faults.add(pointer, "out_of_range", "At least 1 character.");
        }
        (MaskPart::All, None) | (MaskPart::First | MaskPart::Last, Some(_)) => {}
    }
    if let Some(with) = &mask.with
        && (with.encode_utf16().count() != 1 || with.chars().any(char::is_control))
    {
        faults.add(
            format!("/transforms/{index}/with"),
            "one_character",
            "A mask is one character.",
        );
    }
}

pub(super) fn validations(faults: &mut Faults, definition: &FlowDefinition) {
    for (index, validation) in definition.validations.iter().enumerate() {
        let pointer = format!("/validations/{index}/field");
        text::source_field(faults, &pointer, &validation.field);
        let filtered = definition
            .filters
            .iter()
            .any(|filter| filter.field == validation.field);
        // A field that is not read is null in every record: the validation would drop them all.
        if !filtered && !is_mapped(&definition.mappings, &validation.field) {
            faults.add(
                &pointer,
                "not_mapped",
                "No mapping and no filter reads this source field.",
            );
        }
    }
}

fn is_mapped(mappings: &[Mapping], field: &str) -> bool {
    mappings.iter().any(|mapping| match mapping {
        Mapping::All(all) => !all.exclude.iter().any(|excluded| excluded == field),
        named => named.source_fields().any(|from| from == field),
    })
}
