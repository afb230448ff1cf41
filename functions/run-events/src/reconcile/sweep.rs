//! The sweep: flows that run by themselves are looked at every five minutes, so that a run of which
//! every event was lost is in the history all the same (scenario U2).

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde::de::IgnoredAny;
use tokio::task::JoinSet;
use tributary::{
    error::Error,
    store::{Key, Update},
};

use super::{flow::FlowItem, records::Asked};
use crate::{RunEvents, TenantEvents, owner::RunOwner};

/// Most flows that one tick looks at; the next tick takes the rest, oldest first.
const MOST_FLOWS: usize = 1_000;
/// Flows that are looked at at the same time.
const CONCURRENCY: usize = 8;
/// How long a tick begins new looks. What has begun then has the rest of the function's time.
const BEGIN_WITHIN: Duration = Duration::from_secs(20);
/// How long one look applies what it found.
const APPLY_WITHIN: Duration = Duration::from_secs(15);
/// From one look to the next; a tick may come early.
const EVERY: SignedDuration = SignedDuration::from_secs(270);
/// Runs that began so much before the last look are known, however clocks differ.
const SLACK: SignedDuration = SignedDuration::from_mins(10);

/// What a sweep did.
#[derive(Debug, Default)]
pub(super) struct Swept {
    /// Flows that were looked at.
    pub(super) looked: u32,
    /// Flows that could not be; they are due again.
    pub(super) failed: u32,
}

impl RunEvents {
    /// Looks at the flows that are due. One that fails does not keep the others waiting.
    pub(super) async fn sweep(&self, at: Timestamp) -> Result<Swept, Error> {
        let begun = Instant::now();
        let mut due = self.due_flows(at, MOST_FLOWS).await?.into_iter();
        let mut looks = JoinSet::new();
        let mut swept = Swept::default();
        loop {
            while looks.len() < CONCURRENCY
                && begun.elapsed() < BEGIN_WITHIN
                && let Some(owner) = due.next()
            {
                let events = self.clone();
                looks.spawn(async move { (owner, events.look(&owner, at).await) });
            }
            let Some(look) = looks.join_next().await else {
                return Ok(swept);
            };
            match look {
                Ok((_, Ok(true))) => swept.looked += 1,
                Ok((_, Ok(false))) => {}
                Ok((owner, Err(error))) => {
                    swept.failed += 1;
                    tracing::warn!(tenant.id = %owner.tenant_id, flow.id = %owner.flow_id, error.code = error.code(), error.chain = error.chain(), "flow could not be swept");
                }
                Err(_) => swept.failed += 1,
            }
        }
    }

    /// Looks at a flow if it is due and nobody else does.
    async fn look(&self, owner: &RunOwner, at: Timestamp) -> Result<bool, Error> {
        let tenant = self.within(owner.tenant_id).await?;
        // The index lags behind: the flow itself says when it is due.
        let Some(flow) = tenant.flow_of(owner).await? else {
            return Ok(false);
        };
        let Some(due_at) = flow.due_at.filter(|due| *due <= at.as_millisecond()) else {
            return Ok(false);
        };
        let next = at.saturating_add(EVERY).unwrap_or(Timestamp::MAX);
        let claim = Update::new()
            .set("due_at", next.as_millisecond())
            .when_equal("due_at", due_at);
        if !tenant.change_flow(owner, claim).await? {
            return Ok(false);
        }
        tenant.catch_up_flow(owner, &flow, next).await?;
        Ok(true)
    }
}

impl TenantEvents<'_> {
    /// Applies what AppFlow has of the flow since the last look. A flow that does not go any more is
    /// looked at once more, and then no more.
    async fn catch_up_flow(
        &self,
        owner: &RunOwner,
        flow: &FlowItem,
        claimed: Timestamp,
    ) -> Result<(), Error> {
        let now = Timestamp::now();
        let since = flow
            .swept_at
            .and_then(|at| at.checked_sub(SLACK).ok())
            .unwrap_or(Timestamp::MIN);
        let mut found = self
            .records_of(owner, flow, &Asked::since(since))
            .await?
            .found;
        // Oldest first, so that a look whose time is over can be gone on with.
        found.sort_by_key(|found| found.news.facts.started_at);
        let begun = Instant::now();
        let mut swept_at = now;
        let mut is_done = true;
        let mut outcome = Ok(());
        for record in &found {
            if begun.elapsed() > APPLY_WITHIN {
                swept_at = record.news.facts.started_at.unwrap_or(since);
                is_done = false;
                break;
            }
            // A notification that cannot be published does not keep later runs from being found.
            if let Err(error) = self.apply(owner, &record.execution_id, &record.news).await {
                outcome = Err(error);
            }
        }
        outcome?;
        if flow.is_deactivated() {
            self.tell_found_deactivation(owner, flow, now).await?;
        }
        let swept = Update::new()
            .set("swept_at", swept_at)
            .when_equal("due_at", claimed.as_millisecond());
        let swept = if !is_done {
            swept.set("due_at", now.as_millisecond())
        } else if flow.is_going() {
            swept
        } else {
            swept
                .remove("due_shard")
                .remove("due_at")
                .when_equal("state", flow.state)
        };
        // Whoever changed it meanwhile wants another look.
        self.change_flow(owner, swept).await.map(|_| ())
    }

    /// Whether the flow was there and as it must be.
    async fn change_flow(&self, owner: &RunOwner, update: Update) -> Result<bool, Error> {
        let key = Key::flow(owner.tenant_id, owner.flow_id);
        match self.store.update::<IgnoredAny>(&key, update).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_condition() => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
