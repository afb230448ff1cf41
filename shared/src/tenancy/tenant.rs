//! A tenant and its standing.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::HostingMode;
use crate::{
    error::{Error, Result},
    id::TenantId,
    store::{Key, Store},
};

/// Shard of the due index that holds tenants whose standing asks for work.
pub const TENANT_SHARD: &str = "tenants";

/// Where a tenant stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TenantState {
    /// Its people may use the service.
    Active,
    /// The operator stopped it for now: nobody comes in, schedules stand still, tokens stay fresh.
    Suspended,
    /// It is being removed; there is no way back.
    Leaving,
    /// It was removed. What is left is its id, so that it is never given again, and the receipt.
    Gone,
}

impl TenantState {
    /// The word under which the state is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Leaving => "leaving",
            Self::Gone => "gone",
        }
    }

    /// Whether a tenant may go from this state to that.
    pub const fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Active, Self::Suspended | Self::Leaving)
                | (Self::Suspended, Self::Active | Self::Leaving)
                | (Self::Leaving, Self::Gone)
        )
    }

    /// Where a tenant stands now; nothing if there never was one.
    pub async fn of(store: &Store, tenant: TenantId) -> Result<Option<Self>> {
        #[derive(Deserialize)]
        struct Standing {
            state: TenantState,
        }
        let found: Option<Standing> = store.get(&Key::tenant(tenant)).await?;
        Ok(found.map(|standing| standing.state))
    }
}

impl fmt::Display for TenantState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A tenant, as it is stored in the operator's list. It is never deleted: of one that is gone, this
/// is the tombstone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Tenant {
    /// Its id, given once and never again.
    pub id: TenantId,
    /// What people call it.
    pub name: String,
    /// Where its flows run unless an account says otherwise.
    pub hosting: HostingMode,
    /// Where it stands.
    pub state: TenantState,
    /// Since when it stands there.
    pub state_since: Timestamp,
    /// Why, in the operator's words; for the operator alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Counts changes; the entity tag.
    pub version: u64,
    /// [`TENANT_SHARD`] while its standing asks for work, then absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_shard: Option<String>,
    /// When that work goes on, epoch milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<i64>,
    /// How often in a row it failed.
    #[serde(default)]
    pub failures: u32,
}

impl Tenant {
    /// A tenant that begins now.
    pub fn begin(name: String, hosting: HostingMode, now: Timestamp) -> Self {
        Self {
            id: TenantId::new(),
            name,
            hosting,
            state: TenantState::Active,
            state_since: now,
            reason: None,
            created_at: now,
            updated_at: now,
            version: 1,
            due_shard: None,
            due_at: None,
            failures: 0,
        }
    }

    /// Reads a tenant, also one that is gone.
    pub async fn load(store: &Store, id: TenantId) -> Result<Self> {
        let found: Option<Self> = store.get(&Key::tenant(id)).await?;
        found.ok_or_else(Error::not_found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i7_there_is_no_way_back_from_leaving() {
        use TenantState::{Active, Gone, Leaving, Suspended};
        for next in [Active, Suspended, Leaving] {
            assert!(!Leaving.may_become(next) || next == Gone, "{next}");
            assert!(!Gone.may_become(next), "{next}");
        }
        assert!(Active.may_become(Suspended) && Suspended.may_become(Active));
        assert!(Active.may_become(Leaving) && Suspended.may_become(Leaving));
        assert!(!Active.may_become(Gone) && !Suspended.may_become(Gone));
    }
}
