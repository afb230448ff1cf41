//! Rules for mappings (flow-model section 3).

mod joined;

use std::collections::HashSet;

use super::{Faults, text};
use crate::model::{AllFields, FieldMapping, FlowDefinition, Mapping, Source};

/// Longest value of a task property.
const PROPERTY_LIMIT: usize = 2048;

pub(super) fn check(faults: &mut Faults, definition: &FlowDefinition, fields: &Fields<'_>) {
    let mappings = &definition.mappings;
    if mappings.is_empty() {
        faults.add("/mappings", "required", "Bring at least one field.");
    }
    let mut all = 0;
    for (index, mapping) in mappings.iter().enumerate() {
        offered(faults, index, mapping, &definition.source);
        match mapping {
            Mapping::All(every) => {
                all += 1;
                if all > 1 {
                    faults.add(
                        format!("/mappings/{index}"),
                        "repeated",
                        "One mapping of all fields is enough.",
                    );
                }
                excluded(faults, index, every);
            }
            Mapping::Field(field) => one(faults, index, field),
            Mapping::Concatenate(text) => joined::concatenation(faults, index, text),
            Mapping::Calculate(number) => joined::calculation(faults, index, number),
        }
    }
    targets(faults, mappings, fields);
    joined::names(faults, mappings);
}

/// Whether the source can be asked for this at all.
fn offered(faults: &mut Faults, index: usize, mapping: &Mapping, source: &Source) {
    let row = source.row();
    let pointer = format!("/mappings/{index}/type");
    let puts_together = matches!(mapping, Mapping::Concatenate(_) | Mapping::Calculate(_));
    if !row.projects && !matches!(mapping, Mapping::All(_)) {
        faults.add(
            pointer,
            "only_all_fields",
            format!("{} brings all fields together: the type is all.", row.label),
        );
    } else if puts_together && let Some((code, detail)) = unchanged(source) {
        faults.add(pointer, code, detail);
    }
}

/// Why values from this source stay as they are, where they do.
pub(super) fn unchanged(source: &Source) -> Option<(&'static str, String)> {
    let row = source.row();
    if !row.changes_values {
        let detail = format!(
            "AppFlow changes and validates no values from {}; bring fields as they are.",
            row.label
        );
        return Some(("changes_not_offered", detail));
    }
    matches!(source, Source::Veeva(veeva) if veeva.brings_documents()).then(|| {
        (
            "not_for_documents",
            "AppFlow changes and validates nothing of Veeva's documents.".to_owned(),
        )
    })
}

fn excluded(faults: &mut Faults, index: usize, fields: &AllFields) {
    let mut seen = HashSet::new();
    for (position, field) in fields.exclude.iter().enumerate() {
        let pointer = format!("/mappings/{index}/exclude/{position}");
        text::source_field(faults, &pointer, field);
        if !seen.insert(field) {
            faults.add(pointer, "repeated", "Name each field once.");
        }
    }
    if text::json_length(&fields.exclude) > PROPERTY_LIMIT {
        faults.add(
            format!("/mappings/{index}/exclude"),
            "too_long",
            "The excluded names together are longer than AppFlow takes; map the fields you want instead.",
        );
    }
}

fn one(faults: &mut Faults, index: usize, field: &FieldMapping) {
    text::source_field(faults, &format!("/mappings/{index}/from"), &field.from);
    text::destination_field(faults, &format!("/mappings/{index}/to"), &field.to);
    for (name, data_type) in [("fromType", &field.from_type), ("toType", &field.to_type)] {
        if let Some(data_type) = data_type {
            text::data_type(faults, &format!("/mappings/{index}/{name}"), data_type);
        }
    }
}

/// Each field of the destination is filled once. A mapping of all fields fills those that the flow
/// shows to be the source's: others are unknown here.
fn targets(faults: &mut Faults, mappings: &[Mapping], fields: &Fields<'_>) {
    let mut filled = HashSet::new();
    for (index, mapping) in mappings.iter().enumerate() {
        let Some(target) = mapping.target() else {
            continue;
        };
        let pointer = format!("/mappings/{index}/to");
        if !filled.insert(target) {
            faults.add(
                pointer,
                "repeated",
                "Another mapping fills this field already.",
            );
        } else if fields.named.contains(target.as_str()) && fields.comes_with_all(target) {
            faults.add(
                pointer,
                "repeated",
                "The mapping of all fields fills this field already; exclude it there.",
            );
        }
    }
}

/// What the mappings read and fill, as far as can be known here.
pub(super) struct Fields<'f> {
    everything: bool,
    excluded: HashSet<&'f str>,
    named: HashSet<&'f str>,
    targets: HashSet<&'f str>,
}

impl<'f> Fields<'f> {
    pub(super) fn of(mappings: &'f [Mapping]) -> Self {
        let all = || {
            mappings.iter().filter_map(|mapping| match mapping {
                Mapping::All(all) => Some(all),
                _ => None,
            })
        };
        let named = mappings.iter().flat_map(Mapping::source_fields);
        let targets = mappings.iter().filter_map(Mapping::target);
        Self {
            everything: all().next().is_some(),
            excluded: all()
                .flat_map(|all| &all.exclude)
                .map(String::as_str)
                .collect(),
            named: named.map(String::as_str).collect(),
            targets: targets.map(String::as_str).collect(),
        }
    }

    fn comes_with_all(&self, field: &str) -> bool {
        self.everything && !self.excluded.contains(field)
    }

    /// Whether a mapping reads this field of the source.
    pub(super) fn reads(&self, field: &str) -> bool {
        self.named.contains(field) || self.comes_with_all(field)
    }

    /// Whether a mapping fills this field of the destination.
    pub(super) fn fills(&self, field: &str) -> bool {
        self.targets.contains(field) || self.comes_with_all(field)
    }
}
