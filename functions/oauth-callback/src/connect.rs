//! Connector consent (`/connect/*`).

pub(crate) mod callback;
mod checks;
mod exchange;
mod finish;
mod keep;
mod push;
pub(crate) mod start;

use serde::{Deserialize, Serialize};
use tributary::{
    connection::{Connection, TokenOwner, keep::gone},
    connector::connector,
    error::Result,
    id::{ConnectionId, TenantId},
    vault::Sealed,
};

use crate::{app::App, return_to::ReturnTo};

/// What binds the cookie's and the item's names together.
const KIND: &str = "connect";
/// How long a person may take to consent.
const TRANSACTION_SECONDS: i64 = 600;

/// A consent under way, kept under the hash of its state. Everything that must be the same when the
/// browser comes back is in it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Consent {
    tenant_id: TenantId,
    connection_id: ConnectionId,
    subject: String,
    provider: String,
    /// Origin of the provider that was asked.
    issuer: String,
    /// The PKCE verifier, sealed for the tenant.
    verifier: Sealed,
    /// SHA-256 of the transaction cookie.
    cookie_hash: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    return_to: Option<ReturnTo>,
    /// Epoch seconds.
    expires_at: i64,
}

/// The connection that somebody consents for, if we own its tokens and this provider grants them.
async fn connection(
    app: &App,
    tenant: TenantId,
    id: ConnectionId,
    provider: &str,
) -> Result<Connection> {
    Connection::load(&app.store, tenant, id)
        .await?
        .filter(|connection| {
            connection.token_owner == TokenOwner::Tributary
                && connector(&connection.connector)
                    .is_some_and(|row| row.provider == Some(provider))
        })
        .ok_or_else(gone)
}
