//! The request as the SDK's types. Nothing is decided here.

mod destination;
mod operator;
mod source;

use std::collections::{BTreeMap, HashMap};

use aws_sdk_appflow::{
    operation::{
        create_flow::builders::CreateFlowInputBuilder,
        update_flow::builders::UpdateFlowInputBuilder,
    },
    types as sdk,
};
use aws_smithy_types::{DateTime, error::operation::BuildError};

use super::request::{
    CreateFlowRequest, GlueDataCatalog, ScheduledProperties, Task, TriggerConfig,
    TriggerProperties, TriggerType,
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
        .set_kms_arn(request.kms_arn.clone())
        .trigger_config(parts.trigger)
        .source_flow_config(parts.source)
        .set_destination_flow_config_list(Some(parts.destinations))
        .set_tasks(Some(parts.tasks))
        .set_metadata_catalog_config(parts.catalog)
        .set_tags(Some(request.tags.clone().into_iter().collect())))
}

/// UpdateFlow's input: the same without key and tags, which it cannot change.
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
            source: source::source(&request.source_flow_config)?,
            destinations: request
                .destination_flow_config_list
                .iter()
                .map(destination::destination)
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
        TriggerType::Event => sdk::TriggerType::Event,
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
    let properties = task
        .task_properties
        .iter()
        .map(|(name, value)| (name.as_str().into(), value.clone()))
        .collect();
    sdk::Task::builder()
        .task_type(task.task_type.as_str().into())
        .set_source_fields(Some(task.source_fields.clone()))
        .set_connector_operator(task.connector_operator.map(operator::operator))
        .set_destination_field(task.destination_field.clone())
        .set_task_properties(Some(properties))
        .build()
}

/// A list that is left out when it is empty.
fn list(names: &[String]) -> Option<Vec<String>> {
    (!names.is_empty()).then(|| names.to_vec())
}

/// A map that is left out when it is empty.
fn map(properties: &BTreeMap<String, String>) -> Option<HashMap<String, String>> {
    (!properties.is_empty()).then(|| properties.clone().into_iter().collect())
}
