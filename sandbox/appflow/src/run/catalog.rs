//! Tables of a run in the Glue Data Catalog (user guide, "Cataloging the data output").
//!
//! AppFlow assumes the flow's role, whose policies are evaluated, and replaces two tables:
//! `<prefix>_appflow_<flow>_<epoch>_latest`, which follows the newest run, and
//! `<prefix>_appflow_<flow>_<schema version>`, with the execution's id behind it if its folders have it.
//! Which moment the epoch is of is not documented; here it is the flow's making, so that the name stays.
//! A table that cannot be registered fails the run, whose files are written all the same.

use serde_json::{Value, json};

use super::{RunFault, Ticket, s3::Layout};
use crate::{definition::Catalog, service::Inner, tasks::apply::Table};

/// Registers the tables of a run, if the flow asks for it.
pub(super) async fn register(
    inner: &Inner,
    ticket: &Ticket,
    layout: &Layout<'_>,
    table: &Table,
    partition: &[String],
) -> Result<(), RunFault> {
    let Some(catalog) = ticket.definition.catalog() else {
        return Ok(());
    };
    for name in names(ticket, catalog, layout) {
        let input = described(inner, ticket, layout, table, partition, &name);
        put(inner, catalog, &input)
            .await
            .map_err(|code| refused(catalog, &name, &code))?;
    }
    Ok(())
}

fn names(ticket: &Ticket, catalog: &Catalog, layout: &Layout<'_>) -> [String; 2] {
    let begin = format!("{}_appflow_{}", catalog.table_prefix, ticket.flow_name());
    let epoch = ticket.flow_made_at.as_second();
    let version = ticket.schema_version;
    let numbered = if layout.is_by_execution() {
        format!("{begin}_{version}_{}", ticket.run_id)
    } else {
        format!("{begin}_{version}")
    };
    // The catalogue has lower case only.
    [format!("{begin}_{epoch}_latest"), numbered].map(|name| name.to_lowercase())
}

/// Updates the table, or makes it. The database must be there.
async fn put(inner: &Inner, catalog: &Catalog, input: &Value) -> Result<(), String> {
    let body = json!({ "DatabaseName": catalog.database_name, "TableInput": input });
    let call = async |operation| {
        let services = &inner.services;
        services
            .catalogue(&catalog.role_arn, operation, &body)
            .await
    };
    match call("UpdateTable").await {
        Err(code) if code == "EntityNotFoundException" => call("CreateTable").await.map(drop),
        done => done.map(drop),
    }
}

fn described(
    inner: &Inner,
    ticket: &Ticket,
    layout: &Layout<'_>,
    table: &Table,
    partition: &[String],
    name: &str,
) -> Value {
    let is_key = |column: &str| partition.iter().any(|key| key == column);
    let columns = table.columns.iter().enumerate();
    let columns: Vec<Value> = columns
        .filter(|(_, column)| !is_key(column))
        .map(|(at, column)| {
            json!({
                "Name": column.to_lowercase(), "Type": hive_type(ticket, table, at),
                "Parameters": { "AppFlowLabel": column },
            })
        })
        .collect();
    let keys: Vec<Value> = partition
        .iter()
        .map(|key| json!({ "Name": key.to_lowercase(), "Type": "string" }))
        .collect();
    let folder = layout.folder(ticket, inner.now());
    json!({
        "Name": name, "TableType": "EXTERNAL_TABLE", "PartitionKeys": keys,
        "Parameters": { "classification": layout.classification() },
        "StorageDescriptor": {
            "Columns": columns, "Location": format!("s3://{}/{folder}", layout.bucket),
        },
    })
}

/// The type that the flow maps to, else what the values are.
fn hive_type(ticket: &Ticket, table: &Table, at: usize) -> &'static str {
    let column = &table.columns[at];
    let mut tasks = ticket.definition.tasks.iter();
    let mapped = tasks
        .find(|task| task.destination_field.as_ref() == Some(column))
        .and_then(|task| task.properties.get("DESTINATION_DATA_TYPE"));
    let said = mapped.and_then(|kind| TYPES.iter().find(|(name, _)| name == kind));
    if let Some((_, hive)) = said {
        return hive;
    }
    let mut values = table.rows.iter().map(|row| &row[at]);
    match values.find(|value| !value.is_null()) {
        Some(Value::Bool(_)) => "boolean",
        Some(Value::Number(number)) if number.is_i64() => "bigint",
        Some(Value::Number(_)) => "double",
        _ => "string",
    }
}

/// Types of mapped fields, and Hive's for them.
const TYPES: [(&str, &str); 12] = [
    ("string", "string"),
    ("integer", "int"),
    ("int", "int"),
    ("long", "bigint"),
    ("double", "double"),
    ("float", "float"),
    ("decimal", "decimal(38,18)"),
    ("currency", "double"),
    ("boolean", "boolean"),
    ("date", "date"),
    ("datetime", "timestamp"),
    ("id", "string"),
];

fn refused(catalog: &Catalog, name: &str, code: &str) -> RunFault {
    RunFault::new(format!(
        "Error while registering the table {name} in the AWS Glue Data Catalog: {code} for the database {}",
        catalog.database_name
    ))
}
