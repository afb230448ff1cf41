//! A checked flow, with the names around it, becomes the request.

use std::collections::BTreeMap;

use tributary::id::{FlowId, TenantId};

use super::{
    CheckedFlow,
    request::{
        AggregationConfig, CreateFlowRequest, DataPullMode, DestinationFlowConfig,
        DestinationProperties, ErrorHandlingConfig, GlueDataCatalog, IncrementalPullConfig,
        MetadataCatalogConfig, PrefixConfig, S3InputFormatConfig, S3OutputFormatConfig,
        ScheduledProperties, SourceFlowConfig, SourceProperties, TriggerConfig, TriggerProperties,
        TriggerType,
    },
    tasks::tasks,
};
use crate::model::{
    Aggregation, DataTransferApi, Destination, ErrorHandling, InputFile, OutputFile, OutputFormat,
    PathFolder, PrefixDepth, PrefixPlace, Pull, S3Destination, Source, Trigger,
};

/// What a flow's definition does not say itself: names that we derive, and its connections' profiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surroundings {
    /// Whose flow it is.
    pub tenant_id: TenantId,
    /// The flow.
    pub flow_id: FlowId,
    /// AppFlow profile of the source; none for S3.
    pub source_profile: Option<String>,
    /// Profile and staging bucket of a Redshift destination.
    pub staging: Option<Staging>,
}

/// What a Redshift connection keeps for its flows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staging {
    /// AppFlow profile.
    pub profile: String,
    /// Bucket through which rows are loaded.
    pub bucket: String,
    /// Folder in that bucket.
    pub prefix: Option<String>,
}

/// Name of a flow in AppFlow.
pub fn flow_name(tenant: TenantId, flow: FlowId) -> String {
    format!("tributary-{tenant}-{flow}")
}

/// The request that creates the flow.
pub fn compile(flow: &CheckedFlow, around: &Surroundings) -> CreateFlowRequest {
    let definition = &flow.definition;
    CreateFlowRequest {
        flow_name: flow_name(around.tenant_id, around.flow_id),
        description: definition.description.clone(),
        trigger_config: trigger(flow),
        source_flow_config: source(flow, around),
        destination_flow_config_list: vec![destination(&definition.destination, around)],
        tasks: tasks(definition),
        metadata_catalog_config: catalog(&definition.destination),
        tags: BTreeMap::from([
            ("tributary:tenant".to_owned(), around.tenant_id.to_string()),
            ("tributary:flow".to_owned(), around.flow_id.to_string()),
        ]),
    }
}

fn trigger(flow: &CheckedFlow) -> TriggerConfig {
    let (Trigger::Scheduled(given), Some(schedule)) = (&flow.definition.trigger, &flow.schedule)
    else {
        return TriggerConfig {
            trigger_type: TriggerType::OnDemand,
            trigger_properties: None,
        };
    };
    TriggerConfig {
        trigger_type: TriggerType::Scheduled,
        trigger_properties: Some(TriggerProperties::Scheduled(ScheduledProperties {
            schedule_expression: schedule.expression.clone(),
            data_pull_mode: match given.pull {
                Pull::Incremental => DataPullMode::Incremental,
                Pull::Complete => DataPullMode::Complete,
            },
            schedule_start_time: schedule.start.map(jiff::Timestamp::as_second),
            schedule_end_time: given.end.map(jiff::Timestamp::as_second),
            timezone: given.time_zone.clone(),
            schedule_offset: given.offset_seconds,
            first_execution_from: given.first_from.map(jiff::Timestamp::as_second),
            flow_error_deactivation_threshold: given.stop_after_failures,
        })),
    }
}

fn source(flow: &CheckedFlow, around: &Surroundings) -> SourceFlowConfig {
    let (connector_type, properties) = match &flow.definition.source {
        Source::Salesforce(from) => (
            "Salesforce",
            SourceProperties::Salesforce {
                object: from.object.clone(),
                enable_dynamic_field_update: from.add_new_fields,
                include_deleted_records: from.include_deleted_records,
                data_transfer_api: from.data_transfer_api.map(|api| {
                    let word = match api {
                        DataTransferApi::Automatic => "AUTOMATIC",
                        DataTransferApi::BulkV2 => "BULKV2",
                        DataTransferApi::RestSync => "REST_SYNC",
                    };
                    word.to_owned()
                }),
            },
        ),
        Source::S3(from) => (
            "S3",
            SourceProperties::S3 {
                bucket_name: from.bucket.clone(),
                bucket_prefix: from.prefix.clone(),
                s3_input_format_config: from.file.map(|file| S3InputFormatConfig {
                    s3_input_file_type: match file {
                        InputFile::Csv => "CSV".to_owned(),
                        InputFile::Json => "JSON".to_owned(),
                    },
                }),
            },
        ),
    };
    let timestamp_field = match &flow.definition.trigger {
        Trigger::Scheduled(scheduled) => scheduled.timestamp_field.clone(),
        Trigger::OnDemand(_) => None,
    };
    SourceFlowConfig {
        connector_type: connector_type.to_owned(),
        connector_profile_name: around.source_profile.clone(),
        source_connector_properties: properties,
        incremental_pull_config: timestamp_field.map(|field| IncrementalPullConfig {
            datetime_type_field_name: field,
        }),
    }
}

