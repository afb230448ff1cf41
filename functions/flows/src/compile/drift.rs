//! Where AppFlow's flow is another than the one that was asked for.
//!
//! What AppFlow adds, leaves out or reorders by itself is no difference:
//!
//! * tags and key (they cannot be changed there), the flow's name, and what runs after a run;
//! * the order of tasks and of a projection's fields, an empty target, empty maps and nulls;
//! * `false`, aggregation `None`, transfer API `AUTOMATIC`, an execution-id folder and a version of the
//!   application's API, where nothing was asked for;
//! * a first instant that is not echoed, and a start that we moved along its own grid.

mod operations;
mod wire;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    described::Unreadable,
    import::{Known, import},
    normal::normal,
    request::{CreateFlowRequest, ScheduledProperties, TriggerProperties},
    schedule::Expression,
};
use crate::model::{
    DatePrefix, Destination, FlowDefinition, ObjectSource, OutputFormat, PathFolder, Source,
    Trigger,
};

/// One difference.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// JSON pointer into the flow's definition; where it has no word for what was found, `/appflow`
    /// and a pointer into AppFlow's request. `-` stands for an element that was not asked for.
    #[schema(example = "/mappings/0/to")]
    pub pointer: String,
    /// What was asked for; absent when nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub asked: Option<Value>,
    /// What AppFlow has; absent when it has nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub found: Option<Value>,
}

/// How AppFlow's flow differs from the one that was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Drift {
    /// The differences; none when the two mean the same.
    pub differences: Vec<Difference>,
    /// AppFlow's flow as a definition, without what AppFlow adds by itself; none where the model has
    /// no words for it.
    pub found: Option<FlowDefinition>,
}

/// Compares what was asked for, with the request that it is now, with what AppFlow has.
pub fn drift(
    asked: &FlowDefinition,
    asked_request: &CreateFlowRequest,
    found: &CreateFlowRequest,
    around: &Known,
) -> Drift {
    let Ok(mut read) = import(found, around) else {
        return Drift {
            differences: wire::differences(asked_request, found),
            found: None,
        };
    };
    forgive(asked, asked_request, &mut read);
    let json = |flow| serde_json::to_value(normal(flow)).unwrap_or_default();
    Drift {
        differences: operations::differences(&json(asked), &json(&read)),
        found: Some(read),
    }
}

/// The drift of a flow that cannot even be read.
pub fn unreadable(found: &Unreadable) -> Drift {
    let differences = found.0.iter().map(|fault| Difference {
        pointer: format!("/appflow{}", fault.pointer),
        asked: None,
        found: Some(fault.detail.clone().into()),
    });
    Drift {
        differences: differences.collect(),
        found: None,
    }
}

/// Takes from what was found what AppFlow adds by itself, and gives it what AppFlow does not echo.
fn forgive(asked: &FlowDefinition, request: &CreateFlowRequest, found: &mut FlowDefinition) {
    found.name.clone_from(&asked.name);
    found.tags.clone_from(&asked.tags);
    found.kms_key_arn.clone_from(&asked.kms_key_arn);
    found.after_run.clone_from(&asked.after_run);
    if let (Trigger::Scheduled(asked), Trigger::Scheduled(found)) =
        (&asked.trigger, &mut found.trigger)
    {
        if found.first_from.is_none() {
            found.first_from = asked.first_from;
        }
        let moved = scheduled(request).and_then(|schedule| schedule.schedule_start_time);
        let [from, at] = [asked.start, found.start].map(|at| at.map(jiff::Timestamp::as_second));
        if on_grid(&asked.every, from, at, moved) {
            found.start = asked.start;
        }
    }
    if let (None, Some(version)) = (asked.source.api_version(), version(&mut found.source)) {
        *version = None;
    }
    if let Some(theirs) = format(&mut found.destination).and_then(|format| format.prefix.as_mut()) {
        let ours = match &asked.destination {
            Destination::S3(files) => files.format.as_ref(),
            Destination::Upsolver(files) => Some(&files.format),
            _ => None,
        };
        let ours = ours.and_then(|format| format.prefix.as_ref());
        let asked_for = ours.is_some_and(|prefix: &DatePrefix| !prefix.folders.is_empty());
        if !asked_for && theirs.folders == [PathFolder::ExecutionId] {
            theirs.folders.clear();
        }
    }
}

fn format(destination: &mut Destination) -> Option<&mut OutputFormat> {
    match destination {
        Destination::S3(files) => files.format.as_mut(),
        Destination::Upsolver(files) => Some(&mut files.format),
        _ => None,
    }
}

/// The version, where AppFlow chooses one when none is asked for.
fn version(source: &mut Source) -> Option<&mut Option<String>> {
    match source {
        Source::Salesforce(object) => Some(&mut object.api_version),
        Source::ServiceNow(ObjectSource { api_version, .. })
        | Source::Zendesk(ObjectSource { api_version, .. })
        | Source::Slack(ObjectSource { api_version, .. })
        | Source::Marketo(ObjectSource { api_version, .. })
        | Source::Pardot(ObjectSource { api_version, .. })
        | Source::Datadog(ObjectSource { api_version, .. })
        | Source::Dynatrace(ObjectSource { api_version, .. })
        | Source::InforNexus(ObjectSource { api_version, .. })
        | Source::Singular(ObjectSource { api_version, .. })
        | Source::TrendMicro(ObjectSource { api_version, .. })
        | Source::GoogleAnalytics(ObjectSource { api_version, .. })
        | Source::Amplitude(ObjectSource { api_version, .. }) => Some(api_version),
        _ => None,
    }
}

fn scheduled(request: &CreateFlowRequest) -> Option<&ScheduledProperties> {
    match request.trigger_config.trigger_properties.as_ref()? {
        TriggerProperties::Scheduled(schedule) => Some(schedule),
    }
}

/// Whether a start is the one that was asked for, moved at some time between then and now: it lies
/// on its grid, and not after where it would be moved to now.
fn on_grid(every: &str, asked: Option<i64>, found: Option<i64>, moved: Option<i64>) -> bool {
    let (Some(asked), Some(found), Some(moved)) = (asked, found, moved) else {
        return false;
    };
    let period = Expression::parse(every)
        .ok()
        .and_then(|every| every.period());
    let period = period.map_or(1, |period| period.as_secs().max(1));
    (asked..=moved.max(asked)).contains(&found) && (found - asked) % period == 0
}

#[cfg(test)]
mod tests;
