//! The end of the grant that a new one replaces.

use tributary::{
    connection::Connection,
    error::Result,
    oauth::{ProviderLink, TokenBundle},
    secret::Secret,
};

use crate::app::App;

/// Ends the grant that the new one replaces. Afterwards, and best effort: the new one works already.
pub(super) async fn revoke_previous(
    app: &App,
    link: &ProviderLink,
    before: &Connection,
    new: &TokenBundle,
) {
    match previous(app, before).await {
        Ok(Some(old))
            if new
                .refresh_token
                .as_ref()
                .is_none_or(|new| !new.same_as(old.expose())) =>
        {
            let outcome = link.client.revoke(&old).await;
            tracing::info!(tenant.id = %before.tenant_id, connection.id = %before.id, revocation = ?outcome, "the previous grant was revoked");
        }
        Ok(_) => {}
        Err(error) => {
            tracing::warn!(tenant.id = %before.tenant_id, connection.id = %before.id, error.code = error.code(), error.chain = error.chain(), "the previous grant was not revoked");
        }
    }
}

async fn previous(app: &App, before: &Connection) -> Result<Option<Secret>> {
    let Some(sealed) = &before.bundle else {
        return Ok(None);
    };
    let place = Connection::vault_place(before.id, before.generation);
    let place: Vec<&str> = place.iter().map(String::as_str).collect();
    let opened = app.vault.open(before.tenant_id, &place, sealed).await?;
    Ok(TokenBundle::from_json(&opened).and_then(|bundle| bundle.refresh_token))
}
