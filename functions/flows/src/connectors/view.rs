//! An application, as it is shown: everything that a form for a connection or a flow needs.

use aws_sdk_appflow::types::{
    ConnectorConfiguration, Operators, ScheduleFrequencyType, TriggerType, WriteOperationType,
};
use serde::Serialize;
use tributary::connector::{ApiVersion, Comparison, Connector, Trigger, WriteOperation};
use utoipa::ToSchema;

use super::{
    method::MethodView,
    offer::{Offer, row},
};
use crate::compile::known::{comparisons, writes};

/// An application.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConnectorView {
    /// Its key; `custom` for connectors that are not in the catalogue.
    #[schema(example = "salesforce")]
    key: &'static str,
    /// What people call it.
    #[schema(example = "Salesforce")]
    label: String,
    /// What it is, in AppFlow's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// Who made it, where AppFlow says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "AWS")]
    owner: Option<String>,
    /// AppFlow's connector type.
    #[schema(example = "Salesforce")]
    appflow_type: &'static str,
    /// AppFlow's key in properties and operators.
    #[schema(example = "Salesforce")]
    property_key: &'static str,
    /// AppFlow's connector label, for those behind `CustomConnector`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "HubSpot")]
    custom_label: Option<String>,
    /// Whether flows can read from it.
    source: bool,
    /// Whether flows can write to it.
    destination: bool,
    /// Whether flows can use it today: a connection can be made, or none is needed.
    connectable: bool,
    /// Whether flows name a connection to it.
    needs_connection: bool,
    /// Ways to connect, with what each asks for; the first is the default.
    methods: Vec<MethodView>,
    /// The OAuth provider that consents.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "salesforce")]
    provider: Option<&'static str>,
    /// What can start a flow from it.
    triggers: Vec<Trigger>,
    /// Shortest time between two scheduled runs, in minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 1)]
    shortest_schedule_minutes: Option<u32>,
    /// Keys of the connectors that flows from here can write to.
    #[schema(example = json!(["s3", "redshift"]))]
    destinations: Vec<&'static str>,
    /// The member of a flow's source or destination that names what is read or written.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "object")]
    object_member: Option<&'static str>,
    /// Comparisons that filters on this source may use; a field may offer fewer.
    comparisons: Vec<Comparison>,
    /// Whether flows from it can bring single fields; without it they bring all.
    projects: bool,
    /// Whether flows from it can mask, truncate, calculate, concatenate and validate.
    changes_values: bool,
    /// What flows to it can do with records.
    writes: Vec<WriteOperation>,
    /// The versions of its API, where flows can name one.
    #[serde(skip_serializing_if = "Option::is_none")]
    api_version: Option<Versions>,
    /// Whether the service behind it has ended.
    retired: bool,
    /// Whether the account of the question has it; absent when none was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    available: Option<bool>,
    /// Whether the account of the question registered it itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    registered: Option<bool>,
}

/// Versions of an application's API.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Versions {
    /// Whether a flow must name one.
    required: bool,
    /// The one taken when a flow names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "1.0")]
    default: Option<String>,
    /// The ones that are known; others may exist.
    #[schema(example = json!(["v3"]))]
    known: Vec<String>,
}

impl ConnectorView {
    /// A row of the catalogue.
    pub(super) fn of(row: &'static Connector) -> Self {
        Self {
            key: row.key,
            label: row.label.to_owned(),
            description: None,
            owner: None,
            appflow_type: row.appflow_type,
            property_key: row.property_key,
            custom_label: row.custom_label.map(str::to_owned),
            source: row.source,
            destination: row.destination,
            connectable: !row.methods.is_empty() && !row.retired,
            needs_connection: row.has_profile(),
            methods: row
                .methods
                .iter()
                .map(|method| MethodView::of(row, method))
                .collect(),
            provider: row.provider,
            triggers: row.triggers.to_vec(),
            shortest_schedule_minutes: row.shortest_schedule_minutes,
            destinations: row.destinations.to_vec(),
            object_member: row.object_member,
            comparisons: row.comparisons.to_vec(),
            projects: row.projects,
            changes_values: row.changes_values,
            writes: row.writes.to_vec(),
            api_version: row.api_version.map(Versions::of),
            retired: row.retired,
            available: None,
            registered: None,
        }
    }

    /// What of it can be used in a deployment that has apps at these providers only.
    pub(super) fn at_providers(mut self, is_on: impl Fn(&str) -> bool) -> Self {
        if self.provider.is_some_and(|provider| !is_on(provider)) {
            self.methods.retain(|method| !method.needs_provider());
            self.connectable &= !self.methods.is_empty();
        }
        self
    }

