//! Operations become tasks, in the order of flow-model section 2.

use std::collections::{BTreeMap, HashSet};

use super::{
    check::filters as values,
    operators::Operator,
    request::{ConnectorOperator, Task, TaskType},
};
use crate::model::{
    Destination, Filter, FlowDefinition, Mapping, MaskPart, Otherwise, Requirement, Source,
    Transform, Validation,
};

type Properties = BTreeMap<String, String>;

/// What the console writes for a full mask.
const FULL_MASK_LENGTH: &str = "5";

pub(super) fn tasks(flow: &FlowDefinition) -> Vec<Task> {
    let key = Key::of(&flow.source);
    let mut tasks = Vec::with_capacity(expected(flow));
    tasks.extend(
        projection(flow)
            .map(|fields| key.task(TaskType::Filter, Operator::Projection, fields, None, [])),
    );
    for mapping in &flow.mappings {
        map(&mut tasks, &key, mapping);
    }
    tasks.extend(
        flow.transforms
            .iter()
            .map(|transform| change(&key, transform)),
    );
    tasks.extend(flow.filters.iter().map(|filter| select(&key, filter)));
    tasks.extend(
        flow.validations
            .iter()
            .map(|validation| validate(&key, validation)),
    );
    tasks.extend(partition(&key, &flow.destination));
    tasks
}

/// As many tasks as the flow becomes unless much of it is put together: projection and partition, and
/// one for each operation.
fn expected(flow: &FlowDefinition) -> usize {
    let changes = flow.transforms.len() + flow.validations.len();
    2 + flow.mappings.len() + flow.filters.len() + changes
}

/// Which fields the source reads: those of map and filter tasks, each once, mappings first. What is
/// put together is read by its parts, whose joined name no source knows.
fn projection(flow: &FlowDefinition) -> Option<Vec<String>> {
    if !flow.source.row().projects {
        return None;
    }
    let mapped = flow.mappings.iter().flat_map(Mapping::source_fields);
    let filtered = flow.filters.iter().map(|filter| &filter.field);
    let mut seen = HashSet::with_capacity(flow.mappings.len());
    let fields: Vec<String> = mapped
        .chain(filtered)
        .filter(|field| seen.insert(field.as_str()))
        .cloned()
        .collect();
    (!fields.is_empty()).then_some(fields)
}

/// Puts operators under the source connector's key.
struct Key {
    of: fn(Operator) -> ConnectorOperator,
    /// Whether the connector's operators have `NO_OP`; a task goes without one otherwise.
    has_no_op: bool,
}

impl Key {
    fn of(source: &Source) -> Self {
        use ConnectorOperator as To;
        let of = match source {
            Source::Salesforce(_) => To::Salesforce,
            Source::S3(_) => To::S3,
            Source::ServiceNow(_) => To::ServiceNow,
            Source::Zendesk(_) => To::Zendesk,
            Source::Slack(_) => To::Slack,
            Source::Marketo(_) => To::Marketo,
            Source::SapOData(_) => To::SapOData,
            Source::Veeva(_) => To::Veeva,
            Source::Pardot(_) => To::Pardot,
            Source::Datadog(_) => To::Datadog,
            Source::Dynatrace(_) => To::Dynatrace,
            Source::InforNexus(_) => To::InforNexus,
            Source::Singular(_) => To::Singular,
            Source::TrendMicro(_) => To::Trendmicro,
            Source::GoogleAnalytics(_) => To::GoogleAnalytics,
            Source::Amplitude(_) => To::Amplitude,
            Source::Asana(_)
            | Source::GitHub(_)
            | Source::GoogleAds(_)
            | Source::GoogleAnalytics4(_)
            | Source::GoogleBigQuery(_)
            | Source::HubSpot(_)
            | Source::Jdbc(_)
            | Source::Mailchimp(_)
            | Source::Dynamics365(_)
            | Source::SharePoint(_)
            | Source::MarketingCloud(_)
            | Source::Custom(_) => To::CustomConnector,
        };
        Self {
            of,
            has_no_op: source.row().changes_values,
        }
    }

