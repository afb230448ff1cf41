//! Connector consent (`/connect/*`).

mod begin;
pub(crate) mod callback;
mod candidate;
mod checks;
mod exchange;
mod finish;
pub(crate) mod invitation;
pub(crate) mod start;
pub(crate) mod token_start;

use serde::{Deserialize, Serialize};
use tributary::{
    connection::{Connection, TokenOwner, keep::gone},
    connector::{AuthKind, connector},
    error::Result,
    http::audit::Actor,
    id::{AttemptId, ConnectionId, TenantId},
    tenancy::TenantState,
    vault::Sealed,
};

use crate::{
    actor,
    app::{App, TenantApp},
    return_to::ReturnTo,
};

/// What binds the cookie's and the item's names together.
const KIND: &str = "connect";
/// How long a person may take to consent.
const TRANSACTION_SECONDS: i64 = 600;

/// What the browser that comes back must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Binding {
    /// The transaction's cookie, and the session of the person who asked.
    #[default]
    Session,
    /// The transaction's cookie; the application vouched for its user with a connect token.
    ConnectToken,
    /// The transaction's cookie; somebody was invited, and the grant waits for a confirmation.
    Invitation,
}

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
    #[serde(default)]
    binding: Binding,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    return_to: Option<ReturnTo>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attempt_id: Option<AttemptId>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    allow_other_organisation: bool,
    /// Epoch seconds.
    expires_at: i64,
}

impl Consent {
    /// Who consents, for the audit trail.
    fn actor(&self, app: &App) -> Actor {
        let vouched_by = match self.binding {
            Binding::Session => app.config.oidc_issuer.as_str(),
            Binding::ConnectToken => actor::CONNECT_TOKEN,
            Binding::Invitation => actor::INVITATION,
        };
        actor::named(vouched_by, &self.subject, Some(self.tenant_id))
    }
}

/// The connection that somebody consents for, if this provider grants its tokens and the tenant may
/// use the service.
async fn connection(
    app: &TenantApp,
    tenant: TenantId,
    id: ConnectionId,
    provider: &str,
) -> Result<Connection> {
    if TenantState::of(&app.shared, tenant).await? != Some(TenantState::Active) {
        return Err(gone().with_log("the tenant is suspended, is leaving or has left"));
    }
    Connection::load(&app.store, tenant, id)
        .await?
        .filter(|connection| {
            connection.token_owner != TokenOwner::Nobody
                && connection.auth == AuthKind::OauthAuthorizationCode
                && connector(&connection.connector)
                    .is_some_and(|row| row.provider == Some(provider))
        })
        .ok_or_else(gone)
}
