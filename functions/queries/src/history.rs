//! What a person ran in the last day, in our own words.
//!
//! Kept in the tenant's partition, per person and role, for as long as the warehouse keeps results.
//! Neither SQL nor values of parameters nor rows are in it: names of registered queries, times, and
//! how it ended. The warehouse itself could list statements, but only of the caller's own role
//! session, without our names for them, and with their SQL.

mod noted;

use jiff::Timestamp;
use tributary::{
    error::Error,
    id::TenantId,
    store::{Key, Page, PageRequest, Store, StoreError, Update, from_item},
};

use crate::{
    query_id::Asked,
    session::User,
    warehouse::{Progress, State},
};

pub use noted::{Noted, Seen};

/// One person's queries under one role.
#[derive(Debug, Clone)]
pub struct History {
    store: Store,
    tenant: TenantId,
    log: String,
}

impl History {
    /// The queries of a user under a role, in the tenant's part of the table.
    pub fn of(store: &Store, user: &User, role_arn: &str) -> Self {
        Self {
            store: store.clone(),
            tenant: user.tenant,
            log: Key::query_log(&user.issuer, &user.subject, role_arn),
        }
    }

    /// Whose list it is, for cursors: another person's, or another role's, do not open.
    pub fn owner(&self) -> String {
        format!("{} {}", self.tenant, self.log)
    }

    /// Writes a statement down and answers the id under which its user knows it: of a statement that
    /// was asked for again with its idempotency key, the first id.
    ///
    /// A statement that runs is worth more than its line here: if that is not written, it is logged.
    pub(crate) async fn note(&self, asked: &Asked, noted: Noted) -> String {
        let key = self.key(asked);
        let error = match self.store.insert(&key, &noted).await {
            Ok(()) => return noted.id,
            Err(StoreError::Condition {
                current: Some(current),
            }) => match from_item::<Noted>(*current) {
                Ok(first) => {
                    if first.seen.state != noted.seen.state {
                        self.settle(asked, &noted.seen).await;
                    }
                    return first.id;
                }
                Err(error) => error,
            },
            Err(error) => error,
        };
        tracing::warn!(tenant.id = %self.tenant, statement.id = asked.statement, error.chain = %error, "a query is missing in its user's list");
        noted.id
    }

    /// Writes down how a statement ended, once; nothing for one that runs.
    pub(crate) async fn settle(&self, asked: &Asked, seen: &Seen) {
        if seen.state == State::Running {
            return;
        }
        let update =
            Update::new()
                .set("seen", seen)
                .when_member_equal("seen", "state", State::Running);
        let settled = self.store.update::<Noted>(&self.key(asked), update).await;
        if let Err(error) = settled
            && !error.is_condition()
        {
            tracing::warn!(tenant.id = %self.tenant, statement.id = asked.statement, error.chain = %error, "the end of a query is missing in its user's list");
        }
    }

    /// Like [`History::settle`], for what the warehouse just said.
    pub(crate) async fn saw(&self, asked: &Asked, progress: &Progress) {
        self.settle(asked, &Seen::of(progress, Timestamp::now()))
            .await;
    }

    /// A page of the list, newest first, without what the warehouse has forgotten.
    pub(crate) async fn page(&self, request: &PageRequest) -> Result<Page<Noted>, Error> {
        let partition = Key::tenant_partition(self.tenant);
        let mut page = self
            .store
            .query::<Noted>(&partition, &self.log, request)
            .await?;
        let now = Timestamp::now().as_second();
        page.items.retain(|noted| noted.expires_at > now);
        Ok(page)
    }

    fn key(&self, asked: &Asked) -> Key {
        Key::logged_query(self.tenant, &self.log, asked.at, &asked.statement)
    }
}
