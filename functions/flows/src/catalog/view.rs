//! Databases and tables, as they are shown.

use jiff::Timestamp;
use serde::Serialize;
use tributary::id::FlowId;
use utoipa::ToSchema;

use super::writers::Writers;
use crate::glue::{Column, Database, Table};

/// A database of an account's catalogue.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DatabaseView {
    /// Its name.
    #[schema(example = "crm")]
    name: String,
    /// What the account's people wrote about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Copies of the CRM")]
    description: Option<String>,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    created_at: Option<Timestamp>,
}

/// A table in a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TableSummary {
    /// Its name.
    #[schema(example = "orders")]
    name: String,
    /// What kind of table it is, in Glue's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "EXTERNAL_TABLE")]
    table_type: Option<String>,
    /// What its files are, where the catalogue says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "parquet")]
    format: Option<String>,
    /// When it was last changed in the catalogue.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    updated_at: Option<Timestamp>,
    /// The tenant's flows that write it.
    flows: Vec<FlowLink>,
}

/// A table with its columns.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TableView {
    #[serde(flatten)]
    summary: TableSummary,
    /// The database that it is in.
    #[schema(example = "crm")]
    database: String,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    created_at: Option<Timestamp>,
    /// Its columns, in order.
    columns: Vec<ColumnView>,
    /// The columns whose values are folders, from the outside in.
    partition_keys: Vec<ColumnView>,
}

/// A column.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ColumnView {
    /// Its name.
    #[schema(example = "total")]
    name: String,
    /// Its type, in Hive's words.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schema(example = "decimal(10,2)")]
    kind: Option<String>,
    /// What was written about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "In euros")]
    comment: Option<String>,
}

/// A flow.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct FlowLink {
    /// Its id.
    id: FlowId,
    /// What people call it.
    #[schema(example = "City sales to S3")]
    name: String,
}

impl FlowLink {
    pub(super) fn of(id: FlowId, name: &str) -> Self {
        Self {
            id,
            name: name.to_owned(),
        }
    }
}

impl DatabaseView {
    pub(super) fn of(database: Database) -> Self {
        let Database {
            name,
            description,
            create_time,
        } = database;
        Self {
            name,
            description: description.filter(|text| !text.is_empty()),
            created_at: create_time.and_then(instant),
        }
    }
}

impl TableSummary {
    pub(super) fn of(table: Table, writers: &Writers) -> Self {
        Self {
            flows: writers.writing(&table.name),
            name: table.name,
            table_type: table.kind.filter(|text| !text.is_empty()),
            format: table.parameters.unwrap_or_default().classification,
            updated_at: table.update_time.and_then(instant),
        }
    }
}

impl TableView {
    pub(super) fn of(mut table: Table, database: &str, writers: &Writers) -> Self {
        let storage = table.storage_descriptor.take();
        let columns = storage.and_then(|storage| storage.columns);
        let keys = table.partition_keys.take();
        let shown = |columns: Option<Vec<Column>>| {
            let columns = columns.into_iter().flatten();
            columns.map(ColumnView::of).collect()
        };
        Self {
            database: database.to_owned(),
            created_at: table.create_time.and_then(instant),
            columns: shown(columns),
            partition_keys: shown(keys),
            summary: TableSummary::of(table, writers),
        }
    }
}

impl ColumnView {
    fn of(column: Column) -> Self {
        let Column {
            name,
            kind,
            comment,
        } = column;
        Self {
            name,
            kind,
            comment: comment.filter(|text| !text.is_empty()),
        }
    }
}

/// An instant from seconds with a fraction; none if it is out of the calendar, or nothing.
fn instant(seconds: f64) -> Option<Timestamp> {
    let duration = std::time::Duration::try_from_secs_f64(seconds).ok()?;
    let millis = i64::try_from(duration.as_millis()).ok()?;
    let instant = Timestamp::from_millisecond(millis).ok()?;
    (millis > 0).then_some(instant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_glues_seconds() {
        let shown = instant(1_790_500_000.5).map(|at| at.to_string());
        assert_eq!(shown.as_deref(), Some("2026-09-27T09:06:40.5Z"));
        for odd in [-1.0, 0.0, f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(instant(odd), None);
        }
    }
}
