//! Scheduled flows: when they run next, and when they are switched off.

use std::sync::Arc;

use jiff::Timestamp;

use crate::{
    operations::is_over_the_limit,
    run,
    schedule::Schedule,
    service::Inner,
    state::{Flow, FlowStatus, Home},
    streaming,
    window::Window,
};

/// The instant whose phase a flow's schedule keeps: its start time, or its activation.
fn origin(flow: &Flow) -> Option<Timestamp> {
    let scheduled = flow.definition.scheduled()?;
    scheduled.schedule_start_time.or(flow.activated_at)
}

fn schedule(flow: &Flow) -> Option<Schedule> {
    Schedule::parse(&flow.definition.scheduled()?.schedule_expression).ok()
}

/// The flow was switched on: a schedule without a start, or with one ahead, begins there; one that
/// began in the past joins its phase.
pub(crate) fn activate(flow: &mut Flow, now: Timestamp) {
    flow.next_run = origin(flow).and_then(|origin| {
        let schedule = schedule(flow)?;
        if origin >= now {
            schedule.first(origin)
        } else {
            schedule.next_after(origin, now)
        }
    });
}

/// The flow's schedule changed, or a run of it has just begun.
pub(crate) fn reschedule(flow: &mut Flow, now: Timestamp) {
    flow.next_run = origin(flow).and_then(|origin| schedule(flow)?.next_after(origin, now));
}

/// Switches a flow off after its last failure, if it must be; answers the reason.
pub(crate) fn deactivate(flow: &mut Flow, fatal: bool) -> Option<String> {
    let threshold = flow
        .definition
        .scheduled()
        .and_then(|s| s.flow_error_deactivation_threshold);
    let too_many = threshold.is_some_and(|most| flow.failures_in_a_row >= most);
    if flow.status != FlowStatus::Active || !(fatal || too_many) {
        return None;
    }
    let reason = if fatal {
        "The flow was deactivated because AppFlow can no longer authenticate to the connector"
    } else {
        "The flow was deactivated after repeated failures"
    };
    flow.status = FlowStatus::Suspended;
    flow.status_message = Some(reason.to_owned());
    flow.next_run = None;
    Some(reason.to_owned())
}

/// Launches what is due in every home.
pub(crate) async fn run_due(inner: &Arc<Inner>) {
    for home in inner.known_homes() {
        for ticket in take_due(inner, &home) {
            run::launch(inner, ticket);
        }
        streaming::report_due(inner, &home).await;
    }
}

/// Opens one run per due flow. Instants that were slept through are not made up for one by one: a
/// single run covers them, and the schedule goes on in phase. A flow whose last scheduled run is
/// still open waits for the next instant.
fn take_due(inner: &Inner, home: &Home) -> Vec<run::Ticket> {
    let now = inner.now();
    inner.with(home, |state| {
        let mut open = state.open_runs();
        let mut tickets = Vec::new();
        for flow in state.flows.values_mut() {
            let due =
                flow.status == FlowStatus::Active && flow.next_run.is_some_and(|at| at <= now);
            let Some(scheduled) = flow.definition.scheduled().filter(|_| due).cloned() else {
                continue;
            };
            let instant = flow.next_run;
            reschedule(flow, now);
            let over = scheduled
                .schedule_end_time
                .is_some_and(|end| instant.is_none_or(|at| at > end));
            let busy = flow.runs.iter().any(|r| r.status.is_open());
            if over || busy || is_over_the_limit(inner, open) {
                continue;
            }
            open += 1;
            let window = Window::of(&scheduled, now, flow.last_success);
            tickets.push(run::open(flow, home, now, window));
        }
        tickets
    })
}
