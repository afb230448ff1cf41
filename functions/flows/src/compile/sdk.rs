//! The request as the SDK's types. Nothing is decided here.

use aws_sdk_appflow::{
    operation::{
        create_flow::builders::CreateFlowInputBuilder,
        update_flow::builders::UpdateFlowInputBuilder,
    },
    types as sdk,
};
use aws_smithy_types::{DateTime, error::operation::BuildError};

use super::request::{
    AggregationConfig, ConnectorOperator, CreateFlowRequest, DestinationFlowConfig,
    DestinationProperties, ErrorHandlingConfig, GlueDataCatalog, PrefixConfig,
    S3OutputFormatConfig, ScheduledProperties, SourceFlowConfig, SourceProperties, Task,
    TriggerConfig, TriggerProperties, TriggerType,
};

/// The SDK wants a member that the request does not have: our bug.
#[derive(Debug, thiserror::Error)]
#[error("the request does not fit the SDK's types")]
pub struct SdkError(#[from] BuildError);

/// CreateFlow's input, without a client token.
pub fn create_flow_input(request: &CreateFlowRequest) -> Result<CreateFlowInputBuilder, SdkError> {
    let parts = Parts::of(request)?;
    Ok(CreateFlowInputBuilder::default()
        .flow_name(&request.flow_name)
        .set_description(request.description.clone())
        .trigger_config(parts.trigger)
        .source_flow_config(parts.source)
        .set_destination_flow_config_list(Some(parts.destinations))
        .set_tasks(Some(parts.tasks))
        .set_metadata_catalog_config(parts.catalog)
        .set_tags(Some(request.tags.clone().into_iter().collect())))
}

/// UpdateFlow's input: the same without tags, which it cannot change.
pub fn update_flow_input(request: &CreateFlowRequest) -> Result<UpdateFlowInputBuilder, SdkError> {
    let parts = Parts::of(request)?;
    Ok(UpdateFlowInputBuilder::default()
        .flow_name(&request.flow_name)
        .set_description(request.description.clone())
        .trigger_config(parts.trigger)
        .source_flow_config(parts.source)
        .set_destination_flow_config_list(Some(parts.destinations))
        .set_tasks(Some(parts.tasks))
        .set_metadata_catalog_config(parts.catalog))
}

struct Parts {
    trigger: sdk::TriggerConfig,
    source: sdk::SourceFlowConfig,
    destinations: Vec<sdk::DestinationFlowConfig>,
    tasks: Vec<sdk::Task>,
    catalog: Option<sdk::MetadataCatalogConfig>,
}

impl Parts {
    fn of(request: &CreateFlowRequest) -> Result<Self, BuildError> {
        Ok(Self {
            trigger: trigger(&request.trigger_config)?,
            source: source(&request.source_flow_config)?,
            destinations: request
                .destination_flow_config_list
                .iter()
                .map(destination)
                .collect::<Result<_, _>>()?,
            tasks: request.tasks.iter().map(task).collect::<Result<_, _>>()?,
            catalog: request
                .metadata_catalog_config
                .as_ref()
                .map(|catalog| glue(&catalog.glue_data_catalog))
                .transpose()?,
        })
    }
}

fn trigger(trigger: &TriggerConfig) -> Result<sdk::TriggerConfig, BuildError> {
    let kind = match trigger.trigger_type {
        TriggerType::OnDemand => sdk::TriggerType::Ondemand,
        TriggerType::Scheduled => sdk::TriggerType::Scheduled,
    };
    let properties = match &trigger.trigger_properties {
        None => None,
        Some(TriggerProperties::Scheduled(schedule)) => Some(
            sdk::TriggerProperties::builder()
                .scheduled(scheduled(schedule)?)
                .build(),
        ),
    };
    sdk::TriggerConfig::builder()
        .trigger_type(kind)
        .set_trigger_properties(properties)
        .build()
}

fn scheduled(
    schedule: &ScheduledProperties,
) -> Result<sdk::ScheduledTriggerProperties, BuildError> {
    use super::request::DataPullMode::{Complete, Incremental};
    sdk::ScheduledTriggerProperties::builder()
        .schedule_expression(&schedule.schedule_expression)
        .data_pull_mode(match schedule.data_pull_mode {
            Incremental => sdk::DataPullMode::Incremental,
            Complete => sdk::DataPullMode::Complete,
        })
        .set_schedule_start_time(schedule.schedule_start_time.map(DateTime::from_secs))
        .set_schedule_end_time(schedule.schedule_end_time.map(DateTime::from_secs))
        .set_timezone(schedule.timezone.clone())
        .set_schedule_offset(schedule.schedule_offset)
        .set_first_execution_from(schedule.first_execution_from.map(DateTime::from_secs))
        .set_flow_error_deactivation_threshold(schedule.flow_error_deactivation_threshold)
        .build()
}

fn source(source: &SourceFlowConfig) -> Result<sdk::SourceFlowConfig, BuildError> {
    let properties = sdk::SourceConnectorProperties::builder();
    let properties = match &source.source_connector_properties {
        SourceProperties::Salesforce {
            object,
            enable_dynamic_field_update,
            include_deleted_records,
            data_transfer_api,
        } => properties.salesforce(
            sdk::SalesforceSourceProperties::builder()
                .object(object)
                .set_enable_dynamic_field_update(*enable_dynamic_field_update)
                .set_include_deleted_records(*include_deleted_records)
                .set_data_transfer_api(data_transfer_api.as_deref().map(Into::into))
                .build()?,
        ),
        SourceProperties::S3 {
            bucket_name,
            bucket_prefix,
            s3_input_format_config,
        } => properties.s3(sdk::S3SourceProperties::builder()
            .bucket_name(bucket_name)
            .bucket_prefix(bucket_prefix)
            .set_s3_input_format_config(s3_input_format_config.as_ref().map(|format| {
                sdk::S3InputFormatConfig::builder()
                    .s3_input_file_type(format.s3_input_file_type.as_str().into())
                    .build()
            }))
            .build()?),
    };
    sdk::SourceFlowConfig::builder()
        .connector_type(source.connector_type.as_str().into())
        .set_connector_profile_name(source.connector_profile_name.clone())
        .source_connector_properties(properties.build())
        .set_incremental_pull_config(source.incremental_pull_config.as_ref().map(|pull| {
            sdk::IncrementalPullConfig::builder()
                .datetime_type_field_name(&pull.datetime_type_field_name)
                .build()
        }))
        .build()
}

fn destination(
    destination: &DestinationFlowConfig,
) -> Result<sdk::DestinationFlowConfig, BuildError> {
    let properties = sdk::DestinationConnectorProperties::builder();
    let properties = match &destination.destination_connector_properties {
        DestinationProperties::S3 {
            bucket_name,
            bucket_prefix,
            s3_output_format_config,
        } => properties.s3(sdk::S3DestinationProperties::builder()
            .bucket_name(bucket_name)
            .set_bucket_prefix(bucket_prefix.clone())
            .set_s3_output_format_config(s3_output_format_config.as_ref().map(output_format))
            .build()?),
        DestinationProperties::Redshift {
            object,
            intermediate_bucket_name,
            bucket_prefix,
            error_handling_config,
        } => properties.redshift(
            sdk::RedshiftDestinationProperties::builder()
                .object(object)
                .intermediate_bucket_name(intermediate_bucket_name)
                .set_bucket_prefix(bucket_prefix.clone())
                .set_error_handling_config(error_handling_config.as_ref().map(error_handling))
                .build()?,
        ),
    };
    sdk::DestinationFlowConfig::builder()
        .connector_type(destination.connector_type.as_str().into())
        .set_connector_profile_name(destination.connector_profile_name.clone())
        .destination_connector_properties(properties.build())
        .build()
}

fn error_handling(config: &ErrorHandlingConfig) -> sdk::ErrorHandlingConfig {
    sdk::ErrorHandlingConfig::builder()
        .set_fail_on_first_destination_error(config.fail_on_first_destination_error)
        .set_bucket_prefix(config.bucket_prefix.clone())
        .set_bucket_name(config.bucket_name.clone())
        .build()
}

fn output_format(format: &S3OutputFormatConfig) -> sdk::S3OutputFormatConfig {
    sdk::S3OutputFormatConfig::builder()
        .file_type(format.file_type.as_str().into())
        .set_prefix_config(format.prefix_config.as_ref().map(prefix))
        .set_aggregation_config(format.aggregation_config.as_ref().map(aggregation))
        .set_preserve_source_data_typing(format.preserve_source_data_typing)
        .build()
}

fn prefix(prefix: &PrefixConfig) -> sdk::PrefixConfig {
    let hierarchy: Vec<sdk::PathPrefix> = prefix
        .path_prefix_hierarchy
        .iter()
        .map(|folder| folder.as_str().into())
        .collect();
    sdk::PrefixConfig::builder()
        .set_prefix_type(prefix.prefix_type.as_deref().map(Into::into))
        .set_prefix_format(prefix.prefix_format.as_deref().map(Into::into))
        .set_path_prefix_hierarchy((!hierarchy.is_empty()).then_some(hierarchy))
        .build()
}

fn aggregation(aggregation: &AggregationConfig) -> sdk::AggregationConfig {
    sdk::AggregationConfig::builder()
        .set_aggregation_type(aggregation.aggregation_type.as_deref().map(Into::into))
        .set_target_file_size(aggregation.target_file_size)
        .build()
}

fn glue(catalog: &GlueDataCatalog) -> Result<sdk::MetadataCatalogConfig, BuildError> {
    let glue = sdk::GlueDataCatalogConfig::builder()
        .role_arn(&catalog.role_arn)
        .database_name(&catalog.database_name)
        .table_prefix(&catalog.table_prefix)
        .build()?;
    Ok(sdk::MetadataCatalogConfig::builder()
        .glue_data_catalog(glue)
        .build())
}

fn task(task: &Task) -> Result<sdk::Task, BuildError> {
    let operator = sdk::ConnectorOperator::builder();
    let operator = match task.connector_operator {
        ConnectorOperator::Salesforce(word) => operator.salesforce(word.as_str().into()),
        ConnectorOperator::S3(word) => operator.s3(word.as_str().into()),
    };
    let properties = task
        .task_properties
        .iter()
        .map(|(name, value)| (name.as_str().into(), value.clone()))
        .collect();
    sdk::Task::builder()
        .task_type(task.task_type.as_str().into())
        .set_source_fields(Some(task.source_fields.clone()))
        .connector_operator(operator.build())
        .set_destination_field(task.destination_field.clone())
        .set_task_properties(Some(properties))
        .build()
}
