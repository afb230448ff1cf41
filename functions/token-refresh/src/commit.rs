//! Writing what a token call came to, under the conditions that make a late write harmless.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tributary::{
    connection::{Connection, ConnectionState, Intent, TokenOwner},
    error::{Error, Result},
    event::{CloudEvent, Fact, Sequence},
    id::{ConnectionId, TenantId},
    oauth::{
        ProviderLink, TokenAnswer, TokenBundle, TokenFailure, answer::Life, provider::TOKEN_REUSE,
    },
    outbox::{Entry, EntryItem},
    secret::Secret,
    store::{Item, Key, StoreError, Update, from_item},
    subscription::EventType,
    telemetry::{self, Metric},
    vault::Sealed,
};

use crate::{
    TenantApp,
    lease::Lease,
    message::{Message, Reason, Rescue},
    push, revocation,
    rules::{self, Failure, Practice},
};

/// Wait before a write is tried again that must not be lost.
const AGAIN: Duration = Duration::from_millis(250);

/// A call that was made under an intent.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    /// The record as it was when the lease was acquired.
    pub(crate) record: &'a Connection,
    /// The intent of this call.
    pub(crate) intent: Intent,
    /// The intent that was found: a call before this one that nobody has an answer of.
    pub(crate) earlier: Option<Intent>,
    /// Calls to the provider that this work took.
    pub(crate) calls: i32,
    /// How the provider goes about its tokens.
    pub(crate) practice: Practice,
    /// When the invocation ends.
    pub(crate) deadline: Timestamp,
}

impl Call<'_> {
    /// Failures in a row, with this one.
    fn failure(&self, told: Option<SignedDuration>) -> Failure {
        Failure {
            number: self.record.failures + 1,
            calls: self.calls,
            told,
        }
    }
}

