//! Grants that must be ended at their provider: written down first, tried at once, and tried again
//! until the provider says that it is done.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{AppOwner, Connection};
use crate::{
    connector::connector,
    error::{Error, Result},
    id::{ConnectionId, TenantId},
    oauth::{Providers, Revocation, Target, TokenBundle},
    store::{Key, PageRequest, Store, StoreError, Update},
    vault::{Sealed, Vault},
};

/// How long a revocation is tried.
pub const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Waits after the first attempts; afterwards the last one repeats. At most 19 attempts a day.
const WAITS: [SignedDuration; 4] = [
    SignedDuration::from_mins(2),
    SignedDuration::from_mins(10),
    SignedDuration::from_mins(30),
    SignedDuration::from_mins(90),
];

/// Generations from here on are those of grants that no connection kept.
const NEVER_KEPT: u64 = 1 << 60;

/// A grant that must be ended.
///
/// The tokens stay as they were sealed with the connection, so writing this down needs no KMS, and
/// they open for no other connection and generation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DueRevocation {
    /// Whose grant it was.
    pub tenant_id: TenantId,
    /// The connection that used it.
    pub connection_id: ConnectionId,
    /// The generation of the tokens.
    pub generation: u64,
    /// The connection's connector.
    pub connector: String,
    /// Whose app it was given to.
    #[serde(default)]
    pub app: AppOwner,
    /// The user's label of the instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// The tokens.
    pub bundle: Sealed,
    /// Attempts that were begun.
    pub attempts: u32,
    /// When it was first asked for.
    pub asked_at: Timestamp,
    /// When it was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gave_up_at: Option<Timestamp>,
    /// Shard of the due index; absent when it was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_shard: Option<String>,
    /// When the next attempt is due, epoch milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<i64>,
}

impl DueRevocation {
    /// What ends a connection's present grant; nothing where there is none, or where the provider has
    /// no way to end it. Counts as attempted once: whoever writes it tries at once.
    pub fn of(connection: &Connection, due_shards: u32, now: Timestamp) -> Option<Self> {
        let bundle = connection.bundle.clone()?;
        Self::of_bundle(connection, connection.generation, bundle, due_shards, now)
    }

    /// What ends the grant of tokens that came for a generation which the connection never got.
    pub fn of_bundle(
        connection: &Connection,
        generation: u64,
        bundle: Sealed,
        due_shards: u32,
        now: Timestamp,
    ) -> Option<Self> {
        connector(&connection.connector)?.oauth_provider()?.revoke?;
        Some(Self {
            tenant_id: connection.tenant_id,
            connection_id: connection.id,
            generation,
            connector: connection.connector.clone(),
            app: connection.app,
            instance: connection.instance.clone(),
            bundle,
            attempts: 1,
            asked_at: now,
            gave_up_at: None,
            due_shard: Some(Connection::shard(connection.id, due_shards)),
            due_at: Some(now.saturating_add(WAITS[0]).unwrap_or(now).as_millisecond()),
        })
    }

    /// Where it is kept.
    pub fn key(&self) -> Key {
        Key::revocation(self.tenant_id, self.connection_id, self.generation)
    }

    /// Whether it is of a grant that no connection kept.
    pub const fn was_never_kept(&self) -> bool {
        self.generation >= NEVER_KEPT
    }

    /// Whether it is still tried.
    pub const fn is_retrying(&self) -> bool {
        self.gave_up_at.is_none()
    }

    /// When the attempt after the next one is due; `None` when it is time to give up. `chance` is
    /// uniform in [0, 1).
    pub fn due_after_attempt(&self, now: Timestamp, chance: f64) -> Option<Timestamp> {
        if now.duration_since(self.asked_at) >= GIVE_UP_AFTER {
            return None;
        }
        let step = usize::try_from(self.attempts).unwrap_or(usize::MAX);
        let wait = WAITS[step.min(WAITS.len() - 1)];
        let wait = wait.mul_f64(chance.mul_add(0.2, 1.0));
        Some(now.saturating_add(wait).unwrap_or(Timestamp::MAX))
    }
}

/// Revocations that a connection still waits for, oldest first.
pub async fn left_of(
    store: &Store,
    tenant: TenantId,
    connection: ConnectionId,
) -> Result<Vec<DueRevocation>> {
    let prefix = format!("{}{connection}#", Key::REVOCATIONS);
    let partition = Key::tenant_partition(tenant);
    let page = PageRequest::first(100);
    Ok(store.query(&partition, &prefix, &page).await?.items)
}

/// What revocations are worked with.
#[derive(Debug, Clone, Copy)]
pub struct Revoker<'a> {
    /// The table.
    pub store: &'a Store,
    /// What opens the tokens.
    pub vault: &'a Vault,
    /// Who is asked.
    pub providers: &'a Providers,
}

