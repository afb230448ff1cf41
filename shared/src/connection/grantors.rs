//! Who else has a grant of the same person: rule L5, and the provider's limit of approvals.
//!
//! Both are for the vendor's eyes: agencies connect one organisation for several tenants, and no
//! tenant learns of another.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Connection;
use crate::{
    connector::connector,
    error::Result,
    id::{ConnectionId, TenantId},
    store::{Key, PageRequest, Store},
    tenancy::TenantScopes,
};

/// How many grants of one person one app may hold at Salesforce: the next one ends the oldest.
const APPROVALS: usize = 5;
/// How many connections of one person are looked at.
const LOOKED_AT: usize = 50;

/// A connection in the list of its grantor.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Entry {
    tenant_id: TenantId,
    connection_id: ConnectionId,
    at: Timestamp,
}

/// What stands out about a grantor's connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Findings {
    /// Tenants that have a grant of this person.
    pub tenants: usize,
    /// Connections that use the same app for this person.
    pub same_app: usize,
}

impl Findings {
    fn of(connection: &Connection, all: &[Connection]) -> Self {
        let tenants: BTreeSet<TenantId> = all.iter().map(|other| other.tenant_id).collect();
        let same_app = all
            .iter()
            .filter(|other| {
                other.app == connection.app
                    && (other.app == super::AppOwner::Vendor
                        || other.tenant_id == connection.tenant_id)
            })
            .count();
        Self {
            tenants: tenants.len(),
            same_app,
        }
    }
}

/// Takes a connection out of the list of its grantor.
pub async fn forget(store: &Store, connection: &Connection) -> Result<()> {
    let provider = connector(&connection.connector).and_then(|row| row.provider);
    let (Some(provider), Some(org), Some(user)) =
        (provider, &connection.org_id, &connection.provider_user_id)
    else {
        return Ok(());
    };
    let partition = Key::grantor_partition(provider, org, user);
    Ok(store
        .delete(&Key::grantor(&partition, connection.id))
        .await?)
}

/// The lists of what each grantor granted. They are no tenant's; what they name is read in the scope
/// of its own tenant.
#[derive(Debug, Clone, Copy)]
pub struct Grantors<'a> {
    /// The table, for what is no tenant's.
    pub shared: &'a Store,
    /// Scopes of the tenants that the lists name.
    pub scopes: &'a TenantScopes,
}

impl Grantors<'_> {
    /// Enters a connection that was just granted, and warns of what stands out. Connections that have
    /// another grantor by now, or are gone, leave the list.
    pub async fn note(&self, connection: &Connection) -> Result<Option<Findings>> {
        let provider = connector(&connection.connector).and_then(|row| row.provider);
        let (Some(provider), Some(org), Some(user)) =
            (provider, &connection.org_id, &connection.provider_user_id)
        else {
            return Ok(None);
        };
        let partition = Key::grantor_partition(provider, org, user);
        let entry = Entry {
            tenant_id: connection.tenant_id,
            connection_id: connection.id,
            at: Timestamp::now(),
        };
        self.shared
            .put(&Key::grantor(&partition, connection.id), &entry)
            .await?;
        let page = PageRequest::first(LOOKED_AT);
        let found = self
            .shared
            .query::<Entry>(&partition, "GRANTED#", &page)
            .await?;
        let mut all = Vec::new();
        for entry in found.items {
            let scope = self.scopes.of(entry.tenant_id).await?;
            let other =
                Connection::load(scope.store(), entry.tenant_id, entry.connection_id).await?;
            match other.filter(|other| {
                (&other.org_id, &other.provider_user_id)
                    == (&connection.org_id, &connection.provider_user_id)
            }) {
                Some(other) => all.push(other),
                None => {
                    self.shared
                        .delete(&Key::grantor(&partition, entry.connection_id))
                        .await?;
                }
            }
        }
        let findings = Findings::of(connection, &all);
        if findings.tenants > 1 {
            tracing::warn!(event = "tributary.connection.shared_grantor", tenant.id = %connection.tenant_id, connection.id = %connection.id, provider, tenants = findings.tenants, "several tenants have grants of the same person at the provider; fine for agencies, otherwise ask");
        }
        if findings.same_app >= APPROVALS {
            tracing::warn!(event = "tributary.connection.many_approvals", tenant.id = %connection.tenant_id, connection.id = %connection.id, provider, connections = findings.same_app, "one person at the provider backs so many connections that the provider may end the oldest");
        }
        Ok(Some(findings))
    }
}
