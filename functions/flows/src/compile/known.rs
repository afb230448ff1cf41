//! What is known of the objects at both ends, and what a flow says that it contradicts. No I/O.

mod closest;
mod field;
mod words;

use std::collections::BTreeMap;

use tributary::{
    connector::{Comparison, WriteOperation},
    error::Fault,
};

pub use field::{Bounds, Field, FieldClass, example};
pub use words::{comparisons, writes};

use crate::model::{FlowDefinition, Mapping, Trigger};

/// The fields of the objects at a flow's ends, where they could be asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// Of the source's object.
    pub source: Option<&'a [Field]>,
    /// Of the destination's object.
    pub destination: Option<&'a [Field]>,
}

/// Everything in a flow that the fields of its objects contradict.
///
/// Codes: `unknown_field`, `wrong_field_type`, `operator_not_offered`, `not_filterable`,
/// `not_for_incremental`, `write_not_offered`, `not_an_id_field`.
pub fn unknown_fields(definition: &FlowDefinition, known: Known<'_>) -> Vec<Fault> {
    let mut faults = Vec::new();
    if let Some(fields) = known.source {
        source(&mut faults, definition, &Names::of(fields, "source"));
    }
    if let Some(fields) = known.destination {
        destination(&mut faults, definition, &Names::of(fields, "destination"));
    }
    faults
}

/// Fields by their names.
struct Names<'a> {
    fields: BTreeMap<&'a str, &'a Field>,
    end: &'static str,
}

impl<'a> Names<'a> {
    fn of(fields: &'a [Field], end: &'static str) -> Self {
        let fields = fields.iter().map(|field| (field.name.as_str(), field));
        Self {
            fields: fields.collect(),
            end,
        }
    }

    /// The field, or the fault that it is not there.
    fn find(&self, faults: &mut Vec<Fault>, pointer: &str, name: &str) -> Option<&'a Field> {
        let found = self.fields.get(name).copied().or_else(|| self.part(name));
        if found.is_none() {
            let meant = closest::closest(name, self.fields.keys().copied());
            let meant = meant.map_or_else(String::new, |meant| format!(" Is {meant} meant?"));
            let detail = format!("The {} has no field {name}.{meant}", self.end);
            faults.push(Fault::new(pointer, "unknown_field", detail));
        }
        found
    }

    /// A part of a field, named `parent.part` where the application names it `part`.
    fn part(&self, name: &str) -> Option<&'a Field> {
        let (parent, part) = name.rsplit_once('.')?;
        let field = self.fields.get(part).copied();
        field.filter(|field| field.parent.as_deref() == Some(parent))
    }
}

fn source(faults: &mut Vec<Fault>, definition: &FlowDefinition, names: &Names<'_>) {
    for (index, mapping) in definition.mappings.iter().enumerate() {
        let at = |member: &str| format!("/mappings/{index}/{member}");
        for (member, name) in mapping.named_fields() {
            let found = names.find(faults, &at(&member), name);
            if let (Some(field), Mapping::Field(one)) = (found, mapping)
                && let Some(given) = &one.from_type
            {
                kind(faults, at("fromType"), field, given);
            }
        }
        if let Mapping::All(all) = mapping {
            for (position, name) in all.exclude.iter().enumerate() {
                names.find(faults, &at(&format!("exclude/{position}")), name);
            }
        }
    }
    for (index, filter) in definition.filters.iter().enumerate() {
        let at = |member: &str| format!("/filters/{index}/{member}");
        if let Some(field) = names.find(faults, &at("field"), &filter.field) {
            kind(faults, at("fieldType"), field, &filter.field_type);
            comparison(faults, at("operator"), field, filter.operator);
        }
    }
    for (index, transform) in definition.transforms.iter().enumerate() {
        names.find(
            faults,
            &format!("/transforms/{index}/field"),
            transform.field(),
        );
    }
    for (index, rule) in definition.validations.iter().enumerate() {
        names.find(faults, &format!("/validations/{index}/field"), &rule.field);
    }
    if let Trigger::Scheduled(scheduled) = &definition.trigger
        && let Some(name) = &scheduled.timestamp_field
    {
        let pointer = "/trigger/timestampField";
        let field = names.find(faults, pointer, name);
        let goes = |field: &Field| field.timestamp_for_incremental;
        // Applications that mark no field at all leave the choice to the flow.
        let marked: Vec<&str> = names
            .fields
            .values()
            .filter(|field| goes(field))
            .map(|field| field.name.as_str())
            .collect();
        if field.is_some_and(|field| !goes(field)) && !marked.is_empty() {
            let detail = format!("Incremental pulls go by one of: {}.", marked.join(", "));
            faults.push(Fault::new(pointer, "not_for_incremental", detail));
        }
    }
}

/// Types of one class stand in for each other: what is compared is written alike.
fn kind(faults: &mut Vec<Fault>, pointer: String, field: &Field, given: &str) {
    if let Some(kind) = field
        .kind
        .as_deref()
        .filter(|kind| FieldClass::of(kind) != FieldClass::of(given))
    {
        let detail = format!("The type of {} is {kind}.", field.name);
        faults.push(Fault::new(pointer, "wrong_field_type", detail));
    }
}

fn comparison(faults: &mut Vec<Fault>, pointer: String, field: &Field, given: Comparison) {
    if field.kind.is_none() || field.filter_operators.contains(&given) {
        return;
    }
    let (code, detail) = if field.filter_operators.is_empty() {
        (
            "not_filterable",
            format!("{} cannot be filtered.", field.name),
        )
    } else {
        let offered = serde_json::json!(field.filter_operators);
        (
            "operator_not_offered",
            format!("{} is compared only so: {offered}", field.name),
        )
    };
    faults.push(Fault::new(pointer, code, detail));
}

fn destination(faults: &mut Vec<Fault>, definition: &FlowDefinition, names: &Names<'_>) {
    for (index, mapping) in definition.mappings.iter().enumerate() {
        if let Some(name) = mapping.target() {
            names.find(faults, &format!("/mappings/{index}/to"), name);
        }
    }
    let Some((write, id_fields)) = definition.destination.writes() else {
        return;
    };
    let fields = || names.fields.values().copied();
    // Applications list no field for deletions, and some none for anything: then nothing is known.
    let judged =
        write != WriteOperation::Delete && fields().any(|field| !field.write_operations.is_empty());
    let takes =
        |field: &Field| field.write_operations.contains(&write) || field.id_for.contains(&write);
    if judged && !fields().any(takes) {
        let word = serde_json::json!(write);
        let detail = format!("No field of this object can be written with {word}.");
        faults.push(Fault::new(
            "/destination/write",
            "write_not_offered",
            detail,
        ));
    }
    let marked = fields().any(|field| field.id_for.contains(&write));
    for (position, name) in id_fields.iter().enumerate() {
        let pointer = format!("/destination/idFields/{position}");
        let found = names.find(faults, &pointer, name);
        if marked && found.is_some_and(|field| !field.id_for.contains(&write)) {
            let ids: Vec<&str> = fields()
                .filter(|field| field.id_for.contains(&write))
                .map(|field| field.name.as_str())
                .collect();
            let detail = format!("Records are told apart by: {}.", ids.join(", "));
            faults.push(Fault::new(pointer, "not_an_id_field", detail));
        }
    }
}

#[cfg(test)]
mod tests;
