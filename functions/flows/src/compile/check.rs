//! The rules that AppFlow would refuse a flow for, and those that keep a flow from meaning
//! something other than its author thinks. All faults at once, nothing called.

#[cfg(test)]
pub(crate) mod arbitrary;
mod destination;
mod fields;
pub(super) mod filters;
mod schedule;
mod text;

use jiff::Timestamp;
use tributary::error::Fault;

use crate::model::{FlowDefinition, Source, Trigger};

pub use schedule::CheckedSchedule;

/// A flow that keeps every rule.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedFlow {
    pub(super) definition: FlowDefinition,
    pub(super) schedule: Option<CheckedSchedule>,
}

impl CheckedFlow {
    /// The flow as it was written.
    pub const fn definition(&self) -> &FlowDefinition {
        &self.definition
    }
}

/// Collects faults.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, pointer: impl Into<String>, code: &str, detail: impl Into<String>) {
        self.0.push(Fault::new(pointer, code, detail));
    }
}

/// Applies every rule. `now` decides whether a start or an end lies in the past.
pub fn check(definition: &FlowDefinition, now: Timestamp) -> Result<CheckedFlow, Vec<Fault>> {
    let mut faults = Faults::default();
    text::name(&mut faults, "/name", &definition.name);
    if let Some(description) = &definition.description {
        text::description(&mut faults, "/description", description);
    }
    source(&mut faults, &definition.source);
    destination::check(&mut faults, definition);
    let schedule = match &definition.trigger {
        Trigger::OnDemand(_) | Trigger::Event(_) => None,
        Trigger::Scheduled(scheduled) => schedule::check(&mut faults, scheduled, now),
    };
    fields::mappings(&mut faults, &definition.mappings);
    filters::check(&mut faults, &definition.filters, &definition.source);
    fields::transforms(&mut faults, definition);
    fields::validations(&mut faults, definition);
    match faults.0 {
        none if none.is_empty() => Ok(CheckedFlow {
            definition: definition.clone(),
            schedule,
        }),
        faults => Err(faults),
    }
}

fn source(faults: &mut Faults, source: &Source) {
    match source {
        Source::Salesforce(salesforce) => {
            text::object(faults, "/source/object", &salesforce.object);
        }
        Source::S3(files) => {
            text::bucket(faults, "/source/bucket", &files.bucket);
            text::prefix(faults, "/source/prefix", &files.prefix);
            if files.prefix.is_empty() {
                faults.add(
                    "/source/prefix",
                    "required",
                    "AppFlow reads files from a folder, never from the bucket's root.",
                );
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
