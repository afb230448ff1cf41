//! Which notifications a subscription gets.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{DELIVER_TO, TO_ALL};
use crate::{
    event::CloudEvent,
    id::{FlowId, SubscriptionId, TenantId},
};

macro_rules! event_types {
    ($($name:ident = $text:literal, $doc:literal;)*) => {
        /// What a notification says; the `type` of its event.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
        pub enum EventType {
            $(#[doc = $doc] #[serde(rename = $text)] $name,)*
        }

        impl EventType {
            /// Every type.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The text in events.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

event_types! {
    RunQueued = "tributary.run.queued", "A run was asked for, and is not over at once.";
    RunStarted = "tributary.run.started", "A run is under way.";
    RunCompleted = "tributary.run.completed", "A run ended well.";
    RunFailed = "tributary.run.failed", "A run ended with an error.";
    RunCancelled = "tributary.run.cancelled", "A run was stopped on request.";
    FlowDeactivated = "tributary.flow.deactivated", "AppFlow switched a flow off.";
    FlowAlarm = "tributary.flow.alarm", "An alarm of a flow changed its state.";
    ConnectionReauthRequired = "tributary.connection.reauth_required", "A connection needs a new consent.";
    ConnectionRecovered = "tributary.connection.recovered", "A connection works again.";
    AccountDegraded = "tributary.account.degraded", "Something is wrong with an AWS account.";
    AccountVerified = "tributary.account.verified", "An AWS account is in order again, or for the first time.";
    AccountHeadroom = "tributary.account.headroom", "A quota of AppFlow is nearly used up in an AWS account.";
    TenantSuspended = "tributary.tenant.suspended", "The operator suspended the tenant.";
    TenantResumed = "tributary.tenant.resumed", "The operator let the tenant go on.";
    TenantOffboarded = "tributary.tenant.offboarded", "The tenant and everything of it was removed.";
    SecurityTokenReuse = "tributary.security.token_reuse", "A provider saw a connection's token used twice: somebody else may have it.";
    SubscriptionDisabled = "tributary.subscription.disabled", "A subscription was switched off because its endpoint failed for too long.";
    SubscriptionTest = "tributary.subscription.test", "Somebody tries a subscription.";
}

/// Which notifications: those that fit each part; an empty part fits all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Filter {
    /// Types of events; all when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub event_types: Vec<EventType>,
    /// Flows; all, and what is about no flow, when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flow_ids: Vec<FlowId>,
}

impl Filter {
    /// Whether an event fits; the flow is the message's attribute.
    pub fn fits(&self, event: &CloudEvent, flow: Option<FlowId>) -> bool {
        let of_type = self.event_types.is_empty()
            || self
                .event_types
                .iter()
                .any(|kind| kind.as_str() == event.kind);
        let of_flow =
            self.flow_ids.is_empty() || flow.is_some_and(|flow| self.flow_ids.contains(&flow));
        of_type && of_flow
    }

    /// The topic's filter policy: what fits of this tenant's, and what is for this subscription alone.
    ///
    /// Tests and redeliveries were judged before they were published.
    pub fn policy(&self, tenant: TenantId, subscription: SubscriptionId) -> Value {
        let mut usual = json!({ DELIVER_TO: [TO_ALL] });
        if !self.event_types.is_empty() {
            usual["eventType"] = json!(self.event_types);
        }
        if !self.flow_ids.is_empty() {
            usual["flowId"] = json!(self.flow_ids);
        }
        json!({
            "tenantId": [tenant],
            "$or": [usual, { DELIVER_TO: [subscription] }],
        })
    }
}
