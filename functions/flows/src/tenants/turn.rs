//! Changes of a tenant's standing.

use jiff::Timestamp;
use serde_json::json;
use tributary::{
    error::Error,
    event::CloudEvent,
    outbox::Entry,
    store::{Key, Update},
    tenancy::{TENANT_SHARD, Tenant, TenantState},
};

use crate::App;

/// The event that tells subscribers of a state; leaving is told when it is over.
const fn event_kind(state: TenantState) -> Option<&'static str> {
    match state {
        TenantState::Active => Some("tributary.tenant.resumed"),
        TenantState::Suspended => Some("tributary.tenant.suspended"),
        TenantState::Leaving => None,
        TenantState::Gone => Some("tributary.tenant.offboarded"),
    }
}

/// Brings a tenant into a state that it may come to, in one transaction with the notification. The
/// work that the state asks for is due with it: whoever dies now has not forgotten anything.
pub(super) async fn turn(
    app: &App,
    tenant: &Tenant,
    next: TenantState,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<Tenant, Error> {
    let key = Key::tenant(tenant.id);
    let update = Update::new()
        .set("state", next)
        .set("state_since", now)
        .set_or_remove("reason", reason)
        .set("updated_at", now)
        .add("version", 1)
        .set("failures", 0)
        .when_equal("version", tenant.version)
        .when_equal("state", tenant.state);
    let update = if next == TenantState::Gone {
        update.remove("due_shard").remove("due_at")
    } else {
        update
            .set("due_shard", TENANT_SHARD)
            .set("due_at", now.as_millisecond())
    };
    let told: Vec<_> = event(app, tenant, next, now)
        .into_iter()
        .map(|entry| (entry.key(), entry))
        .collect();
    app.store.update_with(&key, update, &told).await?;
    tracing::warn!(tenant.id = %tenant.id, from = %tenant.state, to = %next, "tenant's standing changed");
    Tenant::load(&app.store, tenant.id).await
}

fn event(app: &App, tenant: &Tenant, next: TenantState, now: Timestamp) -> Option<Entry> {
    // The version tells one suspension from the next.
    let fact = format!("{next}/{}", tenant.version + 1);
    let id = tenant.id.to_string();
    // The operator's reason stays with the operator.
    let data = json!({ "tenantId": id, "state": next, "since": now });
    let kind = event_kind(next)?;
    let event = CloudEvent::new(&app.config.stage, tenant.id, kind, id, &fact, now, data);
    Some(Entry::new(event, next.as_str()))
}
