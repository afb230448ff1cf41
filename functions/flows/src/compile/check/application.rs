//! What both ends say of an application: object, version of its API, properties (flow-model
//! sections 5, 6 and 12).

use std::collections::BTreeMap;

use tributary::connector::{self, Connector};

use super::{Faults, text};

/// Entities that have a form of their own: whose, whether a text has it, and how to say it.
const FORMS: &[(&Connector, fn(&str) -> bool, &str)] = &[
    (
        &connector::GOOGLE_BIG_QUERY,
        |entity| {
            let parts: Vec<&str> = entity.split('/').collect();
            parts.len() == 4 && parts[0] == "table" && parts.iter().all(|part| !part.is_empty())
        },
        "Write table/<project>/<dataset>/<table>.",
    ),
    (
        &connector::HUBSPOT,
        |entity| entity.split('/').all(|part| !part.is_empty()),
        "Write the entity's parts joined by single slashes, like crm/objects/contacts.",
    ),
    (&connector::JDBC, is_table, "Write <schema>.<table>."),
    (
        &connector::RDS_POSTGRESQL,
        is_table,
        "Write <schema>.<table>.",
    ),
    (
        &connector::SHARE_POINT,
        |site| {
            site.strip_prefix("sites/")
                .is_some_and(|name| !name.is_empty())
        },
        "Write sites/<name>.",
    ),
];

fn is_table(entity: &str) -> bool {
    let parts: Vec<&str> = entity.split('.').collect();
    parts.len() == 2 && parts.iter().all(|part| !part.is_empty())
}

/// What is read or written, under the member that the catalogue names.
pub(super) fn object(faults: &mut Faults, end: &str, row: &Connector, member: &str, value: &str) {
    let pointer = format!("{end}/{member}");
    match member {
        "prefix" => return text::prefix(faults, &pointer, value),
        "entity" | "site" => text::entity(faults, &pointer, value),
        _ => text::object(faults, &pointer, value),
    }
    let form = FORMS.iter().find(|(of, ..)| of.key == row.key);
    if let Some((_, has_form, detail)) = form
        && text::is_word(value, 1024)
        && !has_form(value)
    {
        faults.add(pointer, "invalid_entity", *detail);
    }
}

/// The version of the application's API.
pub(super) fn version(faults: &mut Faults, end: &str, row: &Connector, given: Option<&str>) {
    let pointer = format!("{end}/apiVersion");
    match (row.api_version, given) {
        (None, None) => {}
        (None, Some(_)) => faults.add(
            pointer,
            "not_offered",
            format!("Flows name no version of {}; leave it out.", row.label),
        ),
        (Some(version), None) => {
            if version.required && version.default.is_none() {
                let known = match version.known {
                    [] => "the connector's description lists them".to_owned(),
                    known => known.join(", "),
                };
                faults.add(
                    pointer,
                    "required",
                    format!("Name a version of {}: {known}.", row.label),
                );
            }
        }
        (Some(_), Some(version)) => {
            if !text::is_word(version, 256) {
                faults.add(
                    pointer,
                    "invalid_version",
                    "1 to 256 characters without blanks.",
                );
            }
        }
    }
}

/// What else a connector wants to know.
pub(super) fn properties(faults: &mut Faults, end: &str, given: &BTreeMap<String, String>) {
    if given.len() > 50 {
        faults.add(format!("{end}/properties"), "too_many", "50 at most.");
    }
    for (name, value) in given {
        let pointer = format!("{end}/properties/{}", text::escaped(name));
        let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !(1..=128).contains(&name.len()) || !plain {
            faults.add(
                &pointer,
                "invalid_key",
                "A name has 1 to 128 letters, digits and underscores.",
            );
        }
        if !text::is_word(value, 2048) {
            faults.add(
                &pointer,
                "invalid_value",
                "A value has 1 to 2048 characters without blanks.",
            );
        }
    }
}
