//! Flows of a tenant that is suspended, resumed, or leaving.

use jiff::Timestamp;
use serde::de::IgnoredAny;
use tributary::{
    error::Error,
    id::TenantId,
    store::{Key, PageRequest, Update},
};

use super::{
    appflow, delete,
    record::{Flow, FlowState},
    sweep,
};
use crate::{TenantApp, model::Trigger};

/// Flows that a schedule or events start, as far as they are going.
pub(crate) async fn that_start_by_themselves(
    app: &TenantApp,
    tenant: TenantId,
) -> Result<Vec<Flow>, Error> {
    all(app, tenant, |flow| {
        flow.state == FlowState::Active && !matches!(flow.definition.trigger, Trigger::OnDemand(_))
    })
    .await
}

/// Flows that stand still because their tenant was suspended.
pub(crate) async fn that_are_paused(app: &TenantApp, tenant: TenantId) -> Result<Vec<Flow>, Error> {
    all(app, tenant, |flow| flow.paused).await
}

async fn all(
    app: &TenantApp,
    tenant: TenantId,
    wanted: impl Fn(&Flow) -> bool,
) -> Result<Vec<Flow>, Error> {
    let partition = Key::tenant_partition(tenant);
    let mut page = PageRequest::first(100);
    let mut flows = Vec::new();
    loop {
        let found = app.store.query::<Flow>(&partition, "FLOW#", &page).await?;
        flows.extend(found.items.into_iter().filter(&wanted));
        if found.next.is_none() {
            return Ok(flows);
        }
        page.after = found.next;
    }
}

/// Stops a flow and remembers that it is to be started again. The mark goes first: a flow that was
/// stopped and not marked would never start again.
pub(crate) async fn pause(app: &TenantApp, flow: &Flow) -> Result<(), Error> {
    let mark = Update::new()
        .set("paused", true)
        .when_equal("state", FlowState::Active);
    if !change(app, flow, mark).await? {
        return Ok(());
    }
    let client = appflow::client(app, flow).await?;
    appflow::suspend(&client, flow).await?;
    let stopped = Update::new()
        .set("state", FlowState::Suspended)
        .set("updated_at", Timestamp::now())
        .when_equal("state", FlowState::Active);
    change(app, flow, stopped).await.map(|_| ())
}

/// Starts a flow that was stopped with its tenant.
pub(crate) async fn unpause(app: &TenantApp, flow: &Flow) -> Result<(), Error> {
    let client = appflow::client(app, flow).await?;
    appflow::activate(&client, flow).await?;
    let now = Timestamp::now();
    let active = Update::new()
        .set("state", FlowState::Active)
        .set("updated_at", now)
        .remove("paused");
    let started = sweep::going(active, &flow.definition.trigger, FlowState::Active, now)
        .when_one_of("state", [FlowState::Suspended, FlowState::Active]);
    change(app, flow, started).await.map(|_| ())
}

/// Leaves a flow that cannot be started as it is.
pub(crate) async fn leave_stopped(app: &TenantApp, flow: &Flow) -> Result<(), Error> {
    change(app, flow, Update::new().remove("paused"))
        .await
        .map(|_| ())
}

/// Deletes a flow of a tenant that is leaving, whatever it does now.
pub(crate) async fn take_down(app: &TenantApp, flow: &Flow) -> Result<(), Error> {
    let deleting = Update::new()
        .set("state", FlowState::Deleting)
        .set("updated_at", Timestamp::now());
    if !change(app, flow, deleting).await? {
        return Ok(());
    }
    delete::carry_on(app, flow).await.map(|_| ())
}

/// Forgets a flow that AppFlow keeps.
pub(crate) async fn forget(app: &TenantApp, flow: &Flow) -> Result<(), Error> {
    delete::forget(app, flow).await
}

/// Whether the flow was there and as it must be.
async fn change(app: &TenantApp, flow: &Flow, update: Update) -> Result<bool, Error> {
    let key = Key::flow(flow.tenant_id, flow.id);
    match app.store.update::<IgnoredAny>(&key, update).await {
        Ok(_) => Ok(true),
        Err(error) if error.is_condition() => Ok(false),
        Err(error) => Err(error.into()),
    }
}
