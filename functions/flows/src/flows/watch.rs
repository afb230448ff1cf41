//! The watch: what nobody asked for and must happen all the same.
//!
//! A schedule ticks each minute. Accounts that have flows are looked at every five minutes, once
//! per account and never once per flow: what somebody else changed is noticed (F6), what a crash
//! left half done is finished or removed (F7).

mod account;
mod due;
mod item;
mod listing;
mod orphan;
mod scarce;
mod unfinished;

use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tributary::{error::Error, id::OperationId};

use super::operation::perform;
use crate::{App, tenants::work};
pub(crate) use due::{due_entries, tenants};
pub(crate) use item::{Watch, ensure};
use listing::Listings;

/// Accounts that one tick looks at at most; the next tick takes the rest, oldest first.
const MOST_ACCOUNTS: usize = 100;
/// Operations that one tick tries at most.
const MOST_OPERATIONS: usize = 50;
/// How long a tick begins with operations.
const OPERATIONS_WITHIN: Duration = Duration::from_secs(8);
/// Accounts, or operations, that are worked on at the same time.
const CONCURRENCY: usize = 4;
/// How long a tick begins new work. What has begun then has the rest of the function's time.
const BEGIN_WITHIN: Duration = Duration::from_secs(15);
/// Longest look at one account; it must end before the function's time does.
const ACCOUNT_WITHIN: Duration = Duration::from_secs(12);

/// The schedule's input.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Tick {
    /// What is to be done.
    pub(crate) kind: Kind,
    /// The tick's own time.
    pub(crate) scheduled_time: Timestamp,
}

/// What a tick is for.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// Flows of accounts.
    Watch,
    /// Roles of accounts.
    AccountChecks,
}

/// What a tick did.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Ticked {
    /// Operations that were tried.
    operations: usize,
    /// Tenants whose standing asked for something.
    tenants: usize,
    /// Accounts that were looked at.
    accounts: usize,
    /// Accounts that could not be looked at; they are due again, later each time.
    failed: usize,
}

/// Works on everything that is due at the tick's own time, so that a late or doubled tick asks the
/// same question. One account that fails does not keep the others waiting.
pub(crate) async fn run(app: &App, tick: &Tick) -> Result<Ticked, Error> {
    let now = tick.scheduled_time;
    let begun = Instant::now();
    let tenants = tokio::spawn(work::run(app.clone(), now));
    let operations = operations(app, now, begun).await?;
    let listings = Listings::default();
    let mut due = due::accounts(app, now, MOST_ACCOUNTS).await?.into_iter();
    let mut looks = JoinSet::new();
    let mut ticked = Ticked {
        operations,
        ..Ticked::default()
    };
    loop {
        while looks.len() < CONCURRENCY
            && begun.elapsed() < BEGIN_WITHIN
            && let Some(hint) = due.next()
        {
            let (app, listings) = (app.clone(), listings.clone());
            looks.spawn(async move { account::watch(&app, &listings, hint, now).await });
        }
        let Some(look) = looks.join_next().await else {
            break;
        };
        match look {
            Ok(account::Outcome::Looked) => ticked.accounts += 1,
            Ok(account::Outcome::NotOurs) => {}
            Ok(account::Outcome::Failed) | Err(_) => ticked.failed += 1,
        }
    }
    ticked.tenants = tenants.await.map_err(|error| {
        Error::internal("work_lost", "the tenants' work did not end by itself").with_source(error)
    })??;
    tracing::info!(scheduled_time = %now, operations, tenants = ticked.tenants, accounts = ticked.accounts, failed = ticked.failed, "watched");
    Ok(ticked)
}

/// Tries what AppFlow throttled; people wait for it, so it comes first.
async fn operations(app: &App, now: Timestamp, begun: Instant) -> Result<usize, Error> {
    let mut due = due::operations(app, now, MOST_OPERATIONS)
        .await?
        .into_iter();
    let mut attempts = JoinSet::new();
    let mut tried = 0;
    loop {
        while attempts.len() < CONCURRENCY
            && begun.elapsed() < OPERATIONS_WITHIN
            && let Some(hint) = due.next()
        {
            let app = app.clone();
            tried += 1;
            attempts.spawn(async move {
                if let Err(error) = operation(&app, hint, now).await {
                    tracing::warn!(
                        tenant.id = %hint.0, operation.id = %hint.1,
                        error.code = error.code(), error.chain = error.chain(), "operation could not be tried"
                    );
                }
            });
        }
        if attempts.join_next().await.is_none() {
            return Ok(tried);
        }
    }
}

/// Tries one operation, in the scope of its tenant.
async fn operation(app: &App, hint: due::Hint<OperationId>, now: Timestamp) -> Result<(), Error> {
    let app = app.within(&app.scopes.of(hint.0).await?);
    match due::operation(&app, hint, now).await? {
        Some(operation) => perform::attempt(&app, &operation, now).await,
        None => Ok(()),
    }
}
