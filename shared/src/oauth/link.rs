//! Start links: what `POST /v1/connections` leaves for `GET /connect/start` to pick up, once.

use serde::{Deserialize, Serialize};

use crate::id::{ConnectionId, TenantId};

/// A consent that somebody asked for and has not begun. Kept under
/// [`Key::start_link`](crate::store::Key::start_link), by the hash of the link's token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartLink {
    /// For which tenant.
    pub tenant_id: TenantId,
    /// For which connection.
    pub connection_id: ConnectionId,
    /// Who asked, and who alone can open the link.
    pub subject: String,
    /// Key of the provider.
    pub provider: String,
    /// Where the browser goes afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_to: Option<String>,
    /// When the link ends, epoch seconds.
    pub expires_at: i64,
    /// Whether the connection existed before.
    #[serde(default)]
    pub reconnect: bool,
}
