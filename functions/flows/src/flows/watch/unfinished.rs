//! Flows that a crash left half made or half deleted (F7).

use aws_sdk_appflow::Client;
use jiff::{SignedDuration, Timestamp};
use serde::de::IgnoredAny;
use tributary::{
    error::Error,
    store::{Key, Update},
};

use crate::{
    TenantApp,
    flows::{
        delete,
        drift::{Look, look, unless_ours},
        record::{Flow, FlowState},
        sweep,
    },
};

/// How long a request may still be at it, or come again with its key. Far below an hour, after
/// which nothing half done may be left.
const PATIENCE: SignedDuration = SignedDuration::from_mins(15);

/// Finishes what was begun, if its request is over: a flow that AppFlow has is adopted, one that it
/// has not is removed, one that was to be deleted is.
pub(super) async fn settle(
    app: &TenantApp,
    client: &Client,
    flow: &Flow,
    now: Timestamp,
) -> Result<(), Error> {
    if now.duration_since(flow.updated_at) < PATIENCE {
        return Ok(());
    }
    match (flow.state, look(app, client, flow).await?) {
        (FlowState::Creating, Look::Found(found)) => {
            let trigger = &flow.definition.trigger;
            let update = sweep::going(Update::new(), trigger, found.state, now)
                .set("state", found.state)
                .set_or_remove("appflow_arn", found.arn)
                .set("updated_at", Timestamp::now());
            if changed(app, flow, update).await? {
                log(flow, "half made flow adopted");
            }
        }
        (FlowState::Creating, Look::Gone) => {
            // Whoever carries on with the creation meanwhile is told that it is being deleted.
            let update = Update::new()
                .set("state", FlowState::Deleting)
                .set("updated_at", Timestamp::now());
            if changed(app, flow, update).await? {
                delete::forget(app, flow).await?;
                log(flow, "half made flow removed");
            }
        }
        (_, Look::Found(_)) => {
            delete::carry_on(app, flow).await?;
            log(flow, "half deleted flow deleted");
        }
        (_, Look::Gone) => {
            delete::forget(app, flow).await?;
            log(flow, "half deleted flow removed");
        }
    }
    Ok(())
}

async fn changed(app: &TenantApp, flow: &Flow, update: Update) -> Result<bool, Error> {
    let key = Key::flow(flow.tenant_id, flow.id);
    match app
        .store
        .update::<IgnoredAny>(&key, unless_ours(flow, update))
        .await
    {
        Ok(_) => Ok(true),
        Err(error) if error.is_condition() => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn log(flow: &Flow, what: &str) {
    tracing::warn!(tenant.id = %flow.tenant_id, flow.id = %flow.id, "{what}");
}
