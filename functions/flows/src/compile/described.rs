//! What AppFlow says about a flow (DescribeFlow), as the request that would create it.
//!
//! An absent member, an explicit null and, where the SDK knows no third, `false` are the same here.
//! What the request cannot say is told, never dropped.

mod destination;
mod operator;
mod source;

use std::collections::BTreeMap;

use aws_sdk_appflow::{operation::describe_flow::DescribeFlowOutput, types as sdk};
use serde::{
    Deserialize,
    de::{IntoDeserializer, value},
};
use tributary::error::Fault;

use super::request::{
    CreateFlowRequest, DataPullMode, GlueDataCatalog, MetadataCatalogConfig, ScheduledProperties,
    Task, TriggerConfig, TriggerProperties, TriggerType,
};

/// What AppFlow's flow has that our request cannot say, with pointers into the request.
#[derive(Debug, thiserror::Error)]
#[error("AppFlow's flow says what we cannot")]
pub struct Unreadable(pub Vec<Fault>);

/// The flow as the request that would create it.
pub fn request(found: &DescribeFlowOutput) -> Result<CreateFlowRequest, Unreadable> {
    let mut reading = Reading::default();
    let source = reading.present("/sourceFlowConfig", found.source_flow_config.as_ref());
    let source = source.and_then(|config| source::source(&mut reading, config));
    let trigger = reading.present("/triggerConfig", found.trigger_config.as_ref());
    let trigger = trigger.and_then(|config| trigger_config(&mut reading, config));
    let destinations = found.destination_flow_config_list().iter().enumerate();
    let destinations: Vec<_> = destinations
        .filter_map(|(index, config)| destination::destination(&mut reading, index, config))
        .collect();
    let tasks = found.tasks().iter().enumerate();
    let tasks: Vec<_> = tasks
        .filter_map(|(index, given)| task(&mut reading, index, given))
        .collect();
    match (source, trigger) {
        (Some(source_flow_config), Some(trigger_config)) if reading.0.is_empty() => {
            Ok(CreateFlowRequest {
                flow_name: found.flow_name.clone().unwrap_or_default(),
                description: text(found.description.as_ref()),
                kms_arn: text(found.kms_arn.as_ref()),
                trigger_config,
                source_flow_config,
                destination_flow_config_list: destinations,
                tasks,
                metadata_catalog_config: catalog(found.metadata_catalog_config.as_ref()),
                tags: found
                    .tags()
                    .map(|tags| tags.clone().into_iter().collect())
                    .unwrap_or_default(),
            })
        }
        _ => Err(Unreadable(reading.0)),
    }
}

/// Collects what cannot be said.
#[derive(Default)]
struct Reading(Vec<Fault>);

impl Reading {
    fn not_covered(&mut self, pointer: impl Into<String>, detail: impl Into<String>) {
        self.0.push(Fault::new(pointer, "not_covered", detail));
    }

    /// A member that the request must have.
    fn present<T>(&mut self, pointer: impl Into<String>, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.not_covered(pointer, "AppFlow's flow does not have it.");
        }
        value
    }

    /// The one connector under whose key something stands.
    fn only<T>(&mut self, pointer: impl Into<String>, found: Vec<T>) -> Option<T> {
        let [one] = <[T; 1]>::try_from(found)
            .map_err(|found| {
                let detail = format!("One connector's key was expected, {} found.", found.len());
                self.not_covered(pointer, detail);
            })
            .ok()?;
        Some(one)
    }
}

/// A word of the API as ours; none for one that AppFlow has learnt since.
fn word<'w, T: Deserialize<'w>>(word: &'w str) -> Option<T> {
    let word: value::StrDeserializer<'_, value::Error> = word.into_deserializer();
    T::deserialize(word).ok()
}

/// An empty text says as much as none.
fn text(given: Option<&String>) -> Option<String> {
    given.filter(|text| !text.is_empty()).cloned()
}

/// `false` is what the SDK has for what AppFlow does not say.
fn truth(given: bool) -> Option<bool> {
    given.then_some(true)
}

fn trigger_config(reading: &mut Reading, config: &sdk::TriggerConfig) -> Option<TriggerConfig> {
    let pointer = "/triggerConfig/triggerType";
    let kind = reading.present(pointer, word(config.trigger_type.as_str()))?;
    let scheduled = config
        .trigger_properties
        .as_ref()
        .and_then(|properties| properties.scheduled.as_ref());
    let properties = match (kind, scheduled) {
        (TriggerType::Scheduled, given) => {
            let pointer = "/triggerConfig/triggerProperties/Scheduled";
            let given = reading.present(pointer, given)?;
            Some(TriggerProperties::Scheduled(schedule(reading, given)?))
        }
        (TriggerType::OnDemand | TriggerType::Event, _) => None,
    };
    Some(TriggerConfig {
        trigger_type: kind,
        trigger_properties: properties,
    })
}

fn schedule(
    reading: &mut Reading,
    given: &sdk::ScheduledTriggerProperties,
) -> Option<ScheduledProperties> {
    let pull = given.data_pull_mode.as_ref();
    let pull: Option<DataPullMode> = pull.and_then(|mode| word(mode.as_str()));
    let pointer = "/triggerConfig/triggerProperties/Scheduled/dataPullMode";
    let seconds =
        |at: Option<&aws_smithy_types::DateTime>| at.map(aws_smithy_types::DateTime::secs);
    Some(ScheduledProperties {
        schedule_expression: given.schedule_expression.clone(),
        data_pull_mode: reading.present(pointer, pull)?,
        schedule_start_time: seconds(given.schedule_start_time.as_ref()),
        schedule_end_time: seconds(given.schedule_end_time.as_ref()),
        timezone: text(given.timezone.as_ref()),
        schedule_offset: given.schedule_offset,
        first_execution_from: seconds(given.first_execution_from.as_ref()),
        flow_error_deactivation_threshold: given.flow_error_deactivation_threshold,
    })
}

fn task(reading: &mut Reading, index: usize, given: &sdk::Task) -> Option<Task> {
    let at = |name: &str| format!("/tasks/{index}/{name}");
    let operator = match &given.connector_operator {
        None => None,
        Some(under) => Some(operator::operator(
            reading,
            &at("connectorOperator"),
            under,
        )?),
    };
    let properties = given.task_properties().into_iter().flatten();
    Some(Task {
        task_type: reading.present(at("taskType"), word(given.task_type.as_str()))?,
        source_fields: given.source_fields.clone(),
        connector_operator: operator,
        destination_field: text(given.destination_field.as_ref()),
        task_properties: properties
            .map(|(name, value)| (name.as_str().to_owned(), value.clone()))
            .collect::<BTreeMap<_, _>>(),
    })
}

fn catalog(given: Option<&sdk::MetadataCatalogConfig>) -> Option<MetadataCatalogConfig> {
    let glue = given?.glue_data_catalog.as_ref()?;
    Some(MetadataCatalogConfig {
        glue_data_catalog: GlueDataCatalog {
            role_arn: glue.role_arn.clone(),
            database_name: glue.database_name.clone(),
            table_prefix: glue.table_prefix.clone(),
        },
    })
}
