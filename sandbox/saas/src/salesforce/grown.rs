//! Objects that make an org as large as real ones are.

use std::borrow::Cow;

use super::table::{Field, Kind, Object, field};

/// So many custom objects; the first has `fields` fields, the others a handful.
pub(super) fn objects(count: usize, fields: usize) -> impl Iterator<Item = Object> {
    (1..=count).map(move |number| {
        let name = if number == 1 {
            "Wide__c".to_owned()
        } else {
            format!("Grown_{number:04}__c")
        };
        let label = name.trim_end_matches("__c").replace('_', " ");
        Object {
            plural: Cow::Owned(format!("{label} records")),
            name: Cow::Owned(name),
            label: Cow::Owned(label),
            prefix: "a99",
            fields: Cow::Owned(columns(if number == 1 { fields } else { 6 })),
            captured: false,
            rows: |_| Vec::new(),
        }
    })
}

/// The standard fields, then custom ones of every kind in turn.
fn columns(count: usize) -> Vec<Field> {
    const KINDS: [Kind; 5] = [
        Kind::Text(80),
        Kind::Int,
        Kind::Currency,
        Kind::Boolean,
        Kind::Datetime,
    ];
    let standard = [
        field("Id", "Record ID", Kind::Id, false),
        field("Name", "Name", Kind::Text(80), false),
        field("IsDeleted", "Deleted", Kind::Boolean, false),
        field(
            "LastModifiedDate",
            "Last Modified Date",
            Kind::Datetime,
            false,
        ),
    ];
    let custom = (1..).zip(KINDS.iter().cycle()).map(|(number, kind)| Field {
        name: Cow::Owned(format!("Field_{number:04}__c")),
        label: Cow::Owned(format!("Field {number}")),
        ..field("", "", *kind, true)
    });
    standard.into_iter().chain(custom).take(count).collect()
}
