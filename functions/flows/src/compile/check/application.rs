//! What both ends say of an application: object, version of its API, properties (flow-model
//! sections 5, 6 and 12).

use std::collections::BTreeMap;

use tributary::connector::{self, Connector};

use super::{Faults, text};

/// A form that the entities of an application have.
struct Form {
    of: &'static Connector,
    has: fn(&str) -> bool,
    detail: &'static str,
}

const FORMS: &[Form] = &[
    Form {
        of: &connector::GOOGLE_BIG_QUERY,
        has: |entity| {
            let parts: Vec<&str> = entity.split('/').collect();
            parts.len() == 4 && parts[0] == "table" && parts.iter().all(|part| !part.is_empty())
        },
        detail: "Write table/<project>/<dataset>/<table>.",
    },
    Form {
        of: &connector::HUBSPOT,
        has: |entity| entity.split('/').all(|part| !part.is_empty()),
        detail: "Write the entity's parts joined by single slashes, like crm/objects/contacts.",
    },
    Form {
        of: &connector::JDBC,
        has: is_table,
        detail: "Write <schema>.<table>.",
    },
    Form {
        of: &connector::RDS_POSTGRESQL,
        has: is_table,
        detail: "Write <schema>.<table>.",
    },
    Form {
        of: &connector::SHARE_POINT,
        has: |site| {
            site.strip_prefix("sites/")
                .is_some_and(|name| !name.is_empty())
        },
        detail: "Write sites/<name>.",
    },
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
    if let Some(form) = FORMS.iter().find(|form| form.of.key == row.key)
        && text::is_word(value, 1024)
        && !(form.has)(value)
    {
        faults.add(pointer, "invalid_entity", form.detail);
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
