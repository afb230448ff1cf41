//! A grant that waits for a confirmation, as it is shown, and its end.

use jiff::Timestamp;
use serde::Serialize;
use tributary::{
    connection::{
        Connection,
        candidate::{Candidate, Candidates},
    },
    error::{Error, Kind},
    id::CandidateId,
    oauth::TokenBundle,
};
use utoipa::ToSchema;

use super::view::ConnectionView;
use crate::TenantApp;

/// A connection with the grant that waits for a confirmation.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SeenConnection {
    #[serde(flatten)]
    connection: ConnectionView,
    /// What somebody who was invited granted. Nothing uses it before it is confirmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    candidate: Option<CandidateView>,
}

/// A grant of somebody who was invited: whose it is decides whether it is the right one.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CandidateView {
    /// Its id, which the confirmation names.
    id: CandidateId,
    /// Organisation at the provider.
    org: String,
    /// User there.
    user: String,
    /// Instance of the application.
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    /// What was granted.
    scopes: Vec<String>,
    /// What was asked for and not granted.
    missing_scopes: Vec<String>,
    /// When it was granted.
    #[schema(value_type = String, format = DateTime)]
    granted_at: Timestamp,
}

impl SeenConnection {
    /// The connection as it is shown. A candidate that has ended is ended at the provider too.
    pub(super) async fn of(app: &TenantApp, connection: &Connection) -> Result<Self, Error> {
        let found = candidates(app)
            .load(connection.tenant_id, connection.id)
            .await?;
        let candidate = match found {
            Some(candidate) if candidate.is_open(Timestamp::now()) => {
                Some(CandidateView::of(candidate))
            }
            Some(ended) => {
                if let Err(error) = end(app, connection, &ended).await {
                    // Whoever looks next tries again.
                    tracing::warn!(tenant.id = %connection.tenant_id, connection.id = %connection.id, error.code = error.code(), error.chain = error.chain(), "a grant that nobody confirmed in time was not ended");
                }
                None
            }
            None => None,
        };
        Ok(Self {
            connection: ConnectionView::of(connection),
            candidate,
        })
    }
}

impl CandidateView {
    fn of(candidate: Candidate) -> Self {
        Self {
            id: candidate.id,
            org: candidate.grantor.org_id,
            user: candidate.grantor.user_id,
            instance: candidate.instance.map(|instance| instance.to_string()),
            scopes: candidate.scopes,
            missing_scopes: candidate.missing_scopes,
            granted_at: candidate.granted_at,
        }
    }
}

pub(super) fn candidates(app: &TenantApp) -> Candidates<'_> {
    Candidates {
        store: &app.store,
        vault: &app.vault,
    }
}

/// The candidate that the caller has looked at.
pub(super) async fn seen(
    app: &TenantApp,
    connection: &Connection,
    id: CandidateId,
) -> Result<Candidate, Error> {
    candidates(app)
        .load(connection.tenant_id, connection.id)
        .await?
        .filter(|candidate| candidate.id == id)
        .ok_or_else(gone)
}

/// Takes a candidate away and ends its grant; of several who try, one does.
pub(super) async fn end(
    app: &TenantApp,
    connection: &Connection,
    candidate: &Candidate,
) -> Result<(), Error> {
    let bundle = candidates(app).open(candidate).await?;
    if candidates(app).take(candidate).await? {
        give_back(app, connection, &bundle).await;
    }
    Ok(())
}

/// Ends a grant that is not kept; what the provider does not settle now is tried again until it does.
pub(super) async fn give_back(app: &TenantApp, connection: &Connection, bundle: &TokenBundle) {
    let shards = app.config.due_shards;
    match app.revoker().give_back(connection, bundle, shards).await {
        Ok(outcome) => tracing::info!(
            tenant.id = %connection.tenant_id, connection.id = %connection.id,
            revocation = ?outcome, "a grant that is not kept was given back"
        ),
        Err(error) => tracing::error!(
            tenant.id = %connection.tenant_id, connection.id = %connection.id,
            error.code = error.code(), error.chain = error.chain(),
            "a grant that is not kept is alive, and its end was not written down"
        ),
    }
}

pub(super) fn gone() -> Error {
    Error::new(
        Kind::Conflict,
        "no_candidate",
        "This grant does not wait any more. Look at the connection again.",
    )
}
