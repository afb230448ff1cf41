//! Where data goes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tributary::{
    connector::{self, Connector, WriteOperation},
    id::ConnectionId,
};
use utoipa::ToSchema;

use super::DataTransferApi;

/// The destination of a flow, told apart by `connector`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "connector", rename_all = "camelCase")]
pub enum Destination {
    /// Files in a bucket of the account.
    S3(S3Destination),
    /// Rows of a Redshift table.
    Redshift(TableDestination),
    /// Rows of a Snowflake table.
    Snowflake(TableDestination),
    /// Records of a Salesforce object.
    Salesforce(SalesforceDestination),
    /// Events on a partner event source.
    EventBridge(EventBridgeDestination),
    /// Records of a Zendesk object.
    Zendesk(ObjectDestination),
    /// Records of a Marketo object.
    Marketo(MarketoDestination),
    /// Entities of SAP.
    #[serde(rename = "sapOData")]
    SapOData(SapDestination),
    /// A table of Google BigQuery: `table/<project>/<dataset>/<table>`.
    GoogleBigQuery(EntityDestination),
    /// An entity of HubSpot, its parts joined by `/`.
    HubSpot(EntityDestination),
    /// A table of a database: `<schema>.<table>`; rows are only ever added.
    Jdbc(EntityDestination),
    /// A table of a PostgreSQL database: `<schema>.<table>`; rows are only ever added.
    RdsPostgreSql(EntityDestination),
    /// An entity of any other connector, whose label the connection knows.
    Custom(EntityDestination),
    /// Profiles of an Amazon Connect domain.
    CustomerProfiles(CustomerProfilesDestination),
    /// Files in a bucket of Upsolver.
    Upsolver(UpsolverDestination),
    /// Measures for Amazon Lookout for Metrics, which AWS has ended.
    LookoutMetrics(Nothing),
    /// A table of Amazon Honeycode, which AWS has ended.
    Honeycode(HoneycodeDestination),
}

