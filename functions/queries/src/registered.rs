//! The tenant's registered queries, in the table, and the vendor's beside them.

mod listing;
mod used;

use tributary::{
    error::{Error, Kind},
    query::{QueryName, RegisteredQuery},
    store::{Key, PageRequest},
    tenancy::TenantScope,
};

use crate::statement::built_in;

pub use listing::{Listed, merged};
pub(crate) use used::unused;

/// Most registered queries of a tenant.
pub const MOST: usize = 200;

/// The tenant's registered query of a name.
pub async fn find(scope: &TenantScope, name: &QueryName) -> Result<Option<RegisteredQuery>, Error> {
    let key = Key::registered_query(scope.tenant(), name);
    Ok(scope.store().get(&key).await?)
}

/// The tenant's registered query of a name in a path; what is no name is not found either. The
/// vendor's are refused: they are nobody's to change.
pub(crate) async fn changeable(
    scope: &TenantScope,
    unverified_name: &str,
) -> Result<RegisteredQuery, Error> {
    if built_in(unverified_name).is_some() {
        return Err(Error::new(
            Kind::Conflict,
            "built_in",
            "Every tenant has this query. It cannot be changed; register another.",
        ));
    }
    let name = unverified_name.parse().map_err(|_| Error::not_found())?;
    find(scope, &name).await?.ok_or_else(Error::not_found)
}

/// Refuses when the tenant has as many as it may. Two who register at the same time may pass both:
/// the limit bounds what lists cost, and nothing hangs on its last place.
pub(crate) async fn room(scope: &TenantScope) -> Result<(), Error> {
    let partition = Key::tenant_partition(scope.tenant());
    let mut request = PageRequest::first(100);
    let mut count = 0;
    loop {
        let page = scope
            .store()
            .query::<serde::de::IgnoredAny>(&partition, Key::REGISTERED_QUERIES, &request)
            .await?;
        count += page.items.len();
        if count >= MOST {
            return Err(Error::new(
                Kind::Conflict,
                "too_many_registered_queries",
                format!("A tenant has {MOST} registered queries at most. Delete one first."),
            ));
        }
        match page.next {
            Some(next) => request.after = Some(next),
            None => return Ok(()),
        }
    }
}
