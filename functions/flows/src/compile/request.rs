//! AppFlow's CreateFlow request, member by member, as its API has it on the wire.
//!
//! Where the API has a structure with one optional member per connector, this has an enum: exactly
//! one of them, written under the connector's key.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::operators::Operator;

/// The body of CreateFlow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "members are AppFlow's own")]
pub struct CreateFlowRequest {
    pub flow_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_arn: Option<String>,
    pub trigger_config: TriggerConfig,
    pub source_flow_config: SourceFlowConfig,
    /// Always one element.
    pub destination_flow_config_list: Vec<DestinationFlowConfig>,
    pub tasks: Vec<Task>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata_catalog_config: Option<MetadataCatalogConfig>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

/// When the flow runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "members are AppFlow's own")]
pub struct TriggerConfig {
    pub trigger_type: TriggerType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger_properties: Option<TriggerProperties>,
}

/// Kinds of triggers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[expect(missing_docs, reason = "members are AppFlow's own")]
pub enum TriggerType {
    OnDemand,
    Scheduled,
    Event,
}

/// Properties of a trigger, under its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[expect(missing_docs, reason = "members are AppFlow's own")]
pub enum TriggerProperties {
    Scheduled(ScheduledProperties),
}

/// A schedule; instants are epoch seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "members are AppFlow's own")]
pub struct ScheduledProperties {
    pub schedule_expression: String,
    pub data_pull_mode: DataPullMode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule_start_time: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule_end_time: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule_offset: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_execution_from: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow_error_deactivation_threshold: Option<i32>,
}

/// What each run pulls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[expect(missing_docs, reason = "members are AppFlow's own")]
pub enum DataPullMode {
    Incremental,
    Complete,
}

/// The source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "members are AppFlow's own")]
pub struct SourceFlowConfig {
    pub connector_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connector_profile_name: Option<String>,
    pub source_connector_properties: SourceProperties,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incremental_pull_config: Option<IncrementalPullConfig>,
}

/// The field that says when a record changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "members are AppFlow's own")]
pub struct IncrementalPullConfig {
    pub datetime_type_field_name: String,
}

/// Properties of a source, under its connector's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[expect(missing_docs, reason = "members are AppFlow's own")]
pub enum SourceProperties {
    #[serde(rename_all = "camelCase")]
    Salesforce {
        object: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        enable_dynamic_field_update: Option<bool>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        include_deleted_records: Option<bool>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        data_transfer_api: Option<String>,
    },
    #[serde(rename_all = "camelCase")]
    S3 {
        bucket_name: String,
        bucket_prefix: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        s3_input_format_config: Option<S3InputFormatConfig>,
    },
    ServiceNow(ObjectProperties),
    Zendesk(ObjectProperties),
    Slack(ObjectProperties),
    Marketo(ObjectProperties),
    Pardot(ObjectProperties),
    Datadog(ObjectProperties),
    Dynatrace(ObjectProperties),
    InforNexus(ObjectProperties),
    Singular(ObjectProperties),
    Trendmicro(ObjectProperties),
    GoogleAnalytics(ObjectProperties),
    Amplitude(ObjectProperties),
    #[serde(rename = "SAPOData", rename_all = "camelCase")]
    SapOData {
        object_path: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parallelism_config: Option<ParallelismConfig>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pagination_config: Option<PaginationConfig>,
    },
    #[serde(rename_all = "camelCase")]
    Veeva {
        object: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        document_type: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        include_source_files: Option<bool>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        include_renditions: Option<bool>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        include_all_versions: Option<bool>,
    },
    #[serde(rename_all = "camelCase")]
    CustomConnector {
        entity_name: String,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        custom_properties: BTreeMap<String, String>,
    },
}

/// Properties of a source that is one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[expect(missing_docs, reason = "members are AppFlow's own")]
pub struct ObjectProperties {
    pub object: String,
}

/// How many processes read from SAP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "members are AppFlow's own")]
pub struct ParallelismConfig {
    pub max_parallelism: i32,
}

/// How many records a page of SAP has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "members are AppFlow's own")]
pub struct PaginationConfig {
    pub max_page_size: i32,
}

/// What the files of an S3 source are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "members are AppFlow's own")]
pub struct S3InputFormatConfig {
    pub s3_input_file_type: String,
}

/// The destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "members are AppFlow's own")]
pub struct DestinationFlowConfig {
    pub connector_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connector_profile_name: Option<String>,
    pub destination_connector_properties: DestinationProperties,
}

/// Properties of a destination, under its connector's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[expect(missing_docs, reason = "members are AppFlow's own")]
pub enum DestinationProperties {
    #[serde(rename_all = "camelCase")]
    S3 {
        bucket_name: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bucket_prefix: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        s3_output_format_config: Option<S3OutputFormatConfig>,
    },
    Redshift(StagedProperties),
    Snowflake(StagedProperties),
    #[serde(rename_all = "camelCase")]
    Salesforce {
        object: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        id_field_names: Vec<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error_handling_config: Option<ErrorHandlingConfig>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        write_operation_type: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        data_transfer_api: Option<String>,
    },
    #[serde(rename_all = "camelCase")]
    EventBridge {
        object: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error_handling_config: Option<ErrorHandlingConfig>,
    },
    #[serde(rename_all = "camelCase")]
    Zendesk {
        object: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        id_field_names: Vec<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error_handling_config: Option<ErrorHandlingConfig>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        write_operation_type: Option<String>,
    },
    #[serde(rename_all = "camelCase")]
    Marketo {
        object: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error_handling_config: Option<ErrorHandlingConfig>,
    },
    #[serde(rename = "SAPOData", rename_all = "camelCase")]
    SapOData {
        object_path: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        success_response_handling_config: Option<SuccessResponseHandlingConfig>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        id_field_names: Vec<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error_handling_config: Option<ErrorHandlingConfig>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        write_operation_type: Option<String>,
    },
    #[serde(rename_all = "camelCase")]
    CustomConnector {
        entity_name: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error_handling_config: Option<ErrorHandlingConfig>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        write_operation_type: Option<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        id_field_names: Vec<String>,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        custom_properties: BTreeMap<String, String>,
    },
    #[serde(rename_all = "camelCase")]
    CustomerProfiles {
        domain_name: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        object_type_name: Option<String>,
    },
    #[serde(rename_all = "camelCase")]
    Upsolver {
        bucket_name: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bucket_prefix: Option<String>,
        s3_output_format_config: S3OutputFormatConfig,
    },
    LookoutMetrics {},
    #[serde(rename_all = "camelCase")]
    Honeycode {
        object: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error_handling_config: Option<ErrorHandlingConfig>,
    },
}

/// Properties of a data warehouse, which loads what is staged in a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "members are AppFlow's own")]
pub struct StagedProperties {
    pub object: String,
    pub intermediate_bucket_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket_prefix: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_handling_config: Option<ErrorHandlingConfig>,
}

/// Where SAP's answers are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "members are AppFlow's own")]
pub struct SuccessResponseHandlingConfig {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket_prefix: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket_name: Option<String>,
}

/// How files look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "members are AppFlow's own")]
pub struct S3OutputFormatConfig {
    pub file_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix_config: Option<PrefixConfig>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aggregation_config: Option<AggregationConfig>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preserve_source_data_typing: Option<bool>,
}

/// Dates and ids in paths and file names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "members are AppFlow's own")]
pub struct PrefixConfig {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix_format: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path_prefix_hierarchy: Vec<String>,
}

/// How records are put together into files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "members are AppFlow's own")]
pub struct AggregationConfig {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aggregation_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_file_size: Option<i64>,
}

/// What happens to records that cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "members are AppFlow's own")]
pub struct ErrorHandlingConfig {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fail_on_first_destination_error: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket_prefix: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket_name: Option<String>,
}

/// Tables in the Glue Data Catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "members are AppFlow's own")]
pub struct MetadataCatalogConfig {
    pub glue_data_catalog: GlueDataCatalog,
}

/// Tables in the Glue Data Catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "members are AppFlow's own")]
pub struct GlueDataCatalog {
    pub role_arn: String,
    pub database_name: String,
    pub table_prefix: String,
}

/// One task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "members are AppFlow's own")]
pub struct Task {
    pub task_type: TaskType,
    pub source_fields: Vec<String>,
    /// None where the source's connector has no `NO_OP`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connector_operator: Option<ConnectorOperator>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination_field: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub task_properties: BTreeMap<String, String>,
}

/// Kinds of tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[expect(missing_docs, reason = "members are AppFlow's own")]
pub enum TaskType {
    Filter,
    Map,
    #[serde(rename = "Map_all")]
    MapAll,
    Mask,
    Truncate,
    Validate,
    Merge,
    Arithmetic,
    Partition,
    /// Our flows have none; flows made elsewhere may.
    Passthrough,
}

impl TaskType {
    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Filter => "Filter",
            Self::Map => "Map",
            Self::MapAll => "Map_all",
            Self::Mask => "Mask",
            Self::Truncate => "Truncate",
            Self::Validate => "Validate",
            Self::Merge => "Merge",
            Self::Arithmetic => "Arithmetic",
            Self::Partition => "Partition",
            Self::Passthrough => "Passthrough",
        }
    }
}

/// The operator under the key of the **source** connector, whatever the destination is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[expect(missing_docs, reason = "members are AppFlow's own")]
pub enum ConnectorOperator {
    Salesforce(Operator),
    S3(Operator),
    ServiceNow(Operator),
    Zendesk(Operator),
    Slack(Operator),
    Marketo(Operator),
    #[serde(rename = "SAPOData")]
    SapOData(Operator),
    Veeva(Operator),
    Pardot(Operator),
    Datadog(Operator),
    Dynatrace(Operator),
    InforNexus(Operator),
    Singular(Operator),
    Trendmicro(Operator),
    GoogleAnalytics(Operator),
    Amplitude(Operator),
    CustomConnector(Operator),
}
