//! A statement taken as far as it can be taken now, each step a conditional write.

use jiff::Timestamp;
use tributary::{
    error::Error,
    run::{AfterRunProgress, AfterRunState, RUN_SHARD, Run},
    store::{StoreError, Update},
    telemetry::{self, Metric},
};

use super::machine::{self, Next};
use crate::{TenantEvents, apply::run_key};

impl TenantEvents<'_> {
    /// Begins with what a run has decided to do in the warehouse. What cannot be begun now is found
    /// by reconciliation: it does not fail the event.
    pub(crate) async fn begin_after_run(&self, run: Run) {
        let after_run = run.after_run.as_ref();
        let is_pending = after_run
            .is_some_and(|after_run| matches!(after_run.state, AfterRunState::Pending { .. }));
        // What has begun is somebody's work until it is due again.
        if is_pending {
            self.try_after_run(run).await;
        }
    }

    /// Goes on with a run's statement, and logs what keeps it.
    pub(crate) async fn try_after_run(&self, run: Run) -> bool {
        let (tenant, id) = (run.tenant_id, run.id);
        match self.go_on(run).await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(tenant.id = %tenant, run.id = %id, error.code = error.code(), error.chain = error.chain(), "the statement after a run waits for the reconciliation");
                false
            }
        }
    }

    /// Goes on with a run's statement as far as it goes now.
    pub(crate) async fn go_on(&self, run: Run) -> Result<(), Error> {
        let Some(progress) = run.after_run.clone() else {
            return Ok(());
        };
        let now = Timestamp::now();
        match machine::next(&progress.state, now) {
            Next::Nothing => Ok(()),
            Next::Ask { statement } => self.look_at(run, progress, &statement).await,
            Next::GiveUp => {
                let state = machine::given_up(progress.state.clone(), now);
                self.keep(run, progress, state).await.map(|_| ())
            }
            Next::Send if !self.is_active().await? => {
                let state = machine::stopped(progress.state.clone(), now);
                self.keep(run, progress, state).await.map(|_| ())
            }
            Next::Send => self.send_statement(run, progress, now).await,
        }
    }

    async fn send_statement(
        &self,
        run: Run,
        progress: AfterRunProgress,
        now: Timestamp,
    ) -> Result<(), Error> {
        let Some(claim) = machine::claimed(&progress.state, now) else {
            return Ok(());
        };
        // Of several who try, one gets it.
        let Some((run, progress)) = self.keep(run, progress, claim).await? else {
            return Ok(());
        };
        let AfterRunState::Sending { prepared, .. } = &progress.state else {
            return Ok(());
        };
        let outcome = self.warehouse.send(&run, prepared).await;
        let state = machine::sent(progress.state.clone(), &outcome, Timestamp::now());
        let Some((run, progress)) = self.keep(run, progress, state).await? else {
            return Ok(());
        };
        // An event that came before the statement's id was written could not be told from a forged
        // one. Then the statement had ended, and this look sees that.
        if let Next::Ask { statement } = machine::next(&progress.state, now) {
            return self.look_at(run, progress, &statement).await;
        }
        Ok(())
    }

    async fn look_at(
        &self,
        run: Run,
        progress: AfterRunProgress,
        statement: &str,
    ) -> Result<(), Error> {
        let seen = self.warehouse.look(run.tenant_id, statement).await;
        let state = machine::looked(progress.state.clone(), seen, Timestamp::now());
        if state == progress.state {
            return Ok(());
        }
        self.keep(run, progress, state).await.map(|_| ())
    }

    /// Writes the next state if the stored one is still the one that it follows; none if somebody
    /// else was faster.
    async fn keep(
        &self,
        run: Run,
        before: AfterRunProgress,
        state: AfterRunState,
    ) -> Result<Option<(Run, AfterRunProgress)>, Error> {
        let now = Timestamp::now();
        let taken = before.step;
        let after = AfterRunProgress {
            state,
            step: before.step + 1,
            ..before
        };
        let update = Update::new()
            .set("after_run", &after)
            .set("updated_at", now)
            .set_or_remove("due_shard", after.state.is_open().then_some(RUN_SHARD))
            .set_or_remove("due_at", machine::due_at(&after.state, now))
            .when_member_equal("after_run", "step", taken);
        match self.store.update::<Run>(&run_key(&run), update).await {
            Ok(run) => {
                Self::log_after_run(&run, &after);
                Ok(Some((run, after)))
            }
            Err(StoreError::Condition { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Puts the next look off, so that one that always fails does not hold the front of the index.
    pub(crate) async fn look_again_later(&self, run: &Run) -> Result<(), Error> {
        let Some(after_run) = &run.after_run else {
            return Ok(());
        };
        let update = Update::new()
            .set_or_remove(
                "due_at",
                machine::due_at(&after_run.state, Timestamp::now()),
            )
            .when_member_equal("after_run", "step", after_run.step);
        match self.store.update::<Run>(&run_key(run), update).await {
            // It went on meanwhile, and its next look was set then.
            Ok(_) | Err(StoreError::Condition { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn log_after_run(run: &Run, progress: &AfterRunProgress) {
        let AfterRunProgress {
            query,
            version,
            step: _,
            state,
        } = progress;
        let statement = state.statement();
        match state {
            AfterRunState::Failed { code, .. } => {
                telemetry::count(Metric::AfterRunsFailed);
                tracing::warn!(tenant.id = %run.tenant_id, flow.id = %run.flow_id, run.id = %run.id, query.name = %query, query.version = version, statement.id = statement, error.code = code.as_str(), after_runs_failed = 1, "the statement after a run failed");
            }
            AfterRunState::Skipped { reason, .. } => {
                tracing::info!(tenant.id = %run.tenant_id, flow.id = %run.flow_id, run.id = %run.id, query.name = %query, reason = reason.as_str(), "the statement after a run was not run");
            }
            AfterRunState::Finished { rows, .. } => {
                tracing::info!(tenant.id = %run.tenant_id, flow.id = %run.flow_id, run.id = %run.id, query.name = %query, query.version = version, statement.id = statement, rows, "the statement after a run finished");
            }
            AfterRunState::Running { .. } => {
                tracing::info!(tenant.id = %run.tenant_id, flow.id = %run.flow_id, run.id = %run.id, query.name = %query, query.version = version, statement.id = statement, "the statement after a run is under way");
            }
            AfterRunState::Pending { .. } | AfterRunState::Sending { .. } => {}
        }
    }
}