impl Destination {
    /// The catalogue's row of the application.
    pub const fn row(&self) -> &'static Connector {
        match self {
            Self::S3(_) => &connector::S3,
            Self::Redshift(_) => &connector::REDSHIFT,
            Self::Snowflake(_) => &connector::SNOWFLAKE,
            Self::Salesforce(_) => &connector::SALESFORCE,
            Self::EventBridge(_) => &connector::EVENT_BRIDGE,
            Self::Zendesk(_) => &connector::ZENDESK,
            Self::Marketo(_) => &connector::MARKETO,
            Self::SapOData(_) => &connector::SAP_ODATA,
            Self::GoogleBigQuery(_) => &connector::GOOGLE_BIG_QUERY,
            Self::HubSpot(_) => &connector::HUBSPOT,
            Self::Jdbc(_) => &connector::JDBC,
            Self::RdsPostgreSql(_) => &connector::RDS_POSTGRESQL,
            Self::Custom(_) => &connector::CUSTOM,
            Self::CustomerProfiles(_) => &connector::CUSTOMER_PROFILES,
            Self::Upsolver(_) => &connector::UPSOLVER,
            Self::LookoutMetrics(_) => &connector::LOOKOUT_METRICS,
            Self::Honeycode(_) => &connector::HONEYCODE,
        }
    }

    /// The connection through which it is written; none for services of AWS.
    pub const fn connection_id(&self) -> Option<ConnectionId> {
        match self {
            Self::S3(_)
            | Self::EventBridge(_)
            | Self::CustomerProfiles(_)
            | Self::Upsolver(_)
            | Self::LookoutMetrics(_) => None,
            Self::Redshift(table) | Self::Snowflake(table) => Some(table.connection_id),
            Self::Salesforce(object) => Some(object.connection_id),
            Self::Zendesk(object) => Some(object.connection_id),
            Self::Marketo(object) => Some(object.connection_id),
            Self::SapOData(object) => Some(object.connection_id),
            Self::GoogleBigQuery(entity)
            | Self::HubSpot(entity)
            | Self::Jdbc(entity)
            | Self::RdsPostgreSql(entity)
            | Self::Custom(entity) => Some(entity.connection_id),
            Self::Honeycode(table) => Some(table.connection_id),
        }
    }

    /// What is written to, connection and all: AppFlow never changes it in place.
    pub fn written(&self) -> (&'static str, Option<ConnectionId>, Vec<&str>) {
        let place = match self {
            Self::S3(to) => vec![to.bucket.as_str(), to.prefix.as_deref().unwrap_or_default()],
            Self::Redshift(to) | Self::Snowflake(to) => {
                vec![to.schema.as_deref().unwrap_or_default(), to.table.as_str()]
            }
            Self::Salesforce(to) => vec![to.object.as_str()],
            Self::EventBridge(to) => vec![to.suffix.as_deref().unwrap_or_default()],
            Self::Zendesk(to) => vec![to.object.as_str()],
            Self::Marketo(to) => vec![to.object.as_str()],
            Self::SapOData(to) => vec![to.object_path.as_str()],
            Self::GoogleBigQuery(to)
            | Self::HubSpot(to)
            | Self::Jdbc(to)
            | Self::RdsPostgreSql(to)
            | Self::Custom(to) => vec![to.entity.as_str()],
            Self::CustomerProfiles(to) => {
                vec![
                    to.domain.as_str(),
                    to.object_type.as_deref().unwrap_or_default(),
                ]
            }
            Self::Upsolver(to) => {
                vec![to.bucket.as_str(), to.prefix.as_deref().unwrap_or_default()]
            }
            Self::LookoutMetrics(_) => Vec::new(),
            Self::Honeycode(to) => vec![to.object.as_str()],
        };
        (self.row().key, self.connection_id(), place)
    }

    /// What is done with each record and what tells records apart, where the flow has a choice.
    pub fn writes(&self) -> Option<(WriteOperation, &[String])> {
        match self {
            Self::Salesforce(to) => Some((to.write, &to.id_fields)),
            Self::Zendesk(to) => Some((to.write, &to.id_fields)),
            Self::SapOData(to) => Some((to.write, &to.id_fields)),
            Self::GoogleBigQuery(to)
            | Self::HubSpot(to)
            | Self::Jdbc(to)
            | Self::RdsPostgreSql(to)
            | Self::Custom(to) => Some((to.write, &to.id_fields)),
            Self::S3(_)
            | Self::Redshift(_)
            | Self::Snowflake(_)
            | Self::EventBridge(_)
            | Self::Marketo(_)
            | Self::CustomerProfiles(_)
            | Self::Upsolver(_)
            | Self::LookoutMetrics(_)
            | Self::Honeycode(_) => None,
        }
    }

    /// What happens to records that cannot be written, where the destination can be told.
    pub const fn error_handling(&self) -> Option<&ErrorHandling> {
        match self {
            Self::S3(_)
            | Self::CustomerProfiles(_)
            | Self::Upsolver(_)
            | Self::LookoutMetrics(_) => None,
            Self::Redshift(table) | Self::Snowflake(table) => table.error_handling.as_ref(),
            Self::Salesforce(object) => object.error_handling.as_ref(),
            Self::EventBridge(events) => events.error_handling.as_ref(),
            Self::Zendesk(object) => object.error_handling.as_ref(),
            Self::Marketo(object) => object.error_handling.as_ref(),
            Self::SapOData(object) => object.error_handling.as_ref(),
            Self::GoogleBigQuery(entity)
            | Self::HubSpot(entity)
            | Self::Jdbc(entity)
            | Self::RdsPostgreSql(entity)
            | Self::Custom(entity) => entity.error_handling.as_ref(),
            Self::Honeycode(table) => table.error_handling.as_ref(),
        }
    }
}

/// Has nothing to say; refuses what it does not know.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

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
    /// Fields of the destination whose values become folders, from the outside in; at most 10.
    /// Experimental: AWS does not document how a request lists them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partition_by: Vec<String>,
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

