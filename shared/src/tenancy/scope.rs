//! What a request may reach: its own tenant's part of the table and of the keys.

use crate::{error::Error, id::TenantId, store::Store, vault::Vault};

/// One tenant's part of the table and of the keys.
#[derive(Debug, Clone)]
pub struct TenantScope {
    tenant: TenantId,
    store: Store,
    vault: Vault,
}

impl TenantScope {
    /// Whose part it is.
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The tenant's items.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// Seals and opens the tenant's secrets.
    pub const fn vault(&self) -> &Vault {
        &self.vault
    }
}

/// Makes [`TenantScope`]s.
#[derive(Debug, Clone)]
pub struct TenantScopes {
    store: Store,
    vault: Vault,
}

impl TenantScopes {
    /// Scopes over a table and its keys.
    pub const fn new(store: Store, vault: Vault) -> Self {
        Self { store, vault }
    }

    /// The scope of one tenant. Whoever asks must have the tenant from the caller's identity, or
    /// from an item that is worked on.
    #[expect(clippy::unused_async, reason = "sessions are assumed here")]
    pub async fn of(&self, tenant: TenantId) -> Result<TenantScope, Error> {
        Ok(TenantScope {
            tenant,
            store: self.store.clone(),
            vault: self.vault.clone(),
        })
    }
}
