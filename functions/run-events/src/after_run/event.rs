//! The Data API's event about a statement: a hint that it is time to ask.

use tributary::{
    run::{AfterRunState, Run},
    store::Key,
};

use super::name::UnverifiedName;
use crate::{Rejected, RunEvents, input::StatementNews};

impl RunEvents {
    /// Asks the Data API about the statement that an event names, if that is a run's.
    ///
    /// The account in the envelope is EventBridge's word and must be the warehouse's. Whose statement
    /// it is, the sender says: nothing of that counts before the run's own record has the statement.
    pub(crate) async fn statement_ended(&self, news: &StatementNews) -> Result<(), Rejected> {
        if news.unverified_account != self.warehouse.account() {
            return Err(Rejected::UnknownStatement);
        }
        let UnverifiedName { tenant, flow, run } = news.unverified_name;
        let events = self.within(tenant).await?;
        let found: Option<Run> = events.store.get(&Key::run(tenant, flow, run)).await?;
        let run = found.ok_or(Rejected::UnknownStatement)?;
        let after_run = run.after_run.as_ref().ok_or(Rejected::UnknownStatement)?;
        if let AfterRunState::Sending { .. } = after_run.state {
            // Whoever sent it asks for its end as soon as the statement's id is written; if that
            // process died, the reconciliation does.
            tracing::info!(tenant.id = %tenant, run.id = %run.id, "event of a statement whose id is not written yet");
            return Ok(());
        }
        if after_run.state.statement() != Some(news.unverified_statement.as_str()) {
            return Err(Rejected::UnknownStatement);
        }
        events.go_on(run).await?;
        Ok(())
    }
}
