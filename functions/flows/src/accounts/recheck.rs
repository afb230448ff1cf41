//! The daily check of accounts that were proven (O8): the same probes, by schedule.
//!
//! A tick takes what is due, oldest first, tenants in turns. It stops beginning while there is still
//! time to end; the rest waits for the next tick. A check that dies comes again.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use serde::{Serialize, de::IgnoredAny};
use tokio::task::JoinSet;
use tributary::{
    error::Error,
    id::{AccountId, TenantId},
    store::{Key, Update},
    tenancy::{Account, AccountState, CHECK_SHARD},
};

use super::{
    inspect::{self, Patience},
    settle,
};
use crate::{App, flows::watch};

/// Accounts that one tick looks up at most.
const MOST: usize = 100;
/// Accounts that are checked at the same time.
const CONCURRENCY: usize = 4;
/// How long a tick begins with checks: one takes up to 25 seconds, the function has 29.
const BEGIN_WITHIN: Duration = Duration::from_secs(3);
/// A check that dies is due again after this.
const CLAIMED: SignedDuration = SignedDuration::from_mins(15);

/// What a tick did.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Checked {
    /// Accounts that were checked, whatever was found.
    accounts: usize,
    /// Checks that proved nothing; they are due again soon.
    inconclusive: usize,
    /// Checks that could not be made; they are due again.
    failed: usize,
}

enum Outcome {
    Checked,
    Inconclusive,
    NotOurs,
    Failed,
}

/// Checks what is due at the tick's own time.
pub(crate) async fn run(app: &App, now: Timestamp) -> Result<Checked, Error> {
    let begun = Instant::now();
    let mut due: VecDeque<(TenantId, AccountId)> = in_turns(due(app, now).await?).into();
    let mut checks = JoinSet::new();
    let mut done = Checked::default();
    loop {
        while checks.len() < CONCURRENCY
            && begun.elapsed() < BEGIN_WITHIN
            && let Some((tenant, account)) = due.pop_front()
        {
            let app = app.clone();
            checks.spawn(async move {
                check(&app, tenant, account, now).await.unwrap_or_else(|error| {
                    tracing::warn!(
                        tenant.id = %tenant, account.id = %account,
                        error.code = error.code(), error.chain = error.chain(), "account could not be checked"
                    );
                    Outcome::Failed
                })
            });
        }
        match checks.join_next().await {
            Some(Ok(Outcome::Checked)) => done.accounts += 1,
            Some(Ok(Outcome::Inconclusive)) => done.inconclusive += 1,
            Some(Ok(Outcome::NotOurs)) => {}
            Some(Ok(Outcome::Failed) | Err(_)) => done.failed += 1,
            None => break,
        }
    }
    tracing::info!(
        scheduled_time = %now, accounts = done.accounts, inconclusive = done.inconclusive,
        failed = done.failed, left = due.len(), "accounts checked"
    );
    Ok(done)
}

async fn due(app: &App, now: Timestamp) -> Result<Vec<(TenantId, AccountId)>, Error> {
    let entries = watch::due_entries(app, CHECK_SHARD, now, MOST).await?;
    Ok(entries
        .iter()
        .filter_map(|(pk, sk)| {
            let tenant = pk.strip_prefix("TENANT#")?.parse().ok()?;
            let account = sk.strip_prefix("ACCOUNT#")?.parse().ok()?;
            Some((tenant, account))
        })
        .collect())
}

/// Tenants take turns; the order of each stays.
fn in_turns(due: Vec<(TenantId, AccountId)>) -> Vec<(TenantId, AccountId)> {
    let mut nth: BTreeMap<TenantId, usize> = BTreeMap::new();
    let mut numbered: Vec<_> = due
        .into_iter()
        .map(|(tenant, account)| {
            let nth = nth.entry(tenant).or_default();
            *nth += 1;
            (*nth, tenant, account)
        })
        .collect();
    numbered.sort_by_key(|(nth, ..)| *nth);
    numbered
        .into_iter()
        .map(|(_, tenant, account)| (tenant, account))
        .collect()
}

async fn check(
    app: &App,
    tenant: TenantId,
    id: AccountId,
    now: Timestamp,
) -> Result<Outcome, Error> {
    let scope = app.scopes.of(tenant).await?;
    let store = scope.store();
    let Some(account) = claim(store, tenant, id, now).await? else {
        return Ok(Outcome::NotOurs);
    };
    let patience = if account.checks_failed == 0 {
        Patience::FirstTime
    } else {
        Patience::Caller
    };
    let found = inspect::inspect(app, &account, patience).await?;
    if settle::is_inconclusive(&found) {
        settle::again_soon(store, &account, Timestamp::now()).await?;
        return Ok(Outcome::Inconclusive);
    }
    match settle::settle(app, store, &account, &found, Timestamp::now()).await {
        Ok(_) => Ok(Outcome::Checked),
        // Somebody verified or deleted it meanwhile.
        Err(error) if error.code() == "changed_meanwhile" => Ok(Outcome::NotOurs),
        Err(error) => Err(error),
    }
}

/// Takes a check that is due: of several ticks, one gets it. The index lags behind: the account
/// itself says when it is due.
async fn claim(
    store: &tributary::store::Store,
    tenant: TenantId,
    id: AccountId,
    now: Timestamp,
) -> Result<Option<Account>, Error> {
    let Some(account) = Account::load(store, tenant, id).await? else {
        return Ok(None);
    };
    let Some(due_at) = account.due_at.filter(|at| *at <= now.as_millisecond()) else {
        return Ok(None);
    };
    if account.state == AccountState::Pending {
        return Ok(None);
    }
    let later = Timestamp::now().saturating_add(CLAIMED);
    let update = Update::new()
        .set("due_at", later.unwrap_or(Timestamp::MAX).as_millisecond())
        .when_equal("due_at", due_at);
    let key = Key::account(tenant, id);
    match store.update::<IgnoredAny>(&key, update).await {
        Ok(_) => Ok(Some(account)),
        Err(error) if error.is_condition() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn o8_a_tenant_with_many_accounts_does_not_keep_another_waiting() {
        let (big, small) = (TenantId::new(), TenantId::new());
        let mut due: Vec<_> = (0..5).map(|_| (big, AccountId::new())).collect();
        due.push((small, AccountId::new()));
        let ordered = in_turns(due.clone());
        assert_eq!(ordered[1], due[5]);
        let bigs: Vec<_> = ordered.into_iter().filter(|(t, _)| *t == big).collect();
        assert_eq!(bigs, due[..5]);
    }
}
