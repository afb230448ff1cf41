//! Where lists find runs: by when they began, over all of a tenant's flows.
//!
//! Every run has two entries in one partition of its tenant: one among all runs, and one among those
//! in its status, which moves with the status. A run's id holds when it began, so both are in that
//! order, and neither needs to be read past what a page shows.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Run, RunStatus};
use crate::{
    id::{FlowId, RunId, TenantId},
    store::Key,
};

/// A run, in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedRun {
    /// The run.
    pub run_id: RunId,
    /// Its flow.
    pub flow_id: FlowId,
}

impl ListedRun {
    /// Where the run itself is.
    pub fn key(&self, tenant: TenantId) -> Key {
        Key::run(tenant, self.flow_id, self.run_id)
    }
}

impl Run {
    /// An id for a run that began then, as far as is known; it sorts accordingly. Nothing begins
    /// later than now.
    pub fn id_since(began: Timestamp, now: Timestamp) -> RunId {
        let began = began.clamp(Timestamp::UNIX_EPOCH, now);
        let seconds = u64::try_from(began.as_second()).unwrap_or_default();
        let nanoseconds = u32::try_from(began.subsec_nanosecond()).unwrap_or_default();
        let instant = uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanoseconds);
        RunId::from_uuid(Uuid::new_v7(instant))
    }

    /// What lists have of the run.
    pub const fn listed(&self) -> ListedRun {
        ListedRun {
            run_id: self.id,
            flow_id: self.flow_id,
        }
    }

    /// Its place among all runs of the tenant.
    pub fn place(&self) -> Key {
        Key::listed_run(self.tenant_id, None, self.id)
    }

    /// Its place among the tenant's runs in a status.
    pub fn place_in(&self, status: RunStatus) -> Key {
        Key::listed_run(self.tenant_id, Some(status), self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u7_runs_are_listed_by_when_they_began_whenever_we_learned_of_them() {
        let at = |millisecond| Timestamp::from_millisecond(millisecond).unwrap();
        let now = at(1_700_000_000_000);
        let (tenant, flow) = (TenantId::new(), FlowId::new());
        let place = |began| {
            let mut run = Run::queued(tenant, flow, "e", now);
            run.id = Run::id_since(began, now);
            run.place().sk
        };
        let early = place(at(1_600_000_000_000));
        let late = place(at(1_600_000_000_001));
        assert!(early < late, "{early} {late}");
        let bound = |millisecond| Key::run_since(None, at(millisecond));
        assert!(bound(1_600_000_000_000) <= early && early < bound(1_600_000_000_001));
        assert!(bound(1_600_000_000_001) <= late);
        let future = place(at(1_800_000_000_000));
        assert!(future < bound(1_700_000_000_001), "{future}");
    }

    #[test]
    fn a_run_is_in_the_list_of_its_status_and_in_no_other() {
        let run = Run::queued(TenantId::new(), FlowId::new(), "e", Timestamp::now());
        let places: std::collections::BTreeSet<String> = RunStatus::ALL
            .into_iter()
            .map(|status| run.place_in(status).sk)
            .chain([run.place().sk])
            .collect();
        assert_eq!(places.len(), 6);
    }
}
