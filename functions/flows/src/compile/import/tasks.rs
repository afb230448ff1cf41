//! Tasks, in whatever order, become operations.

use std::collections::BTreeSet;

use super::{Reading, values};
use crate::{
    compile::{
        check::filters,
        operators::Operator,
        request::{ConnectorOperator, CreateFlowRequest, SourceProperties, Task, TaskType},
        words,
    },
    model::{
        AllFields, Calculation, Comparison, Concatenation, FieldMapping, Filter, Mapping, Mask,
        MaskPart, Otherwise, Requirement, Transform, Truncate, Validation,
    },
};

/// What the tasks say.
#[derive(Default)]
pub(super) struct Read {
    pub(super) mappings: Vec<Mapping>,
    pub(super) filters: Vec<Filter>,
    pub(super) transforms: Vec<Transform>,
    pub(super) validations: Vec<Validation>,
    pub(super) partition_by: Vec<String>,
}

pub(super) fn tasks(reading: &mut Reading<'_>, request: &CreateFlowRequest) -> Read {
    let mut read = Read::default();
    let tasks = || {
        let numbered = request.tasks.iter().enumerate();
        numbered.map(|(index, task)| At { index, task })
    };
    let mut composed: Vec<Composed<'_>> = tasks()
        .filter(|at| matches!(at.task.task_type, TaskType::Merge | TaskType::Arithmetic))
        .map(|at| Composed { at, used: false })
        .collect();
    for at in tasks() {
        at.key(
            reading,
            &request.source_flow_config.source_connector_properties,
        );
        match at.task.task_type {
            TaskType::Filter if at.operator() == Operator::Projection => {}
            TaskType::Filter => read.filters.extend(filter(reading, &at)),
            TaskType::MapAll => read.mappings.extend(all(reading, &at)),
            TaskType::Map => read.mappings.extend(map(reading, &at, &mut composed)),
            TaskType::Merge | TaskType::Arithmetic => {}
            TaskType::Mask => read.transforms.extend(mask(reading, &at)),
            TaskType::Truncate => read.transforms.extend(truncate(reading, &at)),
            TaskType::Validate => read.validations.extend(validate(reading, &at)),
            TaskType::Partition => partition(reading, &at, request, &mut read),
            TaskType::Passthrough => {
                reading.not_covered(at.pointer(""), "Nothing is passed through here.");
            }
        }
    }
    for lost in composed.iter().filter(|composed| !composed.used) {
        let detail = "What it makes is mapped nowhere.";
        reading.not_covered(lost.at.pointer(""), detail);
    }
    for at in tasks().filter(|at| at.operator() == Operator::Projection) {
        projection(reading, &at, &read);
    }
    read
}

/// A task and its place.
#[derive(Clone, Copy)]
struct At<'t> {
    index: usize,
    task: &'t Task,
}

impl<'t> At<'t> {
    fn pointer(&self, member: &str) -> String {
        format!("/tasks/{}{member}", self.index)
    }

    fn operator(&self) -> Operator {
        self.task.connector_operator.map_or(Operator::NoOp, under)
    }

    /// The operator stands under the source's key; without an operator the key says nothing.
    fn key(&self, reading: &mut Reading<'_>, source: &SourceProperties) {
        let Some(operator) = self.task.connector_operator else {
            return;
        };
        if self.operator() != Operator::NoOp && !fits(operator, source) {
            let detail = "It stands under another connector's key than the source's.";
            reading.not_covered(self.pointer("/connectorOperator"), detail);
        }
    }

