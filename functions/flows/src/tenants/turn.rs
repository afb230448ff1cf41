//! Changes of a tenant's standing.

use jiff::Timestamp;
use serde_json::json;
use tributary::{
    error::Error,
    event::{CloudEvent, Fact, Sequence},
    outbox::{Entry, EntryItem},
    store::{Key, Update},
    subscription::EventType,
    tenancy::{TENANT_SHARD, Tenant, TenantState},
};

use crate::App;

/// The event that tells subscribers of a state; leaving is told when it is over.
const fn event_kind(state: TenantState) -> Option<EventType> {
    match state {
        TenantState::Active => Some(EventType::TenantResumed),
        TenantState::Suspended => Some(EventType::TenantSuspended),
        TenantState::Leaving => None,
        TenantState::Gone => Some(EventType::TenantOffboarded),
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
    let told = event(app, tenant, next, now).map_or_else(Vec::new, |entry| items(entry, next, now));
    let scope = app.scopes.for_operator(tenant.id).await?;
    scope.store().update_with(&key, update, &told).await?;
    tracing::warn!(tenant.id = %tenant.id, from = %tenant.state, to = %next, "tenant's standing changed");
    Tenant::load(&app.store, tenant.id).await
}

/// Of a tenant that is gone nothing is kept.
fn items(entry: Entry, next: TenantState, now: Timestamp) -> Vec<(Key, EntryItem)> {
    match next {
        TenantState::Gone => entry.unlogged_items(),
        TenantState::Active | TenantState::Suspended | TenantState::Leaving => entry.items(now),
    }
}

fn event(app: &App, tenant: &Tenant, next: TenantState, now: Timestamp) -> Option<Entry> {
    let version = tenant.version + 1;
    let id = tenant.id.to_string();
    let fact = Fact {
        kind: event_kind(next)?,
        // The version tells one suspension from the next.
        name: &format!("{next}/{version}"),
        sequence: Sequence::of_version(version, 0),
        time: now,
        // The operator's reason stays with the operator.
        data: json!({ "tenantId": id, "state": next, "since": now }),
        subject: id,
    };
    let event = CloudEvent::new(&app.config.stage, tenant.id, fact);
    Some(Entry::new(event, next.as_str()))
}