    /// A row of which the account has nothing.
    pub(super) fn missing(row: &'static Connector) -> Self {
        Self {
            available: Some(false),
            registered: Some(false),
            ..Self::of(row)
        }
    }

    /// A connector that the account has, within the bounds of its row.
    pub(super) fn offered(offer: &Offer) -> Self {
        let mut view = Self::of(offer.row);
        view.available = Some(true);
        view.registered = Some(offer.registered);
        view.description.clone_from(&offer.description);
        view.owner.clone_from(&offer.owner);
        if offer.row.custom_label.is_none() && offer.label.is_some() {
            let name = offer.name.as_ref().or(offer.label.as_ref());
            view.label = name.cloned().unwrap_or(view.label);
            view.custom_label.clone_from(&offer.label);
        }
        if !offer.modes.is_empty() {
            let has = |mode: &str| offer.modes.iter().any(|known| known == mode);
            view.within(has("SOURCE"), has("DESTINATION"));
        }
        if let Some(configuration) = &offer.configuration {
            view.narrow(configuration);
        }
        view
    }

    fn within(&mut self, source: bool, destination: bool) {
        self.source &= source;
        self.destination &= destination;
        if !self.source {
            self.triggers.clear();
            self.comparisons.clear();
            self.destinations.clear();
            self.shortest_schedule_minutes = None;
        }
        if !self.destination {
            self.writes.clear();
        }
    }

    /// What a connector says of itself counts where it is less than the row's.
    pub(super) fn narrow(&mut self, said: &ConnectorConfiguration) {
        self.within(said.can_use_as_source, said.can_use_as_destination);
        if let Some(text) = &said.connector_description {
            self.description = Some(text.clone());
        }
        if let Some(owner) = &said.connector_owner {
            self.owner = Some(owner.clone());
        }
        if let Some(types) = said
            .supported_trigger_types
            .as_ref()
            .filter(|_| self.source)
        {
            self.triggers
                .retain(|ours| types.iter().any(|theirs| trigger(theirs) == Some(*ours)));
        }
        if let Some(frequencies) = said
            .supported_scheduling_frequencies
            .as_deref()
            .filter(|list| !list.is_empty())
        {
            let shortest = frequencies.iter().filter_map(minutes).min();
            self.shortest_schedule_minutes = self.shortest_schedule_minutes.max(shortest);
        }
        if !self.triggers.contains(&Trigger::Scheduled) {
            self.shortest_schedule_minutes = None;
        }
        if let Some(types) = said
            .supported_destination_connectors
            .as_deref()
            .filter(|list| !list.is_empty())
        {
            // Custom connectors share a type: which of them it is, AppFlow does not say.
            let takes = |key: &str| {
                tributary::connector::connector(key)
                    .is_some_and(|row| types.iter().any(|kind| kind.as_str() == row.appflow_type))
            };
            self.destinations.retain(|key| takes(key));
        }
        if let Some(operators) = &said.supported_operators {
            let words = || operators.iter().map(Operators::as_str);
            self.comparisons = comparisons(&words(), &self.comparisons);
            self.projects &= words().any(|word| word == "PROJECTION");
            self.changes_values &=
                words().any(|word| word.starts_with("MASK_") || word.starts_with("VALIDATE_"));
        }
        if let Some(operations) = &said.supported_write_operations {
            let theirs = writes(operations.iter().map(WriteOperationType::as_str));
            self.writes.retain(|ours| theirs.contains(ours));
        }
        if let Some(versions) = said
            .supported_api_versions
            .as_deref()
            .filter(|list| !list.is_empty())
        {
            let ours = self.api_version.take();
            let default = ours.as_ref().and_then(|ours| ours.default.clone());
            self.api_version = Some(Versions {
                required: ours.is_none_or(|ours| ours.required),
                default: default.filter(|default| versions.contains(default)),
                known: versions.to_vec(),
            });
        }
    }

    /// The view of one connector of an account, after it was asked.
    pub(super) fn described(
        kind: &str,
        label: Option<&str>,
        said: &ConnectorConfiguration,
    ) -> Option<Self> {
        let offer = Offer {
            row: row(kind, label)?,
            label: label.map(str::to_owned),
            name: said.connector_name.clone(),
            description: None,
            owner: None,
            modes: said.connector_modes.clone().unwrap_or_default(),
            registered: said.connector_provisioning_type.is_some(),
            configuration: Some(Box::new(said.clone())),
        };
        Some(Self::offered(&offer))
    }

