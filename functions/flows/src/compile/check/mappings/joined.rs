//! Rules for what is put together from several fields: AppFlow names the result by its parts,
//! joined by commas, and maps it under that name (flow-model section 3).

use std::collections::HashSet;

use super::{
    super::{Faults, text},
    PROPERTY_LIMIT,
};
use crate::model::{Calculation, Concatenation, Mapping};

/// Longest name of a result, which is a destination field on the way.
const NAME_LIMIT: usize = 256;

pub(super) fn concatenation(faults: &mut Faults, index: usize, given: &Concatenation) {
    let at = |member: &str| format!("/mappings/{index}/{member}");
    let mut seen = HashSet::new();
    for (position, field) in given.from.iter().enumerate() {
        let pointer = at(&format!("from/{position}"));
        part(faults, &pointer, field);
        if !seen.insert(field) {
            faults.add(pointer, "repeated", "Name each field once.");
        }
    }
    if seen.len() < 2 {
        faults.add(at("from"), "too_few", "Name at least two fields.");
    }
    name_length(faults, at("from"), given.from.iter());
    let format = text::length(&given.format);
    if !(1..=PROPERTY_LIMIT).contains(&format) || given.format.chars().any(char::is_control) {
        faults.add(
            at("format"),
            "invalid_format",
            "1 to 2048 characters, no control characters, like ${FirstName} ${LastName}.",
        );
    }
    text::destination_field(faults, &at("to"), &given.to);
    text::data_type(faults, &at("toType"), &given.to_type);
}

pub(super) fn calculation(faults: &mut Faults, index: usize, given: &Calculation) {
    let at = |member: &str| format!("/mappings/{index}/{member}");
    part(faults, &at("left"), &given.left);
    part(faults, &at("right"), &given.right);
    name_length(faults, at("right"), [&given.left, &given.right].into_iter());
    text::destination_field(faults, &at("to"), &given.to);
    text::data_type(faults, &at("toType"), &given.to_type);
}

fn part(faults: &mut Faults, pointer: &str, field: &str) {
    text::source_field(faults, pointer, field);
    if field.contains(',') {
        faults.add(
            pointer,
            "comma_in_name",
            "AppFlow joins the names by commas: none may contain one.",
        );
    }
}

fn name_length<'f>(faults: &mut Faults, pointer: String, parts: impl Iterator<Item = &'f String>) {
    let joined: usize = parts.map(|part| text::length(part) + 1).sum();
    if joined > NAME_LIMIT + 1 {
        faults.add(
            pointer,
            "too_long",
            "Joined by commas the names have 256 characters at most.",
        );
    }
}

/// The name of a result is its own: no other result, field or target has it.
pub(super) fn names(faults: &mut Faults, mappings: &[Mapping]) {
    let mut taken: HashSet<String> = mappings
        .iter()
        .flat_map(|mapping| {
            let read = match mapping {
                Mapping::Field(field) => Some(&field.from),
                _ => None,
            };
            read.into_iter().chain(mapping.target())
        })
        .filter(|name| name.contains(','))
        .cloned()
        .collect();
    for (index, mapping) in mappings.iter().enumerate() {
        let (member, name) = match mapping {
            Mapping::Concatenate(text) => ("from", text.from.join(",")),
            Mapping::Calculate(number) => ("left", format!("{},{}", number.left, number.right)),
            Mapping::All(_) | Mapping::Field(_) => continue,
        };
        if !taken.insert(name) {
            faults.add(
                format!("/mappings/{index}/{member}"),
                "parts_repeated",
                "Another mapping has the same fields in this order, or a field the name of them joined by commas; AppFlow would take one for the other.",
            );
        }
    }
}
