//! One look at one account.

use jiff::Timestamp;
use tributary::{
    error::{Error, Kind},
    id::AccountId,
    store::{Key, PageRequest},
    tenancy::Account,
};

use super::{
    ACCOUNT_WITHIN, Watch,
    due::{self, Hint},
    item,
    listing::{Listed, Listing, Listings},
    orphan,
    scarce::{self, Use},
    unfinished,
};
use crate::{
    App, TenantApp, accounts,
    flows::{
        drift::{Drift, DriftKind, judge, learn, look},
        record::{Flow, FlowState},
    },
};

/// An account without flows is watched so much longer, in milliseconds.
const LINGER: i64 = 3_600_000;

/// What became of a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The account was looked at.
    Looked,
    /// Another tick has it.
    NotOurs,
    /// It could not be looked at.
    Failed,
}

/// Looks at the account if nobody else does. Failures are logged here, and make the next look later.
pub(super) async fn watch(
    app: &App,
    listings: &Listings,
    hint: Hint<AccountId>,
    now: Timestamp,
) -> Outcome {
    match due(app, hint, now).await {
        Ok(Some((app, watch))) => look_at(&app, listings, &watch, now).await,
        Ok(None) => Outcome::NotOurs,
        Err(error) => failed(hint, &error),
    }
}

/// The account's watch, if it is due, and its tenant's scope.
async fn due(
    app: &App,
    hint: Hint<AccountId>,
    now: Timestamp,
) -> Result<Option<(TenantApp, Watch)>, Error> {
    let app = app.within(&app.scopes.of(hint.0).await?);
    let watch = due::watch(&app, hint, now).await?;
    Ok(watch.map(|watch| (app, watch)))
}

async fn look_at(app: &TenantApp, listings: &Listings, watch: &Watch, now: Timestamp) -> Outcome {
    let hint = (watch.tenant_id, watch.account_id);
    match item::claim(app, watch, now).await {
        Ok(true) => {}
        Ok(false) => return Outcome::NotOurs,
        Err(error) => return failed(hint, &error),
    }
    let within = tokio::time::timeout(ACCOUNT_WITHIN, account(app, listings, watch, now));
    let looked = within.await.unwrap_or_else(|_| {
        Err(Error::unavailable(
            "account_slow",
            "an account was not looked at in time",
        ))
    });
    let Err(error) = looked else {
        return Outcome::Looked;
    };
    if let Err(error) = item::failed(app, watch, now).await {
        failed(hint, &error);
    }
    failed(hint, &error)
}

fn failed((tenant, account): Hint<AccountId>, error: &Error) -> Outcome {
    tracing::warn!(
        tenant.id = %tenant, account.id = %account,
        error.code = error.code(), error.chain = error.chain(), "account could not be watched"
    );
    Outcome::Failed
}

async fn account(
    app: &TenantApp,
    listings: &Listings,
    watch: &Watch,
    now: Timestamp,
) -> Result<(), Error> {
    let Some(account) = Account::load(&app.store, watch.tenant_id, watch.account_id).await? else {
        return item::end(app, watch).await;
    };
    let flows = flows(app, &account).await?;
    if flows.is_empty() && watch.wanted_at < now.as_millisecond() - LINGER {
        return item::end(app, watch).await;
    }
    let client = accounts::appflow(app, &account).await?;
    let listing = listings.of(&client, &account).await?;
    let mut first_failure = None;
    for flow in &flows {
        let done = one(app, &client, flow, &listing, now).await;
        if let Err(error) = done {
            tracing::warn!(
                tenant.id = %flow.tenant_id, flow.id = %flow.id,
                error.code = error.code(), error.chain = error.chain(), "flow could not be watched"
            );
            // Others would meet the same; asking on makes it worse.
            if matches!(error.kind(), Kind::Throttled | Kind::Unavailable) {
                return Err(error);
            }
            first_failure = first_failure.or(Some(error));
        }
    }
    orphan::remove(app, &client, &account, &listing, now).await?;
    let number = u32::try_from(listing.flows.len()).unwrap_or(u32::MAX);
    let quotas = app.config.quotas;
    let uses = [
        ("flows", number, quotas.flows),
        ("connections", listing.connections, quotas.connections),
    ]
    .map(|(quota, used, limit)| Use { quota, used, limit });
    warn(&account, &uses);
    scarce::tell(app, &account, &uses, now).await?;
    crate::headroom::counted(app, &account, listing.connections).await?;
    item::looked(app, watch, now, number, listing.connections).await?;
    first_failure.map_or(Ok(()), Err)
}

/// Tells the operator before a quota is used up (O9).
fn warn(account: &Account, uses: &[Use]) {
    for Use { quota, used, limit } in uses.iter().filter(|one| one.is_scarce()) {
        tracing::warn!(
            tenant.id = %account.tenant_id, account.id = %account.id, quota, used, limit,
            "an AppFlow quota of the account is nearly used up"
        );
    }
}

/// The tenant's flows in the account.
async fn flows(app: &TenantApp, account: &Account) -> Result<Vec<Flow>, Error> {
    let partition = Key::tenant_partition(account.tenant_id);
    let mut page = PageRequest::first(100);
    let mut flows = Vec::new();
    loop {
        let found = app.store.query::<Flow>(&partition, "FLOW#", &page).await?;
        flows.extend(
            found
                .items
                .into_iter()
                .filter(|flow| flow.account_id == account.id),
        );
        if found.next.is_none() {
            return Ok(flows);
        }
        page.after = found.next;
    }
}

async fn one(
    app: &TenantApp,
    client: &aws_sdk_appflow::Client,
    flow: &Flow,
    listing: &Listing,
    now: Timestamp,
) -> Result<(), Error> {
    let listed = listing.flows.get(&flow.appflow_name);
    match flow.state {
        FlowState::Creating | FlowState::Deleting => {
            unfinished::settle(app, client, flow, now).await
        }
        _ if says_the_same(flow, listed) => Ok(()),
        _ => {
            let look = look(app, client, flow).await?;
            let judgement = judge(flow, &look, now);
            learn(app, flow, &judgement, &look).await
        }
    }
}

/// Whether the list tells nothing that we do not know: then the flow need not be described.
fn says_the_same(flow: &Flow, listed: Option<&Listed>) -> bool {
    let Some(listed) = listed else {
        return matches!(
            &flow.drift,
            Some(Drift {
                kind: DriftKind::Deleted,
                ..
            })
        );
    };
    let (state, updated_at) = match &flow.drift {
        None => (flow.state, flow.appflow_updated_at),
        Some(drift) => (
            drift.found_state.unwrap_or(flow.state),
            drift.appflow_updated_at,
        ),
    };
    state == listed.state && updated_at.is_some() && updated_at == listed.updated_at
}
