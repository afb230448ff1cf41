//! Removing a tenant (O11): one phase after the other, each thing on its own, every step repeatable.
//!
//! What is about to be removed is written down before, and what became of it after: a process that
//! dies in between is followed by another, which meets the same things again. What cannot be removed
//! does not hold up the rest; it is listed as left over, with who can do something about it.

mod accounts;
mod apps;
mod connections;
mod flows;
pub(super) mod get;
mod grants;
mod members;
mod rest;
mod subscriptions;
mod thing;
pub(super) mod view;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use tributary::{
    error::Error,
    http::Caller,
    id::TenantId,
    store::{Key, Store, Update},
    tenancy::{Tenant, TenantState},
};
use utoipa::ToSchema;

use self::view::OffboardingView;
use super::{
    turn::turn,
    work::{Budget, Outcome, after},
};
use crate::TenantApp;

/// How long what fails is tried before it is listed as left over.
const PATIENCE: SignedDuration = SignedDuration::from_hours(24);

/// What is being removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Phase {
    /// Flows in AppFlow.
    Flows,
    /// Connections: connector profiles, tokens, secrets.
    Connections,
    /// Grants that providers have not ended yet; the service goes on asking.
    Grants,
    /// The tenant's own OAuth apps.
    Apps,
    /// AWS accounts, with whatever of the tenant's is still in AppFlow there.
    Accounts,
    /// Subscriptions to notifications.
    Subscriptions,
    /// Members and their sign-ins.
    Members,
    /// Whatever else is kept of the tenant.
    Rest,
    /// Nothing any more.
    Done,
}

impl Phase {
    const fn next(self) -> Self {
        match self {
            Self::Flows => Self::Connections,
            Self::Connections => Self::Grants,
            Self::Grants => Self::Apps,
            Self::Apps => Self::Accounts,
            Self::Accounts => Self::Subscriptions,
            Self::Subscriptions => Self::Members,
            Self::Members => Self::Rest,
            Self::Rest | Self::Done => Self::Done,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Flows => "flows",
            Self::Connections => "connections",
            Self::Grants => "grants",
            Self::Apps => "apps",
            Self::Accounts => "accounts",
            Self::Subscriptions => "subscriptions",
            Self::Members => "members",
            Self::Rest => "rest",
            Self::Done => "done",
        }
    }
}

/// An offboarding, as it is stored; kept for ever.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Offboarding {
    pub(super) tenant_id: TenantId,
    pub(super) phase: Phase,
    pub(super) requested_at: Timestamp,
    /// The operator's client that asked for it.
    pub(super) requested_by: String,
    /// The gateway's id of the request.
    pub(super) request_id: String,
    /// Other items of the tenant's that were removed.
    #[serde(default)]
    pub(super) items: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) finished_at: Option<Timestamp>,
    /// The receipt, signed: a compact JWS (ES256) whose payload is canonical JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) jws: Option<String>,
}

impl Offboarding {
    /// An offboarding that begins now.
    pub(super) fn begin(tenant: &Tenant, caller: &Caller, now: Timestamp) -> Self {
        Self {
            tenant_id: tenant.id,
            phase: Phase::Flows,
            requested_at: now,
            requested_by: caller.identity.subject.clone(),
            request_id: caller.request_id.clone(),
            items: 0,
            finished_at: None,
            jws: None,
        }
    }

    /// Where it is kept.
    pub(super) fn key(&self) -> Key {
        Key::offboarding(self.tenant_id)
    }

    /// The offboarding of a tenant, if one was asked for.
    pub(super) async fn load(store: &Store, tenant: TenantId) -> Result<Option<Self>, Error> {
        Ok(store.get(&Key::offboarding(tenant)).await?)
    }

    /// Whether what still fails is listed as left over now.
    pub(super) fn is_out_of_patience(&self, now: Timestamp) -> bool {
        now >= after(self.requested_at, PATIENCE)
    }
}

/// One turn of the schedule: as many phases as there is time for.
pub(super) async fn step(
    app: &TenantApp,
    tenant: &Tenant,
    budget: Budget,
) -> Result<Outcome, Error> {
    let found = Offboarding::load(&app.store, tenant.id).await?;
    let mut job = found.ok_or_else(|| {
        Error::internal(
            "offboarding_lost",
            "a tenant is leaving without a record of it",
        )
    })?;
    loop {
        let outcome = match job.phase {
            Phase::Flows => flows::remove(app, &job, budget).await?,
            Phase::Connections => connections::remove(app, &job, budget).await?,
            Phase::Grants => grants::wait(app, &job, budget).await?,
            Phase::Apps => apps::remove(app, &job, budget).await?,
            Phase::Accounts => accounts::remove(app, tenant, &job, budget).await?,
            Phase::Subscriptions => subscriptions::remove(app, &job, budget).await?,
            Phase::Members => members::remove(app, &job, budget).await?,
            Phase::Rest => rest::remove(app, &job, budget).await?,
            Phase::Done => {
                finish(app, tenant, &job, budget.now).await?;
                return Ok(Outcome::Done);
            }
        };
        if outcome != Outcome::Done {
            return Ok(outcome);
        }
        tracing::info!(tenant.id = %tenant.id, phase = job.phase.as_str(), "phase of an offboarding is over");
        job = advance(app, &job).await?;
    }
}

/// The next phase, with what was counted meanwhile.
async fn advance(app: &TenantApp, job: &Offboarding) -> Result<Offboarding, Error> {
    let update = Update::new()
        .set("phase", job.phase.next())
        .when_equal("phase", job.phase);
    Ok(app.store.update(&job.key(), update).await?)
}

/// The receipt is complete, and signed, before the tenant is gone; who dies in between does both
/// again.
async fn finish(
    app: &TenantApp,
    tenant: &Tenant,
    job: &Offboarding,
    now: Timestamp,
) -> Result<(), Error> {
    if job.jws.is_none() {
        let view = OffboardingView::finished(&app.store, tenant, job, now).await?;
        let jws = app.reports.sign(view.canonical()?.as_bytes()).await?;
        let update = Update::new().set("finished_at", now).set("jws", jws);
        app.store.update::<IgnoredAny>(&job.key(), update).await?;
    }
    turn(app, tenant, TenantState::Gone, None, now).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phase_leads_to_the_end() {
        let (mut phase, mut steps) = (Phase::Flows, 0);
        while phase != Phase::Done {
            phase = phase.next();
            steps += 1;
        }
        assert_eq!(steps, 8);
        assert_eq!(Phase::Done.next(), Phase::Done);
    }
}
