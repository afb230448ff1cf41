//! Change Data Capture: what subscribers hear of changed records.

use std::borrow::Cow;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::table::{Cell, Field, Kind, Object, field};

/// An event for subscribers of a channel.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeEvent {
    /// `AccountChangeEvent`, or the name of a platform event.
    pub channel: String,
    /// What happened: `ChangeEventHeader` and the changed fields.
    pub detail: Value,
}

/// What was done to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChangeType {
    Create,
    Update,
    Delete,
}

/// Where a change was committed.
#[derive(Debug, Clone)]
pub(super) struct Commit {
    pub(super) number: u64,
    /// Position of the record in the transaction, from 1.
    pub(super) sequence: u64,
    pub(super) user_id: String,
    pub(super) at: Timestamp,
}

/// `AccountChangeEvent`, `City_Sales__ChangeEvent`.
pub(super) fn channel_name(object: &str) -> String {
    match object.strip_suffix("__c") {
        Some(custom) => format!("{custom}__ChangeEvent"),
        None => format!("{object}ChangeEvent"),
    }
}

/// The channel of an object's changes as an object of its own, which can be described.
pub(super) fn channel(object: &Object) -> Object {
    let mut fields = vec![
        field("Id", "Event ID", Kind::Id, true),
        field("ReplayId", "Replay ID", Kind::Text(255), true),
        field(
            "ChangeEventHeader",
            "Change Event Header",
            Kind::Complex,
            false,
        ),
    ];
    fields.extend(
        object
            .fields
            .iter()
            .filter(|f| is_carried(f))
            .map(|f| Field {
                nillable: true,
                access: super::table::Access::Read,
                ..f.clone()
            }),
    );
    Object {
        name: Cow::Owned(channel_name(&object.name)),
        label: Cow::Owned(format!("Change Event: {}", object.label)),
        plural: Cow::Owned(format!("Change Events: {}", object.label)),
        prefix: "",
        fields: Cow::Owned(fields),
        captured: false,
        rows: |_| Vec::new(),
    }
}

/// The id is in the header, and a deletion is told by its type.
fn is_carried(field: &Field) -> bool {
    field.is_there() && field.kind != Kind::Id && field.name != "IsDeleted"
}

/// The event of a changed record, or none if nothing that it carries differs. A creation carries
/// every field that has a value, an update what changed, a deletion the header alone.
pub(super) fn of_change(
    object: &Object,
    change: ChangeType,
    before: &[Cell],
    after: &[Cell],
    commit: &Commit,
) -> Option<ChangeEvent> {
    let changed: Vec<usize> = (0..object.fields.len())
        .filter(|at| is_carried(&object.fields[*at]))
        .filter(|at| match change {
            ChangeType::Create => after[*at] != Cell::Null,
            ChangeType::Update => before.get(*at) != after.get(*at),
            ChangeType::Delete => false,
        })
        .collect();
    if change == ChangeType::Update && changed.is_empty() {
        return None;
    }
    let name = |at: &usize| object.fields[*at].name.to_string();
    let listed: Vec<String> = match change {
        ChangeType::Update => changed.iter().map(name).collect(),
        ChangeType::Create | ChangeType::Delete => Vec::new(),
    };
    let mut detail: Map<String, Value> = changed
        .iter()
        .map(|at| (name(at), after[*at].to_json()))
        .collect();
    let header = json!({
        "commitNumber": commit.number,
        "commitUser": commit.user_id,
        "sequenceNumber": commit.sequence,
        "entityName": object.name,
        "changeType": match change {
            ChangeType::Create => "CREATE",
            ChangeType::Update => "UPDATE",
            ChangeType::Delete => "DELETE",
        },
        "changedFields": listed,
        "changeOrigin": "com/salesforce/api/rest/58.0",
        "transactionKey": format!("{:08x}-{:04x}", commit.number, commit.sequence),
        "commitTimestamp": commit.at.as_millisecond(),
        "recordIds": [after[0].to_json()],
    });
    detail.insert("ChangeEventHeader".to_owned(), header);
    Some(ChangeEvent {
        channel: channel_name(&object.name),
        detail: Value::Object(detail),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_named_as_salesforce_names_them() {
        assert_eq!(channel_name("Account"), "AccountChangeEvent");
        assert_eq!(channel_name("City_Sales__c"), "City_Sales__ChangeEvent");
    }
}