/// A number in [0, 1) for jitter.
pub(crate) fn chance() -> f64 {
    let bytes = uuid::Uuid::new_v4().into_bytes();
    f64::from(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
        / (f64::from(u32::MAX) + 1.0)
}

/// A random number of milliseconds.
pub(crate) fn millis_up_to(most: i64) -> i64 {
    rules::millis(SignedDuration::from_millis(most).mul_f64(chance()))
}

/// The provider answered with tokens: persist them before anything else, then push.
pub(crate) async fn answered(
    app: &TenantApp<'_>,
    lease: Lease<'_>,
    call: &Call<'_>,
    link: &ProviderLink,
    old: TokenBundle,
    answer: &TokenAnswer,
) -> Result<()> {
    let record = call.record;
    let now = Timestamp::now();
    let end = rules::access_end(now, answer.access_life(link.provider()));
    let rotates = answer
        .refresh_token
        .as_ref()
        .zip(old.refresh_token.as_ref())
        .is_some_and(|(new, old)| !new.same_as(old.expose()));
    let generation = record.generation + 1;
    let sealed = seal(app, call, &old.after(answer)).await?;
    let rescue = Rescue {
        fence: call.intent.fence,
        bundle: sealed,
        access_expires_at: end.as_millisecond(),
        rotates,
        app_secret_version: link.client.app().version(),
    };
    match keep(app, &lease, call, &rescue).await? {
        Kept::Written => {}
        Kept::LeaseLost => {
            telemetry::count(Metric::LeaseLost);
            // A single-use token succeeds at most once, so this answer is the only truth there is:
            // write it if the record still waits for it.
            let (tenant, id) = (record.tenant_id, record.id);
            return rescued(app, tenant, id, record.generation, rescue).await;
        }
        Kept::OnQueue => return Ok(()),
    }
    measure_refresh(record, now);
    tracing::info!(tenant.id = %record.tenant_id, connection.id = %record.id, generation, "tokens refreshed");
    let current: Option<Connection> = app.store.get(lease.key()).await?;
    let Some(current) = current else {
        return Ok(());
    };
    let unknown_life = matches!(answer.expires_in, Life::Unknown).then_some((link, now));
    push::current(app, lease, &current, unknown_life).await
}

/// Counts new tokens: how late they came, and how long the old ones would have lived on.
fn measure_refresh(record: &Connection, now: Timestamp) {
    telemetry::count(Metric::RefreshSucceeded);
    let instant = |millis: Option<i64>| Timestamp::from_millisecond(millis?).ok();
    if let Some(due) = instant(record.due_at) {
        telemetry::emit(Metric::RefreshLag, telemetry::seconds_since(due, now), &[]);
    }
    if let Some(end) = instant(record.access_expires_at) {
        telemetry::emit(
            Metric::TokenTimeToLive,
            telemetry::seconds_since(now, end),
            &[],
        );
    }
}

/// Losing this answer costs a new consent, so sealing and writing are tried for as long as the
/// invocation lives, and then the sealed answer is put on the queue.
fn last_moment(deadline: Timestamp) -> Timestamp {
    deadline
        .saturating_sub(SignedDuration::from_secs(5))
        .unwrap_or(deadline)
}

async fn seal(app: &TenantApp<'_>, call: &Call<'_>, bundle: &TokenBundle) -> Result<Sealed> {
    let place = Connection::vault_place(call.record.id, call.record.generation + 1);
    let place: Vec<&str> = place.iter().map(String::as_str).collect();
    let text = bundle.to_json();
    loop {
        match app.vault.seal(call.record.tenant_id, &place, &text).await {
            Ok(sealed) => return Ok(sealed),
            Err(_) if Timestamp::now() < last_moment(call.deadline) => {
                tokio::time::sleep(AGAIN).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// What became of an answer.
enum Kept {
    /// It is in the table.
    Written,
    /// Another worker has the lease.
    LeaseLost,
    /// The table did not take it; it waits on the queue.
    OnQueue,
}

async fn keep(
    app: &TenantApp<'_>,
    lease: &Lease<'_>,
    call: &Call<'_>,
    rescue: &Rescue,
) -> Result<Kept> {
    let record = call.record;
    loop {
        match write(app, record, rescue, lease.fence).await {
            Ok(()) => return Ok(Kept::Written),
            // The write of an attempt whose answer was lost.
            Err(StoreError::Condition { current }) if holds(current.as_deref(), rescue) => {
                return Ok(Kept::Written);
            }
            Err(StoreError::Condition { .. }) => return Ok(Kept::LeaseLost),
            Err(_) if Timestamp::now() < last_moment(call.deadline) => {
                tokio::time::sleep(AGAIN).await;
            }
            Err(error) => {
                let message = Message {
                    tenant_id: record.tenant_id,
                    connection_id: record.id,
                    generation: record.generation,
                    reason: Reason::Rescue,
                    rescue: Some(rescue.clone()),
                    slot: None,
                    due_at: None,
                };
                app.enqueue(&[message]).await?;
                tracing::error!(connection.id = %record.id, error.chain = %error, "new tokens could not be stored and wait on the queue");
                mark_rescue(app, lease, call).await;
                return Ok(Kept::OnQueue);
            }
        }
    }
}

/// Says in the record that an answer waits on the queue, if the table takes that: then nobody asks
/// for a person too early. Without the mark the late answer is taken all the same, see [`rescued`].
async fn mark_rescue(app: &TenantApp<'_>, lease: &Lease<'_>, call: &Call<'_>) {
    let until = Timestamp::now().saturating_add(rules::RESCUE);
    let intent = Intent {
        rescue_until: Some(until.unwrap_or(Timestamp::MAX).as_millisecond()),
        ..call.intent.clone()
    };
    let update = lease
        .fenced(call.record.generation)
        .set("intent", &intent)
        .when_member_equal("intent", "fingerprint", &intent.fingerprint);
    let marked = app
        .store
        .update::<serde::de::IgnoredAny>(lease.key(), update)
        .await;
    tracing::info!(connection.id = %call.record.id, marked = marked.is_ok(), "an answer waits on the queue");
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
///
/// Settling may have come first and declared the token lost: it is not, so the connection comes back
/// without a person. A consent made another generation, which this does not touch, and a call that was
/// made again has another fence: its answer is newer than this one.
pub(crate) async fn rescued(
    app: &TenantApp<'_>,
    tenant: TenantId,
    connection: ConnectionId,
    generation: u64,
    rescue: Rescue,
) -> Result<()> {
    let key = Key::connection(tenant, connection);
    let waits = change(generation, &rescue).when_member_equal("intent", "fence", rescue.fence);
    let declared_lost = change(generation, &rescue)
        .set("state", ConnectionState::Limited)
        .set("reason", "push_pending")
        .set(
            "due_shard",
            Connection::shard(connection, app.config.due_shards),
        )
        .when_equal("state", ConnectionState::ReauthRequired)
        .when_member_equal("lost_intent", "fence", rescue.fence);
    let mut found = None;
    for update in [waits, declared_lost] {
        let written = app.store.update::<serde::de::IgnoredAny>(&key, update);
        match written.await {
            Ok(_) => {
                tracing::warn!(tenant.id = %tenant, connection.id = %connection, "tokens written after their lease was lost");
                return Ok(());
            }
            Err(StoreError::Condition { current }) => found = current,
            Err(error) => return Err(error.into()),
        }
    }
    // Another consent or the same answer is already there; or nothing is there any more.
    revocation::orphaned(app, generation + 1, rescue.bundle, found.as_deref()).await
}

/// The next generation.
fn change(generation: u64, rescue: &Rescue) -> Update {
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
        .set("refreshed_at", Timestamp::now().as_millisecond())
        .set_or_remove("app_secret_version", rescue.app_secret_version.as_ref())
        .remove("failed_at")
        .remove("intent")
        .remove("lost_intent")
        .when_equal("generation", generation)
        .when_equal("token_owner", TokenOwner::Tributary);
    if rescue.rotates {
        update = update.set("rotates", true);
    }
    update
}

async fn write(
    app: &TenantApp<'_>,
    record: &Connection,
    rescue: &Rescue,
    fence: u64,
) -> std::result::Result<(), StoreError> {
    let update = change(record.generation, rescue)
        .when_member_equal("intent", "fence", rescue.fence)
        .when_equal("fence", fence);
    app.store
        .update::<serde::de::IgnoredAny>(&Key::connection(record.tenant_id, record.id), update)
        .await
        .map(|_| ())
}

/// The provider said no, in words that we know.
pub(crate) async fn refused(
    app: &TenantApp<'_>,
    lease: Lease<'_>,
    call: &Call<'_>,
    refusal: TokenFailure,
) -> Result<()> {
    match refusal {
        TokenFailure::ReauthRequired(reason) => {
            // What an unanswered call before this one did is now known.
            let reason = if call.intent.last || call.earlier_may_have_rotated() {
                "rotation_lost"
            } else {
                reason
            };
            reauth_required(app, lease, call.record, Some(&call.intent), reason).await
        }
        TokenFailure::Retryable { after, reason } => {
            let after = after.and_then(|after| SignedDuration::try_from(after).ok());
            untouched(app, lease, call, after, reason).await
        }
        TokenFailure::OurCredentials(reason) | TokenFailure::OurConfiguration(reason) => {
            // About us, not about the tenant: nobody's connection changes.
            tracing::error!(
                connector = call.record.connector,
                reason,
                "the provider refuses our OAuth app"
            );
            let wait = Some(SignedDuration::from_mins(15));
            untouched(app, lease, call, wait, "our_app_refused").await
        }
        TokenFailure::FlowFailed(reason) => {
            tracing::warn!(connection.id = %call.record.id, reason, "the provider speaks of a code where a token was presented");
            unanswered(app, lease, call, None).await
        }
    }
}

impl Call<'_> {
    /// Whether a call before this one may have used the token up.
    fn earlier_may_have_rotated(&self) -> bool {
        self.earlier.is_some() && !self.practice.may_always_resend()
    }
}

/// No usable answer: the intent stays, and whoever comes next does what the provider's class allows.
///
/// A successful answer that could not be read may hold the only token there is, so it is kept, sealed.
pub(crate) async fn unanswered(
    app: &TenantApp<'_>,
    lease: Lease<'_>,
    call: &Call<'_>,
    body: Option<Secret>,
) -> Result<()> {
    let (record, intent) = (call.record, &call.intent);
    let failure = call.failure(None);
    let due = rules::due_after_failure(Timestamp::now(), failure, chance()).as_millisecond();
    let due = if call.practice.may_always_resend() {
        due
    } else {
        due.max(intent.at.saturating_add(rules::millis(rules::SETTLING)))
    };
    let mut update = lease
        .fenced(record.generation)
        .set("failures", failure.number)
        .set("failed_at", Timestamp::now().as_millisecond());
    if let Some(body) = body {
        let fence = intent.fence.to_string();
        let place =
            ["unreadable_answer", &record.id.to_string(), fence.as_str()].map(str::to_owned);
        let place: Vec<&str> = place.iter().map(String::as_str).collect();
        let sealed = app.vault.seal(record.tenant_id, &place, &body).await?;
        update = update.set("unreadable_answer", sealed);
        tracing::error!(connection.id = %record.id, "a token answer could not be read and is kept sealed with the connection");
    }
    settle_condition(
        app.store
            .update::<serde::de::IgnoredAny>(lease.key(), update)
            .await,
    )?;
    if intent.last {
        return reauth_required(app, lease, record, Some(intent), "rotation_lost").await;
    }
    lease.release(Some(due)).await
}

/// What was presented is untouched by this call: come back later. A question that was open before it
/// stays open.
pub(crate) async fn untouched(
    app: &TenantApp<'_>,
    lease: Lease<'_>,
    call: &Call<'_>,
    retry_after: Option<SignedDuration>,
    why: &'static str,
) -> Result<()> {
    let (record, intent) = (call.record, &call.intent);
    let failure = call.failure(retry_after);
    let due = rules::due_after_failure(Timestamp::now(), failure, chance());
    let earlier = call
        .earlier
        .as_ref()
        .filter(|_| call.earlier_may_have_rotated());
    let update = lease
        .fenced(record.generation)
        .set("failures", failure.number)
        .set("failed_at", Timestamp::now().as_millisecond())
        .set("due_at", due.as_millisecond())
        .set_or_remove("intent", earlier)
        .when_member_equal("intent", "fingerprint", &intent.fingerprint);
    settle_condition(
        app.store
            .update::<serde::de::IgnoredAny>(lease.key(), update)
            .await,
    )?;
    telemetry::emit(Metric::RefreshFailed, 1.0, &[("why", json!(why))]);
    tracing::warn!(tenant.id = %record.tenant_id, connection.id = %record.id, failures = failure.number, why, due_at = %due, "refresh failed and will be tried again");
    lease.release(None).await
}

/// A provider whose access tokens do not end: look again when a refresh would keep one alive.
pub(crate) async fn nothing_to_refresh(lease: Lease<'_>) -> Result<()> {
    let due = Timestamp::now()
        .saturating_add(rules::KEEP_ALIVE)
        .unwrap_or(Timestamp::MAX);
    lease.release(Some(due.as_millisecond())).await
}

/// Nobody can be asked what became of a call: say so at once, and use the access token to its end.
pub(crate) async fn hold(
    app: &TenantApp<'_>,
    lease: Lease<'_>,
    record: &Connection,
    until: i64,
) -> Result<()> {
    let due = Timestamp::from_millisecond(until).unwrap_or(Timestamp::MAX);
    outcome_unknown(app, lease, record, due).await
}

/// Clears an intent whose request is known never to have arrived.
pub(crate) async fn clear_intent(
    app: &TenantApp<'_>,
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
    app: &TenantApp<'_>,
    lease: Lease<'_>,
    record: &Connection,
    intent: &Intent,
) -> Result<()> {
    clear_intent(app, &lease, record, intent).await?;
    lease.release(None).await
}

/// Nobody can tell what became of the call: say so, and use the access token to its end.
pub(crate) async fn outcome_unknown(
    app: &TenantApp<'_>,
    lease: Lease<'_>,
    record: &Connection,
    due: Timestamp,
) -> Result<()> {
    let update = lease
        .fenced(record.generation)
        .set("state", ConnectionState::Limited)
        .set("reason", "refresh_unanswered")
        .set("failures", record.failures + 1)
        .set("failed_at", Timestamp::now().as_millisecond())
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
    app: &TenantApp<'_>,
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
        update = update.set("lost_intent", intent).when_member_equal(
            "intent",
            "fingerprint",
            &intent.fingerprint,
        );
    }
    let kinds: &[EventType] = if reason == TOKEN_REUSE {
        &[
            EventType::ConnectionReauthRequired,
            EventType::SecurityTokenReuse,
        ]
    } else {
        &[EventType::ConnectionReauthRequired]
    };
    let entries: Vec<Entry> = kinds
        .iter()
        .map(|kind| notification(app, record, *kind, reason, now))
        .collect();
    let keys: Vec<Key> = entries.iter().map(Entry::key).collect();
    let told: Vec<(Key, EntryItem)> = entries
        .into_iter()
        .flat_map(|entry| entry.items(now))
        .collect();
    match app.store.update_with(lease.key(), update, &told).await {
        Ok(()) => {
            telemetry::emit(
                Metric::ReauthorizationRequired,
                1.0,
                &[("reason", json!(reason))],
            );
            tracing::warn!(tenant.id = %record.tenant_id, connection.id = %record.id, reason, "connection needs a new consent");
            for key in &keys {
                app.outbox.publish(key).await?;
            }
        }
        Err(StoreError::Condition { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    lease.release(None).await
}

fn notification(
    app: &TenantApp<'_>,
    record: &Connection,
    kind: EventType,
    reason: &str,
    now: Timestamp,
) -> Entry {
    let status = kind.as_str().rsplit('.').next().unwrap_or_default();
    // A generation recovers first, if it does, and is lost last.
    let place = match kind {
        EventType::SecurityTokenReuse => 1,
        _ => 2,
    };
    let fact = Fact {
        kind,
        subject: record.id.to_string(),
        name: &format!("{status}/{}", record.generation),
        sequence: Sequence::of_version(record.generation, place),
        time: now,
        data: json!({ "connectionId": record.id, "connector": record.connector, "name": record.name, "reason": reason }),
    };
    let event = CloudEvent::new(&app.config.stage, record.tenant_id, fact);
    Entry::new(event, status).with_attribute("connectionId", &record.id)
}

/// A failed condition means that somebody else's newer write stands: not an error.
fn settle_condition<T>(outcome: std::result::Result<T, StoreError>) -> Result<(), Error> {
    match outcome {
        Ok(_) | Err(StoreError::Condition { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