/// Rows of a table of a data warehouse. The table must exist; rows are only ever added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TableDestination {
    /// The connection through which it is written; it also names the staging bucket.
    pub connection_id: ConnectionId,
    /// Schema; `public` (in Snowflake `PUBLIC`) when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Table.
    #[schema(example = "city_sales")]
    pub table: String,
    /// What happens to records that cannot be written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_handling: Option<ErrorHandling>,
}

/// Records of a Salesforce object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SalesforceDestination {
    /// The connection through which it is written.
    pub connection_id: ConnectionId,
    /// API name of the object.
    #[schema(example = "Account")]
    pub object: String,
    /// What is done with each record.
    pub write: WriteOperation,
    /// Fields that tell records apart; required unless `write` is `insert`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["External_Id__c"]))]
    pub id_fields: Vec<String>,
    /// Which Salesforce API is used; AppFlow decides when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_transfer_api: Option<DataTransferApi>,
    /// What happens to records that cannot be written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_handling: Option<ErrorHandling>,
}

/// Events on the partner event source `aws.partner/appflow/salesforce.com/<account>/<suffix>`. Its
/// event bus exists only after somebody associates the source in Amazon EventBridge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EventBridgeDestination {
    /// What the source's name ends in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "acme-cdc")]
    pub suffix: Option<String>,
    /// What happens to records that cannot be written; its bucket also takes events over 256 KB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_handling: Option<ErrorHandling>,
}

/// Records of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ObjectDestination {
    /// The connection through which it is written.
    pub connection_id: ConnectionId,
    /// Name of the object.
    #[schema(example = "tickets")]
    pub object: String,
    /// What is done with each record.
    pub write: WriteOperation,
    /// Fields that tell records apart; required unless `write` is `insert`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub id_fields: Vec<String>,
    /// What happens to records that cannot be written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_handling: Option<ErrorHandling>,
}

/// Records of a Marketo object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MarketoDestination {
    /// The connection through which it is written.
    pub connection_id: ConnectionId,
    /// Name of the object.
    #[schema(example = "leads")]
    pub object: String,
    /// What happens to records that cannot be written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_handling: Option<ErrorHandling>,
}

/// Entities of SAP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SapDestination {
    /// The connection through which it is written.
    pub connection_id: ConnectionId,
    /// Path of the entity set.
    #[schema(example = "/sap/opu/odata/sap/API_SALES_ORDER_SRV/A_SalesOrder")]
    pub object_path: String,
    /// What is done with each record.
    pub write: WriteOperation,
    /// Fields that tell records apart; required unless `write` is `insert`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub id_fields: Vec<String>,
    /// Where SAP's answers are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success_responses: Option<Place>,
    /// What happens to records that cannot be written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_handling: Option<ErrorHandling>,
}

/// A folder in a bucket of the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Place {
    /// The bucket.
    pub bucket: String,
    /// Folder in that bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
}

/// An entity of an application behind a custom connector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EntityDestination {
    /// The connection through which it is written.
    pub connection_id: ConnectionId,
    /// Name of the entity.
    #[schema(example = "crm/objects/contacts")]
    pub entity: String,
    /// Version of the application's API; the connector's default when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "v3")]
    pub api_version: Option<String>,
    /// What is done with each record.
    pub write: WriteOperation,
    /// Fields that tell records apart; required unless `write` is `insert`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub id_fields: Vec<String>,
    /// What else the connector wants to know.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, String>,
    /// What happens to records that cannot be written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_handling: Option<ErrorHandling>,
}

/// Profiles of an Amazon Connect domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CustomerProfilesDestination {
    /// Name of the domain.
    pub domain: String,
    /// Name of the object type in the domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_type: Option<String>,
}

/// Files in a bucket of Upsolver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpsolverDestination {
    /// The bucket; its name begins with `upsolver-appflow`.
    pub bucket: String,
    /// Folder under which the flow's folder is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// How the files look.
    pub format: OutputFormat,
}

/// A table of Amazon Honeycode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HoneycodeDestination {
    /// The connection through which it is written.
    pub connection_id: ConnectionId,
    /// Name of the table.
    pub object: String,
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
