//! Reports of flows that events start: kept for a while, told to nobody.

use tributary::{
    error::Error,
    incident::{Incident, IncidentKind},
    run::FlowOwner,
};

use crate::{TenantEvents, input::Report};

impl TenantEvents<'_> {
    /// Keeps a report; a repeat is the same report.
    pub(crate) async fn keep_report(&self, owner: &FlowOwner, report: Report) -> Result<(), Error> {
        let incident = Incident::new(
            owner.tenant_id,
            owner.flow_id,
            IncidentKind::Report,
            report.at,
            report.message,
        );
        self.store.put(&incident.key(), &incident).await?;
        Ok(())
    }
}
