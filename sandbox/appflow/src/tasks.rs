//! A flow's tasks, compiled once into a plan that a run applies.

pub(crate) mod apply;
pub(crate) mod filter;

use crate::definition::Task;
use filter::Filter;

/// What the tasks ask for, by kind. The order of the list does not matter to AppFlow; the order of
/// effect is filter, validate, arithmetic and merge, mask and truncate, map, partition.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Plan {
    /// Fields to read, if a projection names them.
    pub(crate) projection: Option<Vec<String>>,
    /// Present if everything is mapped: the names left out.
    pub(crate) map_all_except: Option<Vec<String>>,
    /// Source field and destination field.
    pub(crate) maps: Vec<(String, String)>,
    /// Conditions, all of which must hold.
    pub(crate) filters: Vec<Filter>,
    pub(crate) validations: Vec<Validation>,
    pub(crate) arithmetics: Vec<Arithmetic>,
    pub(crate) merges: Vec<Merge>,
    pub(crate) masks: Vec<Mask>,
    /// Field and length.
    pub(crate) truncates: Vec<(String, usize)>,
    /// Destination fields that become folders, in order.
    pub(crate) partition: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Validation {
    pub(crate) field: String,
    pub(crate) rule: Rule,
    pub(crate) drop_dataset: bool,
}

/// What a value must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    NonNull,
    NonZero,
    NonNegative,
    Numeric,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arithmetic {
    pub(crate) operator: String,
    pub(crate) left: String,
    pub(crate) right: String,
    pub(crate) result: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Merge {
    pub(crate) fields: Vec<String>,
    /// `${Field}` is replaced. Its syntax is nowhere documented; this is our assumption.
    pub(crate) format: Option<String>,
    pub(crate) result: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mask {
    pub(crate) field: String,
    pub(crate) part: Part,
    pub(crate) length: usize,
    pub(crate) with: char,
}

/// Which part of a value a mask hides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    All,
    First,
    Last,
}

impl Plan {
    /// Compiles tasks whose operators stand under `key`. `Err` has every message, each without
    /// the grammar around it.
    pub(crate) fn compile(tasks: &[Task], key: &str) -> Result<Self, Vec<String>> {
        let mut plan = Self::default();
        let mut faults = Vec::new();
        for task in tasks {
            if let Err(fault) = plan.add(task, key) {
                faults.push(format!("Task Validation Error: {fault}"));
            }
        }
        let projected = plan.projection.is_some() || plan.map_all_except.is_some();
        if !projected && key != "S3" {
            faults.push(
                "Task Validation Error: You must specify a projection task or a MAP_ALL task"
                    .to_owned(),
            );
        }
        if faults.is_empty() {
            Ok(plan)
        } else {
            Err(faults)
        }
    }

    fn add(&mut self, task: &Task, key: &str) -> Result<(), String> {
        // A wrong key is not an error of its own: the service then sees no operator.
        let operator = task.connector_operator.get(key).map_or("NO_OP", |o| o);
        match task.kind.as_str() {
            "Filter" if operator == "PROJECTION" => {
                let fields = self.projection.get_or_insert_default();
                for field in &task.source_fields {
                    if !fields.contains(field) {
                        fields.push(field.clone());
                    }
                }
            }
            "Filter" => self.filters.push(Filter::of(task, operator)?),
            "Map" => {
                let source = one_field(task)?;
                // "" is tolerated and means the source field's name.
                let target = task.destination_field.as_deref().filter(|d| !d.is_empty());
                self.maps
                    .push((source.to_owned(), target.unwrap_or(source).to_owned()));
            }
            "Map_all" => {
                let text = property(task, "EXCLUDE_SOURCE_FIELDS_LIST").unwrap_or("[]");
                let except = serde_json::from_str(text).map_err(|_| {
                    "EXCLUDE_SOURCE_FIELDS_LIST must be a JSON list of field names".to_owned()
                })?;
                self.map_all_except = Some(except);
            }
            "Mask" => self.masks.push(mask(task, operator)?),
            "Truncate" => {
                let length = number(task, "TRUNCATE_LENGTH")?;
                self.truncates.push((one_field(task)?.to_owned(), length));
            }
            "Validate" => self.validations.push(validation(task, operator)?),
            "Arithmetic" => self.arithmetics.push(arithmetic(task, operator)?),
            "Merge" => {
                if task.source_fields.is_empty() {
                    return Err("A Merge task must have source fields".to_owned());
                }
                self.merges.push(Merge {
                    fields: task.source_fields.clone(),
                    format: property(task, "CONCAT_FORMAT").map(str::to_owned),
                    result: intermediate(task),
                });
            }
            "Partition" => {
                self.partition = partition_keys(task);
                if self.partition.is_empty() || self.partition.len() > 10 {
                    return Err("A Partition task must have 1 to 10 keys".to_owned());
                }
            }
            other => return Err(format!("The task type {other} is not valid for this flow")),
        }
        Ok(())
    }

    /// Whether two versions of a flow write the same schema: mappings, types, partition keys. The
    /// order of the list does not count: DescribeFlow has one of its own, and clients send it back.
    pub(crate) fn same_schema(before: &[Task], after: &[Task]) -> bool {
        let relevant = |tasks: &[Task]| -> Vec<Task> {
            tasks
                .iter()
                .filter(|t| matches!(t.kind.as_str(), "Map" | "Map_all" | "Partition"))
                .cloned()
                .collect()
        };
        let (before, after) = (relevant(before), relevant(after));
        before.len() == after.len()
            && before.iter().all(|task| after.contains(task))
            && after.iter().all(|task| before.contains(task))
    }
}

/// A property that is present and not empty.
pub(crate) fn property<'a>(task: &'a Task, name: &str) -> Option<&'a str> {
    task.properties.get(name).map(String::as_str)
}

