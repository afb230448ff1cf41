//! A grant of somebody who was invited waits for the person who asked.

use tributary::{
    connection::{
        Connection,
        candidate::{Candidates, Request},
        keep::Grant,
    },
    error::Result,
};

use super::{Consent, callback::Ending, exchange::give_back};
use crate::app::TenantApp;

/// Lets the grant wait. One that waited before is replaced, and ended at the provider.
pub(super) async fn wait(
    app: &TenantApp,
    consent: &Consent,
    connection: &Connection,
    grant: &Grant,
) -> Result<Ending> {
    let candidates = Candidates {
        store: &app.store,
        vault: &app.vault,
    };
    let request = Request {
        requested_by: &consent.subject,
        allow_other_organisation: consent.allow_other_organisation,
        attempt_id: consent.attempt_id,
    };
    let replaced = candidates.put(connection, grant, request).await?;
    tracing::info!(
        tenant.id = %connection.tenant_id, connection.id = %connection.id,
        user.subject = consent.subject, provider.org = grant.grantor.org_id,
        provider.user = grant.grantor.user_id, "a grant waits for confirmation"
    );
    if let Some(replaced) = replaced {
        give_back(app, connection, &replaced).await;
    }
    Ok(Ending::Unconfirmed)
}
