//! A flow's definition, as CreateFlow and UpdateFlow carry it, after model validation.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::wire;

/// The members that a run or a rule needs; the request itself is kept for describe answers.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Definition {
    pub(crate) flow_name: String,
    pub(crate) trigger_config: TriggerConfig,
    pub(crate) source_flow_config: Source,
    pub(crate) destination_flow_config_list: Vec<Destination>,
    pub(crate) tasks: Vec<Task>,
    #[serde(default)]
    metadata_catalog_config: CatalogConfig,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct CatalogConfig {
    glue_data_catalog: Option<Catalog>,
}

/// Where a run's tables are registered.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Catalog {
    pub(crate) role_arn: String,
    pub(crate) database_name: String,
    pub(crate) table_prefix: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TriggerConfig {
    pub(crate) trigger_type: TriggerType,
    #[serde(default)]
    trigger_properties: TriggerProperties,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum TriggerType {
    OnDemand,
    Scheduled,
    Event,
}

impl TriggerType {
    /// As the API writes it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::OnDemand => "OnDemand",
            Self::Scheduled => "Scheduled",
            Self::Event => "Event",
        }
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
struct TriggerProperties {
    #[serde(rename = "Scheduled")]
    scheduled: Option<Scheduled>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Scheduled {
    pub(crate) schedule_expression: String,
    #[serde(default)]
    pub(crate) data_pull_mode: PullMode,
    #[serde(default, deserialize_with = "wire::optional_time")]
    pub(crate) schedule_start_time: Option<Timestamp>,
    #[serde(default, deserialize_with = "wire::optional_time")]
    pub(crate) schedule_end_time: Option<Timestamp>,
    #[serde(default, deserialize_with = "wire::optional_time")]
    pub(crate) first_execution_from: Option<Timestamp>,
    #[serde(default)]
    pub(crate) schedule_offset: i64,
    pub(crate) flow_error_deactivation_threshold: Option<u32>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum PullMode {
    #[default]
    Complete,
    Incremental,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Source {
    pub(crate) connector_type: String,
    pub(crate) connector_profile_name: Option<String>,
    #[serde(rename = "sourceConnectorProperties")]
    by_connector: Map<String, Value>,
    incremental_pull_config: Option<IncrementalPullConfig>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct IncrementalPullConfig {
    datetime_type_field_name: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Destination {
    pub(crate) connector_type: String,
    pub(crate) connector_profile_name: Option<String>,
    #[serde(rename = "destinationConnectorProperties")]
    by_connector: Map<String, Value>,
}

/// One entry of `tasks`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Task {
    #[serde(rename = "taskType")]
    pub(crate) kind: String,
    pub(crate) source_fields: Vec<String>,
    #[serde(default)]
    pub(crate) connector_operator: BTreeMap<String, String>,
    pub(crate) destination_field: Option<String>,
    #[serde(default, rename = "taskProperties")]
    pub(crate) properties: BTreeMap<String, String>,
}

impl Definition {
    /// The one destination that AppFlow supports per flow.
    pub(crate) fn destination(&self) -> Option<&Destination> {
        self.destination_flow_config_list.first()
    }

    /// Where its tables are registered, if they are.
    pub(crate) fn catalog(&self) -> Option<&Catalog> {
        self.metadata_catalog_config.glue_data_catalog.as_ref()
    }

    /// The schedule, if the flow has one.
    pub(crate) fn scheduled(&self) -> Option<&Scheduled> {
        match self.trigger_config.trigger_type {
            TriggerType::Scheduled => self.trigger_config.trigger_properties.scheduled.as_ref(),
            TriggerType::OnDemand | TriggerType::Event => None,
        }
    }
}

impl Source {
    /// Properties under the connector's key.
    pub(crate) fn properties(&self, key: &str) -> Option<&Value> {
        self.by_connector.get(key)
    }

    /// A text property of the one connector block that is there.
    pub(crate) fn text(&self, key: &str, member: &str) -> Option<&str> {
        self.properties(key)?.get(member)?.as_str()
    }

    /// The field that tells when a record changed.
    pub(crate) fn timestamp_field(&self) -> Option<&str> {
        self.incremental_pull_config
            .as_ref()?
            .datetime_type_field_name
            .as_deref()
    }

    /// The source object as events show it.
    pub(crate) fn object(&self) -> String {
        shown_object(&self.by_connector)
    }
}

impl Destination {
    /// Properties under the connector's key.
    pub(crate) fn properties(&self, key: &str) -> Option<&Value> {
        self.by_connector.get(key)
    }

    /// The destination object as events show it.
    pub(crate) fn object(&self) -> String {
        shown_object(&self.by_connector)
    }

    /// Buckets that AppFlow writes to for this destination.
    pub(crate) fn written_buckets(&self) -> Vec<&str> {
        let Some(properties) = self.by_connector.values().next() else {
            return Vec::new();
        };
        [
            properties.get("bucketName"),
            properties.get("intermediateBucketName"),
            properties.pointer("/errorHandlingConfig/bucketName"),
            properties.pointer("/successResponseHandlingConfig/bucketName"),
        ]
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
    }
}

/// `s3://bucket/prefix` for buckets, otherwise the object's name.
fn shown_object(properties: &Map<String, Value>) -> String {
    let Some(inner) = properties.values().next() else {
        return String::new();
    };
    let text = |name: &str| inner.get(name).and_then(Value::as_str);
    if let Some(object) = text("object")
        .or_else(|| text("objectPath"))
        .or_else(|| text("entityName"))
    {
        return object.to_owned();
    }
    match (text("bucketName"), text("bucketPrefix")) {
        (Some(bucket), Some(prefix)) => format!("s3://{bucket}/{prefix}"),
        (Some(bucket), None) => format!("s3://{bucket}"),
        _ => text("domainName").unwrap_or_default().to_owned(),
    }
}