/// The only source field of a task.
pub(crate) fn one_field(task: &Task) -> Result<&str, String> {
    match task.source_fields.as_slice() {
        [field] => Ok(field),
        _ => Err(format!(
            "A {} task must have exactly one source field",
            task.kind
        )),
    }
}

fn number(task: &Task, name: &str) -> Result<usize, String> {
    property(task, name)
        .and_then(|text| text.parse().ok())
        .filter(|n| *n > 0)
        .ok_or_else(|| format!("{name} must be a whole number greater than zero"))
}

/// The field that an Arithmetic or Merge task makes: named by its inputs unless said otherwise.
fn intermediate(task: &Task) -> String {
    task.destination_field
        .clone()
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| task.source_fields.join(","))
}

fn mask(task: &Task, operator: &str) -> Result<Mask, String> {
    let part = match operator {
        "MASK_ALL" => Part::All,
        "MASK_FIRST_N" => Part::First,
        "MASK_LAST_N" => Part::Last,
        other => {
            return Err(format!(
                "The operator {other} is not valid for masking tasks"
            ));
        }
    };
    let mut characters = property(task, "MASK_VALUE").unwrap_or("*").chars();
    let (Some(with), None) = (characters.next(), characters.next()) else {
        return Err("MASK_VALUE must be one character".to_owned());
    };
    // The console writes 5 for a full mask, so the length is optional there.
    let length = if part == Part::All && property(task, "MASK_LENGTH").is_none() {
        5
    } else {
        number(task, "MASK_LENGTH")?
    };
    Ok(Mask {
        field: one_field(task)?.to_owned(),
        part,
        length,
        with,
    })
}

fn validation(task: &Task, operator: &str) -> Result<Validation, String> {
    let rule = match operator {
        "VALIDATE_NON_NULL" => Rule::NonNull,
        "VALIDATE_NON_ZERO" => Rule::NonZero,
        "VALIDATE_NON_NEGATIVE" => Rule::NonNegative,
        "VALIDATE_NUMERIC" => Rule::Numeric,
        other => {
            return Err(format!(
                "The operator {other} is not valid for validation tasks"
            ));
        }
    };
    let drop_dataset = match property(task, "VALIDATION_ACTION") {
        Some("DropRecord") => false,
        Some("DropDataset") => true,
        _ => return Err("VALIDATION_ACTION must be DropRecord or DropDataset".to_owned()),
    };
    Ok(Validation {
        field: one_field(task)?.to_owned(),
        rule,
        drop_dataset,
    })
}

fn arithmetic(task: &Task, operator: &str) -> Result<Arithmetic, String> {
    if !["ADDITION", "SUBTRACTION", "MULTIPLICATION", "DIVISION"].contains(&operator) {
        return Err(format!(
            "The operator {operator} is not valid for arithmetic tasks"
        ));
    }
    let order: Vec<&str> = match property(task, "MATH_OPERATION_FIELDS_ORDER") {
        Some(order) => order.split(',').collect(),
        None => task.source_fields.iter().map(String::as_str).collect(),
    };
    let [left, right] = order.as_slice() else {
        return Err("An Arithmetic task must have exactly two fields".to_owned());
    };
    Ok(Arithmetic {
        operator: operator.to_owned(),
        left: (*left).to_owned(),
        right: (*right).to_owned(),
        result: intermediate(task),
    })
}

/// The keys as a JSON list (our assumption), else comma-separated, else the source fields.
fn partition_keys(task: &Task) -> Vec<String> {
    match property(task, "ORDERED_PARTITION_KEYS_LIST") {
        Some(text) => serde_json::from_str(text)
            .unwrap_or_else(|_| text.split(',').map(|k| k.trim().to_owned()).collect()),
        None => task.source_fields.clone(),
    }
}

#[cfg(test)]
mod tests;
