//! What a tenant's standing asks for, done by the schedule: stopping schedules, setting them going
//! again, removing everything.
//!
//! The standing says what is to be done, and the work is done until it is: whoever dies in the
//! middle is followed by the next tick, and whoever changes the standing meanwhile changes the work.

mod pause;
mod resume;

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde::de::IgnoredAny;
use tokio::task::JoinSet;
use tributary::{
    error::{Error, Kind},
    id::TenantId,
    store::{Key, Update},
    tenancy::{TENANT_SHARD, Tenant, TenantState},
};

use super::offboarding;
use crate::{App, flows::watch};

/// Tenants that one tick works on at most; the next tick takes the rest.
const MOST: usize = 20;
/// Tenants that are worked on at the same time.
const CONCURRENCY: usize = 4;
/// How long a tick begins with something of a tenant. What has begun has the rest of the function's
/// time.
const BEGIN_WITHIN: Duration = Duration::from_secs(12);
/// How long a claim keeps other ticks away: longer than a function lives, less than a minute.
const CLAIM: SignedDuration = SignedDuration::from_secs(45);
/// How long after a change requests that were let in before it may still change something. What was
/// done until then is looked at once more.
pub(super) const SETTLED_AFTER: SignedDuration = SignedDuration::from_mins(1);

/// How far the work came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Nothing is left to do.
    Done,
    /// It goes on with the next tick.
    More,
    /// It goes on then.
    At(Timestamp),
    /// Something failed; it is tried again, later each time.
    Failed,
}

/// The time that a tick has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    begun: Instant,
    /// The tick's own time, for everything that is stored.
    pub(super) now: Timestamp,
}

impl Budget {
    /// Whether something more may be begun.
    pub(super) fn is_left(self) -> bool {
        self.begun.elapsed() < BEGIN_WITHIN
    }
}

/// Works on every tenant whose standing asks for it; answers how many.
pub(crate) async fn run(app: App, now: Timestamp) -> Result<usize, Error> {
    let budget = Budget {
        begun: Instant::now(),
        now,
    };
    let mut due = watch::tenants(&app, TENANT_SHARD, now, MOST)
        .await?
        .into_iter();
    let (mut works, mut number) = (JoinSet::new(), 0);
    loop {
        while works.len() < CONCURRENCY
            && budget.is_left()
            && let Some(tenant) = due.next()
        {
            let app = app.clone();
            works.spawn(async move { one(&app, tenant, budget).await });
        }
        match works.join_next().await {
            None => return Ok(number),
            Some(_) => number += 1,
        }
    }
}

async fn one(app: &App, tenant: TenantId, budget: Budget) {
    if let Err(error) = work(app, tenant, budget).await {
        tracing::warn!(
            tenant.id = %tenant, error.code = error.code(), error.chain = error.chain(),
            "what a tenant's standing asks for could not be done now"
        );
    }
}

async fn work(app: &App, id: TenantId, budget: Budget) -> Result<(), Error> {
    // The index lags behind: the item itself says whether something is due.
    let tenant = Tenant::load(&app.store, id).await?;
    let is_due = |due: i64| due <= budget.now.as_millisecond();
    if !tenant.due_at.is_some_and(is_due) {
        return Ok(());
    }
    let Some(claimed) = claim(app, &tenant, budget.now).await? else {
        return Ok(());
    };
    let within = app.for_operator(id).await?;
    let done = match tenant.state {
        TenantState::Suspended => pause::pause(&within, &tenant, budget).await,
        TenantState::Active => resume::resume(&within, &tenant, budget).await,
        TenantState::Leaving => offboarding::step(&within, &tenant, budget).await,
        TenantState::Gone => Ok(Outcome::Done),
    };
    let outcome = done.unwrap_or_else(|error| {
        tracing::warn!(
            tenant.id = %id, state = %tenant.state, error.code = error.code(),
            error.chain = error.chain(), "a step of a tenant's work failed"
        );
        Outcome::Failed
    });
    release(app, &tenant, claimed, outcome, budget.now).await
}

/// Takes the work: of several ticks, one gets it.
async fn claim(app: &App, tenant: &Tenant, now: Timestamp) -> Result<Option<i64>, Error> {
    let until = after(now, CLAIM).as_millisecond();
    let update = Update::new()
        .set("due_at", until)
        .when_equal("due_at", tenant.due_at)
        .when_equal("version", tenant.version);
    unless_changed(app, tenant.id, update)
        .await
        .map(|was_ours| was_ours.then_some(until))
}

/// Notes how far it came, unless the standing has changed: then the new one's work is due already.
async fn release(
    app: &App,
    tenant: &Tenant,
    claimed: i64,
    outcome: Outcome,
    now: Timestamp,
) -> Result<(), Error> {
    let failures = tenant.failures.saturating_add(1);
    let update = Update::new()
        .when_equal("due_at", claimed)
        .when_equal("version", tenant.version);
    let update = match outcome {
        Outcome::Done => update.remove("due_shard").remove("due_at"),
        Outcome::More => update
            .set("due_at", now.as_millisecond())
            .set("failures", 0),
        Outcome::At(at) => update.set("due_at", at.as_millisecond()).set("failures", 0),
        Outcome::Failed => update
            .set("due_at", after(now, pause_after(failures)).as_millisecond())
            .set("failures", failures),
    };
    unless_changed(app, tenant.id, update).await.map(|_| ())
}

async fn unless_changed(app: &App, tenant: TenantId, update: Update) -> Result<bool, Error> {
    match app
        .store
        .update::<IgnoredAny>(&Key::tenant(tenant), update)
        .await
    {
        Ok(_) => Ok(true),
        Err(error) if error.is_condition() => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// One minute after the first failure, then twice as long each time, half an hour at most.
fn pause_after(failures: u32) -> SignedDuration {
    let minutes = 1_i64 << failures.saturating_sub(1).min(5);
    SignedDuration::from_mins(minutes.min(30))
}

/// Work is over when what was let in before the change is over too; else it is looked at again.
pub(super) fn settled(tenant: &Tenant, now: Timestamp) -> Outcome {
    let settled = after(tenant.state_since, SETTLED_AFTER);
    if now >= settled {
        Outcome::Done
    } else {
        Outcome::At(settled)
    }
}

/// Whether the account will not let us do it however often we try.
pub(super) fn is_locked_out(error: &Error) -> bool {
    matches!(error.kind(), Kind::Conflict | Kind::NotFound)
        && matches!(
            error.code(),
            "account_not_accessible" | "account_not_verified" | "not_found"
        )
}

pub(super) fn after(from: Timestamp, by: SignedDuration) -> Timestamp {
    from.saturating_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use tributary::tenancy::HostingMode;

    use super::*;

    #[test]
    fn failures_make_the_pauses_longer_up_to_half_an_hour() {
        let minutes: Vec<i64> = [1, 2, 3, 5, 6, 40]
            .map(|failures| pause_after(failures).as_mins())
            .to_vec();
        assert_eq!(minutes, [1, 2, 4, 16, 30, 30]);
    }

    #[test]
    fn work_is_looked_at_again_until_nobody_can_be_at_it_any_more() {
        let since = Timestamp::UNIX_EPOCH;
        let tenant = Tenant::begin("Acme".to_owned(), HostingMode::Vendor, since);
        let settled_at = after(since, SETTLED_AFTER);
        assert_eq!(settled(&tenant, since), Outcome::At(settled_at));
        assert_eq!(settled(&tenant, settled_at), Outcome::Done);
    }
}
