//! Re-wrapping: what is sealed under an old key is sealed anew, while everything goes on (scenario T5).
//!
//! The walk goes tenant by tenant, because connections that wait for a person are in no index of what
//! is due. It writes by compare-and-set on the sealed text itself, so that a refresh or a consent
//! which comes in between wins, and makes it unnecessary.

use futures::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, json};
use tributary::{
    connection::Connection,
    error::Result,
    id::{ConnectionId, SubscriptionId, TenantId},
    store::{Key, Page, PageRequest, StoreError, Update},
    subscription::SigningKey,
    vault::{
        Sealed, VaultError,
        rewrap::{Phase, Walk},
    },
};

use crate::{App, TenantApp, unknown_event};

/// Texts that are sealed anew at the same time.
const CONCURRENCY: usize = 8;
/// Items of a page.
const PAGE: usize = 100;
/// The walk stops so long before the invocation ends, and the next tick goes on.
const MARGIN: SignedDuration = SignedDuration::from_secs(15);
/// A walk that is over is walked again after this: data keys grow old.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// Where signing keys of subscriptions are.
const SUBSCRIPTIONS: &str = "SUBSCRIPTION#";
/// Where tenants' sealed texts are, in order. Sessions are left out: they end within hours.
const PLACES: [&str; 3] = ["CONNECTION#", Key::REVOCATIONS, SUBSCRIPTIONS];

/// The schedule's input.
#[derive(Debug, Deserialize)]
struct Tick {
    shard: u32,
}

/// A tenant, in the operator's list.
#[derive(Debug, Deserialize)]
struct Listed {
    sk: String,
    id: TenantId,
}

/// An item that may hold sealed texts.
enum Holder {
    /// Of a connection, or of a grant of it.
    Tokens(Tokens),
    /// Of a subscription.
    Keys(Signing),
}

impl Holder {
    fn sk(&self) -> &str {
        match self {
            Self::Tokens(tokens) => &tokens.sk,
            Self::Keys(keys) => &keys.sk,
        }
    }

    /// Whether anything in it is to be sealed anew.
    fn is_outdated(&self, current: &str, now: Timestamp) -> bool {
        match self {
            Self::Tokens(tokens) => {
                let bundle = tokens.bundle.as_ref();
                bundle.is_some_and(|bundle| bundle.is_outdated(current, now))
            }
            Self::Keys(keys) => keys.are_outdated(current, now),
        }
    }
}

/// A subscription whose signing keys are sealed for it.
#[derive(Deserialize)]
struct Signing {
    pk: String,
    sk: String,
    tenant_id: TenantId,
    id: SubscriptionId,
    version: u64,
    #[serde(default)]
    keys: Vec<SigningKey>,
}

impl Signing {
    fn are_outdated(&self, current: &str, now: Timestamp) -> bool {
        self.keys
            .iter()
            .any(|key| key.sealed.is_outdated(current, now))
    }
}

/// An item that may hold tokens; both kinds have them sealed for the connection and generation.
#[derive(Debug, Deserialize)]
struct Tokens {
    pk: String,
    sk: String,
    tenant_id: TenantId,
    connection_id: ConnectionId,
    generation: u64,
    #[serde(default)]
    bundle: Option<Sealed>,
}

pub(crate) async fn run(app: &App, payload: Value, deadline_ms: u64) -> Result<Value> {
    let tick: Tick = serde_json::from_value(payload)
        .map_err(|error| unknown_event("the rewrap tick cannot be read").with_source(error))?;
    let deadline = Timestamp::from_millisecond(i64::try_from(deadline_ms).unwrap_or(i64::MAX))
        .unwrap_or(Timestamp::MAX);
    let key = Key::rewrap(tick.shard);
    let now = Timestamp::now();
    if !acquire(app, &key, deadline, now).await? {
        tracing::info!(
            shard = tick.shard,
            "another walk of this shard is under way"
        );
        return Ok(json!({ "underWay": true }));
    }
    let outcome = walk(app, &key, tick.shard, deadline).await;
    let released = app
        .shared
        .update::<IgnoredAny>(&key, Update::new().remove("lease_until"))
        .await;
    let walk = outcome?;
    released?;
    tracing::info!(
        shard = walk.shard, phase = ?walk.phase, found = walk.found, done = walk.done,
        overtaken = walk.overtaken, failed = walk.failed, "rewrap tick handled"
    );
    Ok(json!({
        "finished": walk.phase == Phase::Finished, "done": walk.done, "left": walk.left(), "failed": walk.failed,
    }))
}

