//! The gate before the provider's token endpoint, as the worker comes to it.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use tributary::{
    connection::Connection,
    error::Result,
    oauth::{
        ProviderLink,
        gate::{
            Report, Turn,
            store::{Pass, Place},
        },
    },
    telemetry::{self, Metric},
};

use crate::{TenantApp, commit, lease::Lease, message::Message, refresh::Work};

/// A slot that is no further away than this is waited for, in milliseconds.
const WORTH_WAITING: i64 = 3_000;
/// A slot is good for so long after its time.
const GOOD_FOR: i64 = 5_000;
/// Who is turned away comes back within so long after the gate's time, spread.
const SPREAD: i64 = 20_000;
/// When a tick looks after work that waits for its slot on the queue.
const LOOK_AFTER: i64 = 120_000;

/// Whether a call may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Now.
    Free,
    /// At this time; the work waits on the queue until then.
    Reserved {
        /// Epoch milliseconds.
        slot: i64,
    },
    /// Not before this time, epoch milliseconds.
    Closed {
        /// Epoch milliseconds.
        until: i64,
    },
}

/// The gate of a connection.
pub(crate) fn place(record: &Connection, link: &ProviderLink) -> Place {
    Place::of(record, link)
}

/// Asks the gate, and waits for a slot that is near.
pub(crate) async fn way(app: &TenantApp<'_>, place: &Place, work: &Work<'_>) -> Result<Way> {
    let now = Timestamp::now().as_millisecond();
    let reserved = work
        .message
        .slot
        .filter(|slot| (*slot - WORTH_WAITING..*slot + GOOD_FOR).contains(&now));
    let slot = match reserved {
        Some(slot) => slot,
        None => match app.gates.enter(place).await? {
            Pass::At(slot) => slot,
            Pass::NotBefore(until) => {
                let spread = commit::millis_up_to(SPREAD);
                return Ok(Way::Closed {
                    until: until.saturating_add(spread),
                });
            }
        },
    };
    let wait = slot - Timestamp::now().as_millisecond();
    if wait > WORTH_WAITING {
        return Ok(Way::Reserved { slot });
    }
    tokio::time::sleep(Duration::from_millis(u64::try_from(wait).unwrap_or(0))).await;
    Ok(Way::Free)
}

/// Puts the work back with its slot. It is not due meanwhile, so that no tick brings it again.
pub(crate) async fn come_back(
    app: &TenantApp<'_>,
    lease: Lease<'_>,
    message: &Message,
    slot: i64,
) -> Result<()> {
    let due_at = slot.saturating_add(LOOK_AFTER);
    lease.release(Some(due_at)).await?;
    let message = Message {
        slot: Some(slot),
        due_at: message.due_at.map(|_| due_at),
        ..message.clone()
    };
    let seconds = (slot - Timestamp::now().as_millisecond()) / 1000;
    let seconds = i32::try_from(seconds.clamp(0, 900)).unwrap_or(0);
    app.enqueue_after(&[message], seconds).await
}

/// Tells the gate what became of a call. A gate that cannot be told costs nothing but knowledge.
pub(crate) async fn tell(app: &TenantApp<'_>, place: &Place, report: Report) {
    match app.gates.report(place, report).await {
        Ok(None) => {}
        Ok(Some(Turn::Opened(cause))) => {
            metric(place, true);
            tracing::error!(
                error.code = "provider_breaker_opened",
                provider.key = place.provider,
                provider.host = place.host,
                cause,
                "token calls to a provider's host are stopped but for probes; no connection is to blame"
            );
        }
        Ok(Some(Turn::Closed)) => {
            metric(place, false);
            tracing::warn!(
                provider.key = place.provider,
                provider.host = place.host,
                "token calls to a provider's host go on"
            );
        }
        Err(error) => tracing::warn!(
            error.code = error.code(),
            error.chain = error.chain(),
            "a provider's gate was not told of a call"
        ),
    }
}

/// The metric behind the alarm.
fn metric(place: &Place, open: bool) {
    let properties = [
        ("provider", json!(place.provider)),
        ("host", json!(place.host)),
    ];
    let value = if open { 1.0 } else { 0.0 };
    telemetry::emit(Metric::ProviderBreakerOpen, value, &properties);
}
