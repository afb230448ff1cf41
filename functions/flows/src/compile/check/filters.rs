//! Rules for filters (flow-model section 3).

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use tributary::connector::{self, Connector};

use super::{Faults, text};
use crate::model::{Comparison, Filter, FilterValue, FlowDefinition, Trigger};

/// Longest value of a task property.
const PROPERTY_LIMIT: usize = 2048;

/// What sort of values a type has; the type's name is the connector's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::compile) enum Class {
    Text,
    Number,
    Truth,
    Instant,
}

/// The connectors' names of types that are not text, in lower case.
const CLASSES: &[(Class, &[&str])] = &[
    (
        Class::Number,
        &[
            "int",
            "integer",
            "long",
            "short",
            "double",
            "float",
            "decimal",
            "number",
            "numeric",
            "currency",
            "percent",
            "biginteger",
            "bigdecimal",
            "edm.int16",
            "edm.int32",
            "edm.int64",
            "edm.double",
            "edm.decimal",
            "edm.single",
        ],
    ),
    (Class::Truth, &["boolean", "bool", "edm.boolean"]),
    (
        Class::Instant,
        &[
            "date",
            "datetime",
            "timestamp",
            "glide_date",
            "glide_date_time",
            "edm.datetime",
            "edm.datetimeoffset",
        ],
    ),
];

pub(in crate::compile) fn class(field_type: &str) -> Class {
    let lower = field_type.to_ascii_lowercase();
    CLASSES
        .iter()
        .find(|(_, names)| names.contains(&lower.as_str()))
        .map_or(Class::Text, |(class, _)| *class)
}