    fn task(
        &self,
        task_type: TaskType,
        operator: Operator,
        source_fields: Vec<String>,
        destination_field: Option<String>,
        properties: impl IntoIterator<Item = (&'static str, String)>,
    ) -> Task {
        Task {
            task_type,
            source_fields,
            connector_operator: (operator != Operator::NoOp || self.has_no_op)
                .then(|| (self.of)(operator)),
            destination_field,
            task_properties: properties
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect::<Properties>(),
        }
    }
}

/// One task, or for what is put together two: the second maps the result, which is named by its
/// parts.
fn map(tasks: &mut Vec<Task>, key: &Key, mapping: &Mapping) {
    match mapping {
        Mapping::All(all) => {
            let excluded = serde_json::Value::from(all.exclude.clone()).to_string();
            let properties = [("EXCLUDE_SOURCE_FIELDS_LIST", excluded)];
            let (kind, operator) = (TaskType::MapAll, Operator::NoOp);
            tasks.push(key.task(kind, operator, Vec::new(), None, properties));
        }
        Mapping::Field(field) => {
            let types = (field.from_type.clone(), field.to_type.clone());
            tasks.push(one(key, field.from.clone(), &field.to, types));
        }
        Mapping::Concatenate(text) => {
            let joined = text.from.join(",");
            tasks.push(key.task(
                TaskType::Merge,
                Operator::NoOp,
                text.from.clone(),
                Some(joined.clone()),
                [("CONCAT_FORMAT", text.format.clone())],
            ));
            tasks.push(result(key, joined, &text.to, &text.to_type));
        }
        Mapping::Calculate(number) => {
            let joined = format!("{},{}", number.left, number.right);
            tasks.push(key.task(
                TaskType::Arithmetic,
                Operator::of_arithmetic(number.operation),
                vec![number.left.clone(), number.right.clone()],
                Some(joined.clone()),
                [("MATH_OPERATION_FIELDS_ORDER", joined.clone())],
            ));
            tasks.push(result(key, joined, &number.to, &number.to_type));
        }
    }
}

/// Maps what two fields made; on the way it counts as text.
fn result(key: &Key, joined: String, to: &str, to_type: &str) -> Task {
    let types = (Some("string".to_owned()), Some(to_type.to_owned()));
    one(key, joined, to, types)
}

fn one(key: &Key, from: String, to: &str, types: (Option<String>, Option<String>)) -> Task {
    let types = [
        ("SOURCE_DATA_TYPE", types.0),
        ("DESTINATION_DATA_TYPE", types.1),
    ];
    let properties = types
        .into_iter()
        .filter_map(|(name, data_type)| Some((name, data_type?)));
    let (kind, operator) = (TaskType::Map, Operator::NoOp);
    key.task(kind, operator, vec![from], Some(to.to_owned()), properties)
}

/// The task of which only the kind and the property's name are documented; that the property is a
/// JSON array is assumed here and nowhere else.
fn partition(key: &Key, destination: &Destination) -> Option<Task> {
    let Destination::S3(files) = destination else {
        return None;
    };
    let fields = &files.partition_by;
    if fields.is_empty() {
        return None;
    }
    let list = serde_json::Value::from(fields.clone()).to_string();
    let (kind, operator) = (TaskType::Partition, Operator::NoOp);
    let properties = [("ORDERED_PARTITION_KEYS_LIST", list)];
    Some(key.task(kind, operator, fields.clone(), None, properties))
}

fn change(key: &Key, transform: &Transform) -> Task {
    match transform {
        Transform::Mask(mask) => {
            let (operator, length) = match mask.part {
                MaskPart::All => (Operator::MaskAll, FULL_MASK_LENGTH.to_owned()),
                MaskPart::First => (Operator::MaskFirstN, count(mask.length)),
                MaskPart::Last => (Operator::MaskLastN, count(mask.length)),
            };
            let with = mask.with.clone().unwrap_or_else(|| "*".to_owned());
            let properties = [("MASK_LENGTH", length), ("MASK_VALUE", with)];
            key.task(
                TaskType::Mask,
                operator,
                vec![mask.field.clone()],
                None,
                properties,
            )
        }
        Transform::Truncate(cut) => key.task(
            TaskType::Truncate,
            Operator::NoOp,
            vec![cut.field.clone()],
            None,
            [("TRUNCATE_LENGTH", cut.length.to_string())],
        ),
    }
}

/// A checked mask of a part has a length.
fn count(length: Option<u32>) -> String {
    length.unwrap_or(1).to_string()
}

fn select(key: &Key, filter: &Filter) -> Task {
    let class = values::class(&filter.field_type);
    let plain = |value| values::plain(value, class);
    let mut properties = vec![("DATA_TYPE", filter.field_type.clone())];
    let single = [
        ("VALUE", &filter.value),
        ("LOWER_BOUND", &filter.lower),
        ("UPPER_BOUND", &filter.upper),
    ];
    properties.extend(
        single
            .into_iter()
            .filter_map(|(name, value)| Some((name, plain(value.as_ref()?)?))),
    );
    if let Some(values) = &filter.values {
        let joined: Vec<String> = values.iter().filter_map(plain).collect();
        properties.push(("VALUES", joined.join(",")));
    }
    key.task(
        TaskType::Filter,
        Operator::of(filter.operator),
        vec![filter.field.clone()],
        None,
        properties,
    )
}

fn validate(key: &Key, validation: &Validation) -> Task {
    let operator = match validation.must {
        Requirement::NotBeNull => Operator::ValidateNonNull,
        Requirement::NotBeZero => Operator::ValidateNonZero,
        Requirement::NotBeNegative => Operator::ValidateNonNegative,
        Requirement::BeNumeric => Operator::ValidateNumeric,
    };
    let action = match validation.otherwise {
        Otherwise::DropRecord => "DropRecord",
        Otherwise::StopRun => "DropDataset",
    };
    key.task(
        TaskType::Validate,
        operator,
        vec![validation.field.clone()],
        None,
        [("VALIDATION_ACTION", action.to_owned())],
    )
}
