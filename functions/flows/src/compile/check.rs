//! The rules that AppFlow would refuse a flow for, and those that keep a flow from meaning
//! something other than its author thinks. All faults at once, nothing called.

mod application;
#[cfg(test)]
pub(crate) mod arbitrary;
mod changes;
mod destination;
pub(super) mod filters;
mod mappings;
mod pairs;
mod schedule;
mod source;
mod tags;
mod text;
mod writes;

use jiff::Timestamp;
use tributary::error::Fault;

use crate::model::{FlowDefinition, Trigger};

use mappings::Fields;
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
    let fields = Fields::of(&definition.mappings);
    source::check(&mut faults, definition);
    destination::check(&mut faults, definition, &fields);
    writes::check(&mut faults, definition, &fields);
    pairs::check(&mut faults, definition);
    let schedule = match &definition.trigger {
        Trigger::OnDemand(_) | Trigger::Event(_) => None,
        Trigger::Scheduled(scheduled) => schedule::check(&mut faults, scheduled, definition, now),
    };
    mappings::check(&mut faults, definition, &fields);
    filters::check(&mut faults, definition);
    changes::check(&mut faults, definition, &fields);
    if let Some(key) = &definition.kms_key_arn {
        tags::key(&mut faults, key);
    }
    tags::check(&mut faults, &definition.tags);
    match faults.0 {
        none if none.is_empty() => Ok(CheckedFlow {
            definition: definition.clone(),
            schedule,
        }),
        faults => Err(faults),
    }
}

#[cfg(test)]
mod tests;
