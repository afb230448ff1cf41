//! Whether events of the account reach us: one is put on its bus, and waited for.
//!
//! The event looks like one of AppFlow's about a flow of the tenant, so that the very rule forwards
//! it that forwards those. A nonce that nobody else knows tells it from what others send; the function
//! that takes events off our bus writes down that it came, and from which account.

use std::time::Duration;

use aws_config::SdkConfig;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::time::{Instant, sleep};
use tributary::{
    error::Error,
    oauth::random_token,
    store::{Key, Store},
    tenancy::{Account, EventProbe, Permission, PermissionOutcome, Probe},
};

use super::{
    Patience, events, permissions,
    probe::{self, Event},
};
use crate::App;

/// How long the event is waited for. EventBridge delivers within about a second.
const ARRIVES_WITHIN: Duration = Duration::from_secs(15);
/// Between two looks whether it has come.
const PAUSE: Duration = Duration::from_millis(200);
/// How long what was sent is remembered: an event that comes late is nobody's forgery.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24);

/// Sends an event through the account and waits for it; the probe, and what it says of the action.
pub(super) async fn check(
    app: &App,
    account: &Account,
    config: &SdkConfig,
    patience: Patience,
    deadline: Instant,
) -> Result<(Probe, Permission), Error> {
    let nonce = random_token()?;
    let at = Timestamp::now();
    let sent = EventProbe {
        tenant_id: account.tenant_id,
        account_id: account.id,
        sent_at: at,
        arrived_at: None,
        expires_at: at
            .saturating_add(REMEMBERED)
            .unwrap_or(Timestamp::MAX)
            .as_second(),
    };
    let key = Key::event_probe(&account.aws_account_id, nonce.expose());
    app.shared.insert(&key, &sent).await?;
    let detail = json!({
        "flow-name": format!("tributary-{}-selftest", account.tenant_id),
        "nonce": nonce.expose(),
    });
    let put = events::put(&app.buckets.0, config, account, &detail).await;
    let (event, allowed, request_id) = match put {
        Ok(request_id) => {
            let within = deadline.min(Instant::now() + ARRIVES_WITHIN);
            let event = wait(&app.shared, &key, within, patience).await?;
            (event, PermissionOutcome::Allowed, request_id)
        }
        Err(refusal) if refusal.is_access_denied() => (
            Event::NotAllowed,
            PermissionOutcome::Missing,
            refusal.request_id,
        ),
        Err(refusal) => (
            Event::NotPut,
            PermissionOutcome::Inconclusive,
            refusal.request_id,
        ),
    };
    Ok((
        probe::event_forwarding(event, request_id.clone(), at),
        permissions::of_event(allowed, request_id, at),
    ))
}

async fn wait(
    store: &Store,
    key: &Key,
    deadline: Instant,
    patience: Patience,
) -> Result<Event, Error> {
    loop {
        let seen: Option<EventProbe> = store.get(key).await?;
        if seen.is_some_and(|probe| probe.arrived_at.is_some()) {
            return Ok(Event::Arrived);
        }
        if Instant::now() >= deadline {
            let seconds = ARRIVES_WITHIN.as_secs();
            return Ok(match patience {
                Patience::Caller => Event::Lost(seconds),
                Patience::FirstTime => Event::Late(seconds),
            });
        }
        sleep(PAUSE).await;
    }
}
