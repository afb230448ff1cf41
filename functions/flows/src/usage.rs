//! What uses what: accounts and connections that something uses are not deleted.

use serde::de::DeserializeOwned;
use tributary::{
    connection::{Connection, ConnectionState},
    error::Error,
    id::{AccountId, ConnectionId, TenantId},
    store::{Key, PageRequest, Store},
};

use crate::flows::Flow;

/// Whether a connection or a flow uses the account.
pub(crate) async fn of_account(
    store: &Store,
    tenant: TenantId,
    account: AccountId,
) -> Result<bool, Error> {
    let connected = any(store, tenant, "CONNECTION#", |connection: &Connection| {
        connection.account_id == account && connection.state != ConnectionState::Deleted
    });
    if connected.await? {
        return Ok(true);
    }
    any(store, tenant, "FLOW#", |flow: &Flow| {
        flow.account_id == account
    })
    .await
}

/// Whether a flow uses the connection.
pub(crate) async fn of_connection(
    store: &Store,
    tenant: TenantId,
    connection: ConnectionId,
) -> Result<bool, Error> {
    any(store, tenant, "FLOW#", |flow: &Flow| {
        flow.definition.connections().contains(&connection)
    })
    .await
}

async fn any<T: DeserializeOwned>(
    store: &Store,
    tenant: TenantId,
    prefix: &str,
    uses: impl Fn(&T) -> bool,
) -> Result<bool, Error> {
    let partition = Key::tenant_partition(tenant);
    let mut page = PageRequest::first(100);
    loop {
        let found = store.query::<T>(&partition, prefix, &page).await?;
        if found.items.iter().any(&uses) {
            return Ok(true);
        }
        if found.next.is_none() {
            return Ok(false);
        }
        page.after = found.next;
    }
}
