//! One notification on its way to one HTTPS endpoint.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::{SubscriptionId, TenantId};

/// Shard of the due index that holds the deliveries which are to be tried again.
pub const DELIVERY_SHARD: &str = "deliveries";

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryState {
    /// It is tried, or waits to be tried again.
    Pending,
    /// The endpoint took it.
    Delivered,
    /// It was given up. It can be redelivered.
    Dead,
}

/// A delivery, as it is stored under [`crate::store::Key::delivery`]. The event itself is in the
/// tenant's log of events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// Whose it is.
    pub tenant_id: TenantId,
    /// To which subscription.
    pub subscription_id: SubscriptionId,
    /// The event's id.
    pub event_id: String,
    /// The event's type.
    pub event_type: String,
    /// When the fact happened; part of the key.
    pub event_time: Timestamp,
    /// How far it is.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: u32,
    /// How often it had been tried when it was last asked for again; the schedule begins there.
    #[serde(default)]
    pub attempts_before: u32,
    /// When it was tried last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempted_at: Option<Timestamp>,
    /// What the endpoint answered last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_code: Option<u16>,
    /// Why the last attempt failed, a stable code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Until when somebody is trying it, epoch milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_until: Option<i64>,
    /// [`DELIVERY_SHARD`] while it is pending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_shard: Option<String>,
    /// When it is to be tried, epoch milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<i64>,
    /// When it was decided.
    pub created_at: Timestamp,
    /// When the table forgets it, epoch seconds.
    pub expires_at: i64,
}
