//! The lease: one worker at a time acts on a connection, and a late one is told apart by its number.
//!
//! The platform ends an invocation at its deadline. A lease that lasts until that deadline and the
//! clocks' difference cannot lapse under a worker that is still alive.

use std::time::Duration;

use jiff::Timestamp;
use tributary::{
    connection::{Connection, TokenOwner},
    error::Result,
    id::{ConnectionId, TenantId},
    store::{Key, Store, StoreError, Update},
};

/// The right to act on a connection.
#[derive(Debug)]
pub(crate) struct Lease<'a> {
    store: &'a Store,
    key: Key,
    /// Fencing number: every write under this lease carries it.
    pub(crate) fence: u64,
}

impl<'a> Lease<'a> {
    /// Acquires the lease and answers the record as it is now; nothing if somebody else has it, the
    /// connection is gone, or its tokens are not ours.
    pub(crate) async fn acquire(
        store: &'a Store,
        tenant: TenantId,
        connection: ConnectionId,
        deadline: Timestamp,
        skew: Duration,
    ) -> Result<Option<(Self, Connection)>> {
        let key = Key::connection(tenant, connection);
        let now = Timestamp::now();
        let until = deadline.saturating_add(skew).unwrap_or(Timestamp::MAX);
        let update = Update::new()
            .add("fence", 1)
            .set("lease_until", until.as_millisecond())
            .when_equal("token_owner", TokenOwner::Tributary)
            .when_absent_or_less("lease_until", now.as_millisecond());
        match store.update::<Connection>(&key, update).await {
            Ok(record) => Ok(Some((
                Self {
                    store,
                    key,
                    fence: record.fence,
                },
                record,
            ))),
            Err(StoreError::Condition { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// An update that holds only while the lease is ours and the generation is the one we saw.
    pub(crate) fn fenced(&self, generation: u64) -> Update {
        Update::new()
            .when_equal("fence", self.fence)
            .when_equal("generation", generation)
            .when_equal("token_owner", TokenOwner::Tributary)
    }

    /// Gives the lease back, with the next due time if it changes. A lease that is no longer ours is
    /// somebody else's business.
    pub(crate) async fn release(self, due_at: Option<i64>) -> Result<()> {
        let mut update = Update::new()
            .remove("lease_until")
            .when_equal("fence", self.fence);
        if let Some(due_at) = due_at {
            update = update.set("due_at", due_at);
        }
        match self
            .store
            .update::<serde::de::IgnoredAny>(&self.key, update)
            .await
        {
            Ok(_) | Err(StoreError::Condition { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Key of the connection.
    pub(crate) const fn key(&self) -> &Key {
        &self.key
    }
}
