//! Rules for schedules (flow-model section 4).

use jiff::{SignedDuration, Timestamp};

use super::{Faults, text};
use crate::{
    compile::schedule::{Expression, moved_start},
    model::{Destination, FlowDefinition, Pull, Scheduled, Source},
};

/// AppFlow wants a start in the future; the request needs a moment to get there.
const MARGIN: SignedDuration = SignedDuration::from_secs(60);

/// A schedule that AppFlow will take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedSchedule {
    /// The normalised expression.
    pub expression: String,
    /// The start, moved onto its grid if it lay in the past.
    pub start: Option<Timestamp>,
}

pub(super) fn check(
    faults: &mut Faults,
    scheduled: &Scheduled,
    definition: &FlowDefinition,
    now: Timestamp,
) -> Option<CheckedSchedule> {
    let expression = Expression::parse(&scheduled.every)
        .map_err(|error| faults.add("/trigger/every", "invalid_schedule", error.to_string()))
        .ok();
    if let Some(period) = expression.as_ref().and_then(Expression::period) {
        too_often(faults, period, &definition.source);
        lookout(faults, period, &definition.destination);
    }
    let start = start(faults, scheduled.start, expression.as_ref(), now);
    end(faults, scheduled.end, start, now);
    first_from(faults, scheduled);
    limits(faults, scheduled);
    incremental_only(faults, scheduled);
    Some(CheckedSchedule {
        expression: expression?.normalised(),
        start,
    })
}

/// Veeva brings documents once an hour at most, and everything else every minute.
const DOCUMENTS_MINUTES: u32 = 60;

/// When a cron expression runs is not judged: `AppFlow` does that itself. Months are never too short.
fn too_often(faults: &mut Faults, period: SignedDuration, source: &Source) {
    let row = source.row();
    let documents = matches!(source, Source::Veeva(veeva) if veeva.brings_documents());
    let least = if documents {
        Some(DOCUMENTS_MINUTES)
    } else {
        row.shortest_schedule_minutes
    };
    if let Some(least) = least
        && period < SignedDuration::from_mins(i64::from(least))
    {
        faults.add(
            "/trigger/every",
            "too_often",
            format!(
                "{} is read every {least} minutes at most: rate({least} minutes) or longer.",
                row.label
            ),
        );
    }
}

/// How often Lookout for Metrics takes measures.
const LOOKOUT_MINUTES: [i64; 4] = [5, 10, 60, 24 * 60];

fn lookout(faults: &mut Faults, period: SignedDuration, destination: &Destination) {
    let takes = |minutes| period == SignedDuration::from_mins(minutes);
    if matches!(destination, Destination::LookoutMetrics(_))
        && !LOOKOUT_MINUTES.into_iter().any(takes)
    {
        faults.add(
            "/trigger/every",
            "interval_not_offered",
            "Amazon Lookout for Metrics takes measures every 5 or 10 minutes, every hour or every day.",
        );
    }
}

fn start(
    faults: &mut Faults,
    start: Option<Timestamp>,
    expression: Option<&Expression>,
    now: Timestamp,
) -> Option<Timestamp> {
    let (start, expression) = (start?, expression?);
    // A cron start is a bound, not a phase: it is passed on as it is.
    if matches!(expression, Expression::Cron(_)) || start >= now {
        return Some(start);
    }
    let earliest = now.checked_add(MARGIN).unwrap_or(now);
    let moved = expression
        .period()
        .and_then(|period| moved_start(start, period, earliest));
    if moved.is_none() {
        faults.add(
            "/trigger/start",
            "start_in_the_past",
            "A monthly schedule needs a start in the future.",
        );
    }
    moved
}

fn end(faults: &mut Faults, end: Option<Timestamp>, start: Option<Timestamp>, now: Timestamp) {
    let Some(end) = end else { return };
    if end <= now {
        faults.add(
            "/trigger/end",
            "end_in_the_past",
            "The end is over already.",
        );
    } else if start.is_some_and(|start| end <= start) {
        faults.add(
            "/trigger/end",
            "end_before_start",
            "The end must be after the first run.",
        );
    }
}

fn first_from(faults: &mut Faults, scheduled: &Scheduled) {
    if let (Some(first), Some(end)) = (scheduled.first_from, scheduled.end)
        && first >= end
    {
        faults.add(
            "/trigger/firstFrom",
            "first_after_end",
            "The first run reads from before the end.",
        );
    }
}

fn limits(faults: &mut Faults, scheduled: &Scheduled) {
    if scheduled
        .offset_seconds
        .is_some_and(|offset| !(0..=36_000).contains(&offset))
    {
        faults.add(
            "/trigger/offsetSeconds",
            "out_of_range",
            "0 to 36000 seconds.",
        );
    }
    if scheduled
        .stop_after_failures
        .is_some_and(|count| !(1..=100).contains(&count))
    {
        faults.add(
            "/trigger/stopAfterFailures",
            "out_of_range",
            "1 to 100 failures.",
        );
    }
    if let Some(zone) = &scheduled.time_zone
        && (zone.is_empty() || zone.chars().count() > 256 || zone.chars().any(char::is_control))
    {
        faults.add(
            "/trigger/timeZone",
            "invalid_name",
            "1 to 256 characters, no control characters.",
        );
    }
}

fn incremental_only(faults: &mut Faults, scheduled: &Scheduled) {
    if let Some(field) = &scheduled.timestamp_field {
        text::destination_field(faults, "/trigger/timestampField", field);
    }
    if scheduled.pull == Pull::Incremental {
        return;
    }
    for (pointer, given) in [
        (
            "/trigger/timestampField",
            scheduled.timestamp_field.is_some(),
        ),
        ("/trigger/firstFrom", scheduled.first_from.is_some()),
    ] {
        if given {
            faults.add(
                pointer,
                "only_incremental",
                "This has a meaning for incremental pulls only.",
            );
        }
    }
}
