//! Which changes an incremental run transfers.

use jiff::{SignedDuration, Timestamp};

use crate::definition::{PullMode, Scheduled};

/// Lower bound included, upper bound excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
}

/// How far back the first run looks when nothing else is said.
const FIRST_PULL: SignedDuration = SignedDuration::from_hours(30 * 24);

impl Window {
    /// The window of a run at `run`, the previous *successful* run having been at `last_success`.
    /// A failed run's window is thereby retried by the next success. `None`: everything.
    pub(crate) fn of(
        scheduled: &Scheduled,
        run: Timestamp,
        last_success: Option<Timestamp>,
    ) -> Option<Self> {
        if scheduled.data_pull_mode == PullMode::Complete {
            return None;
        }
        let offset = SignedDuration::from_secs(scheduled.schedule_offset);
        let to = run - offset;
        let from = match (last_success, scheduled.first_execution_from) {
            (Some(last), _) => last - offset,
            (None, Some(first)) => first,
            (None, None) => run - FIRST_PULL,
        };
        Some(Self { from, to })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn scheduled(more: serde_json::Value) -> Scheduled {
        let mut body =
            json!({ "scheduleExpression": "rate(1hours)", "dataPullMode": "Incremental" });
        if let (Some(body), serde_json::Value::Object(more)) = (body.as_object_mut(), more) {
            body.extend(more);
        }
        serde_json::from_value(body).expect("scheduled")
    }

    fn hours(hours: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours)
    }

    #[test]
    fn windows_follow_the_rules_of_incremental_pulls() {
        let run = hours(10_000);
        let table = [
            (
                "complete",
                json!({ "dataPullMode": "Complete" }),
                None,
                None,
            ),
            (
                "first run: 30 days",
                json!({}),
                None,
                Some((hours(10_000 - 720), run)),
            ),
            (
                "first run, explicit start and offset",
                json!({ "firstExecutionFrom": 3600, "scheduleOffset": 7200 }),
                None,
                Some((hours(1), hours(9_998))),
            ),
            (
                "later run",
                json!({}),
                Some(hours(9_999)),
                Some((hours(9_999), run)),
            ),
            (
                "later run after failures, offset on both ends",
                json!({ "scheduleOffset": 3600, "firstExecutionFrom": 3600 }),
                Some(hours(9_990)),
                Some((hours(9_989), hours(9_999))),
            ),
        ];
        for (what, more, last, expected) in table {
            let expected = expected.map(|(from, to)| Window { from, to });
            assert_eq!(Window::of(&scheduled(more), run, last), expected, "{what}");
        }
    }
}
