//! Grants that must be ended: those that are due, and those of tokens that nobody waits for.

use jiff::Timestamp;
use tributary::{
    connection::{
        Connection, ConnectionState,
        revocation::{DueRevocation, Revoker},
    },
    error::Result,
    store::{Item, from_item},
    vault::Sealed,
};

use crate::{TenantApp, commit, message::Message};

impl TenantApp<'_> {
    /// What ends grants.
    fn revoker(&self) -> Revoker<'_> {
        Revoker {
            store: &self.store,
            vault: &self.vault,
            providers: self.providers(),
        }
    }
}

/// Works on a revocation that is due, if it still is.
pub(crate) async fn run(app: &TenantApp<'_>, message: &Message) -> Result<()> {
    let (tenant, connection) = (message.tenant_id, message.connection_id);
    let (now, chance) = (Timestamp::now(), commit::chance());
    let claimed = app
        .revoker()
        .claim(tenant, connection, message.generation, now, chance)
        .await?;
    if let Some(due) = claimed {
        app.revoker().attempt(&due).await;
    }
    Ok(())
}

/// Tokens came for a connection that was deleted meanwhile: nobody will ever use them, so their grant
/// is ended too.
pub(crate) async fn orphaned(
    app: &TenantApp<'_>,
    generation: u64,
    bundle: Sealed,
    current: Option<&Item>,
) -> Result<()> {
    let Some(current) = current.cloned().map(from_item::<Connection>).transpose()? else {
        return Ok(());
    };
    if current.state != ConnectionState::Deleted {
        return Ok(());
    }
    let now = Timestamp::now();
    let shards = app.config.due_shards;
    if let Some(due) = DueRevocation::of_bundle(&current, generation, bundle, shards, now) {
        app.revoker().later(&due).await?;
        app.revoker().attempt(&due).await;
    }
    Ok(())
}
