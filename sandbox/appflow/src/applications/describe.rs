//! Fields as DescribeConnectorEntity shows them, in each connector's own words.

use serde_json::{Value, json};

use super::data::{Field, Kind, Role};
use crate::{catalogue::Connector, model};

/// Type names of connectors that have their own; everybody else's are in the last line.
const WORDS: &[(&str, [&str; 5])] = &[
    (
        "CustomConnector",
        ["String", "Integer", "Double", "Boolean", "DateTime"],
    ),
    (
        "SAPOData",
        [
            "Edm.String",
            "Edm.Int32",
            "Edm.Decimal",
            "Edm.Boolean",
            "Edm.DateTimeOffset",
        ],
    ),
    (
        "Zendesk",
        ["string", "integer", "decimal", "boolean", "datetime"],
    ),
    ("", ["string", "int", "double", "boolean", "datetime"]),
];

fn word(key: &str, kind: Kind) -> &'static str {
    let row = WORDS.iter().find(|(k, _)| *k == key || k.is_empty());
    let at = match kind {
        Kind::Text => 0,
        Kind::Whole => 1,
        Kind::Decimal => 2,
        Kind::Boolean => 3,
        Kind::Time => 4,
    };
    row.map_or("string", |(_, words)| words[at])
}

/// Operators that the connector's key has at all.
fn operators(connector: &Connector) -> &'static [&'static str] {
    let shape = if connector.key == "CustomConnector" {
        "Operator".to_owned()
    } else {
        format!("{}ConnectorOperator", connector.key)
    };
    model::words(&shape)
}

/// A field of an entity at one connector.
pub(crate) fn field(connector: &Connector, field: &Field) -> Value {
    const ORDERED: &[&str] = &[
        "EQUAL_TO",
        "NOT_EQUAL_TO",
        "LESS_THAN",
        "LESS_THAN_OR_EQUAL_TO",
        "GREATER_THAN",
        "GREATER_THAN_OR_EQUAL_TO",
        "BETWEEN",
    ];
    let by_kind: &[&str] = match field.kind {
        Kind::Text => &["CONTAINS", "EQUAL_TO", "NOT_EQUAL_TO"],
        Kind::Boolean => &["EQUAL_TO", "NOT_EQUAL_TO"],
        Kind::Whole | Kind::Decimal | Kind::Time => ORDERED,
    };
    let known = operators(connector);
    let filters: Vec<&str> = by_kind
        .iter()
        .copied()
        .filter(|o| known.contains(o))
        .collect();
    let values: &[&str] = if field.kind == Kind::Boolean {
        &["true", "false"]
    } else {
        &[]
    };
    let writes: Vec<&str> = match field.role {
        Role::Key => connector
            .write_operations()
            .iter()
            .copied()
            .filter(|w| *w != "INSERT")
            .collect(),
        Role::Required | Role::Optional | Role::Changed => Vec::new(),
    };
    let writable = connector.destination && field.role != Role::Changed;
    json!({
        "identifier": field.name,
        "parentIdentifier": null,
        "label": field.name.replace('_', " "),
        "isPrimaryKey": field.role == Role::Key,
        "supportedFieldTypeDetails": { "v1": {
            "fieldType": word(connector.key, field.kind),
            "filterOperators": filters,
            "supportedValues": values,
        } },
        "description": field.name,
        "sourceProperties": {
            "isRetrievable": true,
            "isQueryable": !filters.is_empty(),
            "isTimestampFieldForIncrementalQueries": (field.role == Role::Changed).then_some(true),
        },
        "destinationProperties": {
            "isCreatable": writable,
            "isNullable": field.role == Role::Optional,
            "isUpsertable": writable,
            "isUpdatable": writable,
            "isDefaultedOnCreate": field.role == Role::Changed,
            "supportedWriteOperations": writes,
        },
    })
}
