//! The way back: from a request of AppFlow to a flow as people write it.
//!
//! Lossless where the model has words for what the request says; the rest is a fault `not_covered`
//! with a pointer into the request, or `unknown` at a connector profile that is nobody's
//! connection. What comes back is the flow in its [normal form](super::normal), apart from an
//! explicit `false`, which stays.

mod destination;
mod source;
mod tasks;
mod values;
pub mod wire;

use std::collections::BTreeMap;

use jiff::Timestamp;
use tributary::{
    connector::Connector,
    error::Fault,
    id::{AccountId, ConnectionId},
};

use super::{
    Staging,
    request::{
        CreateFlowRequest, DataPullMode, ScheduledProperties, TriggerProperties, TriggerType,
    },
    schedule::Expression,
};
use crate::model::{Catalog, Destination, FlowDefinition, Nothing, Pull, Scheduled, Trigger};

pub(super) use values::value;

/// What a request does not say itself: whose profile is which connection, and our own names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// What people call the flow.
    pub name: String,
    /// The account in which it is.
    pub account_id: AccountId,
    /// That account's twelve digits, for the name of a partner event source.
    pub aws_account_id: String,
    /// The tenant's connections in that account, by AppFlow profile name.
    pub connections: BTreeMap<String, KnownConnection>,
}

/// A connection, found by its profile's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownConnection {
    /// Its id.
    pub id: ConnectionId,
    /// Key of its connector, which tells applications behind `CustomConnector` apart.
    pub connector: String,
    /// What a data warehouse's connection keeps for its flows.
    pub staging: Option<Staging>,
}

/// The flow that compiles to this request.
pub fn import(request: &CreateFlowRequest, around: &Known) -> Result<FlowDefinition, Vec<Fault>> {
    let mut reading = Reading {
        around,
        faults: Vec::new(),
    };
    let trigger = reading.trigger(request);
    let source = source::source(&mut reading, &request.source_flow_config);
    let destination = reading.destination(request);
    let read = tasks::tasks(&mut reading, request);
    match (trigger, source, destination) {
        (Some(trigger), Some(source), Some(mut destination)) if reading.faults.is_empty() => {
            if let Destination::S3(files) = &mut destination {
                files.partition_by = read.partition_by;
            }
            Ok(FlowDefinition {
                name: around.name.clone(),
                description: request.description.clone().filter(|text| !text.is_empty()),
                account_id: around.account_id,
                source,
                destination,
                trigger,
                mappings: read.mappings,
                filters: read.filters,
                transforms: read.transforms,
                validations: read.validations,
                kms_key_arn: request.kms_arn.clone(),
                tags: theirs(&request.tags),
                after_run: None,
            })
        }
        _ => Err(reading.faults),
    }
}

/// Tags that are neither ours nor AWS's own.
fn theirs(tags: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut tags = tags.clone();
    tags.retain(|name, _| !name.starts_with("tributary:") && !name.starts_with("aws:"));
    tags
}

/// What is known, and what could not be said.
struct Reading<'k> {
    around: &'k Known,
    faults: Vec<Fault>,
}

impl<'k> Reading<'k> {
    fn not_covered(&mut self, pointer: impl Into<String>, detail: impl Into<String>) {
        self.faults.push(Fault::new(pointer, "not_covered", detail));
    }

    /// A word that we have one for.
    fn word<T>(&mut self, pointer: impl Into<String>, word: Option<T>) -> Option<T> {
        if word.is_none() {
            self.not_covered(pointer, "There is no word for this here.");
        }
        word
    }

    /// The same for a member that may be absent; none is said only where nothing stood.
    fn optional<T>(
        &mut self,
        pointer: impl Into<String>,
        given: Option<&String>,
        word: fn(&str) -> Option<T>,
    ) -> Option<T> {
        self.word(pointer, word(given?))
    }

