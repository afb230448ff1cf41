//! The end of the grant that a new one replaces.

use jiff::Timestamp;

use super::{
    Connection,
    revocation::{DueRevocation, Revoker},
};
use crate::{error::Result, oauth::TokenBundle, vault::Vault};

/// Ends the grant that the new one replaces. Afterwards: the new one works already. What cannot be
/// ended now is written down, and the refresh function goes on.
pub async fn revoke_previous(
    revoker: &Revoker<'_>,
    due_shards: u32,
    before: &Connection,
    new: &TokenBundle,
) {
    match previous(revoker.vault, before).await {
        Ok(Some(old)) if !is_same_grant(&old, new) => {
            let Some(due) = DueRevocation::of(before, due_shards, Timestamp::now()) else {
                return;
            };
            if let Err(error) = revoker.later(&due).await {
                tracing::warn!(tenant.id = %before.tenant_id, connection.id = %before.id, error.code = error.code(), error.chain = error.chain(), "the end of the previous grant was not written down");
            }
            revoker.attempt(&due).await;
        }
        Ok(_) => {}
        Err(error) => {
            tracing::warn!(tenant.id = %before.tenant_id, connection.id = %before.id, error.code = error.code(), error.chain = error.chain(), "the previous grant was not revoked");
        }
    }
}

/// Some providers give the same tokens for another consent of the same person: ending the old ones
/// would end the new ones.
fn is_same_grant(old: &TokenBundle, new: &TokenBundle) -> bool {
    match (&old.refresh_token, &new.refresh_token) {
        (Some(old), Some(new)) => old.same_as(new.expose()),
        _ => old.access_token.same_as(new.access_token.expose()),
    }
}

async fn previous(vault: &Vault, before: &Connection) -> Result<Option<TokenBundle>> {
    let Some(sealed) = &before.bundle else {
        return Ok(None);
    };
    let place = Connection::vault_place(before.id, before.generation);
    let place: Vec<&str> = place.iter().map(String::as_str).collect();
    let opened = vault.open(before.tenant_id, &place, sealed).await?;
    Ok(TokenBundle::from_json(&opened))
}
