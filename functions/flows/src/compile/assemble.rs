//! A checked flow, with the names around it, becomes the request.

use std::collections::BTreeMap;

use tributary::id::{FlowId, TenantId};

use super::{
    CheckedFlow,
    destination::destination,
    request::{
        CreateFlowRequest, DataPullMode, GlueDataCatalog, MetadataCatalogConfig,
        ScheduledProperties, TriggerConfig, TriggerProperties, TriggerType,
    },
    source::source,
    tasks::tasks,
};
use crate::model::{Destination, Pull, Trigger};

/// What a flow's definition does not say itself: names that we derive, and its connections' profiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surroundings {
    /// Whose flow it is.
    pub tenant_id: TenantId,
    /// The flow.
    pub flow_id: FlowId,
    /// AppFlow profile of the source; none for S3.
    pub source_profile: Option<String>,
    /// AppFlow profile of the destination; none for services of AWS.
    pub destination_profile: Option<String>,
    /// What a data warehouse's connection keeps for its flows.
    pub staging: Option<Staging>,
    /// The twelve digits of the flow's account, for the name of a partner event source.
    pub aws_account_id: String,
}

/// What a data warehouse's connection keeps for its flows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staging {
    /// Bucket through which rows are loaded.
    pub bucket: String,
    /// Folder in that bucket.
    pub prefix: Option<String>,
    /// Database, which Snowflake's table names begin with.
    pub database: Option<String>,
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
        kms_arn: definition.kms_key_arn.clone(),
        trigger_config: trigger(flow),
        source_flow_config: source(flow, around),
        destination_flow_config_list: vec![destination(&definition.destination, around)],
        tasks: tasks(definition),
        metadata_catalog_config: catalog(&definition.destination),
        tags: tags(flow, around),
    }
}

/// Ours go last: nobody's tag stands in for them.
fn tags(flow: &CheckedFlow, around: &Surroundings) -> BTreeMap<String, String> {
    let mut tags = flow.definition.tags.clone();
    tags.insert("tributary:tenant".to_owned(), around.tenant_id.to_string());
    tags.insert("tributary:flow".to_owned(), around.flow_id.to_string());
    tags
}

fn trigger(flow: &CheckedFlow) -> TriggerConfig {
    let bare = |trigger_type| TriggerConfig {
        trigger_type,
        trigger_properties: None,
    };
    match (&flow.definition.trigger, &flow.schedule) {
        (Trigger::Event(_), _) => bare(TriggerType::Event),
        (Trigger::Scheduled(given), Some(schedule)) => TriggerConfig {
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
        },
        // A checked flow with a schedule has it checked.
        (Trigger::OnDemand(_) | Trigger::Scheduled(_), _) => bare(TriggerType::OnDemand),
    }
}

fn catalog(destination: &Destination) -> Option<MetadataCatalogConfig> {
    let Destination::S3(files) = destination else {
        return None;
    };
    let catalog = files.catalog.as_ref()?;
    Some(MetadataCatalogConfig {
        glue_data_catalog: GlueDataCatalog {
            role_arn: catalog.role_arn.clone(),
            database_name: catalog.database_name.clone(),
            table_prefix: catalog.table_prefix.clone(),
        },
    })
}
