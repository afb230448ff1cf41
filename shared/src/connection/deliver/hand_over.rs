//! Grants that AppFlow refreshes by itself: they go into the profile at once, and we keep no token.

use jiff::Timestamp;

use super::{Delivered, Delivery, audit, recovered};
use crate::{
    connection::{
        Connection, ConnectionState,
        keep::{Grant, Kept, check_organisation, read},
    },
    connector::profile::{AppflowOwned, push_owned},
    error::{Error, Kind, Result},
    outbox::Entry,
    store::{Key, StoreError, Update},
};

/// How often the write is tried again when something else came in between.
const ATTEMPTS: u32 = 5;

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
    async fn write(&self, before: Connection, grant: &Grant) -> Result<(Delivered, Kept)> {
        let key = Key::connection(before.tenant_id, before.id);
        let mut before = before;
        for _ in 0..ATTEMPTS {
            let now = Timestamp::now();
            let (delivered, update) = update(&before, grant, now);
            let told: Vec<(Key, Entry)> = before
                .reauth_told
                .then(|| recovered(self.stage, &before, now))
                .map(|entry| (entry.key(), entry))
                .into_iter()
                .collect();
            match self.store.update_with(&key, update, &told).await {
                Ok(()) => {
                    let now = Connection::load(self.store, before.tenant_id, before.id).await?;
                    let now = now.ok_or_else(super::super::keep::gone)?;
                    return Ok((delivered, Kept { before, now }));
                }
                Err(StoreError::Condition { current }) => before = read(current)?,
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::new(
            Kind::Conflict,
            "changed_meanwhile",
            "The connection is changing all the time. Start again from the application.",
        ))
    }
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
