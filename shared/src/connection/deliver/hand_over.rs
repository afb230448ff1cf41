//! Grants that AppFlow refreshes by itself: they go into the profile at once, and we keep no token.

use jiff::Timestamp;

use super::{Delivered, Delivery, audit};
use crate::{
    connection::{
        Connection, ConnectionState,
        keep::{Grant, Kept, check_organisation, gone},
    },
    connector::profile::{AppflowOwned, push_owned},
    error::{Error, Kind, Result},
    outbox::EntryItem,
    store::{Key, StoreError, Update},
};

/// How often the write is tried again when something else came in between.
const ATTEMPTS: u32 = 20;

impl Delivery<'_> {
    /// Gives AppFlow the whole grant, and writes what became of it. Whatever fails ends in another
    /// consent: nobody but AppFlow can bring these tokens there later.
    pub async fn hand_over(
        &self,
        actor: &str,
        before: Connection,
        grant: &Grant,
        allow_other_organisation: bool,
    ) -> Result<Delivered> {
        if !allow_other_organisation {
            check_organisation(&before, &grant.grantor)?;
        }
        let appflow = self.appflow(&before).await.map_err(start_again)?;
        let app = self.link.client.app().credentials().await;
        let app = app.map_err(|error| {
            Error::internal(
                "provider_misconfigured",
                "the app's credentials cannot be had",
            )
            .with_source(error)
        })?;
        let mut next = before.clone();
        next.generation += 1;
        let owned = AppflowOwned::of(&next, &grant.bundle, &app).ok_or_else(|| {
            Error::new(
                Kind::Conflict,
                "no_refresh_token",
                "The provider did not allow lasting access.",
            )
        })?;
        push_owned(&appflow, &next, grant.instance.as_ref(), &owned)
            .await
            .map_err(|error| start_again(error.into()))?;
        let (delivered, kept) = self.write(before, grant).await?;
        audit(actor, &kept.now, grant, true);
        if delivered == Delivered::Connected {
            self.afterwards(&appflow, &kept).await;
        }
        Ok(delivered)
    }

    /// AppFlow has the tokens: a write that loses against another is tried again on what is there.
    /// Only a connection that was deleted ends in an error after which the grant is given back.
    async fn write(&self, before: Connection, grant: &Grant) -> Result<(Delivered, Kept)> {
        let key = Key::connection(before.tenant_id, before.id);
        let mut before = before;
        let mut attempt = 1;
        loop {
            let now = Timestamp::now();
            let (delivered, update) = update(&before, grant, now);
            let told = told(self.stage, &before, now);
            match self.store.update_with(&key, update, &told).await {
                Ok(()) => {
                    let now = Connection::load(self.store, before.tenant_id, before.id).await?;
                    let now = now.ok_or_else(gone)?;
                    return Ok((delivered, Kept { before, now }));
                }
                Err(StoreError::Condition { .. }) => {
                    let newest = Connection::load(self.store, before.tenant_id, before.id).await?;
                    before = after_conflict(newest, attempt)?;
                    attempt += 1;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// What recovers is the generation that is being written.
fn told(stage: &str, before: &Connection, now: Timestamp) -> Vec<(Key, EntryItem)> {
    if !before.reauth_told {
        return Vec::new();
    }
    let mut next = before.clone();
    next.generation += 1;
    next.recovered(stage, now).items(now)
}

/// What the write is tried again on. Giving up leaves a profile that works with a record of an older
/// grant: an error that says so, and after which nobody ends the tokens that the profile uses.
fn after_conflict(newest: Option<Connection>, attempt: u32) -> Result<Connection> {
    let newest = newest.ok_or_else(gone)?;
    if attempt < ATTEMPTS {
        return Ok(newest);
    }
    tracing::error!(tenant.id = %newest.tenant_id, connection.id = %newest.id, "AppFlow has a grant that was not written down: the connection kept changing");
    Err(Error::unavailable(
        "changed_meanwhile",
        "AppFlow has the tokens, and the connection kept changing",
    ))
}

fn update(before: &Connection, grant: &Grant, now: Timestamp) -> (Delivered, Update) {
    let update = Update::new()
        .set("generation", before.generation + 1)
        .set("pushed_generation", before.generation + 1)
        .set_or_remove("instance_url", grant.instance.as_ref())
        .set("org_id", &grant.grantor.org_id)
        .set("provider_user_id", &grant.grantor.user_id)
        .set("scopes", &grant.scopes)
        .set("missing_scopes", &grant.missing_scopes)
        .set("failures", 0)
        .set("updated_at", now)
        .add("version", 1)
        .remove("bundle")
        .remove("access_expires_at")
        .remove("due_shard")
        .remove("due_at")
        .remove("reauth_told")
        .when_equal("generation", before.generation)
        .when_equal("state", before.state);
    if grant.missing_scopes.is_empty() {
        let update = update
            .set("state", ConnectionState::Active)
            .remove("reason");
        return (Delivered::Connected, update);
    }
    let update = update
        .set("state", ConnectionState::Limited)
        .set("reason", "missing_scopes");
    (Delivered::Limited("missing_scopes"), update)
}

/// The same failure, as one that is not tried again: the grant is given back.
fn start_again(error: Error) -> Error {
    Error::new(
        Kind::Upstream,
        "push_failed",
        "The connection could not be brought to AppFlow. Start again from the application.",
    )
    .with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{connection::tests::connection, event::Sequence};

    #[test]
    fn n1_what_recovers_is_a_later_generation_than_what_was_lost() {
        let now = Timestamp::UNIX_EPOCH;
        let mut lost = connection();
        assert_eq!(told("test", &lost, now), []);
        lost.reauth_told = true;
        let told = told("test", &lost, now);
        let EntryItem::Logged(logged) = &told[0].1 else {
            panic!("no event is logged: {told:?}");
        };
        let lost_at = Sequence::of_version(lost.generation, 9);
        assert!(logged.event.sequence > lost_at.to_string());
    }

    /// A grant is given back after errors that are not retryable.
    #[test]
    fn the_profiles_grant_is_given_back_only_when_the_connection_is_deleted() {
        let again = after_conflict(Some(connection()), 1).unwrap();
        assert_eq!(again.generation, connection().generation);
        let changing = after_conflict(Some(connection()), ATTEMPTS).unwrap_err();
        assert!(changing.retryable());
        let deleted = after_conflict(None, 1).unwrap_err();
        assert!(!deleted.retryable());
    }
}
