//! The tenant's own OAuth apps, with their secrets.

use tributary::{
    error::Error,
    oauth::registry::tenant_app_secret,
    store::{Key, PageRequest},
};

use super::{
    Offboarding,
    thing::{LeftBehind, ThingKind, leave, meet},
};
use crate::{
    TenantApp, credentials,
    oauth_apps::OwnApp,
    tenants::work::{Budget, Outcome},
};

/// Forgets every app. Its registration at the provider is the customer's.
pub(super) async fn remove(
    app: &TenantApp,
    job: &Offboarding,
    budget: Budget,
) -> Result<Outcome, Error> {
    let (tenant, store) = (job.tenant_id, &app.store);
    let partition = Key::tenant_partition(tenant);
    let found = store
        .query::<OwnApp>(&partition, "OAUTHAPP#", &PageRequest::first(100))
        .await?;
    for own in found.items {
        let provider = own.provider();
        meet(store, tenant, ThingKind::OauthApp, provider).await?;
        let secret = tenant_app_secret(tenant, provider);
        let mut left = vec![LeftBehind::new(
            "appRegistration",
            provider,
            "The registration at the provider is the customer's. Delete it there, or its secret.",
        )];
        if let Err(error) = credentials::forget(&app.secrets, &secret).await {
            if !job.is_out_of_patience(budget.now) {
                return Err(error);
            }
            left.push(LeftBehind::new(
                "secret",
                secret,
                "The secret could not be deleted for a day. The operator of this service can delete it.",
            ));
        }
        leave(store, tenant, ThingKind::OauthApp, provider, left).await?;
        store.delete(&Key::oauth_app(tenant, provider)).await?;
    }
    Ok(if found.next.is_some() {
        Outcome::More
    } else {
        Outcome::Done
    })
}
