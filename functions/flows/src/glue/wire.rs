//! Requests and answers, as far as they are used.
//!
//! Of a table's `Parameters` one member is read; locations and the parameters of the formats are not
//! read at all. They hold names of buckets and at times secrets.

use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetDatabases<'a> {
    pub(super) max_results: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_token: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetTables<'a> {
    pub(super) database_name: &'a str,
    pub(super) max_results: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_token: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetTable<'a> {
    pub(super) database_name: &'a str,
    pub(super) name: &'a str,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Page<T> {
    /// What is on it; perhaps nothing.
    pub(crate) items: Vec<T>,
    /// Where the next page begins; none when this is the last.
    pub(crate) next: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Databases {
    #[serde(default)]
    database_list: Vec<Database>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tables {
    #[serde(default)]
    table_list: Vec<Table>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OneTable {
    pub(super) table: Table,
}

impl From<Databases> for Page<Database> {
    fn from(answer: Databases) -> Self {
        Self {
            items: answer.database_list,
            next: answer.next_token.filter(|token| !token.is_empty()),
        }
    }
}

impl From<Tables> for Page<Table> {
    fn from(answer: Tables) -> Self {
        Self {
            items: answer.table_list,
            next: answer.next_token.filter(|token| !token.is_empty()),
        }
    }
}

/// A database.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Database {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) description: Option<String>,
    /// Epoch seconds, as awsJson1_1 writes times.
    #[serde(default)]
    pub(crate) create_time: Option<f64>,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Table {
    pub(crate) name: String,
    #[serde(default, rename = "TableType")]
    pub(crate) kind: Option<String>,
    #[serde(default)]
    pub(crate) create_time: Option<f64>,
    #[serde(default)]
    pub(crate) update_time: Option<f64>,
    #[serde(default)]
    pub(crate) partition_keys: Option<Vec<Column>>,
    #[serde(default)]
    pub(crate) storage_descriptor: Option<Storage>,
    #[serde(default)]
    pub(crate) parameters: Option<Allowed>,
}

/// How a table is stored, as far as it is read.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Storage {
    #[serde(default)]
    pub(crate) columns: Option<Vec<Column>>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Column {
    pub(crate) name: String,
    #[serde(default, rename = "Type")]
    pub(crate) kind: Option<String>,
    #[serde(default)]
    pub(crate) comment: Option<String>,
}

/// The parameters of a table that are read.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub(crate) struct Allowed {
    #[serde(default)]
    pub(crate) classification: Option<String>,
}

/// A refusal, in either spelling.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Refused {
    #[serde(rename = "__type")]
    pub(super) kind: Option<String>,
    #[serde(alias = "Message")]
    pub(super) message: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The sample of the documentation, with what must not be read in it.
    #[test]
    fn a_table_is_read_without_its_location_and_its_parameters() {
        let answer: Tables = serde_json::from_value(json!({ "TableList": [{
            "CatalogId": "111122223333", "DatabaseName": "sales", "Name": "orders", "TableType": "EXTERNAL_TABLE",
            "CreateTime": 1_790_000_000.0, "UpdateTime": 1_790_500_000.5,
            "Parameters": { "classification": "parquet", "password": "canary" },
            "PartitionKeys": [{ "Name": "dt", "Type": "string" }],
            "StorageDescriptor": {
                "Columns": [{ "Name": "total", "Type": "decimal(10,2)", "Parameters": { "AppFlowLabel": "canary" } }],
                "Location": "s3://canary/orders/", "SerdeInfo": { "Parameters": { "secret": "canary" } },
            },
        }], "NextToken": "" }))
        .unwrap();
        let page = Page::from(answer);
        assert_eq!(page.next, None);
        assert!(!format!("{page:?}").contains("canary"));
        let table = &page.items[0];
        let format = table.parameters.as_ref().unwrap().classification.as_deref();
        assert_eq!(format, Some("parquet"));
        let columns = table.storage_descriptor.as_ref().unwrap().columns.as_ref();
        assert_eq!(columns.unwrap()[0].kind.as_deref(), Some("decimal(10,2)"));
    }

    #[test]
    fn an_empty_page_says_where_the_next_begins() {
        let answer: Tables =
            serde_json::from_value(json!({ "TableList": [], "NextToken": "t" })).unwrap();
        assert_eq!(Page::from(answer).next.as_deref(), Some("t"));
        let answer: Databases = serde_json::from_value(json!({})).unwrap();
        assert_eq!(Page::from(answer).items, Vec::new());
    }
}