    fn property(&self, name: &str) -> Option<&'t String> {
        self.task.task_properties.get(name)
    }

    /// Says what there is besides these properties.
    fn only(&self, reading: &mut Reading<'_>, known: &[&str]) {
        for name in self.task.task_properties.keys() {
            if !known.contains(&name.as_str()) {
                let pointer = self.pointer(&format!("/taskProperties/{name}"));
                reading.not_covered(pointer, "Such a task has no such property here.");
            }
        }
    }

    fn needed(&self, reading: &mut Reading<'_>, name: &str) -> Option<&'t String> {
        let pointer = self.pointer(&format!("/taskProperties/{name}"));
        reading.word(pointer, self.property(name))
    }

    /// The one source field.
    fn field(&self, reading: &mut Reading<'_>) -> Option<String> {
        let one = match self.task.source_fields.as_slice() {
            [one] => Some(one.clone()),
            _ => None,
        };
        reading.word(self.pointer("/sourceFields"), one)
    }

    /// A change stays in its field.
    fn in_place(&self, reading: &mut Reading<'_>, field: &str) {
        let target = self.task.destination_field.as_deref().unwrap_or_default();
        if !target.is_empty() && target != field {
            let pointer = self.pointer("/destinationField");
            reading.not_covered(pointer, "A change stays in its field.");
        }
    }

    fn count(&self, reading: &mut Reading<'_>, name: &str) -> Option<u32> {
        let text = self.needed(reading, name)?;
        let pointer = self.pointer(&format!("/taskProperties/{name}"));
        reading.word(pointer, text.parse().ok())
    }
}

/// A task that makes one field of several, which a map task then brings.
struct Composed<'t> {
    at: At<'t>,
    used: bool,
}

fn all(reading: &mut Reading<'_>, at: &At<'_>) -> Option<Mapping> {
    const EXCLUDED: &str = "EXCLUDE_SOURCE_FIELDS_LIST";
    at.only(reading, &[EXCLUDED]);
    let exclude = match at.property(EXCLUDED) {
        None => Vec::new(),
        Some(list) => {
            let pointer = at.pointer(&format!("/taskProperties/{EXCLUDED}"));
            reading.word(pointer, values::names(list))?
        }
    };
    Some(Mapping::All(AllFields { exclude }))
}

