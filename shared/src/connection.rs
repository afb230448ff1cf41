//! Connections: one tenant's authorised link to one application.
//!
//! One item holds the whole record, because each step of a refresh is one conditional write on it:
//! the lease with its fencing number, the intent before the call, the new generation after it.

pub mod attempt;
pub mod candidate;
pub mod deliver;
pub mod grantors;
pub mod keep;
pub mod previous;
mod recovered;
pub mod resume;
pub mod revocation;

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    connector::AuthKind,
    error::Error,
    id::{AccountId, ConnectionId, TenantId},
    store::{Key, Store, key::sha256_hex},
    vault::Sealed,
};

/// Where a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    /// Nobody has consented yet.
    Pending,
    /// It works.
    Active,
    /// It works with fewer rights, or until its access token ends; see the reason.
    Limited,
    /// Only a new consent helps; see the reason.
    ReauthRequired,
    /// It is gone.
    Deleted,
}

impl ConnectionState {
    /// The word under which the state is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Limited => "limited",
            Self::ReauthRequired => "reauth_required",
            Self::Deleted => "deleted",
        }
    }

    /// Whether a connection may go from this state to that.
    pub const fn may_become(self, next: Self) -> bool {
        match (self, next) {
            (Self::Deleted, _) | (_, Self::Pending) => false,
            (_, Self::Deleted | Self::Active | Self::Limited) => true,
            // Entered once: a second refusal changes and tells nothing.
            (from, Self::ReauthRequired) => matches!(from, Self::Active | Self::Limited),
        }
    }
}

impl fmt::Display for ConnectionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The one party that may use a connection's refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TokenOwner {
    /// We refresh; AppFlow gets access tokens only.
    Tributary,
    /// AppFlow refreshes; we never use the token.
    Appflow,
    /// There is no token (Redshift and other connections that need roles only).
    Nobody,
}

/// Whose registration at the provider a connection uses. Chosen when it is made; never replaced by
/// the other one behind anybody's back (scenario C12).
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum AppOwner {
    /// The vendor's.
    #[default]
    Vendor,
    /// The tenant's own.
    Tenant,
}

/// What was about to happen when the token endpoint was called: the write-ahead record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// Fencing number of the lease under which the call was made.
    pub fence: u64,
    /// Fingerprint of the refresh token that was about to be presented.
    pub fingerprint: String,
    /// When, in epoch milliseconds.
    pub at: i64,
    /// Whether the token was presented before, and this call made the same request again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub resent: bool,
    /// Whether this was the last attempt, made with nothing left to lose.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub last: bool,
    /// Until when an answer that could not be written waits on the queue, epoch milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rescue_until: Option<i64>,
}

/// A connection, as it is stored. Attribute names are the field names.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Connection {
    /// Its id.
    pub id: ConnectionId,
    /// Also `connection_id`, for the due index.
    pub connection_id: ConnectionId,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// The AWS account whose AppFlow has the connector profile.
    pub account_id: AccountId,
    /// Key of the connector in the catalogue (`salesforce`, `redshift`).
    pub connector: String,
    /// What people call it.
    pub name: String,
    /// Where it stands.
    pub state: ConnectionState,
    /// Why it is limited or needs a new consent (`revoked`, `rotation_lost`, `missing_scopes`, ...).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who may use the refresh token.
    pub token_owner: TokenOwner,
    /// Subject of the person who made it.
    pub created_by: String,
    /// How it proves who we are.
    #[serde(default)]
    pub auth: AuthKind,
    /// Whose OAuth app it uses.
    #[serde(default)]
    pub app: AppOwner,
    /// Name of the secret that holds its long-lived credentials, for grants without a consent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<String>,
    /// Name of the AppFlow connector profile.
    pub profile_name: String,
    /// Label that the user gave for the application's instance (`acme` of `acme.zendesk.com`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Instance of the application that it leads to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_url: Option<String>,
    /// Organisation at the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_id: Option<String>,
    /// Who consented at the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_user_id: Option<String>,
    /// Scopes that were granted.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Scopes that were asked for and not granted.
    #[serde(default)]
    pub missing_scopes: Vec<String>,
    /// Connector properties without secrets (Redshift: bucket, roles, workgroup, database).
    #[serde(default)]
    pub properties: std::collections::BTreeMap<String, String>,

    /// Counts token bundles: each consent and each refresh makes the next generation.
    pub generation: u64,
    /// The tokens, sealed for this connection and generation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle: Option<Sealed>,
    /// When the access token ends, epoch milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_expires_at: Option<i64>,
    /// When a refresh last brought tokens, epoch milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refreshed_at: Option<i64>,
    /// Whether a refresh was seen to bring another refresh token: then the grant rotates, whatever
    /// the provider's row says.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rotates: bool,
    /// Newest generation that AppFlow has.
    #[serde(default)]
    pub pushed_generation: u64,
    /// Fencing number: grows with each lease.
    #[serde(default)]
    pub fence: u64,
    /// Until when somebody holds the lease, epoch milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_until: Option<i64>,
    /// A token call that was begun and whose outcome is not written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<Intent>,
    /// Refreshes that failed in a row.
    #[serde(default)]
    pub failures: u32,
    /// When the last of them failed, epoch milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_at: Option<i64>,
    /// Whether subscribers were told that a new consent is needed, and not yet that it came.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reauth_told: bool,
    /// Shard of the due index; absent when nothing is due any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_shard: Option<String>,
    /// When the next refresh is due, epoch milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<i64>,

    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Counts changes that people make; the entity tag.
    pub version: u64,
}

