//! Operations become tasks, in the order of flow-model section 2.

use std::collections::BTreeMap;

use super::{
    check::filters as values,
    operators::Operator,
    request::{ConnectorOperator, Task, TaskType},
};
use crate::model::{
    Filter, FlowDefinition, Mapping, MaskPart, Otherwise, Requirement, Source, Transform,
    Validation,
};

type Properties = BTreeMap<String, String>;

/// What the console writes for a full mask.
const FULL_MASK_LENGTH: &str = "5";

pub(super) fn tasks(flow: &FlowDefinition) -> Vec<Task> {
    let key = Key::of(&flow.source);
    let mut tasks = Vec::new();
    tasks.extend(
        projection(flow)
            .map(|fields| key.task(TaskType::Filter, Operator::Projection, fields, None, [])),
    );
    tasks.extend(flow.mappings.iter().map(|mapping| map(&key, mapping)));
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
    tasks
}

/// Which fields the source reads: those of map and filter tasks, each once, mappings first.
fn projection(flow: &FlowDefinition) -> Option<Vec<String>> {
    let mapped = flow.mappings.iter().filter_map(|mapping| match mapping {
        Mapping::All(_) => None,
        Mapping::Field(field) => Some(&field.from),
    });
    let filtered = flow.filters.iter().map(|filter| &filter.field);
    let mut fields: Vec<String> = Vec::new();
    for field in mapped.chain(filtered) {
        if !fields.contains(field) {
            fields.push(field.clone());
        }
    }
    (!fields.is_empty()).then_some(fields)
}

/// Puts operators under the source connector's key.
struct Key(fn(Operator) -> ConnectorOperator);

impl Key {
    fn of(source: &Source) -> Self {
        Self(match source {
            Source::Salesforce(_) => ConnectorOperator::Salesforce,
            Source::S3(_) => ConnectorOperator::S3,
        })
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
            connector_operator: (self.0)(operator),
            destination_field,
            task_properties: properties
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect::<Properties>(),
        }
    }
}

fn map(key: &Key, mapping: &Mapping) -> Task {
    match mapping {
        Mapping::All(all) => {
            let excluded = serde_json::Value::from(all.exclude.clone()).to_string();
            let properties = [("EXCLUDE_SOURCE_FIELDS_LIST", excluded)];
            key.task(
                TaskType::MapAll,
                Operator::NoOp,
                Vec::new(),
                None,
                properties,
            )
        }
        Mapping::Field(field) => {
            let types = [
                ("SOURCE_DATA_TYPE", field.from_type.clone()),
                ("DESTINATION_DATA_TYPE", field.to_type.clone()),
            ];
            let properties = types
                .into_iter()
                .filter_map(|(name, data_type)| Some((name, data_type?)));
            let (from, to) = (vec![field.from.clone()], Some(field.to.clone()));
            key.task(TaskType::Map, Operator::NoOp, from, to, properties)
        }
    }
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
