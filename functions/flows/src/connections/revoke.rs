//! The end of a deleted connection's grant at its provider.

use tributary::{
    connection::{Connection, revocation::DueRevocation},
    oauth::Revocation,
};

use super::left_over::{LeftOver, LeftOverKind, application};
use crate::TenantApp;

/// One attempt at a revocation that is written down already; answers what is left of the grant.
pub(super) async fn revoke(
    app: &TenantApp,
    connection: &Connection,
    due: &DueRevocation,
) -> Option<LeftOver> {
    match app.revoker().attempt(due).await {
        Revocation::Done => None,
        Revocation::Unknown => Some(LeftOver::of_revocation(connection, due)),
        Revocation::NotOffered => Some(LeftOver::settled_by_hand(
            LeftOverKind::Grant,
            application(connection),
            "The access token that would end the grant has ended itself. Remove this application in the provider's settings.",
        )),
    }
}
