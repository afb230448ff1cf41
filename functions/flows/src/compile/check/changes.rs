//! Rules for transforms and validations (flow-model section 3).

use std::collections::HashSet;

use super::{
    Faults,
    mappings::{Fields, unchanged},
    text,
};
use crate::model::{FlowDefinition, Mask, MaskPart, Transform};

pub(super) fn check(faults: &mut Faults, definition: &FlowDefinition, fields: &Fields<'_>) {
    if let Some((code, detail)) = unchanged(&definition.source) {
        for (member, given) in [
            ("transforms", definition.transforms.is_empty()),
            ("validations", definition.validations.is_empty()),
        ] {
            if !given {
                faults.add(format!("/{member}"), code, &*detail);
            }
        }
    }
    transforms(faults, definition, fields);
    validations(faults, definition, fields);
}

fn transforms(faults: &mut Faults, definition: &FlowDefinition, fields: &Fields<'_>) {
    let mut changed = HashSet::new();
    for (index, transform) in definition.transforms.iter().enumerate() {
        let pointer = format!("/transforms/{index}/field");
        text::source_field(faults, &pointer, transform.field());
        // A mask on a misspelt field would let the value through unmasked.
        if !fields.reads(transform.field()) {
            faults.add(
                &pointer,
                "not_mapped",
                "No mapping brings this source field.",
            );
        }
        let masks = matches!(transform, Transform::Mask(_));
        if !changed.insert((transform.field(), masks)) {
            faults.add(
                pointer,
                "repeated",
                if masks {
                    "Another mask covers this field already."
                } else {
                    "The field is cut already."
                },
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

fn validations(faults: &mut Faults, definition: &FlowDefinition, fields: &Fields<'_>) {
    let filtered: HashSet<&String> = definition.filters.iter().map(|f| &f.field).collect();
    let mut asked = HashSet::new();
    for (index, validation) in definition.validations.iter().enumerate() {
        let pointer = format!("/validations/{index}/field");
        text::source_field(faults, &pointer, &validation.field);
        // A field that is not read is null in every record: the validation would drop them all.
        if !filtered.contains(&validation.field) && !fields.reads(&validation.field) {
            faults.add(
                &pointer,
                "not_mapped",
                "No mapping and no filter reads this source field.",
            );
        }
        if !asked.insert((&validation.field, validation.must)) {
            faults.add(
                format!("/validations/{index}/must"),
                "repeated",
                "Another validation asks the same of this field.",
            );
        }
    }
}
