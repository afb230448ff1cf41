//! What travels on the refresh queue.

use serde::{Deserialize, Serialize};
use tributary::{
    id::{ConnectionId, TenantId},
    vault::Sealed,
};

/// One piece of work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Whose connection it is.
    pub tenant_id: TenantId,
    /// The connection.
    pub connection_id: ConnectionId,
    /// The generation that the sender saw. A worker acts on no other.
    pub generation: u64,
    /// Why.
    pub reason: Reason,
    /// Only with [`Reason::Rescue`]: an answer that could not be written to the table in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rescue: Option<Rescue>,
    /// The time at which the provider's gate lets this call pass, epoch milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<i64>,
    /// Only with [`Reason::Due`]: the due time that the sender saw, epoch milliseconds. A connection
    /// that is due later by now was worked on since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<i64>,
}

/// Why a message was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// The due index said so.
    Due,
    /// Somebody asked for it.
    Asked,
    /// A token answer waits to be written.
    Rescue,
    /// A grant must be ended; the generation is that of its tokens.
    Revocation,
}

/// A token answer in safety: sealed, with what is needed to write it in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rescue {
    /// Fencing number of the call that it answers.
    pub fence: u64,
    /// The new bundle, sealed for the next generation.
    pub bundle: Sealed,
    /// When the access token ends, epoch milliseconds.
    pub access_expires_at: i64,
    /// Whether the provider answered another refresh token than was presented.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rotates: bool,
    /// Version of our app's secret that the provider accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_secret_version: Option<String>,
}
