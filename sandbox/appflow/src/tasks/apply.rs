//! The task engine: records in, a table out.

use serde_json::{Map, Number, Value};

use super::{
    Arithmetic, Mask, Merge, Part, Plan, Rule, Validation,
    filter::{Filter, numeric, text},
};

/// A record as it came from the source.
pub(crate) type Record = Map<String, Value>;

/// What the destination gets.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Table {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<Value>>,
    /// Records that a filter or validation left out here.
    pub(crate) filtered: u64,
}

/// A `DropDataset` validation that failed: the run ends.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Validation failed for the field {field}: the flow run was terminated")]
pub(crate) struct DatasetDropped {
    pub(crate) field: String,
}

/// Applies the plan. `fields` are the source's fields in order (what "map all" maps); `local` are
/// the filters that the source did not evaluate.
pub(crate) fn apply(
    plan: &Plan,
    fields: &[String],
    local: &[Filter],
    records: Vec<Record>,
) -> Result<Table, DatasetDropped> {
    let mut mappings: Vec<(&str, &str)> = Vec::new();
    if let Some(except) = &plan.map_all_except {
        let all = fields.iter().filter(|f| !except.contains(f));
        mappings.extend(all.map(|f| (f.as_str(), f.as_str())));
    }
    for (source, target) in &plan.maps {
        if !mappings.iter().any(|(_, t)| t == target) {
            mappings.push((source, target));
        }
    }
    let mut table = Table {
        columns: mappings.iter().map(|(_, t)| (*t).to_owned()).collect(),
        ..Table::default()
    };
    for mut record in records {
        if !local.iter().all(|f| f.passes(get(&record, &f.field)))
            || !valid(&plan.validations, &record)?
        {
            table.filtered += 1;
            continue;
        }
        for step in &plan.arithmetics {
            record.insert(step.result.clone(), calculate(step, &record));
        }
        for step in &plan.merges {
            record.insert(step.result.clone(), merge(step, &record));
        }
        for step in &plan.masks {
            change(&mut record, &step.field, |value| mask(step, value));
        }
        for (field, length) in &plan.truncates {
            change(&mut record, field, |v| v.chars().take(*length).collect());
        }
        let row = mappings.iter().map(|(s, _)| get(&record, s).clone());
        table.rows.push(row.collect());
    }
    Ok(table)
}

fn get<'a>(record: &'a Record, field: &str) -> &'a Value {
    record.get(field).unwrap_or(&Value::Null)
}

/// Changes a value's text; null stays null.
fn change(record: &mut Record, field: &str, with: impl FnOnce(&str) -> String) {
    if let Some(value) = record.get_mut(field)
        && let Some(before) = text(value)
    {
        *value = Value::String(with(&before));
    }
}

fn valid(validations: &[Validation], record: &Record) -> Result<bool, DatasetDropped> {
    for validation in validations {
        if good(validation.rule, get(record, &validation.field)) {
            continue;
        }
        if validation.drop_dataset {
            return Err(DatasetDropped {
                field: validation.field.clone(),
            });
        }
        return Ok(false);
    }
    Ok(true)
}

fn good(rule: Rule, value: &Value) -> bool {
    match rule {
        Rule::NonNull => !value.is_null(),
        Rule::NonZero => numeric(value).is_none_or(|n| n != 0.0),
        Rule::NonNegative => numeric(value).is_none_or(|n| n >= 0.0),
        Rule::Numeric => numeric(value).is_some(),
    }
}

fn calculate(step: &Arithmetic, record: &Record) -> Value {
    let (Some(left), Some(right)) = (
        numeric(get(record, &step.left)),
        numeric(get(record, &step.right)),
    ) else {
        return Value::Null;
    };
    let result = match step.operator.as_str() {
        "ADDITION" => left + right,
        "SUBTRACTION" => left - right,
        "MULTIPLICATION" => left * right,
        _ => left / right,
    };
    // Division by zero has no number and becomes null; whole results print without a fraction.
    if result.fract() == 0.0 && result.abs() < 9e15 {
        return format!("{result:.0}")
            .parse::<i64>()
            .map_or(Value::Null, Value::from);
    }
    Number::from_f64(result).map_or(Value::Null, Value::Number)
}

fn merge(step: &Merge, record: &Record) -> Value {
    let part = |field: &String| text(get(record, field)).unwrap_or_default();
    let merged = match &step.format {
        Some(format) => step.fields.iter().fold(format.clone(), |made, field| {
            made.replace(&format!("${{{field}}}"), &part(field))
        }),
        None => step.fields.iter().map(part).collect(),
    };
    Value::String(merged)
}

fn mask(step: &Mask, value: &str) -> String {
    let length = value.chars().count();
    let hidden = |n: usize| step.with.to_string().repeat(n);
    match step.part {
        // Always the same length, so that a mask does not tell the length of what it hides.
        Part::All => hidden(step.length),
        Part::First => {
            let n = step.length.min(length);
            hidden(n) + &value.chars().skip(n).collect::<String>()
        }
        Part::Last => {
            let kept = length.saturating_sub(step.length);
            value.chars().take(kept).collect::<String>() + &hidden(length - kept)
        }
    }
}
