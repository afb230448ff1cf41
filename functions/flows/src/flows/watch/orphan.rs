//! Flows of ours in AppFlow that no record of ours knows.
//!
//! One order of events leaves such a flow: CreateFlow has its effect, its answer is lost, and the
//! SDK's next attempt is refused for another reason (a throttle), so that the record is removed.

use aws_sdk_appflow::Client;
use jiff::{SignedDuration, Timestamp};
use tributary::{aws::Refusal, error::Error, id::FlowId, store::Key, tenancy::Account};

use super::listing::{Listed, Listing};
use crate::{TenantApp, appflow::refused, compile::flow_name, flows::record::Flow};

/// A flow so much younger may have a record soon.
const PATIENCE: SignedDuration = SignedDuration::from_mins(15);

/// Removes what is certainly the tenant's, known to nobody and never used. One that was used is
/// left and told of: it may be that our records were lost.
pub(super) async fn remove(
    app: &TenantApp,
    client: &Client,
    account: &Account,
    listing: &Listing,
    now: Timestamp,
) -> Result<(), Error> {
    for (name, listed) in &listing.flows {
        let Some(id) = ours(account, name, listed) else {
            continue;
        };
        let is_old = listed
            .created_at
            .is_some_and(|at| now.as_millisecond() - at > PATIENCE.as_secs() * 1_000);
        if !is_old || is_known(app, account, id).await? {
            continue;
        }
        if !listed.is_untouched {
            tracing::error!(tenant.id = %account.tenant_id, flow.id = %id, account.id = %account.id, "AppFlow has a used flow of ours that is in no record; it was left alone");
            continue;
        }
        match client.delete_flow().flow_name(name).send().await {
            Ok(_) => {
                tracing::warn!(tenant.id = %account.tenant_id, flow.id = %id, account.id = %account.id, "flow without a record removed from AppFlow");
            }
            Err(error) => {
                let refusal = Refusal::of(&error);
                if !refusal.is("ResourceNotFoundException") {
                    return Err(refused("DeleteFlow", refusal));
                }
            }
        }
    }
    Ok(())
}

/// The flow's id, if name and tags both say that the flow is this tenant's.
fn ours(account: &Account, name: &str, listed: &Listed) -> Option<FlowId> {
    let tag = |key: &str| listed.tags.get(key).map(String::as_str);
    if tag("tributary:tenant") != Some(account.tenant_id.to_string().as_str()) {
        return None;
    }
    let id: FlowId = tag("tributary:flow")?.parse().ok()?;
    (flow_name(account.tenant_id, id) == name).then_some(id)
}

async fn is_known(app: &TenantApp, account: &Account, id: FlowId) -> Result<bool, Error> {
    let key = Key::flow(account.tenant_id, id);
    Ok(app.store.get::<Flow>(&key).await?.is_some())
}
