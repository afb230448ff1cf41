//! Writing what a token call came to, under the conditions that make a late write harmless.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tributary::{
    connection::{Connection, ConnectionState, Intent},
    error::{Error, Result},
    event::CloudEvent,
    id::{ConnectionId, TenantId},
    oauth::{TokenBundle, TokenFailure},
    outbox::Entry,
    secret::Secret,
    store::{Item, Key, StoreError, Update, from_item},
};

use crate::{
    App,
    lease::Lease,
    message::{Message, Reason, Rescue},
    push, revocation, rules,
};

/// Wait before a write is tried again that must not be lost.
const AGAIN: Duration = Duration::from_millis(250);

/// A number in [0, 1) for jitter.
pub(crate) fn chance() -> f64 {
    let bytes = uuid::Uuid::new_v4().into_bytes();
    f64::from(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
        / (f64::from(u32::MAX) + 1.0)
}

/// The provider answered with tokens: persist them before anything else, then push.
pub(crate) async fn answered(
    app: &App,
    lease: Lease<'_>,
    record: &Connection,
    intent: &Intent,
    bundle: TokenBundle,
    access_end: Timestamp,
    deadline: Timestamp,
) -> Result<()> {
    let generation = record.generation + 1;
    let place = Connection::vault_place(record.id, generation);
    let place: Vec<&str> = place.iter().map(String::as_str).collect();
    // Losing this answer costs a new consent, so sealing and writing are tried for as long as the
    // invocation lives, and then the sealed answer is put on the queue.
    let last_moment = deadline
        .saturating_sub(SignedDuration::from_secs(5))
        .unwrap_or(deadline);
    let sealed = loop {
        match app
            .vault
            .seal(record.tenant_id, &place, &bundle.to_json())
            .await
        {
            Ok(sealed) => break sealed,
            Err(_) if Timestamp::now() < last_moment => tokio::time::sleep(AGAIN).await,
            Err(error) => return Err(error.into()),
        }
    };
    let rescue = Rescue {
        fingerprint: intent.fingerprint.clone(),
        bundle: sealed,
        access_expires_at: access_end.as_millisecond(),
    };
    loop {
        match write(
            app,
            record.tenant_id,
            record.id,
            record.generation,
            &rescue,
            Some(lease.fence),
        )
        .await
        {
            Ok(()) => break,
            // The write of an attempt whose answer was lost.
            Err(StoreError::Condition { current }) if holds(current.as_deref(), &rescue) => break,
            Err(StoreError::Condition { .. }) => {
                // The lease is lost. A single-use token succeeds at most once, so this answer is the
                // only truth there is: write it if the record still waits for it.
                return rescued(app, record.tenant_id, record.id, record.generation, rescue).await;
            }
            Err(_) if Timestamp::now() < last_moment => tokio::time::sleep(AGAIN).await,
            Err(error) => {
                let message = Message {
                    tenant_id: record.tenant_id,
                    connection_id: record.id,
                    generation: record.generation,
                    reason: Reason::Rescue,
                    rescue: Some(rescue),
                };
                app.enqueue(&[message]).await?;
                tracing::error!(connection.id = %record.id, error.chain = %error, "new tokens could not be stored and wait on the queue");
                return Ok(());
            }
        }
    }
    tracing::info!(tenant.id = %record.tenant_id, connection.id = %record.id, generation, "tokens refreshed");
    let current: Option<Connection> = app.store.get(lease.key()).await?;
    match current {
        Some(current) => push::current(app, lease, &current).await,
        None => Ok(()),
    }
}

/// Whether the record has this very answer.
fn holds(current: Option<&Item>, rescue: &Rescue) -> bool {
    let current = current
        .cloned()
        .and_then(|item| from_item::<Connection>(item).ok());
    current
        .and_then(|record| record.bundle)
        .is_some_and(|bundle| bundle == rescue.bundle)
}

/// Writes an answer that waited on the queue, if the record still waits for it.
pub(crate) async fn rescued(
    app: &App,
    tenant: TenantId,
    connection: ConnectionId,
    generation: u64,
    rescue: Rescue,
) -> Result<()> {
    match write(app, tenant, connection, generation, &rescue, None).await {
        Ok(()) => {
            tracing::warn!(tenant.id = %tenant, connection.id = %connection, "tokens written after their lease was lost");
            Ok(())
        }
        // Another consent or the same answer is already there; or nothing is there any more.
        Err(StoreError::Condition { current }) => {
            revocation::orphaned(app, generation + 1, rescue.bundle, current.as_deref()).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn write(
    app: &App,
    tenant: TenantId,
    connection: ConnectionId,
    generation: u64,
    rescue: &Rescue,
    fence: Option<u64>,
) -> std::result::Result<(), StoreError> {
    // Due soon, so that the tokens reach AppFlow although this worker dies here; the push says when
    // the next refresh is due.
    let due = Timestamp::now()
        .saturating_add(rules::RECOVERY)
        .unwrap_or(Timestamp::MAX);
    let mut update = Update::new()
        .set("generation", generation + 1)
        .set("bundle", &rescue.bundle)
        .set("access_expires_at", rescue.access_expires_at)
        .set("due_at", due.as_millisecond())
        .set("failures", 0)
        .set("updated_at", Timestamp::now())
        .remove("intent")
        .when_equal("generation", generation)
        .when_member_equal("intent", "fingerprint", &rescue.fingerprint);
    if let Some(fence) = fence {
        update = update.when_equal("fence", fence);
    }
    app.store
        .update::<serde::de::IgnoredAny>(&Key::connection(tenant, connection), update)
        .await
        .map(|_| ())
}

/// The provider said no, in words that we know.
pub(crate) async fn refused(
    app: &App,
    lease: Lease<'_>,
    record: &Connection,
    intent: &Intent,
    refusal: TokenFailure,
) -> Result<()> {
    match refusal {
        TokenFailure::ReauthRequired(reason) => {
            reauth_required(app, lease, record, Some(intent), reason).await
        }
        TokenFailure::Retryable { after, reason } => {
            let after = after.and_then(|after| SignedDuration::try_from(after).ok());
            untouched(app, lease, record, intent, after, reason).await
        }
        TokenFailure::OurCredentials(reason) | TokenFailure::OurConfiguration(reason) => {
            // About us, not about the tenant: nobody's connection changes.
            tracing::error!(
                connector = record.connector,
                reason,
                "the provider refuses our OAuth app"
            );
            untouched(
                app,
                lease,
                record,
                intent,
                Some(SignedDuration::from_mins(15)),
                "our_app_refused",
            )
            .await
        }
        TokenFailure::FlowFailed(reason) => {
            tracing::warn!(connection.id = %record.id, reason, "the provider speaks of a code where a token was presented");
            unanswered(app, lease, record, intent, None).await
        }
    }
}

/// No usable answer: the intent stays, and whoever comes after the settling time asks the provider.
///
/// A successful answer that could not be read may hold the only token there is, so it is kept, sealed.
pub(crate) async fn unanswered(
    app: &App,
    lease: Lease<'_>,
    record: &Connection,
    intent: &Intent,
    body: Option<Secret>,
) -> Result<()> {
    if let Some(body) = body {
        let fence = intent.fence.to_string();
        let place =
            ["unreadable_answer", &record.id.to_string(), fence.as_str()].map(str::to_owned);
        let place: Vec<&str> = place.iter().map(String::as_str).collect();
        let sealed = app.vault.seal(record.tenant_id, &place, &body).await?;
        let update = lease
            .fenced(record.generation)
            .set("unreadable_answer", sealed);
        settle_condition(
            app.store
                .update::<serde::de::IgnoredAny>(lease.key(), update)
                .await,
        )?;
        tracing::error!(connection.id = %record.id, "a token answer could not be read and is kept sealed with the connection");
    }
    lease
        .release(Some(
            intent.at.saturating_add(rules::millis(rules::SETTLING)),
        ))
        .await
}

/// The refresh token is untouched: clear the intent and come back later.
pub(crate) async fn untouched(
    app: &App,
    lease: Lease<'_>,
    record: &Connection,
    intent: &Intent,
    retry_after: Option<SignedDuration>,
    why: &'static str,
) -> Result<()> {
    let failures = record.failures + 1;
    let end = record
        .access_expires_at
        .and_then(|end| Timestamp::from_millisecond(end).ok());
    let due = rules::due_after_failure(Timestamp::now(), failures, end, retry_after, chance());
    let update = lease
        .fenced(record.generation)
        .set("failures", failures)
        .set("due_at", due.as_millisecond())
        .remove("intent")
        .when_member_equal("intent", "fingerprint", &intent.fingerprint);
    settle_condition(
        app.store
            .update::<serde::de::IgnoredAny>(lease.key(), update)
            .await,
    )?;
    tracing::warn!(tenant.id = %record.tenant_id, connection.id = %record.id, failures, why, due_at = %due, "refresh failed and will be tried again");
    lease.release(None).await
}

/// Clears an intent whose request is known never to have arrived.
pub(crate) async fn clear_intent(
    app: &App,
    lease: &Lease<'_>,
    record: &Connection,
    intent: &Intent,
) -> Result<()> {
    let update = lease
        .fenced(record.generation)
        .remove("intent")
        .when_member_equal("intent", "fingerprint", &intent.fingerprint);
    app.store
        .update::<serde::de::IgnoredAny>(lease.key(), update)
        .await?;
    Ok(())
}

/// Clears an intent that speaks of tokens which a consent has replaced.
pub(crate) async fn forget_intent(
    app: &App,
    lease: Lease<'_>,
    record: &Connection,
    intent: &Intent,
) -> Result<()> {
    clear_intent(app, &lease, record, intent).await?;
    lease.release(None).await
}

/// Nobody can tell what became of the call: say so, and use the access token to its end.
pub(crate) async fn outcome_unknown(
    app: &App,
    lease: Lease<'_>,
    record: &Connection,
    due: Timestamp,
) -> Result<()> {
    let update = lease
        .fenced(record.generation)
        .set("state", ConnectionState::Limited)
        .set("reason", "refresh_unanswered")
        .set("failures", record.failures + 1)
        .set("due_at", due.as_millisecond());
    settle_condition(
        app.store
            .update::<serde::de::IgnoredAny>(lease.key(), update)
            .await,
    )?;
    lease.release(None).await
}

/// Only a new consent helps. The state change and the decision to notify are one transaction; a
/// consent that replaced the tokens meanwhile makes the condition fail and wins.
pub(crate) async fn reauth_required(
    app: &App,
    lease: Lease<'_>,
    record: &Connection,
    intent: Option<&Intent>,
    reason: &'static str,
) -> Result<()> {
    let now = Timestamp::now();
    let mut update = lease
        .fenced(record.generation)
        .set("state", ConnectionState::ReauthRequired)
        .set("reason", reason)
        .set("reauth_told", true)
        .set("updated_at", now)
        .remove("intent")
        .remove("due_shard")
        .remove("due_at")
        .when_one_of("state", [ConnectionState::Active, ConnectionState::Limited]);
    if let Some(intent) = intent {
        update = update.when_member_equal("intent", "fingerprint", &intent.fingerprint);
    }
    let entry = notification(app, record, reason, now);
    let key = entry.key();
    match app
        .store
        .update_with(lease.key(), update, &[(key.clone(), entry)])
        .await
    {
        Ok(()) => {
            tracing::warn!(tenant.id = %record.tenant_id, connection.id = %record.id, reason, "connection needs a new consent");
            app.outbox.publish(&key).await?;
        }
        Err(StoreError::Condition { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    lease.release(None).await
}

fn notification(app: &App, record: &Connection, reason: &str, now: Timestamp) -> Entry {
    let event = CloudEvent::new(
        &app.config.stage,
        record.tenant_id,
        "tributary.connection.reauth_required",
        record.id.to_string(),
        &format!("reauth_required/{}", record.generation),
        now,
        json!({ "connectionId": record.id, "connector": record.connector, "name": record.name, "reason": reason }),
    );
    Entry::new(event, "reauth_required").with_attribute("connectionId", &record.id)
}

/// A failed condition means that somebody else's newer write stands: not an error.
fn settle_condition<T>(outcome: std::result::Result<T, StoreError>) -> Result<(), Error> {
    match outcome {
        Ok(_) | Err(StoreError::Condition { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