    /// For the order of lists.
    pub(super) fn order(&self) -> (&'static str, Option<&str>) {
        (self.key, self.custom_label.as_deref())
    }
}

impl Versions {
    fn of(version: ApiVersion) -> Self {
        Self {
            required: version.required,
            default: version.default.map(str::to_owned),
            known: version
                .known
                .iter()
                .map(|known| (*known).to_owned())
                .collect(),
        }
    }
}

fn trigger(theirs: &TriggerType) -> Option<Trigger> {
    match theirs.as_str() {
        "OnDemand" => Some(Trigger::OnDemand),
        "Scheduled" => Some(Trigger::Scheduled),
        "Event" => Some(Trigger::Event),
        _ => None,
    }
}

/// Least minutes between two runs of this frequency; none for once.
fn minutes(frequency: &ScheduleFrequencyType) -> Option<u32> {
    match frequency.as_str() {
        "BYMINUTE" => Some(1),
        "HOURLY" => Some(60),
        "DAILY" => Some(24 * 60),
        "WEEKLY" => Some(7 * 24 * 60),
        "MONTHLY" => Some(28 * 24 * 60),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use tributary::connector::{self, CONNECTORS};

    use super::*;

    fn registered(configuration: &ConnectorConfiguration) -> ConnectorView {
        ConnectorView::described("CustomConnector", Some("acme-crm"), configuration).unwrap()
    }

    #[test]
    fn every_row_is_shown_whole() {
        for row in CONNECTORS {
            let shown = serde_json::to_value(ConnectorView::of(row)).unwrap();
            let plain = serde_json::to_value(row).unwrap();
            for (member, value) in plain.as_object().unwrap() {
                let absent = value.is_null() && shown.get(member).is_none();
                let versions = member == "apiVersion" && shown[member]["known"] == value["known"];
                assert!(
                    absent || versions || shown[member] == *value,
                    "{}: {member}",
                    row.key
                );
            }
        }
    }

    #[test]
    fn connectable_is_what_a_connection_can_be_made_to_or_what_needs_none() {
        let view = |row| ConnectorView::of(row);
        for (row, connectable, needs) in [
            (&connector::SALESFORCE, true, true),
            (&connector::REDSHIFT, true, true),
            (&connector::S3, true, false),
            (&connector::SLACK, true, true),
            (&connector::HONEYCODE, false, true),
            (&connector::LOOKOUT_METRICS, false, false),
        ] {
            let view = view(row);
            assert_eq!(
                (view.connectable, view.needs_connection),
                (connectable, needs),
                "{}",
                row.key
            );
        }
    }

    #[test]
    fn a_registered_connector_is_custom_within_what_it_says() {
        let view = registered(
            &ConnectorConfiguration::builder()
                .can_use_as_source(true)
                .can_use_as_destination(true)
                .connector_name("ACME CRM")
                .connector_owner("acme")
                .supported_trigger_types(TriggerType::Scheduled)
                .supported_scheduling_frequencies(ScheduleFrequencyType::Daily)
                .supported_operators(Operators::EqualTo)
                .supported_operators(Operators::Projection)
                .supported_write_operations(WriteOperationType::Insert)
                .supported_api_versions("v7")
                .build(),
        );
        assert_eq!(
            (view.key, view.label.as_str(), view.custom_label.as_deref()),
            ("custom", "ACME CRM", Some("acme-crm"))
        );
        assert_eq!(view.triggers, [Trigger::Scheduled]);
        assert_eq!(view.shortest_schedule_minutes, Some(24 * 60));
        assert_eq!(view.comparisons, [Comparison::Equals]);
        assert_eq!(view.writes, [WriteOperation::Insert]);
        assert_eq!(view.api_version.unwrap().known, ["v7"]);
        assert!(view.projects && !view.changes_values);
    }

    #[test]
    fn a_connector_that_only_reads_writes_nothing() {
        let view = registered(
            &ConnectorConfiguration::builder()
                .can_use_as_source(true)
                .build(),
        );
        assert!(view.source && !view.destination && view.writes.is_empty());
        let view = registered(
            &ConnectorConfiguration::builder()
                .can_use_as_destination(true)
                .build(),
        );
        assert!(
            !view.source
                && view.triggers.is_empty()
                && view.comparisons.is_empty()
                && view.destinations.is_empty()
        );
    }
}
