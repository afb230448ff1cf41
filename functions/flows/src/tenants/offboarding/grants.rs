//! Grants that their providers have not ended yet: the service goes on asking, for a day.

use jiff::SignedDuration;
use tributary::{
    connection::{
        Connection,
        revocation::{DueRevocation, left_of},
    },
    error::Error,
    store::{Key, PageRequest},
};

use super::{
    Offboarding,
    thing::{LeftBehind, ThingKind, leave},
};
use crate::{
    TenantApp,
    connections::left_before,
    tenants::work::{Budget, Outcome, after},
};

/// How often it is looked whether a provider has answered.
const LOOK_EVERY: SignedDuration = SignedDuration::from_mins(2);

/// Waits for the providers, and then writes down what is left of each connection.
pub(super) async fn wait(
    app: &TenantApp,
    job: &Offboarding,
    budget: Budget,
) -> Result<Outcome, Error> {
    let (tenant, store) = (job.tenant_id, &app.store);
    let partition = Key::tenant_partition(tenant);
    let mut page = PageRequest::first(50);
    let mut waiting = false;
    loop {
        let found = store
            .query::<Connection>(&partition, "CONNECTION#", &page)
            .await?;
        for connection in &found.items {
            if !budget.is_left() {
                return Ok(Outcome::More);
            }
            let due = left_of(store, tenant, connection.id).await?;
            if due.iter().any(DueRevocation::is_retrying) && !job.is_out_of_patience(budget.now) {
                waiting = true;
                continue;
            }
            let left = left_before(app, connection).await?;
            let left: Vec<_> = left
                .into_iter()
                .map(|left| LeftBehind::new(left.kind(), left.place(), left.why_for_good()))
                .collect();
            let id = connection.id.to_string();
            leave(store, tenant, ThingKind::Connection, &id, left).await?;
        }
        page.after = found.next;
        if page.after.is_none() {
            break;
        }
    }
    Ok(if waiting {
        Outcome::At(after(budget.now, LOOK_EVERY))
    } else {
        Outcome::Done
    })
}