fn destination(destination: &Destination, around: &Surroundings) -> DestinationFlowConfig {
    match destination {
        Destination::S3(files) => DestinationFlowConfig {
            connector_type: "S3".to_owned(),
            connector_profile_name: None,
            destination_connector_properties: s3(files),
        },
        Destination::Redshift(table) => {
            let staging = around.staging.as_ref();
            let schema = table.schema.as_deref().unwrap_or("public");
            DestinationFlowConfig {
                connector_type: "Redshift".to_owned(),
                connector_profile_name: staging.map(|staging| staging.profile.clone()),
                destination_connector_properties: DestinationProperties::Redshift {
                    object: format!("{schema}.{}", table.table),
                    intermediate_bucket_name: staging
                        .map(|staging| staging.bucket.clone())
                        .unwrap_or_default(),
                    bucket_prefix: staging.and_then(|staging| staging.prefix.clone()),
                    error_handling_config: table.error_handling.as_ref().map(error_handling),
                },
            }
        }
    }
}

fn error_handling(given: &ErrorHandling) -> ErrorHandlingConfig {
    ErrorHandlingConfig {
        fail_on_first_destination_error: given.stop_on_first_error,
        bucket_prefix: given.prefix.clone(),
        bucket_name: given.bucket.clone(),
    }
}

fn s3(files: &S3Destination) -> DestinationProperties {
    DestinationProperties::S3 {
        bucket_name: files.bucket.clone(),
        bucket_prefix: files.prefix.clone(),
        s3_output_format_config: files.format.as_ref().map(output_format),
    }
}

fn output_format(format: &OutputFormat) -> S3OutputFormatConfig {
    let file_type = match format.file {
        Some(OutputFile::Csv) => "CSV",
        Some(OutputFile::Json) | None => "JSON",
        Some(OutputFile::Parquet) => "PARQUET",
    };
    let aggregated = format.aggregation.is_some() || format.target_file_size_mb.is_some();
    S3OutputFormatConfig {
        file_type: file_type.to_owned(),
        prefix_config: format.prefix.as_ref().map(|prefix| PrefixConfig {
            prefix_type: prefix.place.map(|place| {
                let word = match place {
                    PrefixPlace::FileName => "FILENAME",
                    PrefixPlace::Path => "PATH",
                    PrefixPlace::PathAndFileName => "PATH_AND_FILENAME",
                };
                word.to_owned()
            }),
            prefix_format: prefix.depth.map(|depth| {
                let word = match depth {
                    PrefixDepth::Year => "YEAR",
                    PrefixDepth::Month => "MONTH",
                    PrefixDepth::Day => "DAY",
                    PrefixDepth::Hour => "HOUR",
                    PrefixDepth::Minute => "MINUTE",
                };
                word.to_owned()
            }),
            path_prefix_hierarchy: prefix
                .folders
                .iter()
                .map(|folder| match folder {
                    PathFolder::ExecutionId => "EXECUTION_ID".to_owned(),
                    PathFolder::SchemaVersion => "SCHEMA_VERSION".to_owned(),
                })
                .collect(),
        }),
        aggregation_config: aggregated.then(|| AggregationConfig {
            aggregation_type: format.aggregation.map(|aggregation| match aggregation {
                Aggregation::None => "None".to_owned(),
                Aggregation::SingleFile => "SingleFile".to_owned(),
            }),
            target_file_size: format.target_file_size_mb,
        }),
        preserve_source_data_typing: format.preserve_source_types,
    }
}

fn catalog(destination: &Destination) -> Option<MetadataCatalogConfig> {
    let Destination::S3(S3Destination {
        catalog: Some(catalog),
        ..
    }) = destination
    else {
        return None;
    };
    Some(MetadataCatalogConfig {
        glue_data_catalog: GlueDataCatalog {
            role_arn: catalog.role_arn.clone(),
            database_name: catalog.database_name.clone(),
            table_prefix: catalog.table_prefix.clone(),
        },
    })
}
