//! Subscriptions: who of a tenant is told what, and where.
//!
//! Queues, Lambda functions and e-mail addresses are subscribed to the notifications topic itself, with a
//! filter policy that begins with the tenant. HTTPS endpoints are ours to call: each notification that
//! passes the filter becomes a [`Delivery`], which is signed, tried again for more than a day, and kept.

mod delivery;
mod endpoint;
mod filter;
mod signature;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    id::{SubscriptionId, TenantId},
    vault::Sealed,
};

pub use delivery::{DELIVERY_SHARD, Delivery, DeliveryState};
pub use endpoint::{Endpoint, EndpointFault, Origins, Reach};
pub use filter::{EventType, Filter};
pub use signature::{InvalidKey, SigningSecret};

/// The message attribute that says for whom a message is: [`TO_ALL`], or one subscription's id when it
/// is a test or a redelivery.
pub const DELIVER_TO: &str = "deliverTo";
/// For every subscription of the tenant whose filter fits.
pub const TO_ALL: &str = "all";

/// Where notifications go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "camelCase", deny_unknown_fields)]
pub enum Target {
    /// An SQS queue in one of the tenant's registered AWS accounts.
    Queue {
        /// Its ARN.
        #[serde(rename = "queueArn")]
        queue_arn: String,
    },
    /// A Lambda function in one of the tenant's registered AWS accounts.
    Lambda {
        /// Its ARN, without version.
        #[serde(rename = "functionArn")]
        function_arn: String,
    },
    /// An e-mail address, whose owner confirms.
    Email {
        /// The address.
        address: String,
    },
    /// An HTTPS endpoint. Requests are signed as Standard Webhooks says.
    Https {
        /// Its address.
        url: String,
    },
}

/// Whether a subscription gets notifications.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SubscriptionState {
    /// Its target has not confirmed yet.
    Pending,
    /// It gets what passes its filter.
    Active,
    /// It gets nothing: its endpoint failed for too long, or an admin switched it off.
    Disabled,
}

/// Why a subscription is off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DisabledReason {
    /// An admin switched it off.
    Asked,
    /// Its endpoint failed for as long as deliveries are tried.
    Failing,
    /// Its endpoint said that it is gone (410).
    Gone,
}

/// A key with which deliveries of a subscription are signed.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct SigningKey {
    /// `whsec_` and the key in base64; sealed for the place of [`SigningKey::place`].
    pub sealed: Sealed,
    /// When it was made; tells the keys of a subscription apart.
    pub created_at: Timestamp,
    /// Until when it signs besides its successor; absent for the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl SigningKey {
    /// What the vault binds the key to.
    pub fn place(subscription: &str) -> [&str; 2] {
        ["webhook", subscription]
    }

    /// Whether it still signs.
    pub fn signs(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// A subscription, as it is stored under [`crate::store::Key::subscription`].
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Subscription {
    /// Its id.
    pub id: SubscriptionId,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// What people call it.
    pub name: String,
    /// Where notifications go.
    pub target: Target,
    /// Which notifications.
    #[serde(default)]
    pub filter: Filter,
    /// Whether it gets any.
    pub state: SubscriptionState,
    /// Why it is off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled_reason: Option<DisabledReason>,
    /// The topic's name for it; absent for HTTPS endpoints and until the topic has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic_subscription: Option<String>,
    /// Keys of an HTTPS endpoint, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<SigningKey>,
    /// Since when every delivery to its endpoint has failed, epoch milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<i64>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Changes with every change that people make.
    pub version: u64,
}