fn map(reading: &mut Reading<'_>, at: &At<'_>, made: &mut [Composed<'_>]) -> Option<Mapping> {
    at.only(reading, &["SOURCE_DATA_TYPE", "DESTINATION_DATA_TYPE"]);
    let from = at.field(reading)?;
    let to = at.task.destination_field.clone();
    let to = to.filter(|to| !to.is_empty());
    let to = reading.word(at.pointer("/destinationField"), to)?;
    let same = |composed: &Composed<'_>| composed.at.task.destination_field.as_ref() == Some(&from);
    let unused = made
        .iter()
        .position(|composed| same(composed) && !composed.used);
    if let Some(position) = unused.or_else(|| made.iter().position(same)) {
        made[position].used = true;
        let to_type = at.needed(reading, "DESTINATION_DATA_TYPE")?.clone();
        return compose(reading, &made[position].at, to, to_type);
    }
    Some(Mapping::Field(FieldMapping {
        from,
        to,
        from_type: at.property("SOURCE_DATA_TYPE").cloned(),
        to_type: at.property("DESTINATION_DATA_TYPE").cloned(),
    }))
}

fn compose(reading: &mut Reading<'_>, at: &At<'_>, to: String, to_type: String) -> Option<Mapping> {
    let fields = at.task.source_fields.clone();
    if at.task.task_type == TaskType::Merge {
        at.only(reading, &["CONCAT_FORMAT"]);
        return Some(Mapping::Concatenate(Concatenation {
            from: fields,
            format: at.needed(reading, "CONCAT_FORMAT")?.clone(),
            to,
            to_type,
        }));
    }
    at.only(reading, &["MATH_OPERATION_FIELDS_ORDER"]);
    let pair = <[String; 2]>::try_from(fields).ok();
    let [left, right] = reading.word(at.pointer("/sourceFields"), pair)?;
    // The property, where it is there, has the last word on which comes first.
    let order = at.property("MATH_OPERATION_FIELDS_ORDER");
    let (left, right) = if order.is_some_and(|order| *order == format!("{right},{left}")) {
        (right, left)
    } else {
        (left, right)
    };
    let operation = words::arithmetic_of(at.operator());
    Some(Mapping::Calculate(Calculation {
        operation: reading.word(at.pointer("/connectorOperator"), operation)?,
        left,
        right,
        to,
        to_type,
    }))
}

fn mask(reading: &mut Reading<'_>, at: &At<'_>) -> Option<Transform> {
    at.only(reading, &["MASK_LENGTH", "MASK_VALUE"]);
    let field = at.field(reading)?;
    at.in_place(reading, &field);
    let part = match at.operator() {
        Operator::MaskAll => Some(MaskPart::All),
        Operator::MaskFirstN => Some(MaskPart::First),
        Operator::MaskLastN => Some(MaskPart::Last),
        _ => None,
    };
    let part = reading.word(at.pointer("/connectorOperator"), part)?;
    let length = match part {
        MaskPart::All => None,
        MaskPart::First | MaskPart::Last => Some(at.count(reading, "MASK_LENGTH")?),
    };
    Some(Transform::Mask(Mask {
        field,
        part,
        length,
        with: at.property("MASK_VALUE").cloned(),
    }))
}

fn truncate(reading: &mut Reading<'_>, at: &At<'_>) -> Option<Transform> {
    at.only(reading, &["TRUNCATE_LENGTH"]);
    let field = at.field(reading)?;
    at.in_place(reading, &field);
    let length = at.count(reading, "TRUNCATE_LENGTH")?;
    Some(Transform::Truncate(Truncate { field, length }))
}

fn validate(reading: &mut Reading<'_>, at: &At<'_>) -> Option<Validation> {
    at.only(reading, &["VALIDATION_ACTION"]);
    let field = at.field(reading)?;
    let must = match at.operator() {
        Operator::ValidateNonNull => Some(Requirement::NotBeNull),
        Operator::ValidateNonZero => Some(Requirement::NotBeZero),
        Operator::ValidateNonNegative => Some(Requirement::NotBeNegative),
        Operator::ValidateNumeric => Some(Requirement::BeNumeric),
        _ => None,
    };
    let must = reading.word(at.pointer("/connectorOperator"), must)?;
    let otherwise = match at.needed(reading, "VALIDATION_ACTION")?.as_str() {
        "DropRecord" => Some(Otherwise::DropRecord),
        "DropDataset" => Some(Otherwise::StopRun),
        _ => None,
    };
    let pointer = at.pointer("/taskProperties/VALIDATION_ACTION");
    Some(Validation {
        field,
        must,
        otherwise: reading.word(pointer, otherwise)?,
    })
}

fn filter(reading: &mut Reading<'_>, at: &At<'_>) -> Option<Filter> {
    const KNOWN: [&str; 5] = ["DATA_TYPE", "VALUE", "VALUES", "LOWER_BOUND", "UPPER_BOUND"];
    at.only(reading, &KNOWN);
    let field = at.field(reading)?;
    at.in_place(reading, &field);
    let operator = comparison(at.operator());
    let operator = reading.word(at.pointer("/connectorOperator"), operator)?;
    let field_type = at.needed(reading, "DATA_TYPE")?.clone();
    let class = filters::class(&field_type);
    let mut single = |name: &str| {
        let text = at.property(name)?;
        let pointer = at.pointer(&format!("/taskProperties/{name}"));
        reading.word(pointer, values::value(text, class))
    };
    let [value, lower, upper] = ["VALUE", "LOWER_BOUND", "UPPER_BOUND"].map(&mut single);
    let values = match at.property("VALUES") {
        None => None,
        Some(list) => {
            let pointer = at.pointer("/taskProperties/VALUES");
            Some(reading.word(pointer, values::values(list, class))?)
        }
    };
    Some(Filter {
        field,
        field_type,
        operator,
        value,
        values,
        lower,
        upper,
    })
}

fn partition(reading: &mut Reading<'_>, at: &At<'_>, request: &CreateFlowRequest, read: &mut Read) {
    const KEYS: &str = "ORDERED_PARTITION_KEYS_LIST";
    at.only(reading, &[KEYS]);
    let to_s3 = request
        .destination_flow_config_list
        .iter()
        .all(|to| to.connector_type == "S3");
    if !to_s3 || !read.partition_by.is_empty() {
        reading.not_covered(at.pointer(""), "Only S3 is partitioned, and once.");
    }
    let Some(list) = at.needed(reading, KEYS) else {
        return;
    };
    let pointer = at.pointer(&format!("/taskProperties/{KEYS}"));
    read.partition_by = reading
        .word(pointer, values::names(list))
        .unwrap_or_default();
}

/// A projection lists what mappings and filters name, in any order, under its own or the joined
/// name. One that lists less or more brings something else than they say.
fn projection(reading: &mut Reading<'_>, at: &At<'_>, read: &Read) {
    let mapped = read.mappings.iter().flat_map(Mapping::source_fields);
    let filtered = read.filters.iter().map(|filter| &filter.field);
    let named: BTreeSet<&String> = mapped.chain(filtered).collect();
    let listed: BTreeSet<&String> = at.task.source_fields.iter().collect();
    let joined = |field: &String| field.contains(',');
    let strange = listed.difference(&named).any(|field| !joined(field))
        || named.difference(&listed).next().is_some() && !listed.iter().any(|field| joined(field));
    if strange && reading.faults.is_empty() {
        let detail = "It reads other fields than the mappings and filters name.";
        reading.not_covered(at.pointer("/sourceFields"), detail);
    }
}

const fn comparison(operator: Operator) -> Option<Comparison> {
    Some(match operator {
        Operator::Contains => Comparison::Contains,
        Operator::EqualTo => Comparison::Equals,
        Operator::NotEqualTo => Comparison::NotEquals,
        Operator::LessThan => Comparison::LessThan,
        Operator::LessThanOrEqualTo => Comparison::LessThanOrEquals,
        Operator::GreaterThan => Comparison::GreaterThan,
        Operator::GreaterThanOrEqualTo => Comparison::GreaterThanOrEquals,
        Operator::Between => Comparison::Between,
        _ => return None,
    })
}

const fn under(operator: ConnectorOperator) -> Operator {
    use ConnectorOperator as Of;
    match operator {
        Of::Salesforce(word)
        | Of::S3(word)
        | Of::ServiceNow(word)
        | Of::Zendesk(word)
        | Of::Slack(word)
        | Of::Marketo(word)
        | Of::SapOData(word)
        | Of::Veeva(word)
        | Of::Pardot(word)
        | Of::Datadog(word)
        | Of::Dynatrace(word)
        | Of::InforNexus(word)
        | Of::Singular(word)
        | Of::Trendmicro(word)
        | Of::GoogleAnalytics(word)
        | Of::Amplitude(word)
        | Of::CustomConnector(word) => word,
    }
}

const fn fits(operator: ConnectorOperator, source: &SourceProperties) -> bool {
    use {ConnectorOperator as Of, SourceProperties as From};
    matches!(
        (operator, source),
        (Of::Salesforce(_), From::Salesforce { .. })
            | (Of::S3(_), From::S3 { .. })
            | (Of::ServiceNow(_), From::ServiceNow(_))
            | (Of::Zendesk(_), From::Zendesk(_))
            | (Of::Slack(_), From::Slack(_))
            | (Of::Marketo(_), From::Marketo(_))
            | (Of::SapOData(_), From::SapOData { .. })
            | (Of::Veeva(_), From::Veeva { .. })
            | (Of::Pardot(_), From::Pardot(_))
            | (Of::Datadog(_), From::Datadog(_))
            | (Of::Dynatrace(_), From::Dynatrace(_))
            | (Of::InforNexus(_), From::InforNexus(_))
            | (Of::Singular(_), From::Singular(_))
            | (Of::Trendmicro(_), From::Trendmicro(_))
            | (Of::GoogleAnalytics(_), From::GoogleAnalytics(_))
            | (Of::Amplitude(_), From::Amplitude(_))
            | (Of::CustomConnector(_), From::CustomConnector { .. })
    )
}
