//! What begins a consent: a start link, an invitation, or a connect token. The API leaves each under
//! the hash of a random token; the function that browsers are redirected through picks it up, once.

use serde::{Deserialize, Serialize};

use crate::id::{AttemptId, ConnectionId, TenantId};

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
    /// Under which the result can be asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt_id: Option<AttemptId>,
    /// Whether another organisation than before is fine (scenario X2).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_other_organisation: bool,
}

/// A link for somebody who is no user of ours (rule L2). Opening it shows who asks for what; only
/// the answer to that begins a consent, and only the person who asked makes the grant count.
///
/// Kept under [`Key::invitation`](crate::store::Key::invitation).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// The consent that it begins; its subject asked, and confirms.
    pub link: StartLink,
    /// What data will flow, in the words of the person who asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The same as the link's, for the table's own clean-up.
    pub expires_at: i64,
}

/// The right to begin a consent from a page whose users do not sign in through us (scenario C1).
///
/// Kept under [`Key::connect_token`](crate::store::Key::connect_token).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectToken {
    /// For which tenant.
    pub tenant_id: TenantId,
    /// For which of its users, in the application's words.
    pub subject: String,
    /// For this connection only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_id: Option<ConnectionId>,
    /// For connections of these connectors.
    #[serde(default)]
    pub connectors: Vec<String>,
    /// The one origin whose pages may present it.
    pub origin: String,
    /// Where the browser goes afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_to: Option<String>,
    /// Under which the result can be asked for.
    pub attempt_id: AttemptId,
    /// When it ends, epoch seconds.
    pub expires_at: i64,
}