impl Revoker<'_> {
    /// Writes a revocation down, so that it is tried until it is done whatever happens to this
    /// process. One that is written already stays as it is.
    pub async fn later(&self, due: &DueRevocation) -> Result<()> {
        match self.store.insert(&due.key(), due).await {
            Ok(()) | Err(StoreError::Condition { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// One attempt of a revocation that is written down. What is done, or cannot be done from here,
    /// is struck out; everything else stays due.
    pub async fn attempt(&self, due: &DueRevocation) -> Revocation {
        let outcome = match self.call(due).await {
            Ok(outcome) => outcome,
            Err(error) => {
                tracing::warn!(
                    tenant.id = %due.tenant_id, connection.id = %due.connection_id,
                    error.code = error.code(), error.chain = error.chain(), "grant could not be ended now"
                );
                Revocation::Unknown
            }
        };
        tracing::info!(
            tenant.id = %due.tenant_id, connection.id = %due.connection_id, generation = due.generation,
            attempts = due.attempts, ?outcome, "revocation attempted"
        );
        if outcome != Revocation::Unknown
            && let Err(error) = self.store.delete(&due.key()).await
        {
            // It is tried once more, which the provider does not mind.
            tracing::warn!(connection.id = %due.connection_id, error.chain = %error, "a revocation that is done stays written down");
        }
        outcome
    }

    /// Ends a grant that was never kept, or that waited to be kept. One attempt; what it does not
    /// settle is written down, sealed for a generation that no connection ever gets.
    pub async fn give_back(
        &self,
        connection: &Connection,
        bundle: &TokenBundle,
        due_shards: u32,
    ) -> Result<Revocation> {
        let outcome = match self.providers.link(Target::of(connection)) {
            Ok(link) => link.client.end_grant(bundle).await,
            Err(_) => Revocation::Unknown,
        };
        if outcome == Revocation::Unknown {
            let now = Timestamp::now();
            let generation = NEVER_KEPT + u64::try_from(now.as_millisecond()).unwrap_or_default();
            let place = Connection::vault_place(connection.id, generation);
            let place = place.each_ref().map(String::as_str);
            let text = bundle.to_json();
            let sealed = self.vault.seal(connection.tenant_id, &place, &text).await?;
            let due = DueRevocation::of_bundle(connection, generation, sealed, due_shards, now);
            if let Some(due) = due {
                self.later(&due).await?;
            }
        }
        Ok(outcome)
    }

    async fn call(&self, due: &DueRevocation) -> Result<Revocation> {
        let place = Connection::vault_place(due.connection_id, due.generation);
        let place = place.each_ref().map(String::as_str);
        let opened = self.vault.open(due.tenant_id, &place, &due.bundle).await?;
        let bundle = TokenBundle::from_json(&opened)
            .ok_or_else(|| Error::internal("tokens_unreadable", "sealed tokens cannot be read"))?;
        let link = self.providers.link(Target {
            connector: &due.connector,
            tenant: due.tenant_id,
            app: due.app,
            instance: due.instance.as_deref(),
        })?;
        Ok(link.client.end_grant(&bundle).await)
    }

    /// Begins an attempt that is due: counts it and says when the next one is, before the call, so
    /// that a crash or a doubled message costs no extra call. `None` when nothing is to be done.
    pub async fn claim(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        generation: u64,
        now: Timestamp,
        chance: f64,
    ) -> Result<Option<DueRevocation>> {
        let key = Key::revocation(tenant, connection, generation);
        let Some(found) = self.store.get::<DueRevocation>(&key).await? else {
            return Ok(None);
        };
        if found.due_at.is_none_or(|due| due > now.as_millisecond()) {
            return Ok(None);
        }
        let update = Update::new().when_equal("attempts", found.attempts);
        let next = found.due_after_attempt(now, chance);
        let update = match next {
            Some(next) => update
                .set("attempts", found.attempts + 1)
                .set("due_at", next.as_millisecond()),
            None => update
                .set("gave_up_at", now)
                .remove("due_shard")
                .remove("due_at"),
        };
        match self.store.update::<DueRevocation>(&key, update).await {
            Ok(due) if next.is_some() => Ok(Some(due)),
            Ok(due) => {
                tracing::error!(
                    tenant.id = %due.tenant_id, connection.id = %due.connection_id, generation = due.generation,
                    attempts = due.attempts, asked_at = %due.asked_at,
                    "a grant could not be ended for 30 days; end it at the provider by hand"
                );
                Ok(None)
            }
            // Done, or somebody else is at it.
            Err(StoreError::Condition { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(now: Timestamp) -> DueRevocation {
        let bundle = serde_json::from_str(r#"{"v":1,"k":"","c":""}"#).unwrap();
        DueRevocation {
            tenant_id: TenantId::new(),
            connection_id: ConnectionId::new(),
            generation: 3,
            connector: "salesforce".to_owned(),
            app: AppOwner::Vendor,
            instance: None,
            bundle,
            attempts: 1,
            asked_at: now,
            gave_up_at: None,
            due_shard: Some("0".to_owned()),
            due_at: Some(now.as_millisecond()),
        }
    }

    #[test]
    fn at_most_twenty_attempts_in_any_day_and_an_end_after_thirty() {
        let begin: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let mut due = asked(begin);
        let mut attempts = vec![begin];
        let mut now = begin + WAITS[0];
        while let Some(next) = due.due_after_attempt(now, 0.0) {
            attempts.push(now);
            due.attempts += 1;
            now = next;
        }
        for (index, start) in attempts.iter().enumerate() {
            let day = SignedDuration::from_hours(24);
            let within = attempts[index..]
                .iter()
                .take_while(|at| at.duration_since(*start) < day);
            assert!(within.count() <= 20, "from {start}");
        }
        let last = attempts.last().unwrap().duration_since(begin);
        assert!(last < GIVE_UP_AFTER && last > SignedDuration::from_hours(29 * 24));
    }

    #[test]
    fn jitter_only_makes_the_wait_longer() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let due = asked(now);
        assert!(due.due_after_attempt(now, 0.99) > due.due_after_attempt(now, 0.0));
    }
}
