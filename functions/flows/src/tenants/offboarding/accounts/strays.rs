//! What is the tenant's in AppFlow and in no record of ours: made by a request that was under way.

use aws_sdk_appflow::Client;
use tributary::{aws::Refusal, error::Error, id::TenantId, tenancy::Account};

use super::super::thing::{ThingKind, meet};
use crate::{
    TenantApp, accounts,
    appflow::{failed, refused},
};

/// Most pages that are read: a hundred names each, ten times the usual quota.
const MOST_PAGES: usize = 100;

/// What all names of a tenant's begin with in AppFlow. Ids have one length: no tenant's beginning is
/// another's.
pub(super) fn prefix(tenant: TenantId) -> String {
    format!("tributary-{tenant}-")
}

/// Deletes whatever bears the tenant's name there. The session lets us touch nothing else, which is
/// what matters in the vendor's own account.
pub(super) async fn remove(app: &TenantApp, account: &Account) -> Result<(), Error> {
    let client = accounts::appflow(app, account).await?;
    let prefix = prefix(account.tenant_id);
    for name in flows(&client, &prefix).await? {
        met(app, account, &name).await?;
        let stopped = client.stop_flow().flow_name(&name).send().await;
        // On demand, a draft, gone: deleting says the rest.
        if let Err(error) = stopped {
            tracing::debug!(tenant.id = %account.tenant_id, flow.name = name, error.code = Refusal::of(&error).code, "stray flow not stopped");
        }
        let deleted = client.delete_flow().flow_name(&name).force_delete(true);
        unless_gone(
            "DeleteFlow",
            deleted.send().await.map_err(|error| Refusal::of(&error)),
        )?;
    }
    for name in profiles(&client, &prefix).await? {
        met(app, account, &name).await?;
        let deleted = client
            .delete_connector_profile()
            .connector_profile_name(&name)
            .force_delete(true);
        unless_gone(
            "DeleteConnectorProfile",
            deleted.send().await.map_err(|error| Refusal::of(&error)),
        )?;
    }
    Ok(())
}

async fn met(app: &TenantApp, account: &Account, name: &str) -> Result<(), Error> {
    tracing::warn!(tenant.id = %account.tenant_id, account.id = %account.id, name, "something of a leaving tenant's was still in AppFlow");
    meet(&app.store, account.tenant_id, ThingKind::Stray, name).await
}

fn unless_gone<T>(call: &'static str, answer: Result<T, Refusal>) -> Result<(), Error> {
    match answer {
        Ok(_) => Ok(()),
        Err(refusal) if refusal.is("ResourceNotFoundException") => Ok(()),
        Err(refusal) => Err(refused(call, refusal)),
    }
}

async fn flows(client: &Client, prefix: &str) -> Result<Vec<String>, Error> {
    let (mut names, mut next) = (Vec::new(), None);
    for _ in 0..MOST_PAGES {
        let page = client
            .list_flows()
            .max_results(100)
            .set_next_token(next)
            .send()
            .await
            .map_err(|error| failed("ListFlows", &error))?;
        let found = page.flows.unwrap_or_default().into_iter();
        names.extend(found.filter_map(|flow| flow.flow_name));
        next = page.next_token;
        if next.is_none() {
            break;
        }
    }
    names.retain(|name| name.starts_with(prefix));
    Ok(names)
}

async fn profiles(client: &Client, prefix: &str) -> Result<Vec<String>, Error> {
    let (mut names, mut next) = (Vec::new(), None);
    for _ in 0..MOST_PAGES {
        let page = client
            .describe_connector_profiles()
            .max_results(100)
            .set_next_token(next)
            .send()
            .await
            .map_err(|error| failed("DescribeConnectorProfiles", &error))?;
        let found = page
            .connector_profile_details
            .unwrap_or_default()
            .into_iter();
        names.extend(found.filter_map(|profile| profile.connector_profile_name));
        next = page.next_token;
        if next.is_none() {
            break;
        }
    }
    names.retain(|name| name.starts_with(prefix));
    Ok(names)
}
