//! Which source goes with which destination and which trigger (flow-model sections 4 to 6).

use tributary::connector::{self, Trigger as Starts};

use super::{Faults, source::sends_events};
use crate::model::{Destination, FlowDefinition, Source, Trigger};

pub(super) fn check(faults: &mut Faults, definition: &FlowDefinition) {
    pair(faults, definition);
    trigger(faults, definition);
    events(faults, definition);
    measures(faults, definition);
}

fn pair(faults: &mut Faults, definition: &FlowDefinition) {
    let (from, to) = (definition.source.row(), definition.destination.row());
    if !from.destinations.contains(&to.key) {
        let offered = from.destinations.join(", ");
        faults.add(
            "/destination/connector",
            "destination_not_offered",
            format!("Flows from {} go to {offered}.", from.label),
        );
    }
    let documents = matches!(&definition.source, Source::Veeva(veeva) if veeva.brings_documents());
    if documents && to.key != connector::S3.key {
        faults.add(
            "/destination/connector",
            "destination_not_offered",
            "Documents of Veeva go to s3.",
        );
    }
}

fn trigger(faults: &mut Faults, definition: &FlowDefinition) {
    let row = definition.source.row();
    if !row.triggers.contains(&kind(&definition.trigger)) {
        let offered = serde_json::json!(row.triggers);
        faults.add(
            "/trigger/type",
            "trigger_not_offered",
            format!("{} starts flows only so: {offered}.", row.label),
        );
    }
}

const fn kind(trigger: &Trigger) -> Starts {
    match trigger {
        Trigger::OnDemand(_) => Starts::OnDemand,
        Trigger::Scheduled(_) => Starts::Scheduled,
        Trigger::Event(_) => Starts::Event,
    }
}

/// An event starts a flow if, and only if, it is what the source names; `EventBridge` takes nothing
/// else. Other destinations take events too, S3 among them (ADR 7).
fn events(faults: &mut Faults, definition: &FlowDefinition) {
    let started_by_event = matches!(definition.trigger, Trigger::Event(_));
    let to_event_bridge = matches!(definition.destination, Destination::EventBridge(_));
    let names_event = match &definition.source {
        Source::Salesforce(salesforce) => Some(sends_events(&salesforce.object)),
        _ => None,
    };
    if started_by_event && names_event == Some(false) {
        faults.add(
            "/source/object",
            "not_an_event",
            "An event starts this flow: name an object like AccountChangeEvent or Order__e.",
        );
    }
    if !started_by_event && (to_event_bridge || names_event == Some(true)) {
        let detail = if to_event_bridge {
            "Amazon EventBridge takes events alone: the trigger's type is event."
        } else {
            "The source names an event: the trigger's type is event."
        };
        faults.add("/trigger/type", "event_trigger_required", detail);
    }
}

/// Lookout for Metrics reads on a schedule, and what it reads is always encrypted.
fn measures(faults: &mut Faults, definition: &FlowDefinition) {
    if !matches!(definition.destination, Destination::LookoutMetrics(_)) {
        return;
    }
    if !matches!(definition.trigger, Trigger::Scheduled(_)) {
        faults.add(
            "/trigger/type",
            "schedule_required",
            "Amazon Lookout for Metrics takes scheduled flows alone: the trigger's type is scheduled.",
        );
    }
    if definition.kms_key_arn.is_none() {
        faults.add(
            "/kmsKeyArn",
            "required",
            "Amazon Lookout for Metrics takes only what a KMS key of yours encrypts.",
        );
    }
}
