//! The tenant's members: their places go, and every token that they still have ends.

use tributary::{
    error::Error,
    store::{Key, PageRequest, key::sha256_hex},
};

use super::{
    Offboarding,
    thing::{ThingKind, meet},
};
use crate::{
    TenantApp,
    tenants::{
        member::{self, Member},
        work::{Budget, Outcome},
    },
};

/// Removes every member. Their sessions give no token from then on, and end by themselves.
pub(super) async fn remove(
    app: &TenantApp,
    job: &Offboarding,
    budget: Budget,
) -> Result<Outcome, Error> {
    let (tenant, store) = (job.tenant_id, &app.store);
    let partition = Key::tenant_partition(tenant);
    loop {
        let found = store
            .query::<Member>(&partition, "MEMBER#", &PageRequest::first(50))
            .await?;
        for member in found.items {
            if !budget.is_left() {
                return Ok(Outcome::More);
            }
            let hash = sha256_hex(&member.subject);
            meet(store, tenant, ThingKind::Member, &hash[..32]).await?;
            member::remove(app, tenant, &member.subject).await?;
        }
        if found.next.is_none() {
            return Ok(Outcome::Done);
        }
    }
}
