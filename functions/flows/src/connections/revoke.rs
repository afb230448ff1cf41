//! Revocation of a grant at its provider.

use tributary::{
    connection::Connection,
    error::Error,
    oauth::{Revocation, Target, TokenBundle},
};

use super::row;
use crate::App;

/// Ends the connection's grant, in one attempt. The log says when it is left to the provider.
pub(super) async fn revoke(app: &App, connection: &Connection) -> Revocation {
    match attempt(app, connection).await {
        Ok(revocation) => revocation,
        Err(error) => {
            tracing::warn!(
                tenant.id = %connection.tenant_id, connection.id = %connection.id,
                error.chain = error.chain(), "grant not revoked"
            );
            Revocation::Unknown
        }
    }
}

async fn attempt(app: &App, connection: &Connection) -> Result<Revocation, Error> {
    let (Some(sealed), Some(_)) = (&connection.bundle, row(connection)?.oauth_provider()) else {
        return Ok(Revocation::NotOffered);
    };
    let place = Connection::vault_place(connection.id, connection.generation);
    let place = place.each_ref().map(String::as_str);
    let opened = app.vault.open(connection.tenant_id, &place, sealed).await?;
    let bundle = TokenBundle::from_json(&opened)
        .ok_or_else(|| Error::internal("bundle_shape", "a token bundle cannot be read"))?;
    let link = app.providers.link(Target::of(connection))?;
    // The refresh token stands for the whole grant.
    let token = bundle
        .refresh_token
        .as_ref()
        .unwrap_or(&bundle.access_token);
    Ok(link.client.revoke(token).await)
}
