//! The end of the grant that a new one replaces.

use jiff::Timestamp;
use tributary::{
    connection::{
        Connection,
        revocation::{DueRevocation, Revoker},
    },
    error::Result,
    oauth::TokenBundle,
};

use crate::app::App;

/// Ends the grant that the new one replaces. Afterwards, and best effort: the new one works already.
pub(super) async fn revoke_previous(app: &App, before: &Connection, new: &TokenBundle) {
    match previous(app, before).await {
        Ok(Some(old)) if !is_same_grant(&old, new) => {
            end(app, before).await;
        }
        Ok(_) => {}
        Err(error) => {
            tracing::warn!(tenant.id = %before.tenant_id, connection.id = %before.id, error.code = error.code(), error.chain = error.chain(), "the previous grant was not revoked");
        }
    }
}

/// Writes the end of the previous grant down and tries it once; the refresh function goes on.
async fn end(app: &App, before: &Connection) {
    let Some(due) = DueRevocation::of(before, app.config.due_shards, Timestamp::now()) else {
        return;
    };
    let revoker = Revoker {
        store: &app.store,
        vault: &app.vault,
        providers: &app.providers,
    };
    if let Err(error) = revoker.later(&due).await {
        tracing::warn!(tenant.id = %before.tenant_id, connection.id = %before.id, error.code = error.code(), error.chain = error.chain(), "the end of the previous grant was not written down");
    }
    revoker.attempt(&due).await;
}

/// Some providers give the same tokens for another consent of the same person: ending the old ones
/// would end the new ones.
fn is_same_grant(old: &TokenBundle, new: &TokenBundle) -> bool {
    match (&old.refresh_token, &new.refresh_token) {
        (Some(old), Some(new)) => old.same_as(new.expose()),
        _ => old.access_token.same_as(new.access_token.expose()),
    }
}

async fn previous(app: &App, before: &Connection) -> Result<Option<TokenBundle>> {
    let Some(sealed) = &before.bundle else {
        return Ok(None);
    };
    let place = Connection::vault_place(before.id, before.generation);
    let place: Vec<&str> = place.iter().map(String::as_str).collect();
    let opened = app.vault.open(before.tenant_id, &place, sealed).await?;
    Ok(TokenBundle::from_json(&opened))
}