/// Whether fields of this class are compared so, and whether several values may be given.
fn takes(class: Class, comparison: Comparison) -> Option<Values> {
    use Comparison::{Between, Contains, Equals, NotEquals};
    match (class, comparison) {
        (Class::Text, Contains | Equals | NotEquals)
        | (Class::Truth | Class::Number, Equals | NotEquals) => Some(Values::OneOrMany),
        (Class::Instant, Between) => Some(Values::Bounds),
        (Class::Text | Class::Truth, _)
        | (Class::Number, Contains | Between)
        | (Class::Instant, Contains) => None,
        (Class::Number, _) => Some(Values::One),
        (Class::Instant, _) => Some(Values::OneOrMany),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Values {
    One,
    OneOrMany,
    Bounds,
}

/// `AppFlow`'s console stops at 10 filters of 10 values. The API has no such limit, so neither have we.
pub(super) fn check(faults: &mut Faults, definition: &FlowDefinition) {
    let (filters, source) = (&definition.filters, &definition.source);
    date_range(faults, definition);
    let mut seen = HashSet::new();
    for (index, filter) in filters.iter().enumerate() {
        let written = serde_json::to_string(filter).unwrap_or_default();
        if !seen.insert(written) {
            faults.add(
                format!("/filters/{index}"),
                "repeated",
                "The same filter stands here already.",
            );
        }
        let at = |name: &str| format!("/filters/{index}/{name}");
        text::source_field(faults, &at("field"), &filter.field);
        text::data_type(faults, &at("fieldType"), &filter.field_type);
        let class = class(&filter.field_type);
        let row = source.row();
        if !row.comparisons.contains(&filter.operator) {
            let offered = serde_json::json!(row.comparisons);
            faults.add(
                at("operator"),
                "operator_not_offered",
                format!("{} compares only so: {offered}.", row.label),
            );
        }
        match takes(class, filter.operator) {
            None => faults.add(
                at("operator"),
                "operator_not_for_type",
                "Fields of this type are not compared so.",
            ),
            Some(values) => operands(faults, &at, filter, class, values),
        }
    }
}

/// Sources that answer only for a range of dates, and the longest one (appflow 7.1).
const DATE_RANGES: &[(&Connector, Option<i64>)] = &[
    (&connector::DATADOG, None),
    (&connector::DYNATRACE, Some(30)),
];

/// A schedule brings a range of its own; on demand the flow must say it.
fn date_range(faults: &mut Faults, definition: &FlowDefinition) {
    let row = definition.source.row();
    let Some((_, most)) = DATE_RANGES.iter().find(|(of, _)| of.key == row.key) else {
        return;
    };
    let mut found = false;
    for (index, filter) in definition.filters.iter().enumerate() {
        if filter.operator != Comparison::Between {
            continue;
        }
        found = true;
        let bounds = (filter.lower.as_ref(), filter.upper.as_ref());
        if let (Some(lower), Some(upper)) = bounds
            && let (Some(lower), Some(upper)) = (instant(lower), instant(upper))
            && let Some(days) = *most
            && upper.duration_since(lower) > SignedDuration::from_hours(24 * days)
        {
            faults.add(
                format!("/filters/{index}/upper"),
                "range_too_long",
                format!("{} answers for {days} days at most.", row.label),
            );
        }
    }
    if !found && matches!(definition.trigger, Trigger::OnDemand(_)) {
        faults.add(
            "/filters",
            "date_range_required",
            format!(
                "{} answers only for a range of dates: filter a date with between.",
                row.label
            ),
        );
    }
}

fn operands(
    faults: &mut Faults,
    at: &impl Fn(&str) -> String,
    filter: &Filter,
    class: Class,
    values: Values,
) {
    let bounds = values == Values::Bounds;
    for (name, given, wanted) in [
        ("value", filter.value.is_some(), !bounds),
        (
            "values",
            filter.values.is_some(),
            values == Values::OneOrMany,
        ),
        ("lower", filter.lower.is_some(), bounds),
        ("upper", filter.upper.is_some(), bounds),
    ] {
        if given && !wanted {
            faults.add(
                at(name),
                "not_for_operator",
                "This operator does not take it.",
            );
        }
        if bounds && wanted && !given {
            faults.add(at(name), "required", "between needs lower and upper.");
        }
    }
    match (&filter.value, &filter.values) {
        (None, None) if !bounds => {
            faults.add(at("value"), "required", "What is it compared with?");
        }
        (Some(_), Some(_)) => faults.add(
            at("values"),
            "one_of_both",
            "Say value or values, not both.",
        ),
        (_, Some(list)) => several(faults, at, list, class),
        _ => {}
    }
    for (name, value) in [
        ("value", &filter.value),
        ("lower", &filter.lower),
        ("upper", &filter.upper),
    ] {
        if let Some(value) = value {
            operand(faults, at(name), value, class);
        }
    }
    if let (Some(lower), Some(upper)) = (&filter.lower, &filter.upper)
        && let (Some(lower), Some(upper)) = (instant(lower), instant(upper))
        && lower >= upper
    {
        faults.add(at("upper"), "bounds_reversed", "upper must be after lower.");
    }
}

fn several(faults: &mut Faults, at: &impl Fn(&str) -> String, list: &[FilterValue], class: Class) {
    if list.is_empty() {
        faults.add(at("values"), "required", "Give at least one value.");
    }
    let mut joined = 0;
    for (position, value) in list.iter().enumerate() {
        let pointer = at(&format!("values/{position}"));
        operand(faults, pointer.clone(), value, class);
        joined += plain(value, class).map_or(0, |text| text.chars().count() + 1);
        // AppFlow gets the list joined by commas and knows no escape.
        if matches!(value, FilterValue::Text(text) if class == Class::Text && text.contains(',')) {
            faults.add(
                pointer,
                "comma_in_list",
                "A value in a list cannot contain a comma.",
            );
        }
    }
    if joined > PROPERTY_LIMIT + 1 {
        faults.add(
            at("values"),
            "too_long",
            "The values together have 2048 characters at most.",
        );
    }
}

fn operand(faults: &mut Faults, pointer: String, value: &FilterValue, class: Class) {
    match plain(value, class) {
        None => faults.add(
            pointer,
            "wrong_type",
            match class {
                Class::Text => "This field is compared with text.",
                Class::Number => "This field is compared with numbers.",
                Class::Truth => "This field is compared with true or false.",
                Class::Instant => "This field is compared with instants like 2026-01-31T00:00:00Z.",
            },
        ),
        Some(text) if text.is_empty() => {
            faults.add(pointer, "empty", "AppFlow takes no empty value.");
        }
        Some(text) if text.chars().count() > PROPERTY_LIMIT => {
            faults.add(pointer, "too_long", "2048 characters at most.");
        }
        Some(text) if text.chars().any(char::is_control) => {
            faults.add(pointer, "control_character", "No control characters.");
        }
        Some(_) => {}
    }
}

/// The value as AppFlow has it: plain numbers, `true` and `false`, instants in epoch milliseconds.
pub(in crate::compile) fn plain(value: &FilterValue, class: Class) -> Option<String> {
    match (class, value) {
        (Class::Text, FilterValue::Text(text)) => Some(text.clone()),
        (Class::Truth, FilterValue::Truth(truth)) => Some(truth.to_string()),
        (Class::Number, FilterValue::Number(number)) => plain_number(number),
        (Class::Instant, value) => instant(value).map(|at| at.as_millisecond().to_string()),
        _ => None,
    }
}

/// Without an exponent, which no connector's filter is known to read.
fn plain_number(number: &serde_json::Number) -> Option<String> {
    if number.is_f64() {
        return number.as_f64().map(|number| number.to_string());
    }
    Some(number.to_string())
}

fn instant(value: &FilterValue) -> Option<Timestamp> {
    let FilterValue::Text(text) = value else {
        return None;
    };
    text.parse::<Timestamp>().ok().or_else(|| {
        let day: jiff::civil::Date = text.parse().ok()?;
        let midnight = day.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        Some(midnight.timestamp())
    })
}