impl Connection {
    /// Reads a connection of a tenant; a deleted one is not there.
    pub async fn load(
        store: &Store,
        tenant: TenantId,
        id: ConnectionId,
    ) -> Result<Option<Self>, Error> {
        let found: Option<Self> = store.get(&Key::connection(tenant, id)).await?;
        Ok(found.filter(|connection| connection.state != ConnectionState::Deleted))
    }

    /// The place for which the vault seals this connection's tokens of a generation.
    pub fn vault_place(id: ConnectionId, generation: u64) -> [String; 3] {
        [
            "connection".to_owned(),
            id.to_string(),
            generation.to_string(),
        ]
    }

    /// Which shard of the due index the connection is in.
    pub fn shard(id: ConnectionId, shards: u32) -> String {
        let hash = sha256_hex(&id.to_string());
        let number = u32::from_str_radix(&hash[..8], 16).unwrap_or(0);
        (number % shards.max(1)).to_string()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A connection in use.
    pub(crate) fn connection() -> Connection {
        serde_json::from_value(serde_json::json!({
            "id": "con_019364c0a1b27cc3a4d5e6f708192a3b",
            "connection_id": "con_019364c0a1b27cc3a4d5e6f708192a3b",
            "tenant_id": "ten_019364c0a1b27cc3a4d5e6f708192a3b",
            "account_id": "acc_019364c0a1b27cc3a4d5e6f708192a3b",
            "connector": "salesforce", "name": "CRM", "state": "active", "token_owner": "tributary",
            "created_by": "sub", "profile_name": "tributary-x", "generation": 3, "pushed_generation": 3,
            "created_at": "2026-11-20T10:00:00Z", "updated_at": "2026-11-20T10:00:00Z", "version": 1
        }))
        .unwrap()
    }

    #[test]
    fn a_deleted_connection_stays_deleted_and_none_becomes_pending_again() {
        use ConnectionState::{Active, Deleted, Limited, Pending, ReauthRequired};
        for next in [Pending, Active, Limited, ReauthRequired, Deleted] {
            assert!(!Deleted.may_become(next));
            assert!(!next.may_become(Pending));
        }
    }

    #[test]
    fn x5_reauth_required_is_entered_once() {
        use ConnectionState::{Active, ReauthRequired};
        assert!(Active.may_become(ReauthRequired));
        assert!(!ReauthRequired.may_become(ReauthRequired));
        assert!(ReauthRequired.may_become(Active));
    }

    #[test]
    fn shards_are_stable_and_within_bounds() {
        let id = ConnectionId::new();
        assert_eq!(Connection::shard(id, 4), Connection::shard(id, 4));
        assert!(Connection::shard(id, 4).parse::<u32>().unwrap() < 4);
    }
}