/// One walk of a shard at a time. The lease ends with the invocation, which cannot outlive it.
async fn acquire(app: &App, key: &Key, deadline: Timestamp, now: Timestamp) -> Result<bool> {
    let until = deadline.saturating_add(app.config.lease_skew);
    let update = Update::new()
        .set(
            "lease_until",
            until.unwrap_or(Timestamp::MAX).as_millisecond(),
        )
        .when_absent_or_less("lease_until", now.as_millisecond())
        .upsert();
    match app.shared.update::<IgnoredAny>(key, update).await {
        Ok(_) => Ok(true),
        Err(StoreError::Condition { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

async fn walk(app: &App, key: &Key, shard: u32, deadline: Timestamp) -> Result<Walk> {
    let last_moment = deadline.saturating_sub(MARGIN).unwrap_or(deadline);
    let mut walk = begun(app, key, shard, Timestamp::now()).await?;
    while walk.phase != Phase::Finished {
        let page = PageRequest {
            after: walk.after_tenant.clone(),
            ..PageRequest::first(PAGE)
        };
        let tenants = app
            .shared
            .query::<Listed>(&Key::operator_partition(), "TENANT#", &page)
            .await?;
        for tenant in tenants.items {
            let is_ours = Walk::covers(shard, app.config.due_shards, tenant.id);
            if is_ours && !one_tenant(app, key, &mut walk, tenant.id, last_moment).await? {
                return Ok(walk);
            }
            walk.after_tenant = Some(tenant.sk);
            walk.after_item = None;
        }
        if tenants.next.is_none() {
            walk.end_phase(Timestamp::now());
        }
        save(app, key, &walk).await?;
    }
    Ok(walk)
}

/// The walk that is under way for the current key, or a new one.
async fn begun(app: &App, key: &Key, shard: u32, now: Timestamp) -> Result<Walk> {
    let current = app.config.vault_keys.current.as_str();
    // An item that has only a lease is no walk yet.
    let found = match app.shared.get::<Walk>(key).await {
        Ok(found) => found,
        Err(StoreError::Shape(_)) => None,
        Err(error) => return Err(error.into()),
    };
    let is_good = |walk: &Walk| {
        let is_recent = |end: Timestamp| now.duration_since(end) < AGAIN_AFTER;
        walk.key == current && walk.finished_at.is_none_or(is_recent)
    };
    Ok(found
        .filter(is_good)
        .unwrap_or_else(|| Walk::new(shard, current, now)))
}

/// Works through one tenant's items. False when time is up.
async fn one_tenant(
    app: &App,
    key: &Key,
    walk: &mut Walk,
    tenant: TenantId,
    last_moment: Timestamp,
) -> Result<bool> {
    let tenants_app = app.within(tenant).await?;
    let partition = Key::tenant_partition(tenant);
    for place in PLACES {
        // What lies before the item where the last invocation stopped is done.
        let is_done = walk
            .after_item
            .as_deref()
            .is_some_and(|after| after > place && !after.starts_with(place));
        if is_done {
            continue;
        }
        let mut after = walk
            .after_item
            .clone()
            .filter(|after| after.starts_with(place));
        loop {
            if Timestamp::now() >= last_moment {
                save(app, key, walk).await?;
                return Ok(false);
            }
            let page = PageRequest {
                after: after.take(),
                ..PageRequest::first(PAGE)
            };
            let found = holders(&tenants_app, &partition, place, &page).await?;
            let last = found.items.last().map(|holder| holder.sk().to_owned());
            one_page(&tenants_app, walk, found.items).await?;
            walk.after_item = last.or(walk.after_item.take());
            save(app, key, walk).await?;
            match found.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
    }
    Ok(true)
}

/// One page of the items of a place.
async fn holders(
    app: &TenantApp<'_>,
    partition: &str,
    place: &str,
    page: &PageRequest,
) -> Result<Page<Holder>> {
    if place == SUBSCRIPTIONS {
        let found = app.store.query::<Signing>(partition, place, page).await?;
        let items = found.items.into_iter().map(Holder::Keys).collect();
        let next = found.next;
        return Ok(Page { items, next });
    }
    let found = app.store.query::<Tokens>(partition, place, page).await?;
    let items = found.items.into_iter().map(Holder::Tokens).collect();
    let next = found.next;
    Ok(Page { items, next })
}

/// What became of the texts of one item.
enum Outcome {
    Done,
    Overtaken,
    Failed,
}

async fn one_page(app: &TenantApp<'_>, walk: &mut Walk, holders: Vec<Holder>) -> Result<()> {
    let now = Timestamp::now();
    let current = &app.config.vault_keys.current;
    let outdated: Vec<Holder> = holders
        .into_iter()
        .filter(|holder| holder.is_outdated(current, now))
        .collect();
    if walk.phase == Phase::Counting {
        walk.found += u64::try_from(outdated.len()).unwrap_or(u64::MAX);
        return Ok(());
    }
    let outcomes: Vec<Result<Outcome>> = stream::iter(outdated)
        .map(|holder| seal_anew(app, holder))
        .buffer_unordered(CONCURRENCY)
        .collect()
        .await;
    for outcome in outcomes {
        match outcome? {
            Outcome::Done => walk.done += 1,
            Outcome::Overtaken => walk.overtaken += 1,
            Outcome::Failed => walk.failed += 1,
        }
    }
    Ok(())
}

async fn seal_anew(app: &TenantApp<'_>, holder: Holder) -> Result<Outcome> {
    match holder {
        Holder::Tokens(tokens) => match tokens.bundle.clone() {
            Some(bundle) => seal_tokens_anew(app, tokens, bundle).await,
            None => Ok(Outcome::Overtaken),
        },
        Holder::Keys(keys) => seal_keys_anew(app, keys).await,
    }
}

/// Keys change with the version only, so that a rotation that comes in between wins.
async fn seal_keys_anew(app: &TenantApp<'_>, holder: Signing) -> Result<Outcome> {
    let (tenant, id) = (holder.tenant_id, holder.id.to_string());
    let place = SigningKey::place(&id);
    let mut keys = Vec::with_capacity(holder.keys.len());
    for key in holder.keys {
        let opened = match app.vault.open(tenant, &place, &key.sealed).await {
            Ok(opened) => opened,
            Err(error @ VaultError::Kms { .. }) => return Err(error.into()),
            Err(error @ (VaultError::DoesNotOpen | VaultError::UnknownKey)) => {
                tracing::error!(tenant.id = %tenant, subscription.id = id, error.chain = %error, "a signing key cannot be sealed anew");
                return Ok(Outcome::Failed);
            }
        };
        let sealed = app.vault.seal(tenant, &place, &opened).await?;
        keys.push(SigningKey { sealed, ..key });
    }
    let update = Update::new()
        .set("keys", keys)
        .when_equal("version", holder.version);
    let key = Key {
        pk: holder.pk,
        sk: holder.sk,
    };
    match app.store.update::<IgnoredAny>(&key, update).await {
        Ok(_) => Ok(Outcome::Done),
        Err(StoreError::Condition { .. }) => Ok(Outcome::Overtaken),
        Err(error) => Err(error.into()),
    }
}

async fn seal_tokens_anew(app: &TenantApp<'_>, holder: Tokens, bundle: Sealed) -> Result<Outcome> {
    let place = Connection::vault_place(holder.connection_id, holder.generation);
    let place = place.each_ref().map(String::as_str);
    let opened = match app.vault.open(holder.tenant_id, &place, &bundle).await {
        Ok(opened) => opened,
        Err(error @ VaultError::Kms { .. }) => return Err(error.into()),
        Err(error @ (VaultError::DoesNotOpen | VaultError::UnknownKey)) => {
            tracing::error!(tenant.id = %holder.tenant_id, connection.id = %holder.connection_id, error.chain = %error, "sealed tokens cannot be sealed anew");
            return Ok(Outcome::Failed);
        }
    };
    let sealed = app.vault.seal(holder.tenant_id, &place, &opened).await?;
    let (member, value) = bundle.identity();
    let update = Update::new()
        .set("bundle", sealed)
        .when_equal("generation", holder.generation)
        .when_member_equal("bundle", member, value);
    let key = Key {
        pk: holder.pk,
        sk: holder.sk,
    };
    match app.store.update::<IgnoredAny>(&key, update).await {
        Ok(_) => Ok(Outcome::Done),
        Err(StoreError::Condition { .. }) => Ok(Outcome::Overtaken),
        Err(error) => Err(error.into()),
    }
}

/// Writes how far the walk is; the lease stays.
async fn save(app: &App, key: &Key, walk: &Walk) -> Result<()> {
    let update = Update::new()
        .set("shard", walk.shard)
        .set("key", &walk.key)
        .set("phase", walk.phase)
        .set_or_remove("after_tenant", walk.after_tenant.as_ref())
        .set_or_remove("after_item", walk.after_item.as_ref())
        .set("found", walk.found)
        .set("done", walk.done)
        .set("overtaken", walk.overtaken)
        .set("failed", walk.failed)
        .set("started_at", walk.started_at)
        .set_or_remove("finished_at", walk.finished_at)
        .upsert();
    app.shared.update::<IgnoredAny>(key, update).await?;
    Ok(())
}