    /// The connection behind a profile.
    fn connection(&mut self, at: &str, profile: Option<&String>) -> Option<&'k KnownConnection> {
        let found = profile.and_then(|profile| self.around.connections.get(profile));
        if found.is_none() {
            self.faults.push(Fault::new(
                format!("{at}/connectorProfileName"),
                "unknown",
                "This connector profile is none of the tenant's connections.",
            ));
        }
        found
    }

    /// Properties, type and profile must speak of one application.
    fn agree(&mut self, at: &str, appflow_type: &str, row: &Connector, key: Option<&str>) {
        if appflow_type != row.appflow_type {
            let detail = format!("Its properties are those of {}.", row.label);
            self.not_covered(format!("{at}/connectorType"), detail);
        } else if key.is_some_and(|key| key != row.key) {
            let detail = format!("This connection does not lead to {}.", row.label);
            self.not_covered(format!("{at}/connectorProfileName"), detail);
        }
    }

    fn trigger(&mut self, request: &CreateFlowRequest) -> Option<Trigger> {
        let config = &request.trigger_config;
        let pull = request.source_flow_config.incremental_pull_config.as_ref();
        let field = pull.map(|pull| pull.datetime_type_field_name.clone());
        if config.trigger_type != TriggerType::Scheduled && field.is_some() {
            self.not_covered(
                "/sourceFlowConfig/incrementalPullConfig",
                "Only scheduled flows pull incrementally.",
            );
        }
        match (config.trigger_type, &config.trigger_properties) {
            (TriggerType::OnDemand, _) => Some(Trigger::OnDemand(Nothing {})),
            (TriggerType::Event, _) => Some(Trigger::Event(Nothing {})),
            (TriggerType::Scheduled, Some(TriggerProperties::Scheduled(schedule))) => {
                Some(Trigger::Scheduled(self.scheduled(schedule, field)?))
            }
            (TriggerType::Scheduled, None) => {
                let pointer = "/triggerConfig/triggerProperties";
                self.not_covered(pointer, "A scheduled flow without a schedule.");
                None
            }
        }
    }

    fn scheduled(
        &mut self,
        schedule: &ScheduledProperties,
        timestamp_field: Option<String>,
    ) -> Option<Scheduled> {
        let at = |name: &str| format!("/triggerConfig/triggerProperties/Scheduled/{name}");
        let expression = Expression::parse(&schedule.schedule_expression).ok();
        let expression = self.word(at("scheduleExpression"), expression)?;
        let mut instants = [None; 3];
        for (instant, name, seconds) in [
            (0, "scheduleStartTime", schedule.schedule_start_time),
            (1, "scheduleEndTime", schedule.schedule_end_time),
            (2, "firstExecutionFrom", schedule.first_execution_from),
        ] {
            let Some(seconds) = seconds else { continue };
            instants[instant] = self.word(at(name), Timestamp::from_second(seconds).ok());
        }
        let [start, end, first_from] = instants;
        Some(Scheduled {
            every: super::normal::written(&expression),
            pull: match schedule.data_pull_mode {
                DataPullMode::Incremental => Pull::Incremental,
                DataPullMode::Complete => Pull::Complete,
            },
            timestamp_field,
            start,
            end,
            offset_seconds: schedule.schedule_offset,
            first_from,
            time_zone: schedule.timezone.clone(),
            stop_after_failures: schedule.flow_error_deactivation_threshold,
        })
    }

    fn destination(&mut self, request: &CreateFlowRequest) -> Option<Destination> {
        let list = &request.destination_flow_config_list;
        let [only] = list.as_slice() else {
            let detail = format!("A flow has one destination here, not {}.", list.len());
            self.not_covered("/destinationFlowConfigList", detail);
            return None;
        };
        let mut destination = destination::destination(self, only);
        if let Some(catalog) = &request.metadata_catalog_config {
            let catalog = &catalog.glue_data_catalog;
            match &mut destination {
                Some(Destination::S3(files)) => {
                    files.catalog = Some(Catalog {
                        role_arn: catalog.role_arn.clone(),
                        database_name: catalog.database_name.clone(),
                        table_prefix: catalog.table_prefix.clone(),
                    });
                }
                _ => self.not_covered("/metadataCatalogConfig", "Only S3 has a catalogue."),
            }
        }
        destination
    }
}

#[cfg(test)]
mod tests;
