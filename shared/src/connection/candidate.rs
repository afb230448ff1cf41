//! Candidates: a grant that an invited person gave, before the person who asked has looked at whose
//! it is (rule L2). The connection stays as it was until then (scenario X4).

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    Connection,
    keep::{Grant, Grantor},
};
use crate::{
    error::{Error, Result},
    id::{AttemptId, CandidateId, ConnectionId, TenantId},
    oauth::{InstanceUrl, TokenBundle},
    store::{Key, Store},
    vault::{Sealed, Vault},
};

/// How long the person who asked may take.
const LIFE: SignedDuration = SignedDuration::from_hours(24 * 7);

/// A grant that waits, as it is stored. It has no `expires_at`: the table would forget a grant that
/// is alive at the provider. Whoever sees that it has ended revokes it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Candidate {
    /// Its id; part of the place that the tokens are sealed for.
    pub id: CandidateId,
    /// Whose.
    pub tenant_id: TenantId,
    /// For which connection.
    pub connection_id: ConnectionId,
    /// Who asked, and alone may confirm.
    pub requested_by: String,
    /// Whether another organisation than before was asked for.
    #[serde(default)]
    pub allow_other_organisation: bool,
    /// The attempt that it is the result of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt_id: Option<AttemptId>,
    /// The tokens.
    pub bundle: Sealed,
    /// Who granted.
    pub grantor: Grantor,
    /// Where the tokens are used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceUrl>,
    /// What was granted.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// What was asked for and not granted.
    #[serde(default)]
    pub missing_scopes: Vec<String>,
    /// When the access token ends, epoch milliseconds.
    pub access_ends_at: i64,
    /// When it was granted.
    pub granted_at: Timestamp,
    /// When it can be confirmed no more, epoch milliseconds.
    pub ends_at: i64,
}

/// For whom a grant waits.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Who asked.
    pub requested_by: &'a str,
    /// Whether another organisation than before was asked for.
    pub allow_other_organisation: bool,
    /// The attempt that it is the result of.
    pub attempt_id: Option<AttemptId>,
}

/// Where candidates wait.
#[derive(Debug, Clone, Copy)]
pub struct Candidates<'a> {
    /// The table.
    pub store: &'a Store,
    /// What seals the tokens.
    pub vault: &'a Vault,
}

impl Candidates<'_> {
    /// Lets a grant wait; answers the tokens of the one that it replaces, which must be revoked.
    pub async fn put(
        &self,
        connection: &Connection,
        grant: &Grant,
        request: Request<'_>,
    ) -> Result<Option<TokenBundle>> {
        let (id, now) = (CandidateId::new(), Timestamp::now());
        let place = place(id);
        let text = grant.bundle.to_json();
        let sealed = self
            .vault
            .seal(connection.tenant_id, &refs(&place), &text)
            .await?;
        let after = |life| now.saturating_add(life).unwrap_or(Timestamp::MAX);
        let candidate = Candidate {
            id,
            tenant_id: connection.tenant_id,
            connection_id: connection.id,
            requested_by: request.requested_by.to_owned(),
            allow_other_organisation: request.allow_other_organisation,
            attempt_id: request.attempt_id,
            bundle: sealed,
            grantor: grant.grantor.clone(),
            instance: grant.instance.clone(),
            scopes: grant.scopes.clone(),
            missing_scopes: grant.missing_scopes.clone(),
            access_ends_at: after(grant.life).as_millisecond(),
            granted_at: now,
            ends_at: after(LIFE).as_millisecond(),
        };
        let key = Key::candidate(connection.tenant_id, connection.id);
        let replaced = self.store.replace(&key, &candidate).await?;
        match replaced {
            Some(replaced) => self.open(&replaced).await.map(Some),
            None => Ok(None),
        }
    }

    /// The candidate of a connection, also one that has ended.
    pub async fn load(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
    ) -> Result<Option<Candidate>> {
        Ok(self.store.get(&Key::candidate(tenant, connection)).await?)
    }

    /// Takes the candidate that was looked at: of several who decide, one gets it, and nobody gets
    /// another than the one that was seen.
    pub async fn take(&self, seen: &Candidate) -> Result<bool> {
        let key = Key::candidate(seen.tenant_id, seen.connection_id);
        Ok(self.store.take_if(&key, "id", &seen.id.to_string()).await?)
    }

    /// The tokens of a candidate.
    pub async fn open(&self, candidate: &Candidate) -> Result<TokenBundle> {
        let place = place(candidate.id);
        let opened = self
            .vault
            .open(candidate.tenant_id, &refs(&place), &candidate.bundle)
            .await?;
        TokenBundle::from_json(&opened)
            .ok_or_else(|| Error::internal("bundle_shape", "a candidate's tokens cannot be read"))
    }
}

impl Candidate {
    /// Whether it can still be confirmed.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.ends_at > now.as_millisecond()
    }

    /// The grant that it stands for, with its opened tokens.
    pub fn grant(&self, bundle: TokenBundle, now: Timestamp) -> Grant {
        let left = self.access_ends_at.saturating_sub(now.as_millisecond());
        Grant {
            bundle,
            grantor: self.grantor.clone(),
            instance: self.instance.clone(),
            scopes: self.scopes.clone(),
            missing_scopes: self.missing_scopes.clone(),
            life: SignedDuration::from_millis(left.max(0)),
        }
    }
}

fn place(id: CandidateId) -> [String; 2] {
    ["candidate".to_owned(), id.to_string()]
}

fn refs(place: &[String; 2]) -> [&str; 2] {
    place.each_ref().map(String::as_str)
}
