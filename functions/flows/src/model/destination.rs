//! Where data goes.

use serde::{Deserialize, Serialize};
use tributary::id::ConnectionId;
use utoipa::ToSchema;

/// The destination of a flow, told apart by `type`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Destination {
    /// Files in a bucket of the account.
    S3(S3Destination),
    /// Rows of a Redshift table.
    Redshift(RedshiftDestination),
}

/// Files in a bucket of the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct S3Destination {
    /// The bucket, in the account and Region of the flow.
    pub bucket: String,
    /// Folder under which the flow's folder is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// How the files look; AppFlow's defaults when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<OutputFormat>,
    /// Registers tables in the Glue Data Catalog.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalog: Option<Catalog>,
}

/// How files look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OutputFormat {
    /// What the files are; JSON lines when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<OutputFile>,
    /// Whether a run writes one file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aggregation: Option<Aggregation>,
    /// About how large each file should be, in megabytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_file_size_mb: Option<i64>,
    /// Dates and ids in paths and file names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<DatePrefix>,
    /// Whether columns keep their types; Parquet only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preserve_source_types: Option<bool>,
}

/// What the files of a destination are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum OutputFile {
    /// Comma-separated, with a header row.
    Csv,
    /// One JSON object on each line.
    Json,
    /// Apache Parquet.
    Parquet,
}

/// How records are put together into files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Aggregation {
    /// As they come.
    None,
    /// One file for each run.
    SingleFile,
}

/// Dates and ids in paths and file names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DatePrefix {
    /// Where the date stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<PrefixPlace>,
    /// How fine the date is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth: Option<PrefixDepth>,
    /// Further folders, from the outside in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub folders: Vec<PathFolder>,
}

/// Where the date of a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum PrefixPlace {
    /// In the file's name.
    FileName,
    /// In the path.
    Path,
    /// In both.
    PathAndFileName,
}

/// How fine the date of a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the words say it")]
pub enum PrefixDepth {
    Year,
    Month,
    Day,
    Hour,
    Minute,
}

/// A folder that a run makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum PathFolder {
    /// Named after the run's execution id.
    ExecutionId,
    /// Named after the version of the flow's fields.
    SchemaVersion,
}

/// Tables in the Glue Data Catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Catalog {
    /// Role with which AppFlow writes to the catalogue.
    pub role_arn: String,
    /// Database; it must exist.
    pub database_name: String,
    /// What the names of tables begin with.
    pub table_prefix: String,
}

/// Rows of a Redshift table. The table must exist; rows are only ever added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RedshiftDestination {
    /// The connection through which it is written; it also names the staging bucket.
    pub connection_id: ConnectionId,
    /// Schema; `public` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Table.
    #[schema(example = "city_sales")]
    pub table: String,
    /// What happens to records that cannot be written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_handling: Option<ErrorHandling>,
}

/// What happens to records that cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ErrorHandling {
    /// Bucket to which they are written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
    /// Folder in that bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// Whether the first one ends the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_on_first_error: Option<bool>,
}
