//! What a subscription may say; every fault at once.

use std::collections::BTreeSet;

use serde::Deserialize;
use tributary::{
    error::{Error, Fault},
    id::FlowId,
    subscription::{EventType, Filter},
};
use utoipa::ToSchema;

/// Most flows in a filter.
const MOST_FLOWS: usize = 100;
/// SNS takes 150 combinations of values in a filter policy; one is the subscription itself.
const MOST_COMBINATIONS: usize = 149;

/// Which notifications: those that fit each part; an empty part fits all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct FilterInput {
    /// Types of events; all when empty.
    #[schema(value_type = Vec<EventType>)]
    event_types: Vec<String>,
    /// Flows; all, and what is about no flow, when empty.
    #[schema(value_type = Vec<FlowId>)]
    flow_ids: Vec<String>,
}

impl FilterInput {
    /// The flows that it names, as far as they are ids at all.
    pub(super) fn flows(&self) -> BTreeSet<FlowId> {
        let ids = self.flow_ids.iter().take(MOST_FLOWS + 1);
        ids.filter_map(|id| id.parse().ok()).collect()
    }
}

/// What is wrong with a name that people read.
pub(super) fn name_fault(name: &str) -> Option<Fault> {
    let characters = name.trim().chars().count();
    let sound = (1..=128).contains(&characters) && !name.chars().any(char::is_control);
    (!sound).then(|| {
        let told = "1 to 128 characters, not only blanks, no control characters.";
        Fault::new("/name", "invalid_name", told)
    })
}

/// Reads a filter of a tenant of whose flows `known` are those that it names.
pub(super) fn filter(
    input: &FilterInput,
    known: &BTreeSet<FlowId>,
    is_native: bool,
    faults: &mut Vec<Fault>,
) -> Filter {
    let FilterInput {
        event_types,
        flow_ids,
    } = input;
    let mut filter = Filter::default();
    for (at, text) in event_types.iter().enumerate() {
        let pointer = format!("/filter/eventTypes/{at}");
        let kind = EventType::ALL.iter().find(|kind| kind.as_str() == text);
        match kind {
            None => faults.push(Fault::new(
                pointer,
                "unknown_event_type",
                "There is no such type of event.",
            )),
            Some(kind) if filter.event_types.contains(kind) => faults.push(twice(pointer)),
            Some(kind) => filter.event_types.push(*kind),
        }
    }
    if flow_ids.len() > MOST_FLOWS {
        let told = format!("{MOST_FLOWS} flows at most.");
        faults.push(Fault::new("/filter/flowIds", "too_many", told));
        return filter;
    }
    for (at, text) in flow_ids.iter().enumerate() {
        let pointer = format!("/filter/flowIds/{at}");
        match text.parse().ok().filter(|id| known.contains(id)) {
            None => faults.push(Fault::new(
                pointer,
                "unknown_flow",
                "There is no such flow.",
            )),
            Some(id) if filter.flow_ids.contains(&id) => faults.push(twice(pointer)),
            Some(id) => filter.flow_ids.push(id),
        }
    }
    let combinations = filter.event_types.len().max(1) * filter.flow_ids.len().max(1);
    if is_native && combinations > MOST_COMBINATIONS {
        let told = format!(
            "The number of types times the number of flows is {MOST_COMBINATIONS} at most for this kind of target."
        );
        faults.push(Fault::new("/filter", "too_many_combinations", told));
    }
    filter
}

fn twice(pointer: String) -> Fault {
    Fault::new(pointer, "duplicate", "It is in this list already.")
}

/// The answer for faults, if there are any.
pub(super) fn sound(faults: Vec<Fault>) -> Result<(), Error> {
    if faults.is_empty() {
        return Ok(());
    }
    Err(invalid(faults))
}

/// The answer for a subscription that breaks rules.
pub(super) fn invalid(faults: Vec<Fault>) -> Error {
    Error::unprocessable(
        "invalid_subscription",
        "The subscription breaks rules.",
        faults,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(input: &FilterInput, known: &[FlowId], is_native: bool) -> Vec<(String, String)> {
        let mut faults = Vec::new();
        let known = known.iter().copied().collect();
        filter(input, &known, is_native, &mut faults);
        let pairs = faults.into_iter().map(|fault| (fault.pointer, fault.code));
        pairs.collect()
    }

    #[test]
    fn everything_wrong_with_a_filter_is_told_at_once() {
        let (own, others) = (FlowId::new(), FlowId::new());
        let input = FilterInput {
            event_types: ["tributary.run.failed", "run.failed", "tributary.run.failed"]
                .map(str::to_owned)
                .to_vec(),
            flow_ids: vec![
                own.to_string(),
                others.to_string(),
                "flw_x".to_owned(),
                own.to_string(),
            ],
        };
        let faults = told(&input, &[own], true);
        let expected = [
            ("/filter/eventTypes/1", "unknown_event_type"),
            ("/filter/eventTypes/2", "duplicate"),
            ("/filter/flowIds/1", "unknown_flow"),
            ("/filter/flowIds/2", "unknown_flow"),
            ("/filter/flowIds/3", "duplicate"),
        ];
        let expected = expected.map(|(at, code)| (at.to_owned(), code.to_owned()));
        assert_eq!(faults, expected);
    }

    #[test]
    fn a_filter_policy_of_the_topic_has_150_combinations_at_most() {
        let flows: Vec<FlowId> = (0..75).map(|_| FlowId::new()).collect();
        let input = FilterInput {
            event_types: vec![
                "tributary.run.failed".to_owned(),
                "tributary.run.completed".to_owned(),
            ],
            flow_ids: flows.iter().map(ToString::to_string).collect(),
        };
        let native = told(&input, &flows, true);
        assert_eq!(native[0].1, "too_many_combinations");
        assert!(told(&input, &flows, false).is_empty());
    }

    #[test]
    fn names_are_names() {
        for name in ["Operations", "Ünser Team", &"n".repeat(128)] {
            assert!(name_fault(name).is_none(), "{name}");
        }
        for name in ["", "  ", "a\nb", &"n".repeat(129)] {
            assert!(name_fault(name).is_some(), "{name:?}");
        }
    }
}
