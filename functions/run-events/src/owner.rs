//! Whose flow an event is about: by the account that EventBridge names and the flow's name.

use tributary::{
    id::{FlowId, TenantId},
    run::FlowOwner,
    store::Key,
};

use crate::{Rejected, RunEvents, input::FlowReference};

/// The flow that a run belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct RunOwner {
    pub(crate) tenant_id: TenantId,
    pub(crate) flow_id: FlowId,
}

impl From<FlowOwner> for RunOwner {
    fn from(owner: FlowOwner) -> Self {
        Self {
            tenant_id: owner.tenant_id,
            flow_id: owner.flow_id,
        }
    }
}

impl RunEvents {
    /// The owner of the flow that an event names.
    ///
    /// The account in the envelope is EventBridge's word, the rest is the sender's: a flow name of
    /// one tenant, sent from an account of another, names no flow.
    pub(crate) async fn owner_of(&self, flow: &FlowReference) -> Result<FlowOwner, Rejected> {
        let key = Key::flow_name(&flow.unverified_account, &flow.unverified_name);
        self.shared.get(&key).await?.ok_or(Rejected::UnknownFlow)
    }
}
