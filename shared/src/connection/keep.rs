//! Storing a grant, before anything else can fail, in one conditional write.

use jiff::{SignedDuration, Timestamp};

use super::{Connection, ConnectionState};
use crate::{
    error::{Error, Kind, Result},
    oauth::{InstanceUrl, TokenBundle},
    store::{Item, Key, Store, StoreError, Update, from_item},
    vault::{Sealed, Vault},
};

/// How often the write is tried again when a refresh came in between.
const ATTEMPTS: u32 = 5;
/// When somebody else pushes the tokens if this process dies before it does.
const RECOVERY: SignedDuration = SignedDuration::from_secs(60);
/// Salesforce writes ids with 15 characters, or with 3 more that repeat their case.
const SALESFORCE_ID_LENGTH: usize = 15;

/// Who granted.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Grantor {
    /// Organisation at the provider.
    pub org_id: String,
    /// User there.
    pub user_id: String,
}

/// Tokens whose origin is proven.
#[derive(Debug)]
pub struct Grant {
    /// The tokens.
    pub bundle: TokenBundle,
    /// Who granted.
    pub grantor: Grantor,
    /// Where the tokens are used.
    pub instance: Option<InstanceUrl>,
    /// What was granted.
    pub scopes: Vec<String>,
    /// What was asked for and not granted.
    pub missing_scopes: Vec<String>,
    /// How long the access token lives, as far as the answer says.
    pub life: SignedDuration,
}

/// A grant that is stored.
#[derive(Debug)]
pub struct Kept {
    /// The connection before.
    pub before: Connection,
    /// The connection with the grant.
    pub now: Connection,
}

/// Where grants are kept.
#[derive(Debug, Clone, Copy)]
pub struct Keeper<'a> {
    /// The table.
    pub store: &'a Store,
    /// What seals the tokens.
    pub vault: &'a Vault,
    /// How many shards the due index has.
    pub due_shards: u32,
    /// Whether another organisation than before is fine (scenario X2).
    pub allow_other_organisation: bool,
}

impl Keeper<'_> {
    /// Stores a grant as the connection's next generation.
    ///
    /// A refresh that runs at the same time loses: its conditions name the generation and the
    /// intent that this write replaces (scenario X3). The connection is `limited` until AppFlow has
    /// the token, and due, so that the tokens reach AppFlow although this process dies here.
    pub async fn keep(&self, before: Connection, grant: &Grant) -> Result<Kept> {
        let key = Key::connection(before.tenant_id, before.id);
        let mut before = before;
        for _ in 0..ATTEMPTS {
            if !self.allow_other_organisation {
                check_organisation(&before, &grant.grantor)?;
            }
            let sealed = self.seal(&before, grant).await?;
            let update = self.update(&before, grant, &sealed, Timestamp::now());
            match self.store.update::<Connection>(&key, update).await {
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

    async fn seal(&self, before: &Connection, grant: &Grant) -> Result<Sealed> {
        let place = Connection::vault_place(before.id, before.generation + 1);
        let place: Vec<&str> = place.iter().map(String::as_str).collect();
        let text = grant.bundle.to_json();
        Ok(self.vault.seal(before.tenant_id, &place, &text).await?)
    }

    fn update(
        &self,
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
            .set_or_remove("instance_url", grant.instance.as_ref())
            .set("org_id", &grant.grantor.org_id)
            .set("provider_user_id", &grant.grantor.user_id)
            .set("scopes", &grant.scopes)
            .set("missing_scopes", &grant.missing_scopes)
            .set("state", ConnectionState::Limited)
            .set("reason", "push_pending")
            .set("failures", 0)
            .set("due_shard", Connection::shard(before.id, self.due_shards))
            .set("due_at", due.as_millisecond())
            .set("updated_at", now)
            .add("version", 1)
            .add("fence", 1)
            .remove("intent")
            .remove("rotates")
            .remove("lease_until")
            .when_equal("generation", before.generation)
            .when_equal("state", before.state)
    }
}

fn read(current: Option<Box<Item>>) -> Result<Connection> {
    let current: Connection = from_item(*current.ok_or_else(gone)?)?;
    if current.state == ConnectionState::Deleted {
        return Err(gone());
    }
    Ok(current)
}

/// X2: a reconnect leads to the same organisation, or it would change what the flows read.
pub fn check_organisation(before: &Connection, grantor: &Grantor) -> Result<()> {
    let new = grantor.org_id.as_str();
    let same = |known: &str| {
        known == new
            || (before.connector == "salesforce"
                && known.get(..SALESFORCE_ID_LENGTH).is_some()
                && known.get(..SALESFORCE_ID_LENGTH) == new.get(..SALESFORCE_ID_LENGTH))
    };
    if before.org_id.as_deref().is_none_or(same) {
        return Ok(());
    }
    Err(Error::new(
        Kind::Conflict,
        "account_mismatch",
        "This is another organisation than the one the connection belongs to.",
    ))
}

/// The answer for a connection that was deleted meanwhile.
pub fn gone() -> Error {
    Error::new(
        Kind::NotFound,
        "connection_gone",
        "The connection does not exist any more.",
    )
}

#[cfg(test)]
mod model;
