//! That a flow runs by itself, noted where run-events finds it: it looks at such flows every five
//! minutes, and takes those that do not go any more off by itself.

use jiff::{SignedDuration, Timestamp};
use tributary::{run::FLOW_SHARD, store::Update};

use super::record::FlowState;
use crate::model::Trigger;

/// From setting a flow going to the first look.
const FIRST_LOOK: SignedDuration = SignedDuration::from_secs(270);

/// Adds to a change of a flow that it is going now, if it goes by itself.
pub(super) fn going(update: Update, trigger: &Trigger, state: FlowState, now: Timestamp) -> Update {
    if matches!(trigger, Trigger::OnDemand(_)) || state != FlowState::Active {
        return update;
    }
    let first_look = now.saturating_add(FIRST_LOOK).unwrap_or(Timestamp::MAX);
    due(update, first_look).set("activated_at", now)
}

/// Adds to a change of a flow that it is to be looked at then.
pub(super) fn due(update: Update, at: Timestamp) -> Update {
    update
        .set("due_shard", FLOW_SHARD)
        .set("due_at", at.as_millisecond())
}
