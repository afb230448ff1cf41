//! Storing a grant, before anything else can fail, in one conditional write.

use jiff::{SignedDuration, Timestamp};
use tributary::{
    connection::{Connection, ConnectionState},
    error::{Error, Kind, Result},
    oauth::TokenBundle,
    secret::Secret,
    store::{Item, Key, StoreError, Update, from_item},
    vault::Sealed,
};

use super::{exchange::Grant, gone};
use crate::app::{App, ProviderLink};

/// How often the write is tried again when a refresh came in between.
const ATTEMPTS: u32 = 5;
/// When somebody else pushes the tokens if this process dies before it does.
const RECOVERY: SignedDuration = SignedDuration::from_secs(60);
/// Salesforce writes ids with 15 characters, or with 3 more that repeat their case.
const ORG_ID_LENGTH: usize = 15;

/// A grant that is stored.
pub(super) struct Kept {
    /// The connection before.
    pub(super) before: Connection,
    /// The connection with the grant.
    pub(super) now: Connection,
}

/// Stores a grant as the connection's next generation.
///
/// A refresh that runs at the same time loses: its conditions name the generation and the intent
/// that this write replaces (scenario X3). The connection is `limited` until AppFlow has the token,
/// and due, so that the tokens reach AppFlow although this process dies here.
pub(super) async fn keep(app: &App, before: Connection, grant: &Grant) -> Result<Kept> {
    let key = Key::connection(before.tenant_id, before.id);
    let mut before = before;
    for _ in 0..ATTEMPTS {
        check_organisation(&before, grant)?;
        let sealed = seal(app, &before, grant).await?;
        let update = update(app, &before, grant, &sealed, Timestamp::now());
        match app.store.update::<Connection>(&key, update).await {
            Ok(now) => return Ok(Kept { before, now }),
            Err(StoreError::Condition { current }) => {
                let current = read(current)?;
                // The write of an attempt whose answer was lost.
                if current.bundle.as_ref() == Some(&sealed) {
                    return Ok(Kept {
                        before,
                        now: current,
                    });
                }
                before = current;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::new(
        Kind::Conflict,
        "changed_meanwhile",
        "The connection is changing all the time. Start again from the application.",
    ))
}

fn read(current: Option<Box<Item>>) -> Result<Connection> {
    let current: Connection = from_item(*current.ok_or_else(gone)?)?;
    if current.state == ConnectionState::Deleted {
        return Err(gone());
    }
    Ok(current)
}

/// X2: a reconnect leads to the same organisation, or it would change what the flows read.
fn check_organisation(before: &Connection, grant: &Grant) -> Result<()> {
    let same =
        |known: &str| known.get(..ORG_ID_LENGTH) == grant.grantor.org_id.get(..ORG_ID_LENGTH);
    if before.org_id.as_deref().is_none_or(same) {
        return Ok(());
    }
    Err(Error::new(
        Kind::Conflict,
        "account_mismatch",
        "This is another organisation than the one the connection belongs to.",
    ))
}

async fn seal(app: &App, before: &Connection, grant: &Grant) -> Result<Sealed> {
    let place = Connection::vault_place(before.id, before.generation + 1);
    let place: Vec<&str> = place.iter().map(String::as_str).collect();
    let text = grant.bundle.to_json();
    Ok(app.vault.seal(before.tenant_id, &place, &text).await?)
}

fn update(
    app: &App,
    before: &Connection,
    grant: &Grant,
    sealed: &Sealed,
    now: Timestamp,
) -> Update {
    let ends = now.saturating_add(grant.life).unwrap_or(Timestamp::MAX);
    let due = now.saturating_add(RECOVERY).unwrap_or(now);
    Update::new()
        .set("bundle", sealed)
        .set("generation", before.generation + 1)
        .set("access_expires_at", ends.as_millisecond())
        .set("instance_url", &grant.instance)
        .set("org_id", &grant.grantor.org_id)
        .set("provider_user_id", &grant.grantor.user_id)
        .set("scopes", &grant.scopes)
        .set("missing_scopes", &grant.missing_scopes)
        .set("state", ConnectionState::Limited)
        .set("reason", "push_pending")
        .set("failures", 0)
        .set(
            "due_shard",
            Connection::shard(before.id, app.config.due_shards),
        )
        .set("due_at", due.as_millisecond())
        .set("updated_at", now)
        .add("version", 1)
        .add("fence", 1)
        .remove("intent")
        .remove("lease_until")
        .when_equal("generation", before.generation)
        .when_equal("state", before.state)
}

/// Ends the grant that the new one replaces. Afterwards, and best effort: the new one works already.
pub(super) async fn revoke_previous(
    app: &App,
    link: &ProviderLink,
    before: &Connection,
    new: &TokenBundle,
) {
    match previous(app, before).await {
        Ok(Some(old))
            if new
                .refresh_token
                .as_ref()
                .is_none_or(|new| !new.same_as(old.expose())) =>
        {
            let outcome = link.client.revoke(&old).await;
            tracing::info!(tenant.id = %before.tenant_id, connection.id = %before.id, revocation = ?outcome, "the previous grant was revoked");
        }
        Ok(_) => {}
        Err(error) => {
            tracing::warn!(tenant.id = %before.tenant_id, connection.id = %before.id, error.code = error.code(), error.chain = error.chain(), "the previous grant was not revoked");
        }
    }
}

async fn previous(app: &App, before: &Connection) -> Result<Option<Secret>> {
    let Some(sealed) = &before.bundle else {
        return Ok(None);
    };
    let place = Connection::vault_place(before.id, before.generation);
    let place: Vec<&str> = place.iter().map(String::as_str).collect();
    let opened = app.vault.open(before.tenant_id, &place, sealed).await?;
    Ok(TokenBundle::from_json(&opened).and_then(|bundle| bundle.refresh_token))
}
